package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/depthwise"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

func lowerMatMul(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.MatMulAttrs)
	k := n.Input(0).Shape()[1]
	if a.TransA {
		k = n.Input(0).Shape()[0]
	}
	if c.halved(n) {
		return c.halvedMatMul(n, out, in, k)
	}
	s := gemm.Shape{M: n.Shape()[0], N: n.Shape()[1], K: k, TransA: a.TransA, TransB: a.TransB}
	plan, err := gemm.NewPlan(s, c.level)
	if err != nil {
		return kernel{}, err
	}
	return c.dense(plan, n, out, in), nil
}

// halvedMatMul returns the kernel of a product of bfloat16 matrices with k columns
// of the left factor: as a convolution of pixels with filters of 1×1, or as one of
// its gradients.
func (c *compiler) halvedMatMul(n *graph.Node, out *buffer, in []*buffer, k int) (kernel, error) {
	a, m, columns := n.Attrs().(graph.MatMulAttrs), n.Shape()[0], n.Shape()[1]
	s := conv.Shape{N: 1, H: m, W: 1, C: k, K: columns, KH: 1, KW: 1}
	switch {
	case a.TransA:
		s.H, s.C = k, m
		plan, err := conv.NewGradWeight(s, c.level, c.algorithm(n))
		if err != nil {
			return kernel{}, err
		}
		return c.gradWeight(plan, out, in), nil
	case a.TransB:
		s.C, s.K = columns, k
		plan, err := conv.NewGradInput(s, c.level, c.algorithm(n))
		if err != nil {
			return kernel{}, err
		}
		return c.dense(plan, n, out, in), nil
	}
	plan, err := conv.NewForward(s, c.level, c.algorithm(n))
	if err != nil {
		return kernel{}, err
	}
	return c.dense(plan, n, out, in), nil
}

// densePlan is what the plans of products have in common.
type densePlan interface {
	Scratch(threads int) int
	Run(pool *par.Pool, to, from, weights, scratch []float32, ep gemm.Epilogue)
	PackedLen() int
	Pack(pool *par.Pool, packed, weights []float32)
	RunPacked(pool *par.Pool, to, from, packed, scratch []float32, ep gemm.Epilogue)
}

// dense returns the kernel of a product of an operand with weights. Weights
// that are the same in every run are laid out for the kernel once, and are not
// kept besides if nothing else reads them.
func (c *compiler) dense(plan densePlan, n *graph.Node, out *buffer, in []*buffer) kernel {
	pool, epilogue := c.pool, c.epilogue(n, out, in)
	from, weights := in[0], in[1]
	k := kernel{scratch: plan.Scratch(pool.Threads())}
	if size := plan.PackedLen(); weights.fixed && size > 0 {
		packed := tile.Align(make([]float32, size+tile.AlignSlack))[:size]
		k.prepare = func() { plan.Pack(pool, packed, weights.f32) }
		k.run = func(scratch []float32) { plan.RunPacked(pool, out.f32, from.f32, packed, scratch, epilogue()) }
		return k
	}
	k.run = func(scratch []float32) { plan.Run(pool, out.f32, from.f32, weights.f32, scratch, epilogue()) }
	return k
}

// epilogue returns a function that prepares what a dense operation does to
// each element that it stores. The bias is bound at each run. The addend is what
// the result starts from: it lies there already, or is copied there.
func (c *compiler) epilogue(n *graph.Node, out *buffer, in []*buffer) func() gemm.Epilogue {
	// The function must not hold in, which would keep weights that are laid out.
	atBias, atAddend := graph.Extras(n)
	bias, addend := extra(in, atBias), extra(in, atAddend)
	e := gemm.Epilogue{Act: activationOf(n), Accumulate: addend != nil}
	pool := c.pool
	copyPart := func(_, part int) {
		from, to := part*copied, min((part+1)*copied, out.size)
		copy(out.f32[from:to], addend.f32[from:to])
	}
	return func() gemm.Epilogue {
		if bias != nil {
			e.Bias = bias.f32
		}
		if addend != nil && addend != out {
			pool.Run((out.size+copied-1)/copied, copyPart)
		}
		return e
	}
}

// extra returns an operand, nil if there is none.
func extra(in []*buffer, i int) *buffer {
	if i < 0 {
		return nil
	}
	return in[i]
}

// copied are the elements of a part of a copy.
const copied = 1 << 14

func activationOf(n *graph.Node) gemm.Activation {
	var act graph.Activation
	switch a := n.Attrs().(type) {
	case graph.MatMulAttrs:
		act = a.Act
	case graph.ConvAttrs:
		act = a.Act
	}
	switch act {
	case graph.ActRelu:
		return gemm.ReLU
	case graph.ActRelu6:
		return gemm.ReLU6
	}
	return gemm.None
}

func convShape(a graph.ConvAttrs, n, channels, filters int) conv.Shape {
	return conv.Shape{
		N: n, H: a.Height, W: a.Width, C: channels, K: filters,
		KH: a.Kernel[0], KW: a.Kernel[1],
		StrideH: a.Stride[0], StrideW: a.Stride[1],
		PadTop: a.PadBefore[0], PadBottom: a.PadAfter[0],
		PadLeft: a.PadBefore[1], PadRight: a.PadAfter[1],
		DilationH: a.Dilation[0], DilationW: a.Dilation[1],
		Groups: a.Groups,
	}
}

func lowerConv2D(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.ConvAttrs)
	x := n.Input(0).Shape()
	shape := convShape(a, x[0], x[3], n.Shape()[3])
	if c.isDepthwise(shape, n) {
		plan, err := depthwise.NewForward(shape, c.level)
		return c.depthwise(plan, n, out, in), err
	}
	plan, err := conv.NewForward(shape, c.level, c.algorithm(n))
	if err != nil {
		return kernel{}, err
	}
	return c.dense(plan, n, out, in), nil
}

// isDepthwise reports whether a convolution has kernels of its own.
func (c *compiler) isDepthwise(s conv.Shape, n *graph.Node) bool {
	_, addend := graph.Extras(n)
	return addend < 0 && depthwise.Supports(s, c.level)
}

// depthwise returns the kernel of a plan, which is nil if planning failed.
func (c *compiler) depthwise(plan *depthwise.Plan, n *graph.Node, out *buffer, in []*buffer) kernel {
	if plan == nil {
		return kernel{}
	}
	pool, act := c.pool, activationOf(n)
	return kernel{run: func(scratch []float32) {
		var bias []float32
		if len(in) == 3 {
			bias = in[2].f32
		}
		plan.Run(pool, out.f32, in[0].f32, in[1].f32, bias, scratch, act)
	}, scratch: plan.Scratch()}
}

func lowerConv2DGradInput(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.ConvAttrs)
	dy := n.Input(0).Shape()
	shape := convShape(a, dy[0], n.Shape()[3], dy[3])
	if c.isDepthwise(shape, n) {
		plan, err := depthwise.NewGradInput(shape, c.level)
		return c.depthwise(plan, n, out, in), err
	}
	plan, err := conv.NewGradInput(shape, c.level, c.algorithm(n))
	if err != nil {
		return kernel{}, err
	}
	return c.dense(plan, n, out, in), nil
}

func lowerConv2DGradWeight(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.ConvAttrs)
	x, dy := n.Input(0).Shape(), n.Input(1).Shape()
	plan, err := conv.NewGradWeight(convShape(a, x[0], x[3], dy[3]), c.level, c.algorithm(n))
	if err != nil {
		return kernel{}, err
	}
	return c.gradWeight(plan, out, in), nil
}

// gradWeight returns the kernel of a plan.
func (c *compiler) gradWeight(plan *conv.GradWeight, out *buffer, in []*buffer) kernel {
	pool := c.pool
	return kernel{run: func(scratch []float32) {
		plan.Run(pool, out.f32, in[0].f32, in[1].f32, scratch)
	}, scratch: plan.Scratch(pool.Threads())}
}
