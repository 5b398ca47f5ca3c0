package vec

import (
	"math"

	"hourglass/internal/isa"
	"hourglass/internal/random"
)

// generic is the portable table. Products that feed a sum are rounded by an
// explicit conversion, since a compiler may otherwise fuse them on some
// architectures and the bits would depend on where the program runs.
var generic = Set{
	Level: isa.Generic,

	Copy: func(dst, a []float32) { copy(dst, a[:len(dst)]) },
	Neg:  each(func(x float32) float32 { return -x }),
	Abs:  each(abs),

	Exp:   each(exp),
	Expm1: each(expm1),
	Log:   each(log),
	Log1p: each(log1p),

	Sqrt:       each(sqrt),
	Rsqrt:      each(func(x float32) float32 { return 1 / sqrt(x) }),
	Reciprocal: each(func(x float32) float32 { return 1 / x }),
	Square:     squareRef,

	Sigmoid: each(sigmoid),
	Tanh:    each(tanh),
	Erf:     each(erf),

	Relu:  reluRef,
	Relu6: each(relu6),
	Sign:  each(sign),
	Step:  each(func(x float32) float32 { return indicator(x > 0) }),
	Floor: each(func(x float32) float32 { return float32(math.Floor(float64(x))) }),

	Scale:     scaleRef,
	AddScalar: addScalarRef,
	LeakyRelu: leakyReluRef,
	AxpY:      axpyRef,

	Add: addRef,
	Sub: subRef,
	Mul: mulRef,
	Div: divRef,
	Max: maxRef,
	Min: minRef,
	Pow: pow,

	Greater:      pairwise(func(x, y float32) float32 { return indicator(x > y) }),
	GreaterEqual: pairwise(func(x, y float32) float32 { return indicator(x >= y) }),
	Equal:        pairwise(func(x, y float32) float32 { return indicator(x == y) }),

	Select: selectRef,
	MulAdd: mulAddRef,
	Fill:   fillRef,

	FromUint8: fromUint8Ref,
	FromInt32: fromInt32Ref,

	Uniform: random.UniformOf,

	MulStep: mulStepRef,

	Silu:     each(func(x float32) float32 { return x * sigmoid(x) }),
	SiluGrad: siluGradRef,

	Sum:        inBlocks(sumRef),
	SumSquares: inBlocks(func(a []float32) float32 { return dotRef(a, a) }),
	Dot:        inBlocks2(dotRef),
	MaxOf:      maxOfRef,

	Max2x2:     max2x2Ref,
	Sum2x2:     sum2x2Ref,
	MaxGrad2x2: maxGrad2x2Ref,
	Spread2x2:  spread2x2Ref,
	ArgMaxStep: argMaxStepRef,
	AddWhere:   addWhereRef,

	Affine:     affineRef,
	AffineRelu: affineReluRef,
	AddDiffs:   addDiffsRef,
	AddGrads:   addGradsRef,
	GradAffine: gradAffineRef,

	AddGradsRelu:   addGradsReluRef,
	GradAffineRelu: gradAffineReluRef,
}

func each(f func(float32) float32) Unary {
	return func(dst, a []float32) {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = f(a[i])
		}
	}
}

func pairwise(f func(x, y float32) float32) Binary {
	return func(dst, a, b []float32) {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = f(a[i], b[i])
		}
	}
}

func indicator(c bool) float32 {
	if c {
		return 1
	}
	return 0
}

func squareRef(dst, a []float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * a[i]
	}
}

func reluRef(dst, a []float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = relu(a[i])
	}
}

func relu(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

func relu6(x float32) float32 {
	if x > 6 {
		return 6
	}
	return relu(x)
}

func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func scaleRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * s
	}
}

func addScalarRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + s
	}
}

func leakyReluRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		x := a[i]
		if !(x > 0) {
			x *= s
		}
		dst[i] = x
	}
}

func axpyRef(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] += float32(s * a[i])
	}
}

func addRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func subRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func mulRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func divRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] / b[i]
	}
}

func maxRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}

func minRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = min(a[i], b[i])
	}
}

func selectRef(dst, cond, a, b []float32) {
	cond, a, b = cond[:len(dst)], a[:len(dst)], b[:len(dst)]
	for i := range dst {
		if cond[i] != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func mulAddRef(dst, a, b, c []float32) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	for i := range dst {
		dst[i] = float32(a[i]*b[i]) + c[i]
	}
}

func fillRef(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

func fromUint8Ref(dst []float32, src []uint8) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

func fromInt32Ref(dst []float32, src []int32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

func mulStepRef(dst, a, b []float32) {
	for i := range dst {
		if b[i] > 0 {
			dst[i] = a[i]
		} else {
			dst[i] = a[i] * 0
		}
	}
}
