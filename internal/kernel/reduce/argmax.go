package reduce

import (
	"hourglass/internal/par"
)

// ArgMax finds the place of the maximum along the middle axis of a view
// [outer, n, inner]. It must not be used by two goroutines at once.
type ArgMax struct {
	outer, n, inner int
	group           int
	dst             []int32
	src             []float32
	body            func(worker, part int)
}

// NewArgMax returns the plan of dst[o, i] = argmax_j src[o, j, i]: the first
// of several equal maxima, the first NaN if there is one. n is at least 1.
func NewArgMax(outer, n, inner int) *ArgMax {
	check("argmax", outer, n-1, inner)
	a := &ArgMax{outer: outer, n: n, inner: inner, group: max(1, piece/max(1, n*inner))}
	a.body = a.part
	return a
}

// Run writes the indices, in [0, n), to dst [outer, inner]. It allocates
// nothing.
func (a *ArgMax) Run(pool *par.Pool, dst []int32, src []float32) {
	a.dst, a.src = dst[:a.outer*a.inner], src[:a.outer*a.n*a.inner]
	pool.Run(ceil(a.outer, a.group), a.body)
	a.dst, a.src = nil, nil
}

func (a *ArgMax) part(_, part int) {
	for o := part * a.group; o < min(a.outer, (part+1)*a.group); o++ {
		src := a.src[o*a.n*a.inner : (o+1)*a.n*a.inner]
		dst := a.dst[o*a.inner : (o+1)*a.inner]
		if a.inner == 1 {
			dst[0] = argMax(src)
			continue
		}
		for len(dst) > 0 {
			k := min(len(dst), columns)
			argMaxColumns(dst[:k], src, a.inner)
			dst, src = dst[k:], src[k:]
		}
	}
}

// better says whether x takes the place of the maximum so far.
func better(x, m float32) bool { return x > m || x != x && m == m }

func argMax(row []float32) int32 {
	at, m := 0, row[0]
	for j, x := range row {
		if better(x, m) {
			at, m = j, x
		}
	}
	return int32(at)
}

// columns is the number of columns that are searched together.
const columns = 64

// argMaxColumns searches the first len(dst) columns of rows stride apart.
func argMaxColumns(dst []int32, src []float32, stride int) {
	var best [columns]float32
	m := best[:len(dst)]
	copy(m, src)
	clear(dst)
	for j := int32(1); len(src) >= stride+len(dst); j++ {
		src = src[stride:]
		for i, x := range src[:len(dst)] {
			if better(x, m[i]) {
				dst[i], m[i] = j, x
			}
		}
	}
}
