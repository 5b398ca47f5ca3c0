package backendtest

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// Dense operations are tested twice: with whole numbers, whose sums are exact
// in any order, so that one product too many or too few shows; and with reals
// within the bound of their sums' lengths.

func denseCases(op graph.Op) []testCase {
	if op == graph.OpMatMul {
		return matMulCases()
	}
	var cases []testCase
	for i, g := range geometries() {
		cases = append(cases, g.cases(op, i)...)
	}
	return cases
}

func matMulCases() []testCase {
	var cases []testCase
	for i, size := range [][3]int{
		{1, 1, 1}, {1, 17, 1}, {1, 1025, 33}, {33, 1, 17}, {17, 33, 1}, {5, 7, 3}, {16, 16, 16}, {12, 64, 32},
		{13, 65, 33}, {31, 33, 129}, {64, 784, 17}, {1, 300, 1000}, {129, 257, 65}, {15, 1023, 15}, {3, 2100, 5}, {1025, 3, 2},
	} {
		for flags := range 4 {
			a := graph.MatMulAttrs{TransA: flags&1 != 0, TransB: flags&2 != 0}
			x, y := tensor.Shape{size[0], size[1]}, tensor.Shape{size[1], size[2]}
			if a.TransA {
				x[0], x[1] = x[1], x[0]
			}
			if a.TransB {
				y[0], y[1] = y[1], y[0]
			}
			d := dense{op: graph.OpMatMul, x: x, y: y, terms: size[1], out: tensor.Shape{size[0], size[2]},
				attrs: func(act graph.Activation) any { a.Act = act; return a }}
			cases = append(cases, d.cases(fmt.Sprintf("matmul %v%v %+v", x, y, a), i+flags)...)
		}
	}
	return cases
}

// dense is a bilinear operation on two operands with, perhaps, a bias and an
// addend.
type dense struct {
	op    graph.Op
	x, y  tensor.Shape
	attrs func(act graph.Activation) any
	terms int // longest sum
	// fast, if not nil, is how far reals may lie off where backends may choose an
	// algorithm that is not exact on whole numbers either.
	fast func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node
	out  tensor.Shape // of the result, nil if nothing can be added to it
}

// cases returns the operation on whole numbers and on reals. The variant
// chooses among a bias, an addend, an activation and operands that are
// variables.
func (d dense) cases(name string, variant int) []testCase {
	withBias, withAddend, act := d.out != nil && variant%3 != 0, d.out != nil && variant%5 > 2, graph.ActNone
	if d.out != nil {
		act = []graph.Activation{graph.ActNone, graph.ActRelu, graph.ActNone, graph.ActRelu6}[variant%4]
	}
	build := func(act graph.Activation) func(b *graph.Builder, x []*graph.Node) *graph.Node {
		return func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(d.op, d.attrs(act), x...) }
	}
	whole := []operand{wholes(-4, 4, d.x...), wholes(-4, 4, d.y...)}
	real := []operand{reals(-1, 1.5, d.x...), reals(-1, 1.5, d.y...)}
	if withBias {
		channels := d.out[len(d.out)-1]
		whole, real = append(whole, wholes(-30, 30, channels)), append(real, reals(-1, 1, channels))
	}
	if withAddend {
		whole, real = append(whole, wholes(-30, 30, d.out...)), append(real, reals(-1, 1, d.out...))
	}
	if variant%2 == 0 {
		whole[1], real[1] = whole[1].kept(), real[1].kept()
	}
	name = fmt.Sprintf("%s bias %v addend %v act %v", name, withBias, withAddend, act)
	if d.fast != nil {
		return []testCase{
			{name, whole, build(act), toWhole},
			{name + " of reals", real, build(act), d.fast},
		}
	}
	return []testCase{
		{name, whole, build(act), nil},
		// An activation moves two values no further apart, so the bound of the
		// sum holds for it too.
		{name + " of reals", real, build(act), sumOf(d.terms+2, build(graph.ActNone))},
	}
}

// geometry is a convolution with all sizes.
type geometry struct {
	attrs              graph.ConvAttrs
	batch              int
	perGroup, outGroup int // channels of each group, in and out
}

// shapes returns the image side, the weights and the output side.
func (g geometry) shapes() (image, weight, result tensor.Shape) {
	a := g.attrs
	return tensor.Shape{g.batch, a.Height, a.Width, g.perGroup * a.Groups},
		tensor.Shape{a.Kernel[0], a.Kernel[1], g.perGroup, g.outGroup * a.Groups},
		tensor.Shape{g.batch, a.Out(0, a.Height), a.Out(1, a.Width), g.outGroup * a.Groups}
}

func (g geometry) cases(op graph.Op, variant int) []testCase {
	image, weight, result := g.shapes()
	d := dense{op: op, attrs: func(act graph.Activation) any {
		a := g.attrs
		a.Act = act
		return a
	}}
	area := g.attrs.Kernel[0] * g.attrs.Kernel[1]
	switch op {
	case graph.OpConv2D:
		d.x, d.y, d.terms, d.out = image, weight, area*g.perGroup, result
	case graph.OpConv2DGradInput:
		d.x, d.y, d.terms, d.out = result, weight, area*g.outGroup, image
	case graph.OpConv2DGradWeight:
		d.x, d.y, d.terms = image, result, result[0]*result[1]*result[2]
	}
	if a := g.attrs; a.Groups == 1 && a.Window == square(3, 1, a.PadBefore[0], a.PadAfter[0], 1) {
		switch op {
		case graph.OpConv2D:
			d.fast = minimalFiltering(g.perGroup, 752)
		case graph.OpConv2DGradInput:
			d.fast = minimalFiltering(g.outGroup, 752)
		case graph.OpConv2DGradWeight:
			tiles := result[0] * ((result[1] + 3) / 4) * ((result[2] + 3) / 4)
			d.fast = minimalFiltering(tiles, 1096)
		}
	}
	return d.cases(fmt.Sprintf("%v %+v batch %d channels %d to %d per group", op, g.attrs, g.batch, g.perGroup, g.outGroup), variant)
}

func square(kernel, stride, before, after, dilation int) graph.Window {
	return graph.Window{Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, PadBefore: [2]int{before, before},
		PadAfter: [2]int{after, after}, Dilation: [2]int{dilation, dilation}}
}

// geometries returns hand-picked and seeded random convolutions.
func geometries() []geometry {
	conv := func(w graph.Window, groups, height, width int) graph.ConvAttrs {
		return graph.ConvAttrs{Window: w, Groups: groups, Height: height, Width: width}
	}
	list := []geometry{
		{conv(square(3, 1, 1, 1, 1), 1, 31, 33), 2, 17, 19},
		{conv(square(3, 1, 1, 1, 1), 1, 9, 9), 2, 1, 32},   // first layer
		{conv(square(3, 2, 0, 1, 1), 1, 16, 16), 2, 3, 16}, // colour, "same" of an even size
		{conv(square(3, 1, 1, 1, 1), 1, 9, 7), 2, 16, 1},   // last layer
		{conv(square(3, 1, 1, 1, 1), 1, 7, 7), 1, 64, 33},
		{conv(square(1, 1, 0, 0, 1), 1, 13, 11), 2, 17, 15},
		{conv(square(1, 2, 0, 0, 1), 1, 9, 8), 1, 16, 17},
		{conv(square(4, 2, 1, 1, 1), 1, 14, 12), 1, 5, 6}, // decoder's transposed convolution
		{conv(square(2, 2, 0, 0, 1), 1, 7, 9), 2, 3, 4},   // pixels that no window meets
		{conv(square(2, 3, 0, 0, 1), 1, 10, 8), 1, 2, 3},
		{conv(square(5, 1, 2, 2, 1), 1, 9, 9), 1, 3, 2},
		{conv(square(3, 1, 2, 2, 2), 1, 11, 10), 1, 4, 5}, // dilated
		{conv(square(3, 2, 3, 2, 3), 1, 12, 13), 1, 2, 3},
		{conv(square(3, 1, 1, 1, 1), 17, 9, 11), 2, 1, 1}, // depthwise
		{conv(square(3, 2, 1, 1, 1), 16, 9, 8), 1, 1, 1},
		{conv(square(5, 1, 2, 2, 1), 33, 6, 6), 1, 1, 1},
		{conv(square(3, 1, 2, 2, 2), 8, 7, 7), 1, 1, 1},
		{conv(square(3, 1, 1, 1, 1), 5, 8, 7), 1, 1, 3}, // with a multiplier
		{conv(square(3, 1, 1, 1, 1), 3, 7, 7), 2, 4, 5}, // groups
		{conv(square(3, 2, 0, 1, 1), 2, 8, 8), 1, 17, 3},
		{conv(square(2, 1, 3, 0, 1), 1, 2, 3), 1, 2, 2}, // windows wholly in the padding
		{conv(square(1, 1, 0, 0, 1), 1, 1, 1), 5, 33, 17},
		{conv(square(7, 2, 3, 3, 1), 1, 15, 15), 1, 3, 8},
		{conv(square(3, 1, 1, 1, 1), 1, 4, 5), 1, 150, 40}, // deep
		{conv(square(1, 1, 0, 0, 1), 1, 3, 3), 2, 300, 130},
		{conv(square(3, 1, 1, 1, 1), 1, 33, 31), 9, 1, 3}, // shallow and many
	}
	list = append(list,
		geometry{conv(graph.Window{Kernel: [2]int{1, 5}, Stride: [2]int{1, 2}, PadBefore: [2]int{0, 2}, PadAfter: [2]int{1, 0},
			Dilation: [2]int{1, 1}}, 1, 5, 17), 2, 3, 7},
		geometry{conv(graph.Window{Kernel: [2]int{3, 1}, Stride: [2]int{3, 1}, PadBefore: [2]int{1, 0}, PadAfter: [2]int{0, 2},
			Dilation: [2]int{2, 1}}, 1, 14, 3), 1, 2, 2})
	source := random.NewSource(1, 0, 0)
	for len(list) < 50 {
		g := geometry{batch: 1 + source.IntN(3), perGroup: 1 + source.IntN(9), outGroup: 1 + source.IntN(9)}
		g.attrs.Groups = 1 + source.IntN(3)*source.IntN(2)
		size := [2]int{}
		for i := range 2 {
			g.attrs.Kernel[i] = 1 + source.IntN(4)
			g.attrs.Stride[i] = 1 + source.IntN(3)
			g.attrs.Dilation[i] = 1 + source.IntN(2)
			g.attrs.PadBefore[i] = source.IntN(4)
			g.attrs.PadAfter[i] = source.IntN(4)
			size[i] = 1 + source.IntN(12)
		}
		g.attrs.Height, g.attrs.Width = size[0], size[1]
		if g.attrs.Out(0, size[0]) > 0 && g.attrs.Out(1, size[1]) > 0 {
			list = append(list, g)
		}
	}
	return list
}
