// Package optim holds update rules as fragments of a training program's
// graph, and learning-rate schedules as plain functions.
//
// Rules, their defaults and the order of their operations are PyTorch's, so
// that what was tuned there can be used here. The learning rate and the step's
// number enter a program as scalar inputs; everything a rule does to a
// parameter is element-wise with scalar operands, so that compilation can
// make one pass over memory of it. Muon is the exception to both: it multiplies
// matrices, and PyTorch's is for other layers than convolutions.
package optim

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// Rule turns gradients into changes of parameters.
type Rule interface {
	// Kind returns the rule's short name, such as "adam".
	Kind() string
	// DefaultRate returns the learning rate that the rule is usually begun
	// with: PyTorch's default where it has the rule.
	DefaultRate() float64
	// Begin checks the rule's settings and adds to the program what all
	// parameters share. It returns what is added for each of them.
	Begin(s Step) (Update, error)
}

// Step is what a rule knows of the training step.
type Step struct {
	Builder *graph.Builder
	Rate    *graph.Node // learning rate, f32 scalar
	Number  *graph.Node // number of the step, f32 scalar, 1 for the first
}

// Update adds the update of one parameter w with the gradient g to a program
// and returns the parameter's new value.
type Update func(s *Slots, w, g *graph.Node) *graph.Node

// Slots gives a rule the values that it keeps for one parameter. They have
// the parameter's shape and start at zero.
type Slots struct {
	b        *graph.Builder
	param    nn.Param
	declared []*graph.Node
}

// Get declares the slot of the given name and returns its value before the
// step.
func (s *Slots) Get(name string) *graph.Node {
	n := s.b.Variable("optim."+s.param.Name+"."+name, tensor.Float32, s.param.Node.Shape()...)
	s.declared = append(s.declared, n)
	return n
}

// Set gives a slot its value after the step.
func (s *Slots) Set(slot, value *graph.Node) { s.b.Update(slot, value) }

// Options say how parameters follow their gradients. The zero value is Adam
// without weight decay and clipping.
type Options struct {
	// Rule defaults to Adam{}.
	Rule Rule
	// WeightDecay is the factor λ of the pull towards zero, at least 0.
	WeightDecay float64
	// Decoupled applies w ← w·(1−rate·λ) before the update (Loshchilov &
	// Hutter 2019, algorithm 2); otherwise λ·w is added to the gradient.
	Decoupled bool
	// DecayAll applies weight decay to biases and normalisation too, as
	// PyTorch does unless told otherwise.
	DecayAll bool
	// ClipValue limits each element of the gradients to ±ClipValue; 0 leaves
	// them.
	ClipValue float64
	// ClipNorm scales the gradients, after ClipValue, so that together they
	// are at most this long; 0 leaves them.
	ClipNorm float64
	// Groups treat parameters differently. The first one whose suffix ends a
	// parameter's name counts.
	Groups []Group
}

// Group is a group of parameters. Rate leaves weight decay alone if that is decoupled,
// or if steps are in proportion to the gradient (SGD, and Muon's for what is no
// kernel); other rules scale the gradient, coupled decay and all.
type Group struct {
	Suffix string  `json:"suffix"`           // of the names, such as ".bias"; "" fits all
	Rate   float64 `json:"rate,omitempty"`   // factor on the learning rate; 0 means 1
	Frozen bool    `json:"frozen,omitempty"` // they stay as they are
}

// group returns the group of a parameter.
func (o Options) group(p nn.Param) Group {
	for _, g := range o.Groups {
		if strings.HasSuffix(p.Name, g.Suffix) {
			g.Rate = cmp.Or(g.Rate, 1)
			return g
		}
	}
	return Group{Rate: 1}
}

func (o Options) withDefaults() Options {
	if o.Rule == nil {
		o.Rule = Adam{}
	}
	return o
}

// DefaultRate returns the learning rate that the rule is usually begun with.
func (o Options) DefaultRate() float64 { return o.withDefaults().Rule.DefaultRate() }

// Build adds the update of all parameters to a program: params and grads in
// the same order, lr an f32 scalar and step an i32 scalar that is 0 in the
// first step. It returns the variables in which the optimiser keeps its
// state, named "optim.PARAMETER.SLOT"; they must start at zero.
func Build(b *graph.Builder, o Options, params []nn.Param, grads []*graph.Node, lr, step *graph.Node) ([]*graph.Node, error) {
	o = o.withDefaults()
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := o.check(params, grads, lr, step); err != nil {
		return nil, err
	}
	params, grads = o.thawed(params, grads)
	number := b.AddScalar(b.Cast(step), 1)
	grads = o.clip(b, grads)
	var keep *graph.Node // 1 − rate·λ
	if o.WeightDecay != 0 && o.Decoupled {
		keep = b.AddScalar(b.Scale(lr, -o.WeightDecay), 1)
	}
	updates := make(map[float64]Update) // by the factor on the rate
	var states []*graph.Node
	for i, p := range params {
		factor := o.group(p).Rate
		update := updates[factor]
		if update == nil {
			rate := lr
			if factor != 1 {
				rate = b.Scale(lr, factor)
			}
			var err error
			if update, err = o.Rule.Begin(Step{b, rate, number}); err != nil {
				return nil, fmt.Errorf("optim: %s: %w", o.Rule.Kind(), err)
			}
			updates[factor] = update
		}
		w, g := p.Node, grads[i]
		if o.WeightDecay != 0 && (p.Decay || o.DecayAll) && !keepsLength(o.Rule, w) {
			if o.Decoupled {
				w = b.Mul(w, keep)
			} else {
				g = b.Add(g, b.Scale(w, o.coupled(w, factor)))
			}
		}
		s := &Slots{b: b, param: p}
		b.Update(p.Node, update(s, w, g))
		states = append(states, s.declared...)
	}
	return states, b.Err()
}

// coupled returns what times a parameter is added to its gradient for weight decay,
// where its rate has a factor.
func (o Options) coupled(w *graph.Node, factor float64) float64 {
	if r, ok := o.Rule.(interface{ proportional(w *graph.Node) bool }); ok && r.proportional(w) {
		return o.WeightDecay / factor
	}
	return o.WeightDecay
}

// keepsLength reports whether a rule gives a parameter a length of its own, which
// weight decay would only work against.
func keepsLength(r Rule, w *graph.Node) bool {
	keeper, ok := r.(interface{ keepsLength(w *graph.Node) bool })
	return ok && keeper.keepsLength(w)
}

// thawed leaves out the parameters that are frozen.
func (o Options) thawed(params []nn.Param, grads []*graph.Node) (p []nn.Param, g []*graph.Node) {
	for i := range params {
		if !o.group(params[i]).Frozen {
			p, g = append(p, params[i]), append(g, grads[i])
		}
	}
	return p, g
}

func (o Options) check(params []nn.Param, grads []*graph.Node, lr, step *graph.Node) error {
	for _, v := range []setting{
		{"weight decay", o.WeightDecay}, {"clipping value", o.ClipValue}, {"clipping norm", o.ClipNorm},
	} {
		if !(v.value >= 0) || math.IsInf(v.value, 1) {
			return fmt.Errorf("optim: %s is %v; it must be a number of at least 0", v.name, v.value)
		}
	}
	for _, g := range o.Groups {
		if !(g.Rate >= 0) || math.IsInf(g.Rate, 1) {
			return fmt.Errorf("optim: the factor on the rate of parameters %q is %v; it must be a positive number", g.Suffix, g.Rate)
		}
	}
	if len(params) != len(grads) {
		return fmt.Errorf("optim: there are %d parameters and %d gradients", len(params), len(grads))
	}
	if lr.Shape().Rank() != 0 || lr.DType() != tensor.Float32 || step.Shape().Rank() != 0 || step.DType() != tensor.Int32 {
		return fmt.Errorf("optim: learning rate is %v%v and step %v%v; they must be scalars, f32 and i32",
			lr.DType(), lr.Shape(), step.DType(), step.Shape())
	}
	for i, p := range params {
		if !p.Trainable {
			return fmt.Errorf("optim: %s is not trainable; leave it out", p.Name)
		}
		if !p.Node.Shape().Equal(grads[i].Shape()) {
			return fmt.Errorf("optim: %s has shape %v and its gradient %v", p.Name, p.Node.Shape(), grads[i].Shape())
		}
	}
	return nil
}

// clip applies both kinds of clipping.
func (o Options) clip(b *graph.Builder, grads []*graph.Node) []*graph.Node {
	clipped := make([]*graph.Node, len(grads))
	copy(clipped, grads)
	if o.ClipValue > 0 {
		high, low := b.Scalar(o.ClipValue), b.Scalar(-o.ClipValue)
		for i, g := range clipped {
			clipped[i] = b.Max(b.Min(g, high), low)
		}
	}
	if o.ClipNorm > 0 && len(grads) > 0 {
		// PyTorch's clip_grad_norm_ has the same small number in it.
		ratio := b.Div(b.Scalar(o.ClipNorm), b.AddScalar(GlobalNorm(b, clipped), 1e-6))
		factor := b.Min(ratio, b.Scalar(1))
		for i, g := range clipped {
			clipped[i] = b.Mul(g, factor)
		}
	}
	return clipped
}

// GlobalNorm returns the Euclidean length of all values together, an f32
// scalar; 0 for no values.
func GlobalNorm(b *graph.Builder, values []*graph.Node) *graph.Node {
	total := b.Scalar(0)
	for i, v := range values {
		squares := b.ToScalar(b.Sum(b.Square(v)))
		if i == 0 {
			total = squares
			continue
		}
		total = b.Add(total, squares)
	}
	return b.Sqrt(total)
}
