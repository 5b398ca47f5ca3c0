package graph

import (
	"slices"

	"hourglass/tensor"
)

// dims is the shape of an operand, and none of one that is missing, which Node
// reports.
func (n *Node) dims() tensor.Shape {
	if n == nil {
		return nil
	}
	return n.shape
}

// Constant returns a literal. The tensor must not be changed afterwards.
func (b *Builder) Constant(v *tensor.Tensor) *Node { return b.Node(OpConstant, ConstantAttrs{v}) }

// Scalar returns a literal f32 without axes.
func (b *Builder) Scalar(v float64) *Node { return b.Constant(tensor.Scalar(float32(v))) }

// RandomUniform returns values in [0,1), a pure function of seed, stream and
// step, an i32 scalar.
func (b *Builder) RandomUniform(step *Node, seed, stream uint64, shape ...int) *Node {
	return b.Node(OpRandomUniform, RandomAttrs{seed, stream, slices.Clone(shape)}, step)
}

// RandomNormal returns standard normal values in the manner of RandomUniform.
func (b *Builder) RandomNormal(step *Node, seed, stream uint64, shape ...int) *Node {
	return b.Node(OpRandomNormal, RandomAttrs{seed, stream, slices.Clone(shape)}, step)
}

// Element-wise operations on one f32 operand.

func (b *Builder) Neg(x *Node) *Node        { return b.Node(OpNeg, nil, x) }
func (b *Builder) Abs(x *Node) *Node        { return b.Node(OpAbs, nil, x) }
func (b *Builder) Exp(x *Node) *Node        { return b.Node(OpExp, nil, x) }
func (b *Builder) Expm1(x *Node) *Node      { return b.Node(OpExpm1, nil, x) }
func (b *Builder) Log(x *Node) *Node        { return b.Node(OpLog, nil, x) }
func (b *Builder) Log1p(x *Node) *Node      { return b.Node(OpLog1p, nil, x) }
func (b *Builder) Sqrt(x *Node) *Node       { return b.Node(OpSqrt, nil, x) }
func (b *Builder) Rsqrt(x *Node) *Node      { return b.Node(OpRsqrt, nil, x) }
func (b *Builder) Reciprocal(x *Node) *Node { return b.Node(OpReciprocal, nil, x) }
func (b *Builder) Square(x *Node) *Node     { return b.Node(OpSquare, nil, x) }
func (b *Builder) Sigmoid(x *Node) *Node    { return b.Node(OpSigmoid, nil, x) }
func (b *Builder) Tanh(x *Node) *Node       { return b.Node(OpTanh, nil, x) }
func (b *Builder) Erf(x *Node) *Node        { return b.Node(OpErf, nil, x) }
func (b *Builder) Relu(x *Node) *Node       { return b.Node(OpRelu, nil, x) }
func (b *Builder) Relu6(x *Node) *Node      { return b.Node(OpRelu6, nil, x) }
func (b *Builder) Sign(x *Node) *Node       { return b.Node(OpSign, nil, x) }
func (b *Builder) Step(x *Node) *Node       { return b.Node(OpStep, nil, x) }
func (b *Builder) Floor(x *Node) *Node      { return b.Node(OpFloor, nil, x) }

// Scale returns factor·x.
func (b *Builder) Scale(x *Node, factor float64) *Node {
	return b.Node(OpScale, FloatAttrs{factor}, x)
}

// AddScalar returns x + addend.
func (b *Builder) AddScalar(x *Node, addend float64) *Node {
	return b.Node(OpAddScalar, FloatAttrs{addend}, x)
}

// LeakyRelu returns x where it is positive, slope·x elsewhere.
func (b *Builder) LeakyRelu(x *Node, slope float64) *Node {
	return b.Node(OpLeakyRelu, FloatAttrs{slope}, x)
}

// Cast converts integers to f32; an f32 operand is returned as it is.
func (b *Builder) Cast(x *Node) *Node {
	if x != nil && x.dtype == tensor.Float32 {
		return x
	}
	return b.Node(OpCast, CastAttrs{tensor.Float32}, x)
}

// Element-wise operations on two f32 operands, which broadcast.

func (b *Builder) Add(x, y *Node) *Node          { return b.Node(OpAdd, nil, x, y) }
func (b *Builder) Sub(x, y *Node) *Node          { return b.Node(OpSub, nil, x, y) }
func (b *Builder) Mul(x, y *Node) *Node          { return b.Node(OpMul, nil, x, y) }
func (b *Builder) Div(x, y *Node) *Node          { return b.Node(OpDiv, nil, x, y) }
func (b *Builder) Max(x, y *Node) *Node          { return b.Node(OpMax, nil, x, y) }
func (b *Builder) Min(x, y *Node) *Node          { return b.Node(OpMin, nil, x, y) }
func (b *Builder) Pow(x, y *Node) *Node          { return b.Node(OpPow, nil, x, y) } // its gradients are for x > 0
func (b *Builder) Greater(x, y *Node) *Node      { return b.Node(OpGreater, nil, x, y) }
func (b *Builder) GreaterEqual(x, y *Node) *Node { return b.Node(OpGreaterEqual, nil, x, y) }
func (b *Builder) Equal(x, y *Node) *Node        { return b.Node(OpEqual, nil, x, y) }

// Select returns x where cond is not 0, y elsewhere.
func (b *Builder) Select(cond, x, y *Node) *Node { return b.Node(OpSelect, nil, cond, x, y) }

// MulAdd returns x·y + z, rounded once where the processor does so.
func (b *Builder) MulAdd(x, y, z *Node) *Node { return b.Node(OpMulAdd, nil, x, y, z) }

// Sum adds over the axes (all of them if none is named) and keeps them with
// length 1.
func (b *Builder) Sum(x *Node, axes ...int) *Node { return b.reduce(OpReduceSum, x, axes) }

// ReduceMax takes the maximum over the axes in the manner of Sum.
func (b *Builder) ReduceMax(x *Node, axes ...int) *Node { return b.reduce(OpReduceMax, x, axes) }

func (b *Builder) reduce(op Op, x *Node, axes []int) *Node {
	if len(axes) == 0 {
		for i := range x.dims() {
			axes = append(axes, i)
		}
	}
	axes = slices.Sorted(slices.Values(axes))
	return b.Node(op, ListAttrs{axes}, x)
}

// Mean averages over the axes in the manner of Sum.
func (b *Builder) Mean(x *Node, axes ...int) *Node {
	s := b.Sum(x, axes...)
	return b.Scale(s, float64(s.shape.Elements())/float64(x.dims().Elements()))
}

// ToScalar drops the axes of a value that has one element.
func (b *Builder) ToScalar(x *Node) *Node { return b.Reshape(x) }

// ArgMax returns the position of the first maximum along the last axis.
func (b *Builder) ArgMax(x *Node) *Node { return b.Node(OpArgMax, nil, x) }

// Reshape gives the elements another shape.
func (b *Builder) Reshape(x *Node, shape ...int) *Node {
	return b.Node(OpReshape, ListAttrs{slices.Clone(shape)}, x)
}

// Transpose puts axis perm[i] of x at place i.
func (b *Builder) Transpose(x *Node, perm ...int) *Node {
	return b.Node(OpTranspose, ListAttrs{slices.Clone(perm)}, x)
}

// BroadcastTo repeats x along axes of length 1 and new leading axes.
func (b *Builder) BroadcastTo(x *Node, shape ...int) *Node {
	if x != nil && x.shape.Equal(shape) {
		return x
	}
	return b.Node(OpBroadcast, ListAttrs{slices.Clone(shape)}, x)
}

// Concat joins values along an axis.
func (b *Builder) Concat(axis int, xs ...*Node) *Node {
	return b.Node(OpConcat, AxisAttrs{axis}, xs...)
}

// Slice cuts elements begin[i] to end[i]-1 out of each axis i.
func (b *Builder) Slice(x *Node, begin, end []int) *Node {
	return b.Node(OpSlice, SliceAttrs{slices.Clone(begin), slices.Clone(end)}, x)
}

// Pad puts zeros before and after each axis.
func (b *Builder) Pad(x *Node, before, after []int) *Node {
	return b.Node(OpPad, PadAttrs{slices.Clone(before), slices.Clone(after)}, x)
}

// OneHot turns i32 labels into f32 rows with a 1 at the label's place. A
// label outside 0 to depth-1 gives a row of zeros.
func (b *Builder) OneHot(labels *Node, depth int) *Node {
	return b.Node(OpOneHot, OneHotAttrs{depth}, labels)
}

// MatMul returns op(x)·op(y), [M,K]·[K,N] after the transpositions.
func (b *Builder) MatMul(x, y *Node, transX, transY bool) *Node {
	return b.Node(OpMatMul, MatMulAttrs{TransA: transX, TransB: transY}, x, y)
}

// Conv2D convolves (in the field's sense: correlates) images [N,H,W,C] with
// weights [KH,KW,C/groups,K]. The kernel's size is taken from the weights and
// a stride or dilation of 0 means 1.
func (b *Builder) Conv2D(x, w *Node, win Window, groups int) *Node {
	if b.err == nil && len(x.dims()) == 4 && len(w.dims()) == 4 {
		return b.Node(OpConv2D, convAttrs(win, w, groups, x.shape[1], x.shape[2]), x, w)
	}
	return b.Node(OpConv2D, ConvAttrs{Groups: 1}, x, w)
}

// ConvTranspose2D is the adjoint of the convolution that takes an image of
// height×width to the size of x: x is [N,H,W,K], weights are
// [KH,KW,C/groups,K] and the result is [N,height,width,C].
func (b *Builder) ConvTranspose2D(x, w *Node, win Window, groups, height, width int) *Node {
	if b.err == nil && len(w.dims()) == 4 {
		return b.Node(OpConv2DGradInput, convAttrs(win, w, groups, height, width), x, w)
	}
	return b.Node(OpConv2DGradInput, ConvAttrs{Groups: 1}, x, w)
}

func convAttrs(win Window, w *Node, groups, height, width int) ConvAttrs {
	win.Kernel = [2]int{w.shape[0], w.shape[1]}
	return ConvAttrs{Window: win.withDefaults(), Groups: groups, Height: height, Width: width}
}

func (w Window) withDefaults() Window {
	for i := range 2 {
		if w.Stride[i] == 0 {
			w.Stride[i] = 1
		}
		if w.Dilation[i] == 0 {
			w.Dilation[i] = 1
		}
	}
	return w
}

// MaxPool takes the maximum of each window; padding never wins.
func (b *Builder) MaxPool(x *Node, win Window) *Node {
	return b.Node(OpMaxPool, poolOver(x, win, false), x)
}

// AvgPool averages each window, over its area if includePad, else over the
// elements that lie in the image.
func (b *Builder) AvgPool(x *Node, win Window, includePad bool) *Node {
	return b.Node(OpAvgPool, poolOver(x, win, includePad), x)
}

func poolOver(x *Node, win Window, includePad bool) PoolAttrs {
	a := PoolAttrs{Window: win.withDefaults(), IncludePad: includePad}
	if len(x.dims()) == 4 {
		a.Height, a.Width = x.shape[1], x.shape[2]
	}
	return a
}

// UpsampleNearest repeats each pixel factor times along height and width.
func (b *Builder) UpsampleNearest(x *Node, factor int) *Node {
	return b.Node(OpUpsampleNearest, ResizeAttrs{Factor: factor}, x)
}

// ResizeBilinear interpolates images to height×width with half-pixel centres
// and no antialiasing.
func (b *Builder) ResizeBilinear(x *Node, height, width int) *Node {
	return b.Node(OpResizeBilinear, ResizeAttrs{Height: height, Width: width}, x)
}

// Softmax normalises exponentials along the last axis.
func (b *Builder) Softmax(x *Node) *Node { return b.Node(OpSoftmax, nil, x) }

// LogSoftmax is the logarithm of Softmax, computed without overflow.
func (b *Builder) LogSoftmax(x *Node) *Node { return b.Node(OpLogSoftmax, nil, x) }

// Moments returns [2,C], the mean and the biased variance over all axes but
// the last.
func (b *Builder) Moments(x *Node) *Node { return b.Node(OpMoments, nil, x) }

// BatchNorm returns gamma·(x−mean)/sqrt(variance+epsilon)+beta with the
// moments of x itself (Ioffe & Szegedy 2015, algorithm 1).
func (b *Builder) BatchNorm(x, moments, gamma, beta *Node, epsilon float64) *Node {
	return b.Node(OpBatchNorm, NormAttrs{Epsilon: epsilon}, x, moments, gamma, beta)
}
