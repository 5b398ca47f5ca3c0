package optim

import (
	"cmp"
	"fmt"

	"hourglass/engine/graph"
)

// Adagrad divides each gradient by the root of the sum of its squares so far
// (Duchi, Hazan & Singer 2011): s ← s + g², w ← w − rate·g/(√s+ε).
type Adagrad struct {
	Epsilon      float64 `json:"epsilon,omitempty"`       // ε; 0 means 1e-10
	InitialSum   float64 `json:"initial_sum,omitempty"`   // what s starts from, at least 0
	RateDecaying float64 `json:"rate_decaying,omitempty"` // η: the rate of step t (from 0) is divided by 1+t·η
}

// Kind returns "adagrad".
func (Adagrad) Kind() string { return "adagrad" }

// DefaultRate returns 1e-2.
func (Adagrad) DefaultRate() float64 { return 1e-2 }

// Begin implements [Rule]. It keeps the slot "sum", without InitialSum.
func (r Adagrad) Begin(s Step) (Update, error) {
	epsilon := cmp.Or(r.Epsilon, 1e-10)
	if !(float32(epsilon) > 0) || !(r.InitialSum >= 0) || !(r.RateDecaying >= 0) {
		return nil, fmt.Errorf("epsilon is %v, initial sum %v and rate decaying %v; the first must be a positive float32, and none negative", epsilon, r.InitialSum, r.RateDecaying)
	}
	b := s.Builder
	rate := s.Rate
	if r.RateDecaying != 0 {
		rate = b.Div(rate, b.AddScalar(b.Scale(b.AddScalar(s.Number, -1), r.RateDecaying), 1))
	}
	return func(slots *Slots, w, g *graph.Node) *graph.Node {
		slot := slots.Get("sum")
		sum := b.Add(slot, b.Square(g))
		slots.Set(slot, sum)
		if r.InitialSum != 0 {
			sum = b.AddScalar(sum, r.InitialSum)
		}
		return b.Sub(w, b.Div(b.Mul(g, rate), b.AddScalar(b.Sqrt(sum), epsilon)))
	}, nil
}

// RMSProp divides each gradient by a running root mean square of itself
// (Hinton 2012, lecture 6): s ← α·s + (1−α)·g², w ← w − rate·g/(√s+ε).
type RMSProp struct {
	Alpha    float64 `json:"alpha,omitempty"`    // α; 0 means 0.99
	Epsilon  float64 `json:"epsilon,omitempty"`  // ε; 0 means 1e-8
	Momentum float64 `json:"momentum,omitempty"` // of the divided gradients, at least 0 and less than 1
	// Centered subtracts the square of the running mean from s (Graves 2013,
	// section 4.2).
	Centered bool `json:"centered,omitempty"`
}

// Kind returns "rmsprop".
func (RMSProp) Kind() string { return "rmsprop" }

// DefaultRate returns 1e-2.
func (RMSProp) DefaultRate() float64 { return 1e-2 }

// Begin implements [Rule]. It keeps the slot "square" and, as asked for,
// "mean" and "velocity".
func (r RMSProp) Begin(s Step) (Update, error) {
	alpha, epsilon := cmp.Or(r.Alpha, 0.99), cmp.Or(r.Epsilon, 1e-8)
	if err := within("alpha", alpha, 0, 1); err != nil {
		return nil, err
	}
	if err := within("momentum", r.Momentum, 0, 1); err != nil {
		return nil, err
	}
	if !(float32(epsilon) > 0) {
		return nil, fmt.Errorf("epsilon is %v; it must be a positive float32", epsilon)
	}
	b := s.Builder
	return func(slots *Slots, w, g *graph.Node) *graph.Node {
		square := slots.Get("square")
		v := b.Add(b.Scale(square, alpha), b.Scale(b.Square(g), 1-alpha))
		slots.Set(square, v)
		if r.Centered {
			mean := slots.Get("mean")
			m := b.Add(b.Scale(mean, alpha), b.Scale(g, 1-alpha))
			slots.Set(mean, m)
			// Rounding can take the difference of nearly equal numbers below 0.
			v = b.Relu(b.Sub(v, b.Square(m)))
		}
		direction := b.Div(g, b.AddScalar(b.Sqrt(v), epsilon))
		if r.Momentum != 0 {
			velocity := slots.Get("velocity")
			direction = b.Add(b.Scale(velocity, r.Momentum), direction)
			slots.Set(velocity, direction)
		}
		return b.Sub(w, b.Mul(direction, s.Rate))
	}, nil
}
