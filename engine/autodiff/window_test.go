package autodiff_test

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// geometry is a convolution's window with the sizes around it.
type geometry struct {
	attrs              graph.ConvAttrs
	batch              int
	perGroup, outGroup int // channels of each group, in and out
}

func (g geometry) image() tensor.Shape {
	return tensor.Shape{g.batch, g.attrs.Height, g.attrs.Width, g.perGroup * g.attrs.Groups}
}

func (g geometry) weight() tensor.Shape {
	return tensor.Shape{g.attrs.Kernel[0], g.attrs.Kernel[1], g.perGroup, g.outGroup * g.attrs.Groups}
}

func (g geometry) result() tensor.Shape {
	a := g.attrs
	return tensor.Shape{g.batch, a.Out(0, a.Height), a.Out(1, a.Width), g.outGroup * a.Groups}
}

// geometries returns hand-picked and seeded random ones, all small.
func geometries(seed uint64) []geometry {
	window := func(k, s, before, after, d int) graph.Window {
		return graph.Window{Kernel: [2]int{k, k}, Stride: [2]int{s, s}, PadBefore: [2]int{before, before},
			PadAfter: [2]int{after, after}, Dilation: [2]int{d, d}}
	}
	list := []geometry{
		{graph.ConvAttrs{Window: window(3, 1, 1, 1, 1), Groups: 1, Height: 4, Width: 3}, 2, 2, 3},
		{graph.ConvAttrs{Window: window(1, 1, 0, 0, 1), Groups: 1, Height: 3, Width: 3}, 1, 3, 2},
		{graph.ConvAttrs{Window: window(3, 2, 0, 1, 1), Groups: 1, Height: 6, Width: 6}, 1, 1, 2}, // "same" of an even size
		{graph.ConvAttrs{Window: window(2, 3, 0, 0, 1), Groups: 1, Height: 7, Width: 5}, 1, 2, 1}, // pixels that no window meets
		{graph.ConvAttrs{Window: window(3, 1, 2, 2, 2), Groups: 1, Height: 4, Width: 5}, 1, 1, 1}, // dilated
		{graph.ConvAttrs{Window: window(3, 1, 1, 1, 1), Groups: 4, Height: 3, Width: 3}, 1, 1, 1}, // depthwise
		{graph.ConvAttrs{Window: window(3, 2, 1, 1, 1), Groups: 3, Height: 5, Width: 4}, 1, 1, 2}, // with a multiplier
		{graph.ConvAttrs{Window: window(2, 1, 3, 0, 1), Groups: 2, Height: 2, Width: 3}, 1, 2, 2}, // windows wholly in the padding
	}
	source := random.NewSource(seed, 2, 0)
	for len(list) < 16 {
		g := geometry{batch: 1 + source.IntN(2), perGroup: 1 + source.IntN(2), outGroup: 1 + source.IntN(2)}
		g.attrs.Groups = 1 + source.IntN(2)
		size := [2]int{}
		for i := range 2 {
			g.attrs.Kernel[i] = 1 + source.IntN(3)
			g.attrs.Stride[i] = 1 + source.IntN(3)
			g.attrs.Dilation[i] = 1 + source.IntN(2)
			g.attrs.PadBefore[i] = source.IntN(3)
			g.attrs.PadAfter[i] = source.IntN(3)
			size[i] = 1 + source.IntN(6)
		}
		g.attrs.Height, g.attrs.Width = size[0], size[1]
		if g.attrs.Out(0, size[0]) > 0 && g.attrs.Out(1, size[1]) > 0 {
			list = append(list, g)
		}
	}
	return list
}

func convCases(op graph.Op) []gradCase {
	var cases []gradCase
	for _, g := range geometries(uint64(op)) {
		operands := map[graph.Op][]operand{
			graph.OpConv2D:           {real(g.image()...), real(g.weight()...)},
			graph.OpConv2DGradInput:  {real(g.result()...), real(g.weight()...)},
			graph.OpConv2DGradWeight: {real(g.image()...), real(g.result()...)},
		}[op]
		cases = append(cases, gradCase{fmt.Sprintf("%+v", g), operands,
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, g.attrs, x...) }})
	}
	return cases
}

func poolCases(op graph.Op) []gradCase {
	var cases []gradCase
	for _, p := range []struct {
		kernel, stride, before, after [2]int
		height, width                 int
	}{
		{kernel: [2]int{2, 2}, stride: [2]int{2, 2}, height: 4, width: 6},
		{kernel: [2]int{3, 3}, stride: [2]int{2, 2}, before: [2]int{1, 1}, after: [2]int{1, 1}, height: 5, width: 4},
		{kernel: [2]int{3, 2}, stride: [2]int{1, 3}, before: [2]int{2, 0}, after: [2]int{0, 1}, height: 3, width: 7},
		{kernel: [2]int{1, 4}, stride: [2]int{1, 1}, height: 2, width: 4},
		{kernel: [2]int{1, 1}, stride: [2]int{2, 2}, height: 3, width: 3},
	} {
		for _, includePad := range []bool{false, true} {
			if includePad && op == graph.OpMaxPool {
				continue
			}
			a := graph.PoolAttrs{Height: p.height, Width: p.width, IncludePad: includePad}
			a.Window = graph.Window{Kernel: p.kernel, Stride: p.stride, PadBefore: p.before, PadAfter: p.after, Dilation: [2]int{1, 1}}
			shape := tensor.Shape{2, a.Height, a.Width, 3}
			if op == graph.OpAvgPoolGrad {
				shape = tensor.Shape{2, a.Out(0, a.Height), a.Out(1, a.Width), 3}
			}
			cases = append(cases, gradCase{fmt.Sprintf("%+v", a), []operand{real(shape...)},
				func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, a, x[0]) }})
		}
	}
	return cases
}
