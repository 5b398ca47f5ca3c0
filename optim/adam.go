package optim

import (
	"cmp"
	"fmt"
	"math"

	"hourglass/engine/graph"
)

// Adam keeps running means of the gradient and its square and divides one by
// the root of the other, both corrected for having started at zero (Kingma &
// Ba 2015, algorithm 1). With decoupled weight decay it is AdamW.
type Adam struct {
	Beta1   float64 `json:"beta1,omitempty"`   // 0 means 0.9
	Beta2   float64 `json:"beta2,omitempty"`   // 0 means 0.999
	Epsilon float64 `json:"epsilon,omitempty"` // 0 means 1e-8
	// AMSGrad divides by the largest mean square so far (Reddi, Kale & Kumar
	// 2018, algorithm 2).
	AMSGrad bool `json:"amsgrad,omitempty"`
}

// Kind returns "adam".
func (Adam) Kind() string { return "adam" }

// DefaultRate returns 1e-3.
func (Adam) DefaultRate() float64 { return 1e-3 }

// Begin implements [Rule]. It keeps the slots "m" and "v", and "vmax" for
// AMSGrad.
func (r Adam) Begin(s Step) (Update, error) {
	beta1, beta2, epsilon := cmp.Or(r.Beta1, 0.9), cmp.Or(r.Beta2, 0.999), cmp.Or(r.Epsilon, 1e-8)
	if err := within("beta1", beta1, 0, 1); err != nil {
		return nil, err
	}
	if err := within("beta2", beta2, 0, 1); err != nil {
		return nil, err
	}
	if !(float32(epsilon) > 0) {
		return nil, fmt.Errorf("epsilon is %v; it must be a positive float32", epsilon)
	}
	b := s.Builder
	// 1 − βᵗ = −expm1(t·log β), which keeps its digits in float32 where βᵗ is
	// close to 1.
	correction := func(beta float64) *graph.Node {
		return b.Neg(b.Expm1(b.Scale(s.Number, math.Log(beta))))
	}
	rate := b.Div(s.Rate, correction(beta1))
	unroot := b.Rsqrt(correction(beta2))
	return func(slots *Slots, w, g *graph.Node) *graph.Node {
		mean, square := slots.Get("m"), slots.Get("v")
		m := b.Add(b.Scale(mean, beta1), b.Scale(g, 1-beta1))
		v := b.Add(b.Scale(square, beta2), b.Scale(b.Square(g), 1-beta2))
		slots.Set(mean, m)
		slots.Set(square, v)
		if r.AMSGrad {
			largest := slots.Get("vmax")
			v = b.Max(largest, v)
			slots.Set(largest, v)
		}
		root := b.AddScalar(b.Mul(b.Sqrt(v), unroot), epsilon)
		return b.Sub(w, b.Div(b.Mul(m, rate), root))
	}, nil
}
