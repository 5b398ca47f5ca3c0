package autodiff_test

import (
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// casesOf lists, for every operation with a derivative, functions that put
// each of its differentiable operands to the test.
func casesOf(op graph.Op) []gradCase {
	if cases, ok := elementwiseCases[op]; ok {
		return cases
	}
	switch op {
	case graph.OpReduceSum, graph.OpReduceMax:
		return reduceCases(op)
	case graph.OpConv2D, graph.OpConv2DGradInput, graph.OpConv2DGradWeight:
		return convCases(op)
	case graph.OpMaxPool, graph.OpAvgPool, graph.OpAvgPoolGrad:
		return poolCases(op)
	case graph.OpMatMul:
		return matMulCases()
	}
	return otherCases[op]
}

func TestGradients(t *testing.T) {
	for _, op := range graph.Ops() {
		ok, reason := autodiff.Differentiable(op)
		cases := casesOf(op)
		switch {
		case ok && len(cases) == 0:
			t.Errorf("%v has a derivative and no case here", op)
		case !ok && reason == "":
			t.Errorf("%v has neither a derivative nor a reason for its lack", op)
		case !ok && len(cases) > 0:
			t.Errorf("%v has cases here and no derivative", op)
		case ok && reason != "":
			t.Errorf("%v has a derivative and a reason for its lack", op)
		}
		t.Run(op.String(), func(t *testing.T) {
			for i, c := range cases {
				checkGradient(t, uint64(op)<<8+uint64(i), c)
			}
		})
	}
}

// one returns the cases of a function of one operand: a vector of odd length,
// an image and a scalar.
func one(o operand, build func(b *graph.Builder, x *graph.Node) *graph.Node) []gradCase {
	var cases []gradCase
	for _, shape := range []tensor.Shape{{17}, {2, 3, 1, 5}, {}} {
		o.shape = shape
		cases = append(cases, gradCase{"of " + shape.String(), []operand{o},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return build(b, x[0]) }})
	}
	return cases
}

// two returns the cases of a function of two operands over the patterns in
// which they broadcast.
func two(x, y operand, build func(b *graph.Builder, x, y *graph.Node) *graph.Node) []gradCase {
	var cases []gradCase
	for _, shapes := range [][2]tensor.Shape{
		{{7}, {7}},
		{{2, 3, 2, 5}, {5}},
		{{5}, {2, 3, 2, 5}},
		{{3, 2, 2, 4}, {3, 1, 1, 4}},
		{{3, 1}, {1, 4}},
		{{2, 3}, {}},
		{{}, {1, 3}},
		{{4, 1, 1}, {1, 1, 3}},
		{{1, 3}, {2, 1, 1}},
	} {
		x.shape, y.shape = shapes[0], shapes[1]
		cases = append(cases, gradCase{x.shape.String() + " and " + y.shape.String(), []operand{x, y},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return build(b, x[0], x[1]) }})
	}
	return cases
}

var elementwiseCases = map[graph.Op][]gradCase{
	graph.OpNeg:        one(real(), (*graph.Builder).Neg),
	graph.OpAbs:        one(real(), (*graph.Builder).Abs),
	graph.OpExp:        one(real(), (*graph.Builder).Exp),
	graph.OpExpm1:      one(real(), (*graph.Builder).Expm1),
	graph.OpLog:        one(positive(), (*graph.Builder).Log),
	graph.OpLog1p:      one(operand{low: -0.6, top: 3}, (*graph.Builder).Log1p),
	graph.OpSqrt:       one(positive(), (*graph.Builder).Sqrt),
	graph.OpRsqrt:      one(positive(), (*graph.Builder).Rsqrt),
	graph.OpReciprocal: one(operand{low: -2, top: -0.3}, (*graph.Builder).Reciprocal),
	graph.OpSquare:     one(real(), (*graph.Builder).Square),
	graph.OpSigmoid:    one(operand{low: -6, top: 6}, (*graph.Builder).Sigmoid),
	graph.OpTanh:       one(real(), (*graph.Builder).Tanh),
	graph.OpErf:        one(real(), (*graph.Builder).Erf),
	graph.OpRelu:       one(real(), (*graph.Builder).Relu),
	graph.OpRelu6:      one(operand{low: -3, top: 9, kink: []float64{0, 6}}, (*graph.Builder).Relu6),
	graph.OpScale: one(real(), func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Scale(x, -1.7)
	}),
	graph.OpAddScalar: one(real(), func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.AddScalar(x, 3)
	}),
	graph.OpLeakyRelu: one(real(), func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.LeakyRelu(x, 0.2)
	}),
	graph.OpAdd: two(real(), real(), (*graph.Builder).Add),
	graph.OpSub: two(real(), real(), (*graph.Builder).Sub),
	graph.OpMul: two(real(), real(), (*graph.Builder).Mul),
	graph.OpDiv: two(real(), positive(), (*graph.Builder).Div),
	graph.OpMax: two(real(), real(), (*graph.Builder).Max),
	graph.OpMin: two(real(), real(), (*graph.Builder).Min),
	graph.OpPow: two(positive(), real(), (*graph.Builder).Pow),
	graph.OpSelect: two(real(), real(), func(b *graph.Builder, x, y *graph.Node) *graph.Node {
		return b.Select(b.Step(x), b.Square(x), y)
	}),
	graph.OpMulAdd: two(real(), real(), func(b *graph.Builder, x, y *graph.Node) *graph.Node {
		return b.MulAdd(x, y, b.Square(x))
	}),
}

func reduceCases(op graph.Op) []gradCase {
	var cases []gradCase
	for _, c := range []struct {
		shape tensor.Shape
		axes  []int
	}{
		{tensor.Shape{5}, []int{0}},
		{tensor.Shape{3, 4}, []int{0}},
		{tensor.Shape{3, 4}, []int{1}},
		{tensor.Shape{2, 3, 1, 5}, []int{0, 1, 2}},
		{tensor.Shape{2, 3, 2, 3}, []int{1, 3}},
		{tensor.Shape{2, 3}, []int{0, 1}},
		{tensor.Shape{2, 3}, nil}, // over no axis: the identity
	} {
		cases = append(cases, gradCase{c.shape.String(), []operand{real(c.shape...)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.Node(op, graph.ListAttrs{Values: c.axes}, x[0])
			}})
	}
	return cases
}

func matMulCases() []gradCase {
	var cases []gradCase
	for _, size := range [][3]int{{3, 4, 5}, {1, 7, 1}, {4, 1, 2}} {
		for flags := range 4 {
			transX, transY := flags&1 != 0, flags&2 != 0
			x, y := tensor.Shape{size[0], size[1]}, tensor.Shape{size[1], size[2]}
			if transX {
				x[0], x[1] = x[1], x[0]
			}
			if transY {
				y[0], y[1] = y[1], y[0]
			}
			cases = append(cases, gradCase{x.String() + " and " + y.String(), []operand{real(x...), real(y...)},
				func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.MatMul(x[0], x[1], transX, transY) }})
		}
	}
	return cases
}

// first turns a function of one operand into that of a case.
func first(build func(b *graph.Builder, x *graph.Node) *graph.Node) func(*graph.Builder, []*graph.Node) *graph.Node {
	return func(b *graph.Builder, x []*graph.Node) *graph.Node { return build(b, x[0]) }
}

var otherCases = map[graph.Op][]gradCase{
	graph.OpReshape: {{"to a matrix", []operand{real(2, 3, 2)},
		first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Reshape(x, 4, 3) })}},
	graph.OpTranspose: {
		{"a cycle", []operand{real(2, 3, 4)},
			first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Transpose(x, 2, 0, 1) })},
		{"of rank 5", []operand{real(2, 1, 3, 2, 2)},
			first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Transpose(x, 4, 2, 0, 1, 3) })},
	},
	graph.OpBroadcast: {
		{"a vector", []operand{real(3)},
			first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.BroadcastTo(x, 2, 4, 3) })},
		{"axes of 1", []operand{real(2, 1, 3, 1)},
			first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.BroadcastTo(x, 2, 4, 3, 2) })},
		{"a scalar", []operand{real()},
			first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.BroadcastTo(x, 1, 3) })},
	},
	graph.OpConcat: {
		{"inner", []operand{real(2, 3), real(2, 1), real(2, 4)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Concat(1, x...) }},
		{"one operand twice", []operand{real(2, 3), real(1, 3)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Concat(0, x[0], x[1], x[0]) }},
		{"alone", []operand{real(2, 3)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Concat(0, x...) }},
	},
	graph.OpSlice: {{"of rank 3", []operand{real(4, 3, 5)},
		first(func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Slice(x, []int{1, 0, 2}, []int{3, 3, 5})
		})}},
	graph.OpPad: {{"of rank 3", []operand{real(2, 3, 2)},
		first(func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Pad(x, []int{1, 0, 2}, []int{0, 0, 1})
		})}},

	graph.OpUpsampleNearest:     resizeCases(graph.OpUpsampleNearest, graph.ResizeAttrs{Factor: 3}, 2, 3),
	graph.OpUpsampleNearestGrad: resizeCases(graph.OpUpsampleNearestGrad, graph.ResizeAttrs{Factor: 2}, 4, 6),
	graph.OpResizeBilinear: append(
		resizeCases(graph.OpResizeBilinear, graph.ResizeAttrs{Height: 7, Width: 4}, 3, 5),
		resizeCases(graph.OpResizeBilinear, graph.ResizeAttrs{Height: 1, Width: 3}, 4, 1)...),
	graph.OpResizeBilinearGrad: resizeCases(graph.OpResizeBilinearGrad, graph.ResizeAttrs{Height: 3, Width: 6}, 5, 2),

	graph.OpSoftmax:    lastAxisCases((*graph.Builder).Softmax),
	graph.OpLogSoftmax: lastAxisCases((*graph.Builder).LogSoftmax),
	graph.OpMoments:    lastAxisCases((*graph.Builder).Moments),
	graph.OpBatchNorm: {
		normCase(tensor.Shape{2, 3, 2, 3}, 1e-5),
		normCase(tensor.Shape{5, 4}, 0.1),
		normCase(tensor.Shape{3, 1, 1, 1}, 1e-3),
		normCase(tensor.Shape{6}, 0.5), // one row: everything is its own mean
	},
}

func resizeCases(op graph.Op, attrs graph.ResizeAttrs, height, width int) []gradCase {
	return []gradCase{{"image", []operand{real(2, height, width, 3)},
		first(func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Node(op, attrs, x) })}}
}

func lastAxisCases(build func(b *graph.Builder, x *graph.Node) *graph.Node) []gradCase {
	return []gradCase{
		{"matrix", []operand{real(3, 7)}, first(build)},
		{"image", []operand{real(2, 3, 1, 4)}, first(build)},
		{"vector", []operand{real(5)}, first(build)},
		{"one channel", []operand{real(4, 1)}, first(build)},
	}
}

// normCase is the batch normalisation of x by its own moments: the derivative
// through them counts.
func normCase(shape tensor.Shape, epsilon float64) gradCase {
	channels := shape[len(shape)-1]
	return gradCase{shape.String(), []operand{real(shape...), real(channels), real(channels)},
		func(b *graph.Builder, x []*graph.Node) *graph.Node {
			return b.BatchNorm(x[0], b.Moments(x[0]), x[1], x[2], epsilon)
		}}
}
