package reduce

import (
	"math"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Softmax is the plan of the softmax, or its logarithm, along the rows of
// [rows, n]. It must not be used by two goroutines at once.
type Softmax struct {
	rows, n  int
	group    int // rows a part
	set      *vec.Set
	dst, src []float32
	work     []float32
	log      bool
	body     func(worker, part int)
}

// logTile is the most elements of a row whose exponentials are held at once.
const logTile = 1024

// NewSoftmax returns the plan of y[r, j] = e^x[r, j] / Σ_k e^x[r, k], computed
// relative to the row's maximum so that nothing overflows. A row with NaN,
// +Inf, or -Inf alone gives NaN throughout.
func NewSoftmax(rows, n int, level isa.Level) *Softmax {
	s := newSoftmax(rows, n, level)
	s.body = s.part
	return s
}

// NewLogSoftmax returns the plan of the softmax's logarithm, which is exact to
// about an ulp of the largest term even where the softmax itself is tiny.
func NewLogSoftmax(rows, n int, level isa.Level) *Softmax {
	s := newSoftmax(rows, n, level)
	s.log = true
	s.body = s.logPart
	return s
}

func newSoftmax(rows, n int, level isa.Level) *Softmax {
	check("softmax", rows, n)
	return &Softmax{rows: rows, n: n, group: max(1, piece/8/max(1, n)), set: vec.At(level)}
}

// Scratch returns the number of float32s that Run needs with a pool of the
// given number of threads.
func (s *Softmax) Scratch(threads int) int {
	if !s.log {
		return 0
	}
	return threads * min(s.n, logTile)
}

// Run computes dst [rows, n] from src; they may be the same slice. It
// allocates nothing.
func (s *Softmax) Run(pool *par.Pool, dst, src, scratch []float32) {
	if s.rows*s.n == 0 {
		return
	}
	s.dst, s.src = dst[:s.rows*s.n], src[:s.rows*s.n]
	s.work = scratch[:s.Scratch(pool.Threads())]
	pool.Run(ceil(s.rows, s.group), s.body)
	s.dst, s.src, s.work = nil, nil, nil
}

func (s *Softmax) part(_, part int) {
	lo := part * s.group * s.n
	hi := min(lo+s.group*s.n, len(s.dst))
	for i := lo; i < hi; i += s.n {
		row := s.src[i : i+s.n]
		s.set.AddScalar(s.dst[i:i+s.n], row, -s.set.MaxOf(row))
	}
	s.set.Exp(s.dst[lo:hi], s.dst[lo:hi]) // one call for all rows of the part
	for i := lo; i < hi; i += s.n {
		y := s.dst[i : i+s.n]
		s.set.Scale(y, y, 1/s.set.Sum(y))
	}
}

func (s *Softmax) logPart(worker, part int) {
	tile := min(s.n, logTile)
	work := s.work[worker*tile : (worker+1)*tile]
	lo := part * s.group * s.n
	hi := min(lo+s.group*s.n, len(s.dst))
	for i := lo; i < hi; i += s.n {
		y := s.dst[i : i+s.n]
		row := s.src[i : i+s.n]
		s.set.AddScalar(y, row, -s.set.MaxOf(row))
		total := 0.0
		for j := 0; j < s.n; j += tile {
			e := work[:min(tile, s.n-j)]
			s.set.Exp(e, y[j:j+len(e)])
			total += float64(s.set.Sum(e))
		}
		s.set.AddScalar(y, y, float32(-math.Log(total)))
	}
}
