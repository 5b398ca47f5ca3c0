package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/reduce"
	"hourglass/tensor"
)

// fold is a reduction of one run of neighbouring axes.
type fold struct{ outer, n, inner int }

// foldsOf splits a reduction over any axes into reductions of neighbouring
// ones, innermost first. Axes of length 1 are of no account.
func foldsOf(shape tensor.Shape, axes []int) []fold {
	reduced := make([]bool, len(shape))
	for _, axis := range axes {
		reduced[axis] = true
	}
	type run struct {
		n       int
		reduced bool
	}
	var runs []run
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(runs) - 1; k >= 0 && runs[k].reduced == reduced[i] {
			runs[k].n *= n
		} else {
			runs = append(runs, run{n, reduced[i]})
		}
	}
	var folds []fold
	inner := 1
	for i := len(runs) - 1; i >= 0; i-- {
		if !runs[i].reduced {
			inner *= runs[i].n
			continue
		}
		outer := 1
		for _, r := range runs[:i] {
			outer *= r.n
		}
		folds = append(folds, fold{outer, runs[i].n, inner})
	}
	return folds
}

func lowerReduce(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	folds := foldsOf(n.Input(0).Shape(), n.Ints())
	if len(folds) == 0 {
		return kernel{run: func([]float32) { copy(out.f32, in[0].f32) }}, nil
	}
	pool := c.pool
	steps := make([]func(scratch []float32), len(folds))
	from, scratchSize := in[0], 0
	for i, f := range folds {
		to := out
		if i < len(folds)-1 { // rare: reduced axes with others between them
			to = &buffer{f32: make([]float32, f.outer*f.inner)}
		}
		plan := reduce.NewSum(f.outer, f.n, f.inner, c.level)
		if n.Op() == graph.OpReduceMax {
			plan = reduce.NewMax(f.outer, f.n, f.inner, c.level)
		}
		src := from
		steps[i] = func(scratch []float32) { plan.Run(pool, to.f32, src.f32, scratch) }
		scratchSize = max(scratchSize, plan.Scratch(pool.Threads()))
		from = to
	}
	return kernel{run: func(scratch []float32) {
		for _, step := range steps {
			step(scratch)
		}
	}, scratch: scratchSize}, nil
}

func lowerArgMax(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	shape := n.Input(0).Shape()
	last := shape[len(shape)-1]
	plan, pool := reduce.NewArgMax(shape.Elements()/last, last, 1), c.pool
	return kernel{run: func([]float32) { plan.Run(pool, out.i32, in[0].f32) }}, nil
}

func lowerSoftmax(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	last := n.Shape()[len(n.Shape())-1]
	rows := n.Shape().Elements() / last
	plan, pool := reduce.NewSoftmax(rows, last, c.level), c.pool
	if n.Op() == graph.OpLogSoftmax {
		plan = reduce.NewLogSoftmax(rows, last, c.level)
	}
	return kernel{run: func(scratch []float32) {
		plan.Run(pool, out.f32, in[0].f32, scratch)
	}, scratch: plan.Scratch(pool.Threads())}, nil
}
