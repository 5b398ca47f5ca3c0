package dense

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"hourglass/internal/random"
)

// randomStream keeps the numbers drawn here apart from those of other
// packages with the same seed.
const randomStream = 0x6f7274686f // "ortho"

// Orthonormalize makes the k rows of x, [k,d] with k ≤ d, orthonormal, each
// row with the span of itself and those before it, as far as float32 tells
// them apart; a row that is zero or lies in the span of those before it
// becomes a direction drawn at random from seed.
//
// It is the shifted Cholesky QR of T. Fukaya et al., "Shifted Cholesky QR for
// computing the QR factorization of ill-conditioned matrices" (SIAM J. Sci.
// Comput. 42, 2020), on rows, repeated until the rows are orthonormal within
// float32.
func (e *Engine) Orthonormalize(x []float32, k, d int, seed uint64) {
	gram := make([]float64, k*k)
	triangle := make([]float32, k*k)
	before := math.Inf(1)
	for round := uint64(0); ; round++ {
		e.normalizeRows(x, k, d, seed, round)
		clear(gram)
		e.AddRowGram(gram, k, x, k, d)
		Mirror(gram, k)
		off := 0.0
		for i := range k {
			for j := range k {
				v := gram[i*k+j]
				if i == j {
					v--
				}
				off = max(off, math.Abs(v))
			}
		}
		settled := off < orthonormalNearly && off > before/2
		if off < orthonormalWithin || settled || round == maxRounds {
			return
		}
		before = off
		inverseCholesky(triangle, gram, k, off)
		e.MulInPlace(triangle, x, k, k, d)
	}
}

const (
	// orthonormalWithin is about what rounding to float32 leaves of a product
	// of two unit vectors.
	orthonormalWithin = 1e-6
	// orthonormalNearly is good enough once another round does not help.
	orthonormalNearly = 1e-4
	// maxRounds is out of reach but for rows that rounding cannot separate.
	// Fukaya et al. need three rounds for any condition number of float32.
	maxRounds = 8
)

// inverseCholesky sets inv to the inverse of L, where L·Lᵀ is the Gram matrix
// of unit rows plus a shift that makes it positive definite. Rows that are
// nearly orthonormal need none.
func inverseCholesky(inv []float32, gram []float64, k int, off float64) {
	shift := 0.0
	if off > 0.1 {
		shift = 1e-7 * float64(k)
	}
	var chol mat.Cholesky
	for {
		s := mat.NewSymDense(k, append([]float64(nil), gram...))
		for i := range k {
			s.SetSym(i, i, s.At(i, i)+shift)
		}
		if chol.Factorize(s) {
			break
		}
		if shift > float64(k) { // above every eigenvalue of a Gram matrix of unit rows
			panic("dense: rows that are not finite cannot be made orthonormal")
		}
		shift = max(1e-7*float64(k), 10*shift)
	}
	var lower, inverse mat.TriDense
	chol.LTo(&lower)
	// A condition error is only a warning: the shift bounds the condition.
	_ = inverse.InverseTri(&lower)
	for i := range k {
		for j := range k {
			inv[i*k+j] = 0
			if j <= i {
				inv[i*k+j] = float32(inverse.At(i, j))
			}
		}
	}
}

// tiny is the length below which a row counts as zero: its reciprocal nears
// the end of float32.
const tiny = 1e-30

// normalizeRows scales each row to length 1, and draws those anew that are
// zero.
func (e *Engine) normalizeRows(x []float32, k, d int, seed, round uint64) {
	e.Rows(k, d, func(_, from, to int) {
		for i := from; i < to; i++ {
			row := x[i*d : (i+1)*d]
			norm := length(row)
			if norm < tiny {
				random.Normal(row, seed, randomStream+round, uint64(i))
				norm = length(row)
			}
			e.Vec.Scale(row, row, float32(1/norm))
		}
	})
}

// length returns the Euclidean norm of a row.
func length(row []float32) float64 {
	sum := 0.0
	for _, v := range row {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
