package distribution

import (
	"fmt"
	"math"
	"slices"

	"hourglass/internal/par"
)

// Options are the options of [PrecisionRecall]. The zero value is ready to
// use.
type Options struct {
	// K is the neighbour whose distance is a ball's radius; 0 means 3, as in
	// section 3 of the paper.
	K int
	// Pool is the workers, those of an engine ([hourglass/engine.Engine.Pool]), which
	// serve one call at a time: a second one panics. Nil means GOMAXPROCS threads for
	// the call.
	Pool *par.Pool
}

// PrecisionRecall compares vectors made [M,dim] with real ones [N,dim]
// (Kynkäänniemi et al. 2019, section 2). The manifold of a set is the union of
// balls around its vectors, each as large as the distance to the k-th nearest
// other one. Precision is the share of the made vectors that lie in the
// manifold of the real ones; recall the share of the real ones in that of the
// made. Each set must have more than k vectors.
func PrecisionRecall(real, made []float32, dim int, o Options) (precision, recall float64, err error) {
	k := o.K
	if k == 0 {
		k = 3
	}
	if k < 1 {
		return 0, 0, fmt.Errorf("distribution: k is %d; it must be at least 1", o.K)
	}
	for _, set := range [][]float32{real, made} {
		if err := check(set, dim, k+1); err != nil {
			return 0, 0, err
		}
	}
	if o.Pool == nil {
		o.Pool = par.New(0)
		defer o.Pool.Close()
	}
	precision = within(made, real, radii(real, dim, k, o.Pool), dim, o.Pool)
	recall = within(real, made, radii(made, dim, k, o.Pool), dim, o.Pool)
	return precision, recall, nil
}

// radii returns the squared distance of each vector to its k-th nearest other
// one.
func radii(set []float32, dim, k int, pool *par.Pool) []float64 {
	n := len(set) / dim
	r := make([]float64, n)
	nearest := make([][]float64, pool.Threads())
	pool.Run(n, func(worker, i int) {
		least := nearest[worker][:0]
		for range k {
			least = append(least, math.Inf(1))
		}
		nearest[worker] = least
		for j := range n {
			if j == i {
				continue
			}
			d, near := distance(set[i*dim:(i+1)*dim], set[j*dim:(j+1)*dim], least[k-1])
			if near {
				at, _ := slices.BinarySearch(least, d)
				copy(least[at+1:], least[at:k-1])
				least[at] = d
			}
		}
		r[i] = least[k-1]
	})
	return r
}

// within returns the share of the queries that lie in a ball around a vector
// of a set.
func within(queries, set []float32, radii []float64, dim int, pool *par.Pool) float64 {
	n := len(queries) / dim
	inside := make([]bool, n)
	pool.Run(n, func(_, i int) {
		for j, r := range radii {
			if d, near := distance(queries[i*dim:(i+1)*dim], set[j*dim:(j+1)*dim], r); near || d == r {
				inside[i] = true
				return
			}
		}
	})
	count := 0
	for _, in := range inside {
		if in {
			count++
		}
	}
	return float64(count) / float64(n)
}

// distance returns the squared distance of two vectors and whether it is less
// than bound. It gives up, and returns what it has added up, where the sum
// exceeds the bound.
func distance(a, b []float32, bound float64) (float64, bool) {
	const block = 16
	sum := 0.0
	for len(a) >= block {
		x, y := (*[block]float32)(a), (*[block]float32)(b)
		for i, v := range x {
			d := float64(v) - float64(y[i])
			sum += d * d
		}
		if sum > bound {
			return sum, false
		}
		a, b = a[block:], b[block:]
	}
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return sum, sum < bound
}
