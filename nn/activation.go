package nn

import (
	"cmp"
	"math"

	"hourglass/engine/graph"
)

// ReLU keeps positive values and zeroes the others.
type ReLU struct{}

// Kind returns "relu".
func (ReLU) Kind() string { return "relu" }

// Apply implements [Layer].
func (ReLU) Apply(c *Context, x *graph.Node) *graph.Node { return c.b.Relu(x) }

// LeakyReLU keeps positive values and scales the others by Slope.
type LeakyReLU struct {
	Slope float64 `json:"slope,omitempty"` // 0 means 0.01
}

// Kind returns "leaky_relu".
func (LeakyReLU) Kind() string { return "leaky_relu" }

// Apply implements [Layer].
func (l LeakyReLU) Apply(c *Context, x *graph.Node) *graph.Node {
	return c.b.LeakyRelu(x, cmp.Or(l.Slope, 0.01))
}

// ReLU6 clips values to 0–6.
type ReLU6 struct{}

// Kind returns "relu6".
func (ReLU6) Kind() string { return "relu6" }

// Apply implements [Layer].
func (ReLU6) Apply(c *Context, x *graph.Node) *graph.Node { return c.b.Relu6(x) }

// SiLU returns x·sigmoid(x).
type SiLU struct{}

// Kind returns "silu".
func (SiLU) Kind() string { return "silu" }

// Apply implements [Layer].
func (SiLU) Apply(c *Context, x *graph.Node) *graph.Node { return c.b.Mul(x, c.b.Sigmoid(x)) }

// GELU returns x·Φ(x), Φ the normal distribution function (Hendrycks & Gimpel
// 2016): exactly, or by their approximation with tanh.
type GELU struct {
	Tanh bool `json:"tanh,omitempty"`
}

// Kind returns "gelu".
func (GELU) Kind() string { return "gelu" }

// Apply implements [Layer].
func (l GELU) Apply(c *Context, x *graph.Node) *graph.Node {
	b := c.b
	var s *graph.Node // 2Φ(x)−1
	if l.Tanh {
		cubic := b.Mul(x, b.AddScalar(b.Scale(b.Square(x), 0.044715), 1))
		s = b.Tanh(b.Scale(cubic, math.Sqrt(2/math.Pi)))
	} else {
		s = b.Erf(b.Scale(x, 1/math.Sqrt2))
	}
	return b.Mul(b.Scale(x, 0.5), b.AddScalar(s, 1))
}

// Sigmoid returns 1/(1+exp(−x)).
type Sigmoid struct{}

// Kind returns "sigmoid".
func (Sigmoid) Kind() string { return "sigmoid" }

// Apply implements [Layer].
func (Sigmoid) Apply(c *Context, x *graph.Node) *graph.Node { return c.b.Sigmoid(x) }

// Tanh returns the hyperbolic tangent.
type Tanh struct{}

// Kind returns "tanh".
func (Tanh) Kind() string { return "tanh" }

// Apply implements [Layer].
func (Tanh) Apply(c *Context, x *graph.Node) *graph.Node { return c.b.Tanh(x) }

// Softmax normalises exponentials along the last axis.
type Softmax struct{}

// Kind returns "softmax".
func (Softmax) Kind() string { return "softmax" }

// Apply implements [Layer].
func (l Softmax) Apply(c *Context, x *graph.Node) *graph.Node {
	if x.Shape().Rank() == 0 {
		return c.Fail(l, x, "it needs an axis")
	}
	return c.b.Softmax(x)
}
