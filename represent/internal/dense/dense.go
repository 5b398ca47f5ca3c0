// Package dense holds the matrix work that the packages of represent share:
// products of float32 matrices in blocks, sums of such blocks in float64, and
// rows made orthonormal. Matrices are row-major slices.
//
// Results depend on the shapes and the instruction-set level, never on the
// number of threads.
package dense

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Engine runs matrix work on a pool. It keeps the plans of the products it
// has run and their scratch memory. It must not be used by two goroutines at
// once.
type Engine struct {
	Pool  *par.Pool
	Vec   *vec.Set
	level isa.Level

	ownPool bool
	plans   map[gemm.Shape]*gemm.Plan
	scratch []float32
	tile    []float32 // one product of AddMul
}

// New returns an engine on pool, or if that is nil on a new pool of GOMAXPROCS
// threads, with the kernels of the instruction-set level called level (see
// isa.Select).
func New(pool *par.Pool, level string) (*Engine, error) {
	l, err := isa.Select(level)
	if err != nil {
		return nil, err
	}
	e := &Engine{Pool: pool, Vec: vec.At(l), level: l, plans: map[gemm.Shape]*gemm.Plan{}}
	if pool == nil {
		e.Pool, e.ownPool = par.New(0), true
	}
	return e, nil
}

// Close ends the pool if New made it.
func (e *Engine) Close() {
	if e.ownPool {
		e.Pool.Close()
	}
}

// Mul computes op(a)·op(b) into c, or adds it to c.
func (e *Engine) Mul(c, a, b []float32, s gemm.Shape, accumulate bool) {
	if s.M == 0 || s.N == 0 {
		return
	}
	p := e.plans[s]
	if p == nil {
		var err error
		if p, err = gemm.NewPlan(s, e.level); err != nil {
			panic(fmt.Sprintf("dense: %v", err)) // shapes are ours
		}
		e.plans[s] = p
	}
	if n := p.Scratch(e.Pool.Threads()); n > len(e.scratch) {
		e.scratch = make([]float32, n)
	}
	p.Run(e.Pool, c, a, b, e.scratch, gemm.Epilogue{Accumulate: accumulate})
}

const (
	// runK is how many products are summed in float32 before float64 takes
	// over: the error of a sum grows with it, the cost of the sums in float64
	// falls.
	runK = 1024
	// tileN is the width of the stripes in which symmetric products are
	// computed, so that half of them need not be.
	tileN = 256
)

// AddMul adds op(a)·op(b) to dst, whose rows are ldd apart. Runs of 1024
// steps of K are computed in float32 and added in float64. Leading dimensions
// of the shape must be given, but for LDC.
func (e *Engine) AddMul(dst []float64, ldd int, a, b []float32, s gemm.Shape) {
	if s.LDA == 0 || s.LDB == 0 {
		panic("dense: AddMul needs leading dimensions")
	}
	if need := s.M * s.N; need > len(e.tile) {
		e.tile = make([]float32, need)
	}
	tile := e.tile[:s.M*s.N]
	for k0 := 0; k0 < s.K; k0 += runK {
		run := s
		run.K = min(runK, s.K-k0)
		run.LDC = s.N
		aAt, bAt := k0, k0*s.LDB
		if s.TransA {
			aAt = k0 * s.LDA
		}
		if s.TransB {
			bAt = k0
		}
		e.Mul(tile, a[aAt:], b[bAt:], run, false)
		e.Rows(s.M, s.N, func(_, from, to int) {
			for i := from; i < to; i++ {
				row := dst[i*ldd : i*ldd+s.N]
				for j, v := range tile[i*s.N : (i+1)*s.N] {
					row[j] += float64(v)
				}
			}
		})
	}
}

// AddColumnGram adds the upper triangle of xᵀ·x, [d,d], to dst, for x of n
// rows of d elements. See Mirror.
func (e *Engine) AddColumnGram(dst []float64, x []float32, n, d int) {
	for j := 0; j < d; j += tileN {
		w := min(tileN, d-j)
		e.AddMul(dst[j:], d, x, x[j:], gemm.Shape{M: j + w, N: w, K: n, TransA: true, LDA: d, LDB: d})
	}
}

// AddRowGram adds the upper triangle of x·xᵀ to the [n,n] block of dst whose
// rows are ldd apart, for x of n rows of d elements. See Mirror.
func (e *Engine) AddRowGram(dst []float64, ldd int, x []float32, n, d int) {
	for j := 0; j < n; j += tileN {
		w := min(tileN, n-j)
		e.AddMul(dst[j:], ldd, x, x[j*d:], gemm.Shape{M: j + w, N: w, K: d, TransB: true, LDA: d, LDB: d})
	}
}

// Mirror copies the upper triangle of the [n,n] matrix a to the lower one.
func Mirror(a []float64, n int) {
	for i := 1; i < n; i++ {
		for j := range i {
			a[i*n+j] = a[j*n+i]
		}
	}
}

// MulInPlace replaces x, [k,d], by t·x, [m,d] with m ≤ k, in the beginning of
// x. t is [m,k].
func (e *Engine) MulInPlace(t []float32, x []float32, m, k, d int) {
	const width = 2048
	panel := make([]float32, k*min(width, d))
	for j := 0; j < d; j += width {
		w := min(width, d-j)
		for i := range k {
			copy(panel[i*w:(i+1)*w], x[i*d+j:])
		}
		e.Mul(x[j:], t, panel, gemm.Shape{M: m, N: w, K: k, LDC: d}, false)
	}
}

// rowsWork is the number of elements of one part of Rows.
const rowsWork = 1 << 14

// Rows cuts n rows of d elements into parts and calls f with the worker and
// the rows of each. The cut depends on n and d alone.
func (e *Engine) Rows(n, d int, f func(worker, from, to int)) {
	per := max(1, rowsWork/max(1, d))
	e.Pool.Run((n+per-1)/per, func(worker, part int) {
		f(worker, part*per, min(n, (part+1)*per))
	})
}
