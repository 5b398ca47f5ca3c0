package optim

import (
	"fmt"

	"hourglass/engine/graph"
)

// SGD is gradient descent, with momentum if asked for: v ← μ·v + (1−τ)·g,
// w ← w − rate·v (Polyak 1964; Sutskever et al. 2013 for Nesterov's form).
// The first step takes v = g.
type SGD struct {
	Momentum  float64 `json:"momentum,omitempty"`  // μ, at least 0 and less than 1
	Dampening float64 `json:"dampening,omitempty"` // τ, 0 to 1
	// Nesterov steps along g + μ·v instead of v; it needs momentum and no
	// dampening.
	Nesterov bool `json:"nesterov,omitempty"`
}

// Kind returns "sgd".
func (SGD) Kind() string { return "sgd" }

// DefaultRate returns 1e-3.
func (SGD) DefaultRate() float64 { return 1e-3 }

// Begin implements [Rule]. With momentum it keeps the slot "velocity".
func (r SGD) Begin(s Step) (Update, error) {
	if err := within("momentum", r.Momentum, 0, 1); err != nil {
		return nil, err
	}
	if !(r.Dampening >= 0 && r.Dampening <= 1) {
		return nil, fmt.Errorf("dampening is %v; it must be 0 to 1", r.Dampening)
	}
	if r.Nesterov && (r.Momentum == 0 || r.Dampening != 0) {
		return nil, fmt.Errorf("nesterov needs momentum and no dampening, it has %v and %v", r.Momentum, r.Dampening)
	}
	b := s.Builder
	fresh := func(g *graph.Node) *graph.Node { return g }
	if r.Dampening != 0 {
		first := b.Equal(s.Number, b.Scalar(1))
		share := b.Select(first, b.Scalar(1), b.Scalar(1-r.Dampening))
		fresh = func(g *graph.Node) *graph.Node { return b.Mul(g, share) }
	}
	return func(slots *Slots, w, g *graph.Node) *graph.Node {
		direction := g
		if r.Momentum != 0 {
			v := accelerate(b, slots, r.Momentum, fresh(g))
			direction = v
			if r.Nesterov {
				direction = b.Add(g, b.Scale(v, r.Momentum))
			}
		}
		return b.Sub(w, b.Mul(direction, s.Rate))
	}, nil
}

// accelerate adds a gradient to the velocity, of which a share is left, and returns
// what it is now.
func accelerate(b *graph.Builder, slots *Slots, share float64, g *graph.Node) *graph.Node {
	velocity := slots.Get("velocity")
	v := b.Add(b.Scale(velocity, share), g)
	slots.Set(velocity, v)
	return v
}

// within reports a setting outside [low, high).
func within(name string, v, low, high float64) error {
	if !(v >= low && v < high) {
		return fmt.Errorf("%s is %v; it must be at least %v and less than %v", name, v, low, high)
	}
	return nil
}

// proportional reports that steps are in proportion to the gradient.
func (r SGD) proportional(*graph.Node) bool { return true }
