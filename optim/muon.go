package optim

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
)

// Muon gives the kernels of convolutions updates that change all directions
// alike: with the matrix G of a kernel's gradient, one column a filter,
// M ← μ·M + G, w ← w·√filters/‖w‖ − rate·orthogonal(G + μ·M), in which
// orthogonal brings all singular values near 1 by three steps of a polynomial
// iteration (Jordan et al. 2024, "Muon: an optimizer for hidden layers in
// neural networks"). Kernels keep the length √filters, so that what follows
// them should not mind their length, as batch normalisation does not, and
// weight decay leaves them alone. All other parameters follow Nesterov's momentum.
type Muon struct {
	Momentum     float64 `json:"momentum,omitempty"`      // μ, less than 1; 0 means 0.6
	Rest         float64 `json:"rest,omitempty"`          // factor on the learning rate of all but kernels; 0 means 1
	RestMomentum float64 `json:"rest_momentum,omitempty"` // less than 1; 0 means 0.85
}

// Kind returns "muon".
func (Muon) Kind() string { return "muon" }

// DefaultRate returns 0.02.
func (Muon) DefaultRate() float64 { return 0.02 }

// Begin implements [Rule]. It keeps the slot "velocity".
func (r Muon) Begin(s Step) (Update, error) {
	momentum, rest := orElse(r.Momentum, 0.6), orElse(r.Rest, 1)
	if err := within("momentum", momentum, 0, 1); err != nil {
		return nil, err
	}
	if !(rest > 0) || math.IsInf(rest, 1) {
		return nil, fmt.Errorf("rest is %v; it must be a positive number", rest)
	}
	b := s.Builder
	others := s
	if rest != 1 {
		others.Rate = b.Scale(s.Rate, rest)
	}
	other, err := SGD{Momentum: orElse(r.RestMomentum, 0.85), Nesterov: true}.Begin(others)
	if err != nil {
		return nil, err
	}
	return func(slots *Slots, w, g *graph.Node) *graph.Node {
		if !isKernel(w) {
			return other(slots, w, g)
		}
		shape := w.Shape()
		velocity := slots.Get("velocity")
		v := b.Add(b.Scale(velocity, momentum), g)
		slots.Set(velocity, v)
		filters := shape[3]
		direction := b.Reshape(b.Add(g, b.Scale(v, momentum)), shape.Elements()/filters, filters)
		step := b.Reshape(orthogonal(b, direction), shape...)
		kept := b.Mul(w, b.Scale(inverseLength(b, w), math.Sqrt(float64(filters))))
		return b.Sub(kept, b.Mul(step, s.Rate))
	}, nil
}

// isKernel reports whether a parameter is the kernel of a convolution.
func isKernel(w *graph.Node) bool { return w.Shape().Rank() == 4 }

// inverseLength returns 1/‖x‖, but for what is too short for that.
func inverseLength(b *graph.Builder, x *graph.Node) *graph.Node {
	const least = 1e-7
	return b.Reciprocal(b.AddScalar(b.Sqrt(b.ToScalar(b.Sum(b.Square(x)))), least))
}

// orthogonal brings the singular values of a matrix near 1. They are at most 1
// after division by the matrix's length; an odd polynomial of the matrix is one
// of each of them and leaves the singular vectors.
func orthogonal(b *graph.Builder, x *graph.Node) *graph.Node {
	// Coefficients that grow small values fastest (Jordan et al. 2024): they end
	// between about 0.7 and 1.2, which is near enough.
	const steps, linear, cubic, quintic = 3, 3.4445, -4.7750, 2.0315
	x = b.Mul(x, inverseLength(b, x))
	wide := x.Shape()[0] < x.Shape()[1]
	for range steps {
		square := b.MatMul(x, x, !wide, wide) // the smaller of the two
		p := b.Add(b.Scale(square, cubic), b.Scale(b.MatMul(square, square, false, false), quintic))
		if wide {
			x = b.Add(b.Scale(x, linear), b.MatMul(p, x, false, false))
		} else {
			x = b.Add(b.Scale(x, linear), b.MatMul(x, p, false, false))
		}
	}
	return x
}
