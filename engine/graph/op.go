package graph

import "fmt"

// Op names an operation of the intermediate representation.
type Op uint8

// The operations. Element-wise ones broadcast their operands as
// [hourglass/tensor.Broadcast] describes; reductions keep the reduced axes
// with length 1. Images are [N,H,W,C].
const (
	opInvalid Op = iota

	// Leaves.
	OpInput         // value given with each run
	OpVariable      // value that lives between runs
	OpConstant      // literal
	OpRandomUniform // [0,1), a pure function of seed, stream and step
	OpRandomNormal  // standard normal, likewise

	// Element-wise, one operand.
	OpNeg
	OpAbs
	OpExp
	OpExpm1
	OpLog
	OpLog1p
	OpSqrt
	OpRsqrt
	OpReciprocal
	OpSquare
	OpSigmoid
	OpTanh
	OpErf
	OpRelu
	OpRelu6
	OpSign
	OpStep // 1 where the operand is positive, else 0
	OpFloor
	OpScale // times a literal
	OpAddScalar
	OpLeakyRelu
	OpCast

	// Element-wise, two operands.
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMax
	OpMin
	OpPow
	OpGreater
	OpGreaterEqual
	OpEqual

	// Element-wise, three operands.
	OpSelect // second where the first is not 0, else third
	OpMulAdd // first times second, plus third, rounded once or twice

	// Reductions.
	OpReduceSum
	OpReduceMax
	OpArgMax // over the last axis, which is dropped; i32

	// Shape.
	OpReshape
	OpTranspose
	OpBroadcast
	OpConcat
	OpSlice
	OpPad
	OpOneHot

	// Linear algebra and convolution.
	OpMatMul
	OpConv2D
	OpConv2DGradInput // also the transposed convolution
	OpConv2DGradWeight

	// Pooling and resampling.
	OpMaxPool
	OpMaxPoolGrad
	OpAvgPool
	OpAvgPoolGrad
	OpUpsampleNearest
	OpUpsampleNearestGrad
	OpResizeBilinear
	OpResizeBilinearGrad

	// Normalisation and the last axis.
	OpSoftmax
	OpLogSoftmax
	OpMoments             // [2,C]: mean and biased variance of each channel
	OpBatchNorm           // by the moments of its own first operand
	OpBatchNormGradReduce // [2,C]: gradients of gamma and beta
	OpBatchNormGradInput

	// Made by compilation only.
	OpFused     // a chain of element-wise operations, run tile by tile
	OpFusedSums // [K,C]: sums over all axes but the last of K values of a chain

	opCount
)

// Class groups operations by how backends and passes treat them.
type Class uint8

const (
	ClassLeaf        Class = iota + 1
	ClassElementwise       // output i depends on element i of each broadcast operand
	ClassReduction
	ClassView // moves or renames elements without computing
	ClassDense
	ClassWindow
	ClassNorm
)

type opInfo struct {
	name     string
	class    Class
	min, max int // number of inputs; max -1 means any
	infer    func(n *Node) (result, error)
}

// Ops returns every operation, for tests of completeness.
func Ops() []Op {
	ops := make([]Op, 0, opCount-1)
	for o := opInvalid + 1; o < opCount; o++ {
		ops = append(ops, o)
	}
	return ops
}

// String returns the operation's name as the printer writes it.
func (o Op) String() string {
	if o > opInvalid && o < opCount {
		return opTable[o].name
	}
	return fmt.Sprintf("graph.Op(%d)", uint8(o))
}

// Class returns the group that the operation belongs to.
func (o Op) Class() Class { return opTable[o].class }

// Arity returns the least and the greatest number of operands, the latter -1
// if there is no limit.
func (o Op) Arity() (lowest, highest int) { return opTable[o].min, opTable[o].max }

// opTable is set once, in init, because the rule of OpFused reads it.
var opTable [opCount]opInfo

func init() {
	opTable = [opCount]opInfo{
		OpInput:         {"input", ClassLeaf, 0, 0, inferLeaf},
		OpVariable:      {"variable", ClassLeaf, 0, 0, inferLeaf},
		OpConstant:      {"constant", ClassLeaf, 0, 0, inferConstant},
		OpRandomUniform: {"random_uniform", ClassLeaf, 1, 1, inferRandom},
		OpRandomNormal:  {"random_normal", ClassLeaf, 1, 1, inferRandom},

		OpNeg:        {"neg", ClassElementwise, 1, 1, inferUnary},
		OpAbs:        {"abs", ClassElementwise, 1, 1, inferUnary},
		OpExp:        {"exp", ClassElementwise, 1, 1, inferUnary},
		OpExpm1:      {"expm1", ClassElementwise, 1, 1, inferUnary},
		OpLog:        {"log", ClassElementwise, 1, 1, inferUnary},
		OpLog1p:      {"log1p", ClassElementwise, 1, 1, inferUnary},
		OpSqrt:       {"sqrt", ClassElementwise, 1, 1, inferUnary},
		OpRsqrt:      {"rsqrt", ClassElementwise, 1, 1, inferUnary},
		OpReciprocal: {"reciprocal", ClassElementwise, 1, 1, inferUnary},
		OpSquare:     {"square", ClassElementwise, 1, 1, inferUnary},
		OpSigmoid:    {"sigmoid", ClassElementwise, 1, 1, inferUnary},
		OpTanh:       {"tanh", ClassElementwise, 1, 1, inferUnary},
		OpErf:        {"erf", ClassElementwise, 1, 1, inferUnary},
		OpRelu:       {"relu", ClassElementwise, 1, 1, inferUnary},
		OpRelu6:      {"relu6", ClassElementwise, 1, 1, inferUnary},
		OpSign:       {"sign", ClassElementwise, 1, 1, inferUnary},
		OpStep:       {"step", ClassElementwise, 1, 1, inferUnary},
		OpFloor:      {"floor", ClassElementwise, 1, 1, inferUnary},
		OpScale:      {"scale", ClassElementwise, 1, 1, inferUnary},
		OpAddScalar:  {"add_scalar", ClassElementwise, 1, 1, inferUnary},
		OpLeakyRelu:  {"leaky_relu", ClassElementwise, 1, 1, inferUnary},
		OpCast:       {"cast", ClassElementwise, 1, 1, inferCast},

		OpAdd:          {"add", ClassElementwise, 2, 2, inferBroadcasting},
		OpSub:          {"sub", ClassElementwise, 2, 2, inferBroadcasting},
		OpMul:          {"mul", ClassElementwise, 2, 2, inferBroadcasting},
		OpDiv:          {"div", ClassElementwise, 2, 2, inferBroadcasting},
		OpMax:          {"max", ClassElementwise, 2, 2, inferBroadcasting},
		OpMin:          {"min", ClassElementwise, 2, 2, inferBroadcasting},
		OpPow:          {"pow", ClassElementwise, 2, 2, inferBroadcasting},
		OpGreater:      {"greater", ClassElementwise, 2, 2, inferBroadcasting},
		OpGreaterEqual: {"greater_equal", ClassElementwise, 2, 2, inferBroadcasting},
		OpEqual:        {"equal", ClassElementwise, 2, 2, inferBroadcasting},
		OpSelect:       {"select", ClassElementwise, 3, 3, inferBroadcasting},
		OpMulAdd:       {"mul_add", ClassElementwise, 3, 3, inferBroadcasting},

		OpReduceSum: {"reduce_sum", ClassReduction, 1, 1, inferReduce},
		OpReduceMax: {"reduce_max", ClassReduction, 1, 1, inferReduce},
		OpArgMax:    {"arg_max", ClassReduction, 1, 1, inferArgMax},

		OpReshape:   {"reshape", ClassView, 1, 1, inferReshape},
		OpTranspose: {"transpose", ClassView, 1, 1, inferTranspose},
		OpBroadcast: {"broadcast", ClassView, 1, 1, inferBroadcast},
		OpConcat:    {"concat", ClassView, 1, -1, inferConcat},
		OpSlice:     {"slice", ClassView, 1, 1, inferSlice},
		OpPad:       {"pad", ClassView, 1, 1, inferPad},
		OpOneHot:    {"one_hot", ClassView, 1, 1, inferOneHot},

		OpMatMul:           {"matmul", ClassDense, 2, 4, inferMatMul},
		OpConv2D:           {"conv2d", ClassDense, 2, 4, inferConv2D},
		OpConv2DGradInput:  {"conv2d_grad_input", ClassDense, 2, 4, inferConv2DGradInput},
		OpConv2DGradWeight: {"conv2d_grad_weight", ClassDense, 2, 2, inferConv2DGradWeight},

		OpMaxPool:             {"max_pool", ClassWindow, 1, 1, inferPool},
		OpMaxPoolGrad:         {"max_pool_grad", ClassWindow, 2, 2, inferMaxPoolGrad},
		OpAvgPool:             {"avg_pool", ClassWindow, 1, 1, inferPool},
		OpAvgPoolGrad:         {"avg_pool_grad", ClassWindow, 1, 1, inferAvgPoolGrad},
		OpUpsampleNearest:     {"upsample_nearest", ClassWindow, 1, 1, inferUpsample},
		OpUpsampleNearestGrad: {"upsample_nearest_grad", ClassWindow, 1, 1, inferUpsampleGrad},
		OpResizeBilinear:      {"resize_bilinear", ClassWindow, 1, 1, inferResize},
		OpResizeBilinearGrad:  {"resize_bilinear_grad", ClassWindow, 1, 1, inferResize},

		OpSoftmax:             {"softmax", ClassNorm, 1, 1, inferLastAxis},
		OpLogSoftmax:          {"log_softmax", ClassNorm, 1, 1, inferLastAxis},
		OpMoments:             {"moments", ClassNorm, 1, 1, inferMoments},
		OpBatchNorm:           {"batch_norm", ClassNorm, 4, 4, inferBatchNorm},
		OpBatchNormGradReduce: {"batch_norm_grad_reduce", ClassNorm, 3, 3, inferBatchNormGradReduce},
		OpBatchNormGradInput:  {"batch_norm_grad_input", ClassNorm, 5, 5, inferBatchNormGradInput},

		OpFused:     {"fused", ClassElementwise, 1, -1, inferFused},
		OpFusedSums: {"fused_sums", ClassReduction, 1, -1, inferFusedSums},
	}
}
