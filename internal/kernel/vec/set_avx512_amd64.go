//go:build amd64 && !noasm

package vec

import "hourglass/internal/isa"

var avx512 = Set{
	Level: isa.AVX512,

	Copy:  generic.Copy,
	Expm1: generic.Expm1,
	Pow:   generic.Pow,

	Neg: unaryOf(negAVX512),
	Abs: unaryOf(absAVX512),

	Exp:   unaryOf(expAVX512),
	Log:   unaryOf(logAVX512),
	Log1p: unaryOf(log1pAVX512),

	Sqrt:       unaryOf(sqrtAVX512),
	Rsqrt:      unaryOf(rsqrtAVX512),
	Reciprocal: unaryOf(reciprocalAVX512),
	Square:     unaryOf(squareAVX512),

	Sigmoid: unaryOf(sigmoidAVX512),
	Tanh:    unaryOf(tanhAVX512),
	Erf:     unaryOf(erfAVX512),

	Silu:     unaryOf(siluAVX512),
	SiluGrad: binaryOf(siluGradAVX512),

	Relu:  unaryOf(reluAVX512),
	Relu6: unaryOf(relu6AVX512),
	Sign:  unaryOf(signAVX512),
	Step:  unaryOf(stepAVX512),
	Floor: unaryOf(floorAVX512),

	Scale:     unaryScalarOf(scaleAVX512),
	AddScalar: unaryScalarOf(addScalarAVX512),
	LeakyRelu: unaryScalarOf(leakyReluAVX512),
	AxpY:      unaryScalarOf(axpyAVX512),

	Add: binaryOf(addAVX512),
	Sub: binaryOf(subAVX512),
	Mul: binaryOf(mulAVX512),
	Div: binaryOf(divAVX512),
	Max: binaryOf(maxAVX512),
	Min: binaryOf(minAVX512),

	Greater:      binaryOf(greaterAVX512),
	GreaterEqual: binaryOf(greaterEqualAVX512),
	Equal:        binaryOf(equalAVX512),

	Select:  ternaryOf(chooseAVX512),
	MulAdd:  ternaryOf(mulAddAVX512),
	MulStep: binaryOf(mulStepAVX512),

	Fill:      fillOf(fillAVX512),
	FromUint8: fromUint8Of(fromUint8AVX512),
	FromInt32: fromInt32Of(fromInt32AVX512),

	Uniform: uniformOf(uniformAVX512),

	Sum:        sumOf(sumAVX512),
	SumSquares: sumOf(sumSquaresAVX512),
	Dot:        dotOf(dotAVX512),
	MaxOf:      maxOf(maxOfAVX512),

	Max2x2:     max2x2Of(max2x2AVX512),
	Sum2x2:     sum2x2Of(sum2x2AVX512),
	MaxGrad2x2: maxGrad2x2Of(maxGrad2x2AVX512),
	Spread2x2:  spread2x2Of(spread2x2AVX512),
	ArgMaxStep: stepOf(argMaxStepAVX512),
	AddWhere:   stepOf(addWhereAVX512),

	Affine:     quaternaryOf(affineAVX512),
	AffineRelu: quaternaryOf(affineReluAVX512),
	AddDiffs:   ternaryOf(addDiffsAVX512),
	AddGrads:   quaternaryOf(addGradsAVX512),
	GradAffine: senaryOf(gradAffineAVX512),

	AddGradsRelu:   senaryOf(addGradsReluAVX512),
	GradAffineRelu: octonaryOf(gradAffineReluAVX512),
}
