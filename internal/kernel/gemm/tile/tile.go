// Package tile holds the multiply-add kernels under matrix products and
// convolutions: small tiles of an output whose accumulators stay in registers
// while the whole reduction streams past.
//
// A tile does not know whether it belongs to a matrix product or to a
// convolution. Its rows are a list of offsets, so that the same machine code
// walks the rows of a matrix, the pixels of an image or the taps of a filter;
// and its reduction is a list of taps, each a run of steps. That is the
// indirect convolution of M. Dukhan (arXiv:1907.02129), with the indirection
// per row of the tile instead of per row and tap.
//
// Every output element is one chain of multiply-adds in the order of the
// steps, whatever the tile that it falls in. Results therefore depend on the
// order in which a caller lists its taps, and not on how it cuts its output
// into tiles.
package tile

import "hourglass/internal/isa"

// Tap is one run of steps of a reduction.
type Tap struct {
	Delta int // what to add to every row's offset before the run, in elements of A
	Skip  int // steps of B to pass over before the run
	Len   int // steps in the run; at least 1
}

// Args describes the tiles that one call computes. Offsets and strides count
// float32 elements. For each row r and column n of a call
//
//	C[CRows[r]+n] = act(init + Σ A[a(r,s,n)] · B[b(s,n)])
//
// where s counts the steps of all taps, skipped ones included, and init is C's
// old value if FromC is set or else 0, plus Bias[n] if there is one. a(r,s,n)
// is Rows[r] plus the deltas of the taps up to and including the current one,
// plus KStride times the step within the tap. Each kind of kernel has its own
// b, and may add n to a. Dot differs a little more.
//
// The assembly kernels check no bounds: every offset reached must lie in A, B
// or C. The generator of the assembly knows the layout of this struct.
type Args struct {
	A, B, C []float32
	Rows    []int // offset in A of each row
	CRows   []int // offset in C of each row; rows must not overlap
	Taps    []Tap
	Bias    []float32 // at least N elements, or nil
	KStride int       // from one step to the next in A; unused by Dot
	LDB     int       // from one step to the next in B; unused by Dot
	CStride int       // from one column to the next in C; for Dot alone
	N       int       // columns; at least 1
	FromC   bool      // start from C instead of from zero
	ReLU    bool      // store min(max(x, 0), Most); a NaN stays one
	Most    float32   // for ReLU

	// Adjacent says of a call of Broadcast that its rows, so many at a time, lie
	// side by side in A. If it is 0, rows may lie anywhere.
	Adjacent int

	tiles        int  // full tiles in this call of the assembly
	rowPtr, cPtr *int // what the assembly reads for Rows and CRows
	fetch        bool // the next tile's part of C ahead
	tail, cTail  [maxTileRows]int
}

// maxTileRows is the height of the tallest assembly tile.
const maxTileRows = 12

// Kernels are the kernels of one instruction-set level. They are immutable and
// safe for concurrent use.
type Kernels struct {
	level                          isa.Level
	broadcast, elementwise, scaled family
	dot                            *[MaxDotColumns]dotVariant
}

// family is the set of tiles of one kind: a few heights times a few widths.
// An empty family means the portable loops.
type family struct {
	heights []int // descending; the last is 1
	moves   bool  // whether rows that lie side by side take fewer instructions
	variant []variant
}

// variant is a set of tiles of one width, one for each height of its family.
type variant struct {
	columns int  // widest N
	whole   bool // only for N == columns
	run     []func(*Args)
}

// dotVariant is the dot kernels of one number of columns.
type dotVariant struct {
	heights []int // descending; the last is 1
	run     []func(*Args)
}

// For returns the kernels of a level, or the portable ones where this build
// has none for it.
func For(level isa.Level) *Kernels {
	return kernelsFor(level)
}

// Rows returns the height of the tallest tile: the best step for cutting rows.
func (k *Kernels) Rows() int {
	if len(k.broadcast.heights) == 0 {
		return refRows
	}
	return k.broadcast.heights[0]
}

// Columns returns the largest N of a call other than of Dot.
func (k *Kernels) Columns() int {
	if len(k.broadcast.variant) == 0 {
		return refColumns
	}
	return k.broadcast.variant[len(k.broadcast.variant)-1].columns
}

// Panel returns the width to which a packed panel of n columns is padded, so
// that its rows are whole vectors.
func (k *Kernels) Panel(n int) int {
	for _, v := range k.broadcast.variant {
		if n <= v.columns {
			return v.columns
		}
	}
	return k.Columns()
}

// Broadcast computes m rows, where a step multiplies one element of A per row
// with a row of B: a has no n, and b is s·LDB+n. N is at most Columns.
func (k *Kernels) Broadcast(t *Args, m int) {
	if len(k.broadcast.variant) == 0 {
		refBroadcast(t, m)
		return
	}
	k.broadcast.run(t, m)
}

// Elementwise computes m rows, where a step multiplies a vector of A per row
// with a row of B: a includes n, and b is s·LDB+n. N is at most Columns.
func (k *Kernels) Elementwise(t *Args, m int) {
	if len(k.elementwise.variant) == 0 {
		refVectors(t, m, 1)
		return
	}
	k.elementwise.run(t, m)
}

// Scaled computes m rows, where a step multiplies a vector of A per row with
// one element of B: a includes n, and b is s·LDB. N is at most Columns.
func (k *Kernels) Scaled(t *Args, m int) {
	if len(k.scaled.variant) == 0 {
		refVectors(t, m, 0)
		return
	}
	k.scaled.run(t, m)
}

// MaxDotColumns is the largest N of Dot.
const MaxDotColumns = 4

// Dot computes m rows of N columns as inner products of rows of A with columns
// of B, in as many partial sums as a vector has lanes. Row r and column n go to
// C[CRows[r]+n·CStride], every tap's Len and Skip are multiples of Lanes, steps lie
// side by side in A, and B is as PackDot packs it.
func (k *Kernels) Dot(t *Args, m int) {
	if k.dot == nil {
		refDot(t, m)
		return
	}
	v := &k.dot[t.N-1]
	cover(t, m, v.heights, v.run)
}

// Lanes returns the number of elements of a vector of Dot.
func (k *Kernels) Lanes() int {
	switch {
	case k.dot == nil:
		return refLanes
	case k.level == isa.AVX512:
		return 16
	}
	return 8
}

func (f *family) run(t *Args, m int) {
	v := 0
	for f.variant[v].columns < t.N || f.variant[v].whole && f.variant[v].columns != t.N {
		v++
	}
	if !f.moves {
		cover(t, m, f.heights, f.variant[v].run)
		return
	}
	t.fetch = t.fetches()
	adjacent, first := t.Adjacent, 0
	if 0 < adjacent && adjacent < m {
		for adjacent%f.heights[first] != 0 {
			first++
		}
		if 2*f.heights[first] < f.heights[0] { // low tiles lose more than they gain
			t.Adjacent, first = 0, 0
		}
	}
	cover(t, m, f.heights[first:], f.variant[v].run[first:])
	t.Adjacent = adjacent
}

// fetches reports whether a part of C that is fetched while the tile before it is
// computed has arrived in time. Where it has not, and is only written, fetching it
// competes with the writes.
func (t *Args) fetches() bool {
	const enough = 32 // steps
	return t.FromC || len(t.Taps) > 1 || len(t.Taps) == 1 && t.Taps[0].Len >= enough
}

// cover covers m rows with full tiles of the greatest height and then with a
// lower tile, which may repeat its last row.
func cover(t *Args, m int, heights []int, run []func(*Args)) {
	r := 0
	if full := m / heights[0]; full > 0 {
		t.rowPtr, t.cPtr, t.tiles = &t.Rows[0], &t.CRows[0], full
		run[0](t)
		r = full * heights[0]
	}
	if r == m {
		return
	}
	h := len(heights) - 1 // the lowest tile that holds the rest
	for heights[h] < m-r {
		h--
	}
	if heights[h] == m-r {
		t.rowPtr, t.cPtr = &t.Rows[r], &t.CRows[r]
	} else {
		for i := range heights[h] {
			t.tail[i] = t.Rows[min(r+i, m-1)]
			t.cTail[i] = t.CRows[min(r+i, m-1)]
		}
		t.rowPtr, t.cPtr = &t.tail[0], &t.cTail[0]
		t.Adjacent = 0 // the last row comes more than once
	}
	t.tiles = 1
	run[h](t)
}
