package optim

import (
	"cmp"
	"fmt"
	"math"

	"hourglass/engine/graph"
)

// Muon gives the kernels of convolutions updates that change all directions
// alike: with the matrix G of a kernel's gradient, one column for each element of
// the last axis, M ← μ·M + G, w ← w − rate·orthogonal(G + μ·M), in which
// orthogonal brings singular values near 1 by three steps of a polynomial
// iteration (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural
// networks"). All other parameters, and the kernels of one input channel, such as
// those of depthwise convolutions, follow Nesterov's momentum.
type Muon struct {
	Momentum     float64 `json:"momentum,omitempty"`      // μ, less than 1; 0 means 0.6
	Rest         float64 `json:"rest,omitempty"`          // factor on the learning rate of what is no kernel; 0 means 1
	RestMomentum float64 `json:"rest_momentum,omitempty"` // less than 1; 0 means 0.85
	// Length, if positive, brings a kernel to the length Length·√columns before
	// each update, and keeps weight decay from it. It is for networks that do not
	// mind, since all kernels are followed by batch normalisation.
	Length float64 `json:"length,omitempty"`
}

const muonMomentum, muonRestMomentum = 0.6, 0.85

// Kind returns "muon".
func (Muon) Kind() string { return "muon" }

// DefaultRate returns 0.02.
func (Muon) DefaultRate() float64 { return 0.02 }

// Begin implements [Rule]. It keeps the slot "velocity".
func (r Muon) Begin(s Step) (Update, error) {
	momentum, restMomentum, rest := cmp.Or(r.Momentum, muonMomentum), cmp.Or(r.RestMomentum, muonRestMomentum), cmp.Or(r.Rest, 1)
	for _, v := range []setting{{"momentum", momentum}, {"the rest's momentum", restMomentum}} {
		if err := within(v.name, v.value, 0, 1); err != nil {
			return nil, err
		}
	}
	if !(rest > 0) || math.IsInf(rest, 1) || !(r.Length >= 0) || math.IsInf(r.Length, 1) {
		return nil, fmt.Errorf("rest is %v and length %v; they must be numbers, positive and at least 0", rest, r.Length)
	}
	b := s.Builder
	others := s
	if rest != 1 {
		others.Rate = b.Scale(s.Rate, rest)
	}
	other, err := SGD{Momentum: restMomentum, Nesterov: true}.Begin(others)
	if err != nil {
		return nil, err
	}
	return func(slots *Slots, w, g *graph.Node) *graph.Node {
		if !isKernel(w) {
			return other(slots, w, g)
		}
		v := accelerate(b, slots, momentum, g)
		shape := w.Shape()
		columns := shape[3]
		direction := b.Reshape(b.Add(g, b.Scale(v, momentum)), shape.Elements()/columns, columns)
		if r.Length > 0 {
			w = b.Mul(w, b.Scale(inverseLength(b, w), r.Length*math.Sqrt(float64(columns))))
		}
		return b.Sub(w, b.Mul(b.Reshape(orthogonal(b, direction), shape...), s.Rate))
	}, nil
}

// isKernel reports whether a parameter is the kernel [KH,KW,In,Out] of a
// convolution with more than one input channel.
func isKernel(w *graph.Node) bool { return w.Shape().Rank() == 4 && w.Shape()[2] > 1 }

// proportional reports whether a parameter's steps are in proportion to its gradient.
func (r Muon) proportional(w *graph.Node) bool { return !isKernel(w) }

// keepsLength reports whether a parameter has a length of the rule's choice.
func (r Muon) keepsLength(w *graph.Node) bool { return r.Length > 0 && isKernel(w) }

// inverseLength returns 1/‖x‖, but for what is too short for that.
func inverseLength(b *graph.Builder, x *graph.Node) *graph.Node {
	const least = 1e-7
	return b.Reciprocal(b.AddScalar(GlobalNorm(b, []*graph.Node{x}), least))
}

// orthogonal brings the singular values of a matrix near 1. They are at most 1
// after division by the matrix's length; an odd polynomial of the matrix is one
// of each of them and leaves the singular vectors.
func orthogonal(b *graph.Builder, x *graph.Node) *graph.Node {
	// Coefficients that grow small values fastest (Jordan et al. 2024): those above
	// about 0.02 end between 0.7 and 1.2, which is near enough, lesser ones grow by 41.
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
