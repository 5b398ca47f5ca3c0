package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/layout"
	"hourglass/tensor"
)

// copying returns a kernel that moves elements between strided views; both
// sides are shifted by their offsets.
func (c *compiler) copying(out, in *buffer, shape, outStrides, inStrides []int, outAt, inAt int) kernel {
	pool := c.pool
	if out.dtype == tensor.Uint8 {
		plan := layout.NewPlan[uint8](shape, outStrides, inStrides)
		return kernel{run: func([]float32) { plan.Run(pool, out.u8[outAt:], in.u8[inAt:]) }}
	}
	if out.dtype == tensor.Int32 {
		plan := layout.NewPlan[int32](shape, outStrides, inStrides)
		return kernel{run: func([]float32) { plan.Run(pool, out.i32[outAt:], in.i32[inAt:]) }}
	}
	plan := layout.NewPlan[float32](shape, outStrides, inStrides)
	return kernel{run: func([]float32) { plan.Run(pool, out.f32[outAt:], in.f32[inAt:]) }}
}

func lowerTranspose(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	own := n.Input(0).Shape().Strides()
	strides := make([]int, len(own))
	for i, axis := range n.Ints() {
		strides[i] = own[axis]
	}
	return c.copying(out, in[0], n.Shape(), n.Shape().Strides(), strides, 0, 0), nil
}

func lowerBroadcast(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	x := n.Input(0).Shape()
	own := x.Strides()
	strides := make([]int, len(n.Shape()))
	for i := range x {
		if x[i] > 1 {
			strides[len(strides)-len(x)+i] = own[i]
		}
	}
	return c.copying(out, in[0], n.Shape(), n.Shape().Strides(), strides, 0, 0), nil
}

func lowerSlice(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	strides := n.Input(0).Shape().Strides()
	at := offset(n.Attrs().(graph.SliceAttrs).Begin, strides)
	return c.copying(out, in[0], n.Shape(), n.Shape().Strides(), strides, 0, at), nil
}

func lowerPad(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	strides := n.Shape().Strides()
	at := offset(n.Attrs().(graph.PadAttrs).Before, strides)
	x := n.Input(0).Shape()
	move := c.copying(out, in[0], x, strides, x.Strides(), at, 0)
	return kernel{run: func(scratch []float32) {
		clear(out.f32)
		clear(out.i32)
		clear(out.u8)
		move.run(scratch)
	}}, nil
}

func lowerConcat(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	axis := n.Attrs().(graph.AxisAttrs).Axis
	strides := n.Shape().Strides()
	moves := make([]kernel, len(in))
	at := 0
	for i, x := range n.Inputs() {
		moves[i] = c.copying(out, in[i], x.Shape(), strides, x.Shape().Strides(), at*strides[axis], 0)
		at += x.Shape()[axis]
	}
	return kernel{run: func(scratch []float32) {
		for i := range moves {
			moves[i].run(scratch)
		}
	}}, nil
}

func offset(index, strides []int) int {
	at := 0
	for i, v := range index {
		at += v * strides[i]
	}
	return at
}

func lowerOneHot(_ *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	depth := n.Attrs().(graph.OneHotAttrs).Depth
	labels := in[0]
	return kernel{run: func([]float32) {
		clear(out.f32)
		for i, label := range labels.i32 {
			if label >= 0 && int(label) < depth {
				out.f32[i*depth+int(label)] = 1
			}
		}
	}}, nil
}
