//go:build amd64 && !noasm

package vec

import "hourglass/internal/isa"

// kernels are the assembly of one level. They take addresses, and the functions
// below hold operands to the length of the destination.
type kernels struct {
	neg, abs, exp, log, log1p, sqrt, rsqrt, reciprocal, square func(dst, a *float32, n int)
	sigmoid, tanh, erf, silu, relu                             func(dst, a *float32, n int)
	relu6, sign, step, floor                                   func(dst, a *float32, n int)

	siluGrad, add, sub, mul, div, max, min, greater func(dst, a, b *float32, n int)
	greaterEqual, equal, mulStep                    func(dst, a, b *float32, n int)

	scale, addScalar, leakyRelu, axpy func(dst, a *float32, n int, s float32)

	choose, mulAdd, addDiffs func(dst, a, b, c *float32, n int)

	fill      func(dst *float32, n int, v float32)
	fromUint8 func(dst *float32, src *uint8, n int)
	fromInt32 func(dst *float32, src *int32, n int)
	uniform   func(dst *float32, n int, key0, key1, block0, block1, counter0, counter1 uint32)

	sum, sumSquares, maxOf func(a *float32, n int) float32

	dot        func(a, b *float32, n int) float32
	max2x2     func(dst, x0, x1 *float32, n, c int)
	sum2x2     func(dst, x0, x1 *float32, n, c int, scale float32)
	maxGrad2x2 func(g, dx0, dx1, x0, x1 *float32, n, c int)
	spread2x2  func(g, dx0, dx1 *float32, n, c int, scale float32)

	argMaxStep, addWhere func(a, b, c *float32, n int, s float32)

	affine, affineRelu, addGrads func(dst, a, b, c, d *float32, n int)

	gradAffine, addGradsRelu func(dst, g, x, m, a, b, c *float32, n int)

	gradAffineRelu func(dst, g, x, m, s, t, a, b, c *float32, n int)
}

var kernelsAVX2 = kernels{
	neg:            negAVX2,
	abs:            absAVX2,
	exp:            expAVX2,
	log:            logAVX2,
	log1p:          log1pAVX2,
	sqrt:           sqrtAVX2,
	rsqrt:          rsqrtAVX2,
	reciprocal:     reciprocalAVX2,
	square:         squareAVX2,
	sigmoid:        sigmoidAVX2,
	tanh:           tanhAVX2,
	erf:            erfAVX2,
	silu:           siluAVX2,
	relu:           reluAVX2,
	relu6:          relu6AVX2,
	sign:           signAVX2,
	step:           stepAVX2,
	floor:          floorAVX2,
	siluGrad:       siluGradAVX2,
	add:            addAVX2,
	sub:            subAVX2,
	mul:            mulAVX2,
	div:            divAVX2,
	max:            maxAVX2,
	min:            minAVX2,
	greater:        greaterAVX2,
	greaterEqual:   greaterEqualAVX2,
	equal:          equalAVX2,
	mulStep:        mulStepAVX2,
	scale:          scaleAVX2,
	addScalar:      addScalarAVX2,
	leakyRelu:      leakyReluAVX2,
	axpy:           axpyAVX2,
	choose:         chooseAVX2,
	mulAdd:         mulAddAVX2,
	addDiffs:       addDiffsAVX2,
	fill:           fillAVX2,
	fromUint8:      fromUint8AVX2,
	fromInt32:      fromInt32AVX2,
	uniform:        uniformAVX2,
	sum:            sumAVX2,
	sumSquares:     sumSquaresAVX2,
	maxOf:          maxOfAVX2,
	dot:            dotAVX2,
	max2x2:         max2x2AVX2,
	sum2x2:         sum2x2AVX2,
	maxGrad2x2:     maxGrad2x2AVX2,
	spread2x2:      spread2x2AVX2,
	argMaxStep:     argMaxStepAVX2,
	addWhere:       addWhereAVX2,
	affine:         affineAVX2,
	affineRelu:     affineReluAVX2,
	addGrads:       addGradsAVX2,
	gradAffine:     gradAffineAVX2,
	addGradsRelu:   addGradsReluAVX2,
	gradAffineRelu: gradAffineReluAVX2,
}

var kernelsAVX512 = kernels{
	neg:            negAVX512,
	abs:            absAVX512,
	exp:            expAVX512,
	log:            logAVX512,
	log1p:          log1pAVX512,
	sqrt:           sqrtAVX512,
	rsqrt:          rsqrtAVX512,
	reciprocal:     reciprocalAVX512,
	square:         squareAVX512,
	sigmoid:        sigmoidAVX512,
	tanh:           tanhAVX512,
	erf:            erfAVX512,
	silu:           siluAVX512,
	relu:           reluAVX512,
	relu6:          relu6AVX512,
	sign:           signAVX512,
	step:           stepAVX512,
	floor:          floorAVX512,
	siluGrad:       siluGradAVX512,
	add:            addAVX512,
	sub:            subAVX512,
	mul:            mulAVX512,
	div:            divAVX512,
	max:            maxAVX512,
	min:            minAVX512,
	greater:        greaterAVX512,
	greaterEqual:   greaterEqualAVX512,
	equal:          equalAVX512,
	mulStep:        mulStepAVX512,
	scale:          scaleAVX512,
	addScalar:      addScalarAVX512,
	leakyRelu:      leakyReluAVX512,
	axpy:           axpyAVX512,
	choose:         chooseAVX512,
	mulAdd:         mulAddAVX512,
	addDiffs:       addDiffsAVX512,
	fill:           fillAVX512,
	fromUint8:      fromUint8AVX512,
	fromInt32:      fromInt32AVX512,
	uniform:        uniformAVX512,
	sum:            sumAVX512,
	sumSquares:     sumSquaresAVX512,
	maxOf:          maxOfAVX512,
	dot:            dotAVX512,
	max2x2:         max2x2AVX512,
	sum2x2:         sum2x2AVX512,
	maxGrad2x2:     maxGrad2x2AVX512,
	spread2x2:      spread2x2AVX512,
	argMaxStep:     argMaxStepAVX512,
	addWhere:       addWhereAVX512,
	affine:         affineAVX512,
	affineRelu:     affineReluAVX512,
	addGrads:       addGradsAVX512,
	gradAffine:     gradAffineAVX512,
	addGradsRelu:   addGradsReluAVX512,
	gradAffineRelu: gradAffineReluAVX512,
}

var (
	avx2   = setOf(isa.AVX2, &kernelsAVX2)
	avx512 = setOf(isa.AVX512, &kernelsAVX512)
)

// setOf returns the functions that call the kernels of a level.
func setOf(level isa.Level, k *kernels) Set {
	return Set{
		Level:    level,
		assembly: k,

		Copy:  generic.Copy,
		Expm1: generic.Expm1,
		Pow:   generic.Pow,

		Neg: unaryOf(&k.neg),
		Abs: unaryOf(&k.abs),

		Exp:   unaryOf(&k.exp),
		Log:   unaryOf(&k.log),
		Log1p: unaryOf(&k.log1p),

		Sqrt:       unaryOf(&k.sqrt),
		Rsqrt:      unaryOf(&k.rsqrt),
		Reciprocal: unaryOf(&k.reciprocal),
		Square:     unaryOf(&k.square),

		Sigmoid: unaryOf(&k.sigmoid),
		Tanh:    unaryOf(&k.tanh),
		Erf:     unaryOf(&k.erf),

		Silu:     unaryOf(&k.silu),
		SiluGrad: binaryOf(&k.siluGrad),

		Relu:  unaryOf(&k.relu),
		Relu6: unaryOf(&k.relu6),
		Sign:  unaryOf(&k.sign),
		Step:  unaryOf(&k.step),
		Floor: unaryOf(&k.floor),

		Scale:     unaryScalarOf(&k.scale),
		AddScalar: unaryScalarOf(&k.addScalar),
		LeakyRelu: unaryScalarOf(&k.leakyRelu),
		AxpY:      unaryScalarOf(&k.axpy),

		Add: binaryOf(&k.add),
		Sub: binaryOf(&k.sub),
		Mul: binaryOf(&k.mul),
		Div: binaryOf(&k.div),
		Max: binaryOf(&k.max),
		Min: binaryOf(&k.min),

		Greater:      binaryOf(&k.greater),
		GreaterEqual: binaryOf(&k.greaterEqual),
		Equal:        binaryOf(&k.equal),

		Select:  ternaryOf(&k.choose),
		MulAdd:  ternaryOf(&k.mulAdd),
		MulStep: binaryOf(&k.mulStep),

		Fill:      fillOf(&k.fill),
		FromUint8: fromUint8Of(&k.fromUint8),
		FromInt32: fromInt32Of(&k.fromInt32),

		Uniform: uniformOf(&k.uniform),

		Sum:        sumOf(&k.sum),
		SumSquares: sumOf(&k.sumSquares),
		Dot:        dotOf(&k.dot),
		MaxOf:      maxOf(&k.maxOf),

		Max2x2:     max2x2Of(&k.max2x2),
		Sum2x2:     sum2x2Of(&k.sum2x2),
		MaxGrad2x2: maxGrad2x2Of(&k.maxGrad2x2),
		Spread2x2:  spread2x2Of(&k.spread2x2),
		ArgMaxStep: stepOf(&k.argMaxStep),
		AddWhere:   stepOf(&k.addWhere),

		Affine:     quaternaryOf(&k.affine),
		AffineRelu: quaternaryOf(&k.affineRelu),
		AddDiffs:   ternaryOf(&k.addDiffs),
		AddGrads:   quaternaryOf(&k.addGrads),
		GradAffine: senaryOf(&k.gradAffine),

		AddGradsRelu:   senaryOf(&k.addGradsRelu),
		GradAffineRelu: octonaryOf(&k.gradAffineRelu),
	}
}
