//go:build amd64 && !noasm

package vec

import "hourglass/internal/isa"

var avx2 = Set{
	Level: isa.AVX2,

	Copy:  generic.Copy,
	Expm1: generic.Expm1,
	Pow:   generic.Pow,

	Neg: unaryOf(negAVX2),
	Abs: unaryOf(absAVX2),

	Exp:   unaryOf(expAVX2),
	Log:   unaryOf(logAVX2),
	Log1p: unaryOf(log1pAVX2),

	Sqrt:       unaryOf(sqrtAVX2),
	Rsqrt:      unaryOf(rsqrtAVX2),
	Reciprocal: unaryOf(reciprocalAVX2),
	Square:     unaryOf(squareAVX2),

	Sigmoid: unaryOf(sigmoidAVX2),
	Tanh:    unaryOf(tanhAVX2),
	Erf:     unaryOf(erfAVX2),

	Silu:     unaryOf(siluAVX2),
	SiluGrad: binaryOf(siluGradAVX2),

	Relu:  unaryOf(reluAVX2),
	Relu6: unaryOf(relu6AVX2),
	Sign:  unaryOf(signAVX2),
	Step:  unaryOf(stepAVX2),
	Floor: unaryOf(floorAVX2),

	Scale:     unaryScalarOf(scaleAVX2),
	AddScalar: unaryScalarOf(addScalarAVX2),
	LeakyRelu: unaryScalarOf(leakyReluAVX2),
	AxpY:      unaryScalarOf(axpyAVX2),

	Add: binaryOf(addAVX2),
	Sub: binaryOf(subAVX2),
	Mul: binaryOf(mulAVX2),
	Div: binaryOf(divAVX2),
	Max: binaryOf(maxAVX2),
	Min: binaryOf(minAVX2),

	Greater:      binaryOf(greaterAVX2),
	GreaterEqual: binaryOf(greaterEqualAVX2),
	Equal:        binaryOf(equalAVX2),

	Select:  ternaryOf(chooseAVX2),
	MulAdd:  ternaryOf(mulAddAVX2),
	MulStep: binaryOf(mulStepAVX2),

	Fill:      fillOf(fillAVX2),
	FromUint8: fromUint8Of(fromUint8AVX2),
	FromInt32: fromInt32Of(fromInt32AVX2),

	Uniform: uniformOf(uniformAVX2),

	Sum:        sumOf(sumAVX2),
	SumSquares: sumOf(sumSquaresAVX2),
	Dot:        dotOf(dotAVX2),
	MaxOf:      maxOf(maxOfAVX2),

	Max2x2:     max2x2Of(max2x2AVX2),
	Sum2x2:     sum2x2Of(sum2x2AVX2),
	MaxGrad2x2: maxGrad2x2Of(maxGrad2x2AVX2),
	Spread2x2:  spread2x2Of(spread2x2AVX2),
	ArgMaxStep: stepOf(argMaxStepAVX2),
	AddWhere:   stepOf(addWhereAVX2),

	Affine:     quaternaryOf(affineAVX2),
	AffineRelu: quaternaryOf(affineReluAVX2),
	AddDiffs:   ternaryOf(addDiffsAVX2),
	AddGrads:   quaternaryOf(addGradsAVX2),
	GradAffine: senaryOf(gradAffineAVX2),

	AddGradsRelu:   senaryOf(addGradsReluAVX2),
	GradAffineRelu: octonaryOf(gradAffineReluAVX2),
}
