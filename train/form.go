package train

import (
	"fmt"
	"runtime"
	"slices"

	"hourglass/engine/graph"
	"hourglass/nn"
)

// Form is a form of the training step for some epochs, such as on smaller images.
type Form struct {
	Before int // the first epoch, from 0, that has another form
	// Share is what a step takes of the time of one of the last form, about; 0
	// means as much. It is for telling how long a run will take.
	Share float64
	// Trace must declare the inputs and parameters that [Problem].Trace declares.
	Trace func(c *nn.Context) *graph.Node
}

// form returns which form an epoch has: one of Early, or the last, Trace's.
func (p *Problem) form(epoch int) int {
	for i, f := range p.Early {
		if epoch < f.Before {
			return i
		}
	}
	return len(p.Early)
}

// work returns what the steps from the first to before the last take, in steps of
// the last form.
func (p *Problem) work(first, last int) float64 {
	sum := 0.0
	for first < last {
		end, share := last, 1.0
		if form := p.form(first / p.Steps); form < len(p.Early) {
			end = min(last, p.Early[form].Before*p.Steps)
			if s := p.Early[form].Share; s > 0 {
				share = s
			}
		}
		sum += share * float64(end-first)
		first = end
	}
	return sum
}

// early returns how many epochs have an early form.
func (p *Problem) early() int {
	if len(p.Early) == 0 {
		return 0
	}
	return p.Early[len(p.Early)-1].Before
}

// traceOf returns what traces a form.
func (p *Problem) traceOf(form int) func(c *nn.Context) *graph.Node {
	if form < len(p.Early) {
		return p.Early[form].Trace
	}
	return p.Trace
}

// begin traces every form, the last first, which decides what parameters and inputs
// there are, and compiles that of the first epoch.
func (t *Trainer) begin() error {
	var first *graph.Graph
	for form := len(t.problem.Early); form >= 0; form-- {
		g, err := t.trace(form)
		if err != nil {
			return err
		}
		if form == t.problem.form(0) {
			first = g
		}
		if t.inputs == nil {
			t.inputs = g.Inputs()
		} else if !slices.EqualFunc(t.inputs, g.Inputs(), alike) {
			return fmt.Errorf("train: the early form %d of %s has other inputs than the last", form, t.problem.Name)
		}
		if form > 0 && form < len(t.problem.Early) && t.problem.Early[form].Before <= t.problem.Early[form-1].Before {
			return fmt.Errorf("train: the early form %d of %s ends before it begins", form, t.problem.Name)
		}
	}
	return t.compile(t.problem.form(0), first)
}

// enter compiles the step in a form, if it is not the one that is there.
func (t *Trainer) enter(form int) error {
	if t.form == form {
		return nil
	}
	g, err := t.trace(form)
	if err != nil {
		return err
	}
	t.program = nil
	runtime.GC() // its arena is the largest block of memory that a run has
	return t.compile(form, g)
}

func (t *Trainer) compile(form int, g *graph.Graph) (err error) {
	t.form = form
	t.program, err = t.engine.Compile(g, t.store)
	return err
}

// sameParams reports parameters of a form that differ from those of the last.
func (t *Trainer) sameParams(form int, params []nn.Param) error {
	same := func(a, b nn.Param) bool {
		return alike(a.Node, b.Node) && a.Trainable == b.Trainable && a.Decay == b.Decay
	}
	if slices.EqualFunc(t.params, params, same) {
		return nil
	}
	return fmt.Errorf("train: the early form %d of %s has other parameters than the last", form, t.problem.Name)
}

// alike reports whether two inputs or variables are the same to a program's caller.
func alike(a, b *graph.Node) bool {
	return a.Name() == b.Name() && a.DType() == b.DType() && a.Shape().Equal(b.Shape())
}
