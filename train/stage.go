package train

import (
	"fmt"
	"runtime"
	"slices"

	"hourglass/engine/graph"
	"hourglass/nn"
)

// Stage is a form of the training step for some epochs, such as on smaller images.
type Stage struct {
	Before int // the first epoch, from 0, that has another form
	// Trace must declare the inputs and parameters that [Problem].Trace declares.
	Trace func(c *nn.Context) *graph.Node
}

// stage returns which form an epoch has: one of Early, or the last, Trace's.
func (p *Problem) stage(epoch int) int {
	for i, s := range p.Early {
		if epoch < s.Before {
			return i
		}
	}
	return len(p.Early)
}

// traceOf returns what traces a form.
func (p *Problem) traceOf(stage int) func(c *nn.Context) *graph.Node {
	if stage < len(p.Early) {
		return p.Early[stage].Trace
	}
	return p.Trace
}

// enter compiles the step in a form. The first call decides what parameters and
// inputs there are.
func (t *Trainer) enter(stage int) error {
	if t.program != nil && t.stage == stage {
		return nil
	}
	if t.program != nil {
		t.program = nil
		runtime.GC() // its arena is the largest block of memory that a run has
	}
	g, err := t.trace(stage)
	if err != nil {
		return err
	}
	if t.inputs == nil {
		t.inputs = g.Inputs()
	} else if !slices.EqualFunc(t.inputs, g.Inputs(), alike) {
		return fmt.Errorf("train: the early form %d of %s has other inputs than the last", stage, t.problem.Name)
	}
	if t.program, err = t.engine.Compile(g, t.store); err != nil {
		return err
	}
	t.stage = stage
	return nil
}

// sameParams reports parameters of a form that differ from those of the last.
func (t *Trainer) sameParams(stage int, params []nn.Param) error {
	if slices.EqualFunc(t.params, params, func(a, b nn.Param) bool { return alike(a.Node, b.Node) }) {
		return nil
	}
	return fmt.Errorf("train: the early form %d of %s has other parameters than the last", stage, t.problem.Name)
}

// alike reports whether two inputs or variables are the same to a program's caller.
func alike(a, b *graph.Node) bool {
	return a.Name() == b.Name() && a.DType() == b.DType() && a.Shape().Equal(b.Shape())
}
