package neighbors

import (
	"fmt"
	"math"

	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
	"hourglass/represent/internal/dense"
)

// Metric is a way to measure how far apart two vectors are.
type Metric uint8

const (
	// Euclidean is the length of the difference.
	Euclidean Metric = iota
	// Cosine is 1 minus the cosine of the angle between the vectors, 0 to 2. A
	// vector of zeros has no angle and is at distance 1 from every other.
	Cosine
)

// String returns the name of the metric in lower case.
func (m Metric) String() string {
	switch m {
	case Euclidean:
		return "euclidean"
	case Cosine:
		return "cosine"
	}
	return fmt.Sprintf("neighbors.Metric(%d)", uint8(m))
}

// Options are the options of Search. The zero value is ready to use.
type Options struct {
	Metric Metric
	// ExcludeSelf says that query i is vector i of the base and no neighbour
	// of itself. There must be as many queries as vectors.
	ExcludeSelf bool
	// Pool is the workers, those of an engine ([hourglass/engine.Engine.Pool]), which
	// serve one call at a time: a second one panics. Nil means GOMAXPROCS threads for
	// the call.
	Pool *par.Pool
	// ISA names the instruction-set level: "avx512", "avx2" or "generic"; ""
	// means the best of this machine.
	ISA string
}

const (
	blockQueries = 512
	blockBase    = 1024
)

// Search returns the k nearest vectors of base, [n,dim], for each of the
// queries, [m,dim]: their indices in base, [m,k], nearest first, and their
// distances, [m,k]. Elements must be finite and of a magnitude below 1e15, and
// k at most n, or n-1 without the query itself.
func Search(queries, base []float32, dim, k int, o Options) (indices []int32, distances []float32, err error) {
	m, n, err := check(queries, base, dim, k, o)
	if err != nil {
		return nil, nil, err
	}
	e, err := dense.New(o.Pool, o.ISA)
	if err != nil {
		return nil, nil, fmt.Errorf("neighbors: %w", err)
	}
	defer e.Close()

	s := &search{e: e, queries: queries, base: base, dim: dim, k: k, o: o}
	s.origin = make([]float32, dim)
	if o.Metric == Euclidean {
		s.origin = mean(base, dim)
	}
	s.q = make([]float32, min(m, blockQueries)*dim)
	s.b = make([]float32, min(n, blockBase)*dim)
	s.qSquares = make([]float32, min(m, blockQueries))
	s.bSquares = make([]float32, min(n, blockBase))
	s.products = make([]float32, len(s.qSquares)*len(s.bSquares))
	s.lists = make([]shortlist, len(s.qSquares))

	indices, distances = make([]int32, m*k), make([]float32, m*k)
	for q0 := 0; q0 < m; q0 += blockQueries {
		s.block(q0, min(m, q0+blockQueries), indices[q0*k:], distances[q0*k:])
	}
	return indices, distances, nil
}

func check(queries, base []float32, dim, k int, o Options) (m, n int, err error) {
	if dim < 1 || len(queries)%dim != 0 || len(base)%dim != 0 {
		return 0, 0, fmt.Errorf("neighbors: %d and %d elements are no whole numbers of vectors of %d", len(queries), len(base), dim)
	}
	m, n = len(queries)/dim, len(base)/dim
	most := n
	if o.ExcludeSelf {
		most--
		if m != n {
			return 0, 0, fmt.Errorf("neighbors: to exclude each query itself, queries and base must be the same vectors, and there are %d and %d", m, n)
		}
	}
	switch {
	case o.Metric > Cosine:
		return 0, 0, fmt.Errorf("neighbors: no metric %v", o.Metric)
	case k < 1:
		return 0, 0, fmt.Errorf("neighbors: %d neighbours asked for; ask for at least 1", k)
	case k > most:
		return 0, 0, fmt.Errorf("neighbors: %d neighbours asked for among %d vectors", k, max(most, 0))
	case n > math.MaxInt32:
		return 0, 0, fmt.Errorf("neighbors: %d vectors; the most is %d", n, math.MaxInt32)
	}
	for _, x := range []struct {
		name string
		x    []float32
	}{{"query", queries}, {"base vector", base}} {
		const limit = 1e15 // squares of more overflow
		for i, v := range x.x {
			if !(v < limit && v > -limit) {
				return 0, 0, fmt.Errorf("neighbors: %s %d holds %v at element %d: distances need finite numbers below 1e15", x.name, i/dim, v, i%dim)
			}
		}
	}
	return m, n, nil
}

// mean returns the mean of the vectors. Distances from it are what float32
// resolves best.
func mean(x []float32, dim int) []float32 {
	sums := make([]float64, dim)
	for at := 0; at < len(x); at += dim {
		for j, v := range x[at : at+dim] {
			sums[j] += float64(v)
		}
	}
	m := make([]float32, dim)
	for j, s := range sums {
		m[j] = float32(s / float64(len(x)/dim))
	}
	return m
}

// search is what the blocks of one Search share.
type search struct {
	e             *dense.Engine
	queries, base []float32
	dim, k        int
	o             Options
	origin        []float32

	q, b               []float32 // a block of each, moved or scaled by prepare
	qSquares, bSquares []float32 // their squared lengths
	products           []float32
	lists              []shortlist
}

// block searches the neighbours of queries q0 to q1.
func (s *search) block(q0, q1 int, indices []int32, distances []float32) {
	m, n := q1-q0, len(s.base)/s.dim
	s.prepare(s.q, s.qSquares, s.queries[q0*s.dim:q1*s.dim])
	for i := range m {
		s.lists[i].reset(s.k, s.exact(q0+i))
	}
	for b0 := 0; b0 < n; b0 += blockBase {
		count := min(blockBase, n-b0)
		s.prepare(s.b, s.bSquares, s.base[b0*s.dim:(b0+count)*s.dim])
		s.e.Mul(s.products, s.q, s.b, gemm.Shape{M: m, N: count, K: s.dim, TransB: true}, false)
		s.e.Rows(m, count, func(_, from, to int) {
			for i := from; i < to; i++ {
				self := -1
				if s.o.ExcludeSelf {
					self = q0 + i - b0
				}
				s.lists[i].add(s.products[i*count:(i+1)*count], s.bSquares, s.qSquares[i], s.margin(), b0, self)
			}
		})
	}
	s.e.Rows(m, s.dim*s.k, func(_, from, to int) {
		for i := from; i < to; i++ {
			s.finish(&s.lists[i], indices[i*s.k:(i+1)*s.k], distances[i*s.k:(i+1)*s.k])
		}
	})
}

// prepare copies vectors to dst, less the origin or scaled to length 1, and
// stores the squared lengths of the copies. Half the squared distance of
// vectors of length 1 is their cosine distance, which orders them alike.
func (s *search) prepare(dst, squares, src []float32) {
	d := s.dim
	s.e.Rows(len(src)/d, d, func(_, from, to int) {
		for i := from; i < to; i++ {
			out, in := dst[i*d:(i+1)*d], src[i*d:(i+1)*d]
			if s.o.Metric == Cosine {
				norm := math.Sqrt(dot64(in, in))
				if norm == 0 {
					norm = 1
				}
				for j, v := range in {
					out[j] = float32(float64(v) / norm)
				}
				squares[i] = 1 // for zeros too: their distance is that of a right angle
			} else {
				s.e.Vec.Sub(out, in, s.origin)
				squares[i] = s.e.Vec.SumSquares(out)
			}
		}
	})
}

// margin bounds the error of an approximate squared distance, as a multiple of
// the sum of the two squared lengths. Rounding in moving or scaling a vector
// (2^-24 of each element) and in sums of dim products (whose order is the
// kernel's; at worst dim steps of 2^-24) is counted twice over.
func (s *search) margin() float32 {
	return float32(2 * (float64(s.dim) + 8) * 0x1p-24)
}

// exact returns the function that gives the distance of a vector from query i, whose
// order is that of the metric.
func (s *search) exact(i int) func(index int32) float64 {
	q := s.queries[i*s.dim : (i+1)*s.dim]
	vector := func(index int32) []float32 { return s.base[int(index)*s.dim:][:s.dim] }
	if s.o.Metric != Cosine {
		return func(index int32) float64 { return squaredDistance(q, vector(index)) }
	}
	qq := dot64(q, q)
	return func(index int32) float64 {
		b := vector(index)
		return cosineDistance(dot64(q, b), qq, dot64(b, b))
	}
}

// finish writes the nearest of a query.
func (s *search) finish(list *shortlist, indices []int32, distances []float32) {
	list.prune()
	list.settle()
	for c, entry := range list.entries {
		distance := entry.exact
		if s.o.Metric == Euclidean {
			distance = math.Sqrt(distance)
		}
		indices[c], distances[c] = entry.index, float32(distance)
	}
}

// squaredDistance returns the squared length of a-b.
func squaredDistance(a, b []float32) float64 {
	var s0, s1 float64
	b = b[:len(a)]
	i := 0
	for ; i+1 < len(a); i += 2 {
		d0, d1 := float64(a[i])-float64(b[i]), float64(a[i+1])-float64(b[i+1])
		s0 += float64(d0 * d0)
		s1 += float64(d1 * d1)
	}
	if i < len(a) {
		d := float64(a[i]) - float64(b[i])
		s0 += float64(d * d)
	}
	return s0 + s1
}

// dot64 returns the inner product of a and b.
func dot64(a, b []float32) float64 {
	var s0, s1 float64
	b = b[:len(a)]
	i := 0
	for ; i+1 < len(a); i += 2 {
		s0 += float64(float64(a[i]) * float64(b[i]))
		s1 += float64(float64(a[i+1]) * float64(b[i+1]))
	}
	if i < len(a) {
		s0 += float64(float64(a[i]) * float64(b[i]))
	}
	return s0 + s1
}

// cosineDistance returns 1 - ab/sqrt(aa*bb).
func cosineDistance(ab, aa, bb float64) float64 {
	if aa == 0 || bb == 0 {
		return 1
	}
	return max(0, 1-ab/(math.Sqrt(aa)*math.Sqrt(bb)))
}
