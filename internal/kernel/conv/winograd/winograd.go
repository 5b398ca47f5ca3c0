// Package winograd holds the transforms of Winograd's minimal filtering for
// 3×3 filters of stride 1 (S. Winograd, "Arithmetic Complexity of
// Computations", 1980; A. Lavin and S. Gray, arXiv:1509.09308).
//
// A tile of m×m outputs y of a filter g over (m+2)×(m+2) inputs d is
//
//	y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
//
// where ⊙ multiplies the (m+2)² elements, called frequencies here, each with
// its own. Sums over channels are taken between the brackets, so that each
// frequency is a product of matrices. The function is linear in d, in g and,
// for its gradient, in y, whose adjoint gives the gradient of the filter:
//
//	dg = Gᵀ[(Bᵀ d B) ⊙ (A dy Aᵀ)]G
//
// The matrices follow from evaluating polynomials at points: 0, ±1 and infinity
// for m = 2; 0, ±3/4, ±3/2 and infinity for m = 4. The usual choice for m = 4
// is 0, ±1, ±2; with these points the constants of A and B are exact too, and
// rounding errors are about half as large, because the powers of the points lie
// closer together: the largest sum of |A|·|G|·|B| for one product is 36, not 114. B. Barabasz et al. study such choices in
// "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep
// Neural Networks" (ACM TOMS 46(4), 2020).
package winograd

import (
	"fmt"
	"unsafe"

	"hourglass/internal/isa"
)

// MaxFrequencies is the number of frequencies of the largest tile.
const MaxFrequencies = 36

// maxLanes is the longest vector of any level.
const maxLanes = 16

// Work is memory for one tile between the passes over its rows and its columns.
// Two transforms that run at once need two.
type Work [MaxFrequencies*maxLanes + maxLanes - 1]float32

// aligned returns where whole vectors begin: stores across cache lines are slow.
func (w *Work) aligned() *float32 {
	past := uintptr(unsafe.Pointer(w)) / 4 % maxLanes
	return &w[(maxLanes-past)%maxLanes]
}

// Points are the pixels of a tile in the order of rows: where the first of
// their channels lies.
type Points [MaxFrequencies]*float32

// Transforms are the transforms of one tile size and instruction-set level. They
// are immutable and safe for concurrent use.
//
// All of them run over n values side by side. Frequency (r, c) is number
// r·Side+c, and its values lie that many strides from those of frequency 0.
// Whole vectors of frequencies are read and written: up to Lanes-1 elements past
// n, which hold nothing of use. Of tensors no more than n elements are touched.
type Transforms struct {
	Size int // outputs along a side of a tile
	Side int // frequencies along a side

	lanes    int
	input    func(dst *float32, stride int, src **float32, n int, tmp *float32, run, jump int)
	spread   func(dst *float32, stride int, src **float32, n int, tmp *float32, run, jump int)
	filter   func(dst *float32, stride int, src *float32, taps, n int, tmp *float32)
	output   func(dst **float32, src *float32, stride int, n int, tmp *float32, bias *float32, add, relu bool, most float32)
	unfilter func(dst *float32, taps int, src *float32, stride, n int, tmp *float32)
}

// For returns the transforms of a level for tiles of 2×2 or 4×4 outputs.
func For(level isa.Level, size int) *Transforms {
	if size != 2 && size != 4 {
		panic(fmt.Sprintf("winograd: no tiles of %d×%d outputs", size, size))
	}
	return transformsFor(level, size)
}

// Frequencies returns the number of frequencies of a tile.
func (t *Transforms) Frequencies() int { return t.Side * t.Side }

// Lanes returns the number of elements of a vector.
func (t *Transforms) Lanes() int { return t.lanes }

// Runs is how the values of a frequency lie: Len of them side by side, the next
// Len of them Stride elements further on, and so on. Len is a power of two and
// at least 16. Zero means all side by side.
type Runs struct{ Len, Stride int }

// jump returns the arguments of the assembly.
func (r Runs) jump() (run, jump int) {
	if r.Len == 0 {
		return 1 << 62, 0
	}
	return r.Len, r.Stride - r.Len
}

// check panics unless n values in runs fit as checkFrequencies demands.
func (r Runs) check(t *Transforms, length, stride, n int) {
	if r.Len == 0 {
		t.checkFrequencies(length, stride, n)
		return
	}
	if r.Len < maxLanes || r.Len&(r.Len-1) != 0 || r.Stride < r.Len {
		panic(fmt.Sprintf("winograd: runs of %d, %d apart", r.Len, r.Stride))
	}
	t.checkFrequencies(length, stride, (n-1)/r.Len*r.Stride+(n-1)%r.Len+1)
}

// Input computes Bᵀ d B of the Side×Side pixels d.
func (t *Transforms) Input(dst []float32, stride int, r Runs, d *Points, n int, w *Work) {
	r.check(t, len(dst), stride, n)
	run, jump := r.jump()
	t.input(&dst[0], stride, &d[0], n, w.aligned(), run, jump)
}

// Spread computes A dy Aᵀ of the Size×Size pixels dy.
func (t *Transforms) Spread(dst []float32, stride int, r Runs, dy *Points, n int, w *Work) {
	r.check(t, len(dst), stride, n)
	run, jump := r.jump()
	t.spread(&dst[0], stride, &dy[0], n, w.aligned(), run, jump)
}

// Filter computes G g Gᵀ of 3×3 taps g, each of which lies taps elements from
// the one before it; negative numbers turn the filter around.
func (t *Transforms) Filter(dst []float32, stride int, g []float32, taps, n int, w *Work) {
	t.checkFrequencies(len(dst), stride, n)
	first := 0
	if taps < 0 {
		first = -8 * taps
	}
	_ = g[first+max(0, 8*taps)+n-1]
	t.filter(&dst[0], stride, &g[first], taps, n, w.aligned())
}

// Output computes Aᵀ m A, adds bias unless it is nil, adds what y holds if add
// is set, applies min(max(x, 0), most) if relu is set, and writes the Size×Size
// pixels y.
func (t *Transforms) Output(y *Points, m []float32, stride, n int, bias []float32, add, relu bool, most float32, w *Work) {
	t.checkFrequencies(len(m), stride, n)
	var b *float32
	if bias != nil {
		_ = bias[n-1]
		b = &bias[0]
	}
	t.output(&y[0], &m[0], stride, n, w.aligned(), b, add, relu, most)
}

// Unfilter computes Gᵀ m G and writes 3×3 taps, each taps elements from the one
// before it.
func (t *Transforms) Unfilter(dg []float32, taps int, m []float32, stride, n int, w *Work) {
	t.checkFrequencies(len(m), stride, n)
	_ = dg[8*taps+n-1]
	t.unfilter(&dg[0], taps, &m[0], stride, n, w.aligned())
}

// checkFrequencies panics if the frequencies of n values, rounded up to whole
// vectors, do not fit.
func (t *Transforms) checkFrequencies(length, stride, n int) {
	whole := (n + t.lanes - 1) / t.lanes * t.lanes
	if n < 1 || stride < whole || length < (t.Frequencies()-1)*stride+whole {
		panic(fmt.Sprintf("winograd: %d elements do not hold %d frequencies of %d values, %d apart", length, t.Frequencies(), n, stride))
	}
}
