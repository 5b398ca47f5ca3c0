package neighbors

import (
	"cmp"
	"math"
	"slices"
)

// candidate is a vector that may be among the nearest. Its squared distance
// lies between low and high.
type candidate struct {
	low, high float32
	index     int32
	exact     float64 // set by settle
}

// shortlist gathers the candidates of a query.
type shortlist struct {
	k       int
	exact   func(index int32) float64 // the distance of a vector
	entries []candidate
	limit   float32 // at least k vectors are known to be no further than this
	full    int     // length at which to prune
	highs   []float32
}

// underflow bounds the error of squared distances so small that products of
// elements are subnormal.
const underflow = 1e-35

func (l *shortlist) reset(k int, exact func(index int32) float64) {
	l.k, l.exact, l.limit, l.full = k, exact, float32(math.Inf(1)), 4*k+32
	l.entries = l.entries[:0]
}

// add takes the products of the query with a block of base vectors from b0 on,
// the squared lengths of both, and the margin. It passes over the vector self
// of the block.
func (l *shortlist) add(products, squares []float32, square, margin float32, b0, self int) {
	for j, p := range products {
		sum := square + squares[j]
		err := margin*sum + underflow
		distance := sum - 2*p
		low := distance - err
		if low > l.limit || j == self {
			continue
		}
		l.entries = append(l.entries, candidate{low: low, high: distance + err, index: int32(b0 + j)})
		if len(l.entries) == l.full {
			l.prune()
			if len(l.entries) > 8*l.k+1024 {
				l.settle() // of equal distances none is certainly further
			}
			l.full = max(l.full, 2*len(l.entries))
		}
	}
}

// settle keeps the k nearest by their exact distances, in order; of equal ones those
// that come first.
func (l *shortlist) settle() {
	for c := range l.entries {
		l.entries[c].exact = l.exact(l.entries[c].index)
	}
	slices.SortFunc(l.entries, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.exact, b.exact), cmp.Compare(a.index, b.index))
	})
	l.entries = l.entries[:l.k]
}

// prune drops the candidates that are certainly further than k others.
func (l *shortlist) prune() {
	if len(l.entries) < l.k {
		return
	}
	l.highs = l.highs[:0]
	for _, c := range l.entries {
		l.highs = append(l.highs, c.high)
	}
	slices.Sort(l.highs)
	l.limit = min(l.limit, l.highs[l.k-1])
	l.entries = slices.DeleteFunc(l.entries, func(c candidate) bool { return c.low > l.limit })
}
