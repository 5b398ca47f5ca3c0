// Package vec holds the element-wise kernels: loops over float32 slices, one
// table of them for each instruction-set level.
//
// # Contract
//
// All slices of one call have the same length, which may be zero; a shorter
// operand is a bug of the caller and panics. The destination may be exactly
// one of the operands, but must not overlap one otherwise. Slices need no
// alignment. Every element of a result is a function of the elements at the
// same place alone, at one level bit for bit, so a long slice may be cut
// anywhere and worked on in any order. Between levels results may differ by
// the stated errors.
//
// Errors are given in ulp, the distance of neighbouring float32 numbers at
// the exact result. Functions without a stated error are rounded correctly.
package vec

import (
	"fmt"

	"hourglass/internal/isa"
)

type (
	// Unary computes dst[i] from a[i].
	Unary func(dst, a []float32)
	// UnaryScalar computes dst[i] from a[i] and one number.
	UnaryScalar func(dst, a []float32, s float32)
	// Binary computes dst[i] from a[i] and b[i].
	Binary func(dst, a, b []float32)
	// Ternary computes dst[i] from a[i], b[i] and c[i].
	Ternary func(dst, a, b, c []float32)
)

// Set is the table of kernels of one level. It is immutable.
type Set struct {
	Level isa.Level

	assembly any // what the functions call, where tests find it

	Copy Unary // a
	Neg  Unary // -a
	Abs  Unary // |a|

	Exp   Unary // e^a, 1.5 ulp; denormal results are kept
	Expm1 Unary // e^a - 1
	Log   Unary // natural logarithm, 1 ulp; NaN below zero, -Inf at zero
	Log1p Unary // log(1 + a), 2 ulp

	Sqrt       Unary // NaN below zero
	Rsqrt      Unary // 1/sqrt(a), 1.5 ulp
	Reciprocal Unary // 1/a
	Square     Unary // a*a

	Sigmoid Unary // 1/(1+e^-a), 2.5 ulp
	Tanh    Unary // 1.5 ulp
	Erf     Unary // error function, 1.5 ulp

	Relu  Unary // a where a > 0, else a zero of either sign; NaN stays NaN
	Relu6 Unary // a clamped to [0, 6], whose 0 is of either sign; NaN stays NaN
	Sign  Unary // -1, 0 or 1; NaN stays NaN
	Step  Unary // 1 where a > 0, else 0, also for NaN
	Floor Unary // the largest whole number not above a

	Scale     UnaryScalar // a*s
	AddScalar UnaryScalar // a+s
	LeakyRelu UnaryScalar // a where a > 0, else a*s
	AxpY      UnaryScalar // dst + s*a, fused or not as MulAdd

	Add Binary
	Sub Binary
	Mul Binary
	Div Binary
	Max Binary // NaN if either is; of two zeros either
	Min Binary // NaN if either is; of two zeros either
	Pow Binary // a^b with the special cases of math.Pow

	Greater      Binary // 1 where a > b, else 0
	GreaterEqual Binary // 1 where a >= b, else 0
	Equal        Binary // 1 where a == b, else 0

	// Select gives b[i] where a[i] is not zero (NaN is not zero), else c[i].
	Select Ternary
	// Silu gives a times Sigmoid(a), and SiluGrad its gradient for b from that
	// of the result, a: a*s + (a*b)*(s - s*s) with s = Sigmoid(b).
	Silu     Unary
	SiluGrad Binary
	// MulStep gives a times Step(b), where infinity times 0 is NaN.
	MulStep Binary
	// MulAdd gives a*b + c: with one rounding at AVX2 and AVX512, with two at
	// Generic.
	MulAdd Ternary

	Fill func(dst []float32, v float32)

	FromUint8 func(dst []float32, src []uint8)
	FromInt32 func(dst []float32, src []int32) // rounded to nearest even

	// Uniform fills dst with the numbers offset, offset+1, … of the sequence of
	// a key and a counter, as random.UniformOf defines them.
	Uniform func(dst []float32, key [2]uint32, counter, offset uint64)

	// Sums add in several lanes of float32 whose number and order follow from
	// the length alone, blocks of 2048 being joined in float64. The error is
	// at most 260 * 2^-24 times the sum of the terms' magnitudes, and for
	// terms of one sign typically below 2^-19 of the sum. The sum of nothing
	// is 0.
	Sum        func(a []float32) float32
	SumSquares func(a []float32) float32
	Dot        func(a, b []float32) float32
	// MaxOf gives the largest element: NaN if there is a NaN, -Inf of nothing.
	MaxOf func(a []float32) float32

	// Parts of pooling (package pool). The first four go over windows of two
	// by two pixels, side by side: x0 and x1, or their gradients, are two rows
	// of an image of c channels, and the other operand is a row of an image
	// half as wide. c is at least 1.

	// Max2x2 takes the maximum of each window, NaN if it has one.
	Max2x2 func(dst, x0, x1 []float32, c int)
	// Sum2x2 gives the sum of each window times scale.
	Sum2x2 func(dst, x0, x1 []float32, c int, scale float32)
	// MaxGrad2x2 sets dx0 and dx1 to g at the first largest pixel of each
	// window by rows, or its first NaN, and to 0 at the others.
	MaxGrad2x2 func(dx0, dx1, x0, x1, g []float32, c int)
	// Spread2x2 sets the four pixels of each window to g*scale.
	Spread2x2 func(dx0, dx1, g []float32, c int, scale float32)

	// ArgMaxStep compares x with the largest values so far: where x is
	// greater, or is the first NaN, best becomes x and index becomes cell.
	ArgMaxStep func(best, index, x []float32, cell float32)
	// AddWhere adds g to dst where index is cell.
	AddWhere func(dst, index, g []float32, cell float32)

	// Parts of batch normalisation (package norm). All of them fuse as MulAdd
	// does.

	// Affine gives (x-m)*s + b.
	Affine func(dst, x, m, s, b []float32)
	// AffineRelu gives Relu of Affine.
	AffineRelu func(dst, x, m, s, b []float32)
	// AddDiffs adds x-m to accSum and (x-m)^2 to accSquare.
	AddDiffs func(accSum, accSquare, x, m []float32)
	// AddGrads adds g*(x-m) to accGamma and g to accBeta.
	AddGrads func(accGamma, accBeta, g, x, m []float32)
	// GradAffine gives a*g + b*(x-m) + c.
	GradAffine func(dst, g, x, m, a, b, c []float32)
	// AddGradsRelu and GradAffineRelu take MulStep of g and Affine of x, m, s
	// and t in place of g.
	AddGradsRelu   func(accGamma, accBeta, g, x, m, s, t []float32)
	GradAffineRelu func(dst, g, x, m, s, t, a, b, c []float32)
}

// At returns the kernels of a level. The level must be one of isa.Available
// on this machine.
func At(level isa.Level) *Set {
	if s := at(level); s != nil {
		return s
	}
	panic(fmt.Sprintf("vec: no kernels for %v in this build", level))
}

// sumBlock is the length up to which sums stay in float32.
const sumBlock = 2048

// inBlocks extends a sum over at most sumBlock elements to any length.
func inBlocks(kernel func(a []float32) float32) func(a []float32) float32 {
	return func(a []float32) float32 {
		if len(a) <= sumBlock {
			return kernel(a)
		}
		total := 0.0
		for len(a) > sumBlock {
			total += float64(kernel(a[:sumBlock]))
			a = a[sumBlock:]
		}
		return float32(total + float64(kernel(a)))
	}
}

// inBlocks2 is inBlocks for sums over two slices.
func inBlocks2(kernel func(a, b []float32) float32) func(a, b []float32) float32 {
	return func(a, b []float32) float32 {
		if len(a) <= sumBlock {
			return kernel(a, b)
		}
		total := 0.0
		for len(a) > sumBlock {
			total += float64(kernel(a[:sumBlock], b[:sumBlock]))
			a, b = a[sumBlock:], b[sumBlock:]
		}
		return float32(total + float64(kernel(a, b)))
	}
}
