package nn

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Affine multiplies the last axis by fixed factors and adds fixed offsets: to
// standardise what a network is given, or to scale what it gives. It learns
// nothing.
type Affine struct {
	// Scale and Offset hold one number for each channel, or one for all. None
	// means 1 and 0.
	Scale  []float64 `json:"scale,omitempty"`
	Offset []float64 `json:"offset,omitempty"`
}

// Standardize returns the layer that takes channels of the given means and
// deviations to mean 0 and deviation 1. It panics if there are not as many of
// both, or if a deviation is not positive.
func Standardize(mean, deviation []float64) Affine {
	if len(mean) != len(deviation) {
		panic(fmt.Sprintf("nn: %d means and %d deviations", len(mean), len(deviation)))
	}
	a := Affine{make([]float64, len(mean)), make([]float64, len(mean))}
	for i, m := range mean {
		if !(deviation[i] > 0) {
			panic(fmt.Sprintf("nn: the deviation of channel %d is %v; it must be positive", i, deviation[i]))
		}
		a.Scale[i] = 1 / deviation[i]
		a.Offset[i] = -m / deviation[i]
	}
	return a
}

// Kind returns "affine".
func (Affine) Kind() string { return "affine" }

// Apply implements [Layer].
func (l Affine) Apply(c *Context, x *graph.Node) *graph.Node {
	rank := x.Shape().Rank()
	if rank < 2 {
		return c.Fail(l, x, "it needs [N,…,C]")
	}
	channels := x.Shape()[rank-1]
	for _, v := range [][]float64{l.Scale, l.Offset} {
		if n := len(v); n > 1 && n != channels {
			return c.Fail(l, x, "it has %d numbers for %d channels", n, channels)
		}
		for _, f := range v {
			if math.IsNaN(f) || math.Abs(f) > math.MaxFloat32 {
				return c.Fail(l, x, "%v is no usable number", f)
			}
		}
	}
	b := c.b
	switch len(l.Scale) {
	case 0:
	case 1:
		x = b.Scale(x, l.Scale[0])
	default:
		x = b.Mul(x, constants(b, l.Scale))
	}
	switch len(l.Offset) {
	case 0:
	case 1:
		x = b.AddScalar(x, l.Offset[0])
	default:
		x = b.Add(x, constants(b, l.Offset))
	}
	return x
}

// constants returns the numbers as a vector of the program.
func constants(b *graph.Builder, v []float64) *graph.Node {
	t := tensor.New(tensor.Float32, len(v))
	for i, f := range v {
		t.Float32()[i] = float32(f)
	}
	return b.Constant(t)
}
