package graph

import (
	"fmt"

	"hourglass/tensor"
)

// The attribute types below are the static parameters of operations. They and
// the slices in them must not be changed once a node has them.

// NameAttrs belongs to OpInput and OpVariable.
type NameAttrs struct{ Name string }

// ConstantAttrs belongs to OpConstant. Its value must not be changed.
type ConstantAttrs struct{ Value *tensor.Tensor }

// RandomAttrs belongs to OpRandomUniform and OpRandomNormal. Seed and Stream
// select the sequence; the operand, an i32 scalar, is the position in it.
type RandomAttrs struct {
	Seed, Stream uint64
	Shape        tensor.Shape
}

// FloatAttrs belongs to OpScale (factor), OpAddScalar (addend) and
// OpLeakyRelu (slope below zero).
type FloatAttrs struct{ Value float64 }

// CastAttrs belongs to OpCast.
type CastAttrs struct{ To tensor.DType }

// ListAttrs holds integers: the axes of OpReduceSum and OpReduceMax
// (ascending), the new shape of OpReshape and OpBroadcast, the permutation of
// OpTranspose.
type ListAttrs struct{ Values []int }

// AxisAttrs belongs to OpConcat.
type AxisAttrs struct{ Axis int }

// SliceAttrs belongs to OpSlice: elements Begin to End-1 of each axis.
type SliceAttrs struct{ Begin, End []int }

// PadAttrs belongs to OpPad: zeros before and after each axis.
type PadAttrs struct{ Before, After []int }

// OneHotAttrs belongs to OpOneHot: the length of the new last axis.
type OneHotAttrs struct{ Depth int }

// Activation is what a dense operation applies to each element it stores.
type Activation uint8

const (
	ActNone Activation = iota
	ActRelu
	ActRelu6
)

// MatMulAttrs belongs to OpMatMul: C = op(A) op(B), where op transposes if
// its flag is set. Compilation may give it more operands: see [Extras].
type MatMulAttrs struct {
	TransA, TransB bool
	Act            Activation
}

// Window describes how a kernel slides over an image: element
// (o·Stride + k·Dilation − PadBefore) of the input meets element k of the
// kernel at output o. Index 0 is the height, 1 the width.
type Window struct {
	Kernel, Stride, PadBefore, PadAfter, Dilation [2]int
}

// Out returns the number of outputs along axis i for an input of length in,
// less than 1 if the kernel does not fit.
func (w Window) Out(i, in int) int {
	span := (w.Kernel[i]-1)*w.Dilation[i] + 1
	padded := in + w.PadBefore[i] + w.PadAfter[i]
	if padded < span {
		return 0
	}
	return (padded-span)/w.Stride[i] + 1
}

// Validate checks ranges.
func (w Window) Validate() error {
	const limit = 1 << 16
	for i, axis := range [2]string{"height", "width"} {
		switch {
		case w.Kernel[i] < 1 || w.Kernel[i] > limit:
			return fmt.Errorf("kernel %s is %d; it must be 1 to %d", axis, w.Kernel[i], limit)
		case w.Stride[i] < 1 || w.Stride[i] > limit:
			return fmt.Errorf("stride over the %s is %d; it must be 1 to %d", axis, w.Stride[i], limit)
		case w.Dilation[i] < 1 || w.Dilation[i] > limit:
			return fmt.Errorf("dilation over the %s is %d; it must be 1 to %d", axis, w.Dilation[i], limit)
		case w.PadBefore[i] < 0 || w.PadBefore[i] > limit || w.PadAfter[i] < 0 || w.PadAfter[i] > limit:
			return fmt.Errorf("padding over the %s is %d and %d; it must be 0 to %d", axis, w.PadBefore[i], w.PadAfter[i], limit)
		}
	}
	return nil
}

// ConvAttrs belongs to the three convolution operations. Weights are
// [KH,KW,C/Groups,K]. Height and Width are those of the image side (the input
// of the plain convolution), needed because several lengths give the same
// output. Compilation may give the plain one and OpConv2DGradInput more
// operands: see [Extras].
type ConvAttrs struct {
	Window
	Groups        int
	Height, Width int
	Act           Activation
}

// PoolAttrs belongs to the pooling operations; Height and Width are those of
// the pooled image. IncludePad makes an average divide by the kernel's area
// at the borders too, instead of by the number of elements that it covers.
type PoolAttrs struct {
	Window
	Height, Width int
	IncludePad    bool
}

// ResizeAttrs belongs to OpUpsampleNearest and its gradient (Factor) and to
// OpResizeBilinear and its gradient (Height and Width of the result).
type ResizeAttrs struct {
	Factor        int
	Height, Width int
}

// NormAttrs belongs to the batch-norm operations.
type NormAttrs struct{ Epsilon float64 }

// FusedAttrs belongs to OpFused: the chain's instructions in order.
type FusedAttrs struct{ Body []Instruction }

// SumsAttrs belongs to OpFusedSums: the chain's instructions, none if only
// operands are summed, and the numbers of the values that are, as instructions
// name their arguments.
type SumsAttrs struct {
	Body []Instruction
	Sums []int
}

// Instruction is one element-wise operation of a fused chain. An argument a
// below the number of the node's inputs is that input; otherwise it is the
// result of instruction a − inputs.
type Instruction struct {
	Op    Op
	Args  []int
	Attrs any
}
