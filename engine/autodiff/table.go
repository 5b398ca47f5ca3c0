package autodiff

import (
	"math"

	"hourglass/engine/graph"
)

// context is what a vector-Jacobian product sees: the node y = op(x…), the
// gradient dy of the loss by y, and which operands need a gradient.
type context struct {
	*graph.Builder
	n    *graph.Node
	dy   *graph.Node
	need []bool
}

func (c context) x(i int) *graph.Node { return c.n.Input(i) }

// rule is an entry of the table: a product, or the reason why there is none.
type rule struct {
	vjp    func(c context) []*graph.Node
	reason string
}

const (
	isLeaf    = "it is a leaf"
	isSecond  = "it is a gradient itself, and second derivatives through it are not offered"
	isCounted = "its values are steps, flat almost everywhere"
)

// table maps each operation to its product. The set is closed under what is
// differentiated twice in practice: the convolutions are each other's.
var table = map[graph.Op]rule{
	graph.OpInput:         {reason: isLeaf},
	graph.OpVariable:      {reason: isLeaf},
	graph.OpConstant:      {reason: isLeaf},
	graph.OpRandomUniform: {reason: "it does not depend smoothly on its position"},
	graph.OpRandomNormal:  {reason: "it does not depend smoothly on its position"},

	graph.OpNeg:  unary(func(c context) *graph.Node { return c.Neg(c.dy) }),
	graph.OpAbs:  unary(func(c context) *graph.Node { return c.Mul(c.dy, c.Sign(c.x(0))) }),
	graph.OpExp:  unary(func(c context) *graph.Node { return c.Mul(c.dy, c.n) }),
	graph.OpLog:  unary(func(c context) *graph.Node { return c.Div(c.dy, c.x(0)) }),
	graph.OpSqrt: unary(func(c context) *graph.Node { return c.Scale(c.Div(c.dy, c.n), 0.5) }),
	graph.OpExpm1: unary(func(c context) *graph.Node {
		return c.Mul(c.dy, c.AddScalar(c.n, 1))
	}),
	graph.OpLog1p: unary(func(c context) *graph.Node {
		return c.Div(c.dy, c.AddScalar(c.x(0), 1))
	}),
	graph.OpRsqrt: unary(func(c context) *graph.Node { // -y³/2, where y³ may overflow
		return c.Scale(c.Mul(c.Mul(c.dy, c.n), c.Square(c.n)), -0.5)
	}),
	graph.OpReciprocal: unary(func(c context) *graph.Node {
		return c.Neg(c.Mul(c.dy, c.Square(c.n)))
	}),
	graph.OpSquare: unary(func(c context) *graph.Node {
		return c.Scale(c.Mul(c.dy, c.x(0)), 2)
	}),
	graph.OpSigmoid: unary(func(c context) *graph.Node { // y(1-y)
		return c.Mul(c.dy, c.Sub(c.n, c.Square(c.n)))
	}),
	graph.OpTanh: unary(func(c context) *graph.Node {
		return c.Sub(c.dy, c.Mul(c.dy, c.Square(c.n)))
	}),
	graph.OpErf: unary(func(c context) *graph.Node {
		return c.Scale(c.Mul(c.dy, c.Exp(c.Neg(c.Square(c.x(0))))), 2/math.SqrtPi)
	}),
	// The slopes of the rectifiers follow from the result where it tells them,
	// so that the operand need not be kept.
	graph.OpRelu: unary(func(c context) *graph.Node { return c.Mul(c.dy, c.Step(c.n)) }),
	graph.OpRelu6: unary(func(c context) *graph.Node {
		return c.Mul(c.dy, c.Mul(c.Step(c.n), c.Step(c.AddScalar(c.Neg(c.n), 6))))
	}),
	graph.OpLeakyRelu: unary(func(c context) *graph.Node {
		slope := c.n.Float()
		positive := c.Step(c.x(0))
		return c.Mul(c.dy, c.AddScalar(c.Scale(positive, 1-slope), slope))
	}),
	graph.OpSign:      {reason: isCounted},
	graph.OpStep:      {reason: isCounted},
	graph.OpFloor:     {reason: isCounted},
	graph.OpScale:     unary(func(c context) *graph.Node { return c.Scale(c.dy, c.n.Float()) }),
	graph.OpAddScalar: unary(func(c context) *graph.Node { return c.dy }),
	graph.OpCast:      {reason: "its operand is of integers"},

	graph.OpAdd: binary(func(c context) (gx, gy *graph.Node) { return c.dy, c.dy }),
	graph.OpSub: binary(func(c context) (gx, gy *graph.Node) { return c.dy, c.Neg(c.dy) }),
	graph.OpMul: binary(func(c context) (gx, gy *graph.Node) {
		return c.Mul(c.dy, c.x(1)), c.Mul(c.dy, c.x(0))
	}),
	graph.OpDiv: binary(func(c context) (gx, gy *graph.Node) {
		gx = c.Div(c.dy, c.x(1))
		return gx, c.Neg(c.Mul(gx, c.n))
	}),
	// A tie gives the whole gradient to the first operand.
	graph.OpMax: binary(func(c context) (gx, gy *graph.Node) {
		first := c.GreaterEqual(c.x(0), c.x(1))
		return c.Mul(c.dy, first), c.Mul(c.dy, c.AddScalar(c.Neg(first), 1))
	}),
	graph.OpMin: binary(func(c context) (gx, gy *graph.Node) {
		first := c.GreaterEqual(c.x(1), c.x(0))
		return c.Mul(c.dy, first), c.Mul(c.dy, c.AddScalar(c.Neg(first), 1))
	}),
	graph.OpPow: binary(func(c context) (gx, gy *graph.Node) {
		x, p := c.x(0), c.x(1)
		gx = c.Mul(c.dy, c.Mul(p, c.Pow(x, c.AddScalar(p, -1))))
		gy = c.Mul(c.dy, c.Mul(c.n, c.Log(x)))
		return gx, gy
	}),
	graph.OpGreater:      {reason: isCounted},
	graph.OpGreaterEqual: {reason: isCounted},
	graph.OpEqual:        {reason: isCounted},
	graph.OpSelect: {vjp: func(c context) []*graph.Node {
		zero := c.Scalar(0)
		return []*graph.Node{
			nil,
			unbroadcast(c, c.Select(c.x(0), c.dy, zero), 1),
			unbroadcast(c, c.Select(c.x(0), zero, c.dy), 2),
		}
	}},

	graph.OpMulAdd: {vjp: func(c context) []*graph.Node {
		return []*graph.Node{
			unbroadcast(c, c.Mul(c.dy, c.x(1)), 0),
			unbroadcast(c, c.Mul(c.dy, c.x(0)), 1),
			unbroadcast(c, c.dy, 2),
		}
	}},

	graph.OpReduceSum: unary(func(c context) *graph.Node {
		return c.BroadcastTo(c.dy, c.x(0).Shape()...)
	}),
	// Equal maxima share the gradient.
	graph.OpReduceMax: unary(func(c context) *graph.Node {
		hit := c.Equal(c.x(0), c.n)
		return c.Mul(hit, c.Div(c.dy, c.Node(graph.OpReduceSum, c.n.Attrs(), hit)))
	}),
	graph.OpArgMax: {reason: isCounted},

	graph.OpReshape: unary(func(c context) *graph.Node {
		return c.Reshape(c.dy, c.x(0).Shape()...)
	}),
	graph.OpTranspose: unary(func(c context) *graph.Node {
		inverse := make([]int, len(c.n.Ints()))
		for i, axis := range c.n.Ints() {
			inverse[axis] = i
		}
		return c.Transpose(c.dy, inverse...)
	}),
	graph.OpBroadcast: {vjp: func(c context) []*graph.Node {
		return []*graph.Node{unbroadcast(c, c.dy, 0)}
	}},
	graph.OpConcat: {vjp: func(c context) []*graph.Node {
		axis := c.n.Attrs().(graph.AxisAttrs).Axis
		grads := make([]*graph.Node, len(c.n.Inputs()))
		at := 0
		for i, in := range c.n.Inputs() {
			begin, end := make([]int, len(in.Shape())), c.n.Shape().Clone()
			begin[axis], end[axis] = at, at+in.Shape()[axis]
			at = end[axis]
			if c.need[i] {
				grads[i] = c.Slice(c.dy, begin, end)
			}
		}
		return grads
	}},
	graph.OpSlice: unary(func(c context) *graph.Node {
		a, shape := c.n.Attrs().(graph.SliceAttrs), c.x(0).Shape()
		after := make([]int, len(shape))
		for i := range shape {
			after[i] = shape[i] - a.End[i]
		}
		return c.Pad(c.dy, a.Begin, after)
	}),
	graph.OpPad: unary(func(c context) *graph.Node {
		a, shape := c.n.Attrs().(graph.PadAttrs), c.x(0).Shape()
		end := make([]int, len(shape))
		for i := range shape {
			end[i] = a.Before[i] + shape[i]
		}
		return c.Slice(c.dy, a.Before, end)
	}),
	graph.OpOneHot: {reason: "its operand is of integers"},

	graph.OpMatMul:           {vjp: matMul},
	graph.OpConv2D:           {vjp: conv2D},
	graph.OpConv2DGradInput:  {vjp: conv2DGradInput},
	graph.OpConv2DGradWeight: {vjp: conv2DGradWeight},

	graph.OpMaxPool: unary(func(c context) *graph.Node {
		return c.Node(graph.OpMaxPoolGrad, c.n.Attrs(), c.x(0), c.dy)
	}),
	graph.OpMaxPoolGrad: {reason: isSecond},
	graph.OpAvgPool: unary(func(c context) *graph.Node {
		return c.Node(graph.OpAvgPoolGrad, c.n.Attrs(), c.dy)
	}),
	graph.OpAvgPoolGrad: unary(func(c context) *graph.Node {
		return c.Node(graph.OpAvgPool, c.n.Attrs(), c.dy)
	}),
	graph.OpUpsampleNearest: unary(func(c context) *graph.Node {
		return c.Node(graph.OpUpsampleNearestGrad, c.n.Attrs(), c.dy)
	}),
	graph.OpUpsampleNearestGrad: unary(func(c context) *graph.Node {
		return c.Node(graph.OpUpsampleNearest, c.n.Attrs(), c.dy)
	}),
	graph.OpResizeBilinear:     unary(resizeOther(graph.OpResizeBilinearGrad)),
	graph.OpResizeBilinearGrad: unary(resizeOther(graph.OpResizeBilinear)),

	graph.OpSoftmax: unary(func(c context) *graph.Node { // y(dy - Σ dy·y)
		last := len(c.n.Shape()) - 1
		return c.Mul(c.n, c.Sub(c.dy, c.Sum(c.Mul(c.dy, c.n), last)))
	}),
	graph.OpLogSoftmax: unary(func(c context) *graph.Node {
		last := len(c.n.Shape()) - 1
		return c.Sub(c.dy, c.Mul(c.Exp(c.n), c.Sum(c.dy, last)))
	}),
	graph.OpMoments:             {vjp: moments},
	graph.OpBatchNorm:           {vjp: batchNorm},
	graph.OpBatchNormGradReduce: {reason: isSecond},
	graph.OpBatchNormGradInput:  {reason: isSecond},

	graph.OpFused:     {reason: "it is made after differentiation"},
	graph.OpFusedSums: {reason: "it is made after differentiation"},
}

func unary(f func(c context) *graph.Node) rule {
	return rule{vjp: func(c context) []*graph.Node { return []*graph.Node{f(c)} }}
}

func binary(f func(c context) (gx, gy *graph.Node)) rule {
	return rule{vjp: func(c context) []*graph.Node {
		gx, gy := f(c)
		return []*graph.Node{unbroadcast(c, gx, 0), unbroadcast(c, gy, 1)}
	}}
}

// unbroadcast adds a gradient up over the axes along which operand i was
// repeated.
func unbroadcast(c context, g *graph.Node, i int) *graph.Node {
	if !c.need[i] {
		return nil
	}
	want := c.x(i).Shape()
	g = c.BroadcastTo(g, c.n.Shape()...)
	lead := len(c.n.Shape()) - len(want)
	var axes []int
	for axis, n := range c.n.Shape() {
		if axis < lead || (want[axis-lead] == 1 && n > 1) {
			axes = append(axes, axis)
		}
	}
	if len(axes) == 0 {
		return g
	}
	g = c.Sum(g, axes...)
	if g.Shape().Equal(want) {
		return g
	}
	return c.Reshape(g, want...)
}

func resizeOther(op graph.Op) func(c context) *graph.Node {
	return func(c context) *graph.Node {
		shape := c.x(0).Shape()
		return c.Node(op, graph.ResizeAttrs{Height: shape[1], Width: shape[2]}, c.dy)
	}
}

func matMul(c context) []*graph.Node {
	a := c.n.Attrs().(graph.MatMulAttrs)
	x, y, dy := c.x(0), c.x(1), c.dy
	grads := make([]*graph.Node, 2)
	// With X = op(x) and Y = op(y): dX = dy·Yᵀ and dY = Xᵀ·dy, transposed
	// again where the operand was.
	if c.need[0] {
		if a.TransA {
			grads[0] = c.MatMul(y, dy, a.TransB, true)
		} else {
			grads[0] = c.MatMul(dy, y, false, !a.TransB)
		}
	}
	if c.need[1] {
		if a.TransB {
			grads[1] = c.MatMul(dy, x, true, a.TransA)
		} else {
			grads[1] = c.MatMul(x, dy, !a.TransA, false)
		}
	}
	return grads
}

// The convolution y = x*w is bilinear. Each of the three operations is the
// derivative of one of the others, so all of them share attributes.

func conv2D(c context) []*graph.Node {
	grads := make([]*graph.Node, 2)
	if c.need[0] {
		grads[0] = c.Node(graph.OpConv2DGradInput, c.n.Attrs(), c.dy, c.x(1))
	}
	if c.need[1] {
		grads[1] = c.Node(graph.OpConv2DGradWeight, c.n.Attrs(), c.x(0), c.dy)
	}
	return grads
}

func conv2DGradInput(c context) []*graph.Node { // operands: dy', w
	grads := make([]*graph.Node, 2)
	if c.need[0] {
		grads[0] = c.Node(graph.OpConv2D, c.n.Attrs(), c.dy, c.x(1))
	}
	if c.need[1] {
		grads[1] = c.Node(graph.OpConv2DGradWeight, c.n.Attrs(), c.dy, c.x(0))
	}
	return grads
}

func conv2DGradWeight(c context) []*graph.Node { // operands: x, dy'
	grads := make([]*graph.Node, 2)
	if c.need[0] {
		grads[0] = c.Node(graph.OpConv2DGradInput, c.n.Attrs(), c.x(1), c.dy)
	}
	if c.need[1] {
		grads[1] = c.Node(graph.OpConv2D, c.n.Attrs(), c.x(0), c.dy)
	}
	return grads
}

// moments: mean = Σx/R, variance = Σ(x-mean)²/R, so
// dx = dmean/R + dvariance·2(x-mean)/R.
func moments(c context) []*graph.Node {
	x := c.x(0)
	channels := x.Shape()[len(x.Shape())-1]
	rows := float64(x.Shape().Elements() / channels)
	dmean := c.row(c.dy, 0, channels)
	dvariance := c.row(c.dy, 1, channels)
	mean := c.row(c.n, 0, channels)
	dx := c.Add(c.Mul(c.Sub(x, mean), c.Scale(dvariance, 2)), dmean)
	return []*graph.Node{c.Scale(dx, 1/rows)}
}

// row returns row i of a [2,C] value as [C].
func (c context) row(x *graph.Node, i, channels int) *graph.Node {
	return c.Reshape(c.Slice(x, []int{i, 0}, []int{i + 1, channels}), channels)
}

// batchNorm gives the total derivative through the moments as well (Ioffe &
// Szegedy 2015, section 3), so their operand gets none from here.
func batchNorm(c context) []*graph.Node {
	x, m, gamma := c.x(0), c.x(1), c.x(2)
	attrs := c.n.Attrs()
	channels := gamma.Shape()[0]
	sums := c.Node(graph.OpBatchNormGradReduce, attrs, x, m, c.dy)
	grads := make([]*graph.Node, 4)
	if c.need[0] {
		grads[0] = c.Node(graph.OpBatchNormGradInput, attrs, x, m, gamma, c.dy, sums)
	}
	grads[2] = c.row(sums, 0, channels)
	grads[3] = c.row(sums, 1, channels)
	return grads
}
