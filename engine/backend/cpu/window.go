package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/pool"
	"hourglass/internal/kernel/resize"
)

func lowerPool(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.PoolAttrs)
	first := n.Input(0).Shape()
	s := pool.Shape{
		N: first[0], H: a.Height, W: a.Width, C: first[3],
		KernelH: a.Kernel[0], KernelW: a.Kernel[1],
		StrideH: a.Stride[0], StrideW: a.Stride[1],
		PadTop: a.PadBefore[0], PadBottom: a.PadAfter[0],
		PadLeft: a.PadBefore[1], PadRight: a.PadAfter[1],
		IncludePad: a.IncludePad,
	}
	workers := c.pool
	switch n.Op() {
	case graph.OpMaxPool, graph.OpMaxPoolGrad:
		plan, err := pool.NewMax(s, c.level)
		if err != nil {
			return kernel{}, err
		}
		run := func(scratch []float32) { plan.Forward(workers, out.f32, in[0].f32, scratch) }
		if n.Op() == graph.OpMaxPoolGrad {
			run = func(scratch []float32) { plan.Backward(workers, out.f32, in[1].f32, in[0].f32, scratch) }
		}
		return kernel{run: run, scratch: plan.Scratch(workers.Threads())}, nil
	}
	plan, err := pool.NewAvg(s, c.level)
	if err != nil {
		return kernel{}, err
	}
	run := func(scratch []float32) { plan.Forward(workers, out.f32, in[0].f32, scratch) }
	if n.Op() == graph.OpAvgPoolGrad {
		run = func(scratch []float32) { plan.Backward(workers, out.f32, in[0].f32, scratch) }
	}
	return kernel{run: run, scratch: plan.Scratch(workers.Threads())}, nil
}

func lowerResize(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.ResizeAttrs)
	from, to := n.Input(0).Shape(), n.Shape()
	backward := n.Op() == graph.OpUpsampleNearestGrad || n.Op() == graph.OpResizeBilinearGrad
	source, target := from, to // of the forward operation
	if backward {
		source, target = to, from
	}
	workers := c.pool
	switch n.Op() {
	case graph.OpUpsampleNearest, graph.OpUpsampleNearestGrad:
		plan, err := resize.NewNearest(source[0], source[1], source[2], source[3], a.Factor, a.Factor, c.level)
		if err != nil {
			return kernel{}, err
		}
		run := func(scratch []float32) { plan.Forward(workers, out.f32, in[0].f32) }
		if backward {
			run = func(scratch []float32) { plan.Backward(workers, out.f32, in[0].f32, scratch) }
		}
		return kernel{run: run, scratch: plan.Scratch(workers.Threads())}, nil
	}
	plan, err := resize.NewBilinear(source[0], source[1], source[2], source[3], target[1], target[2], c.level)
	if err != nil {
		return kernel{}, err
	}
	run := func(scratch []float32) { plan.Forward(workers, out.f32, in[0].f32, scratch) }
	if backward {
		run = func(scratch []float32) { plan.Backward(workers, out.f32, in[0].f32, scratch) }
	}
	return kernel{run: run, scratch: plan.Scratch(workers.Threads())}, nil
}
