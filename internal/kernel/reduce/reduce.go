// Package reduce folds an axis of a tensor: sums and maxima over the middle
// axis of an [outer, n, inner] view, the place of the maximum, and the row
// softmax. Every plan cuts its work by the shape alone, so that its result has
// the same bits for any number of threads.
package reduce

import (
	"fmt"
	"math"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Sizes of the pieces, in elements. They shape the result's bits.
const (
	rowPiece = 16 << 10 // a row longer than this is summed in pieces
	wide     = 512      // narrow rows are joined to about this width
	strip    = 2048     // rows wider than twice this are cut into strips
	piece    = 32 << 10 // about the elements of a part
)

// Plan folds the middle axis of a view [outer, n, inner] into [outer, inner].
// It must not be used by two goroutines at once.
type Plan struct {
	outer, n, inner int

	combine  vec.Binary
	whole    func([]float32) float32 // folds one contiguous row
	identity float32                 // result of folding nothing
	set      *vec.Set

	period int // rows joined into one wide row
	rows   int // rows (or, with inner 1, elements) in a block
	blocks int // blocks along n
	strips int // pieces of inner
	group  int // outer indices a part, where a block holds all of n

	dst, src, partial, work []float32
	body, finish            func(worker, part int)
	parts, finishParts      int
}

// NewSum returns the plan of dst[o, i] = Σ_j src[o, j, i]. Chains of additions
// are at most about a hundred long, of small matrices up to 512, and are joined
// pairwise, so the error is about as many times 2^-24 of the sum of magnitudes at
// the very worst, and no larger for a longer axis but for a logarithmic term.
func NewSum(outer, n, inner int, level isa.Level) *Plan {
	s := vec.At(level)
	return newPlan(outer, n, inner, s, s.Add, s.Sum, 0)
}

// NewMax returns the plan of dst[o, i] = max_j src[o, j, i]: NaN if one is
// NaN, -Inf if n is 0.
func NewMax(outer, n, inner int, level isa.Level) *Plan {
	s := vec.At(level)
	return newPlan(outer, n, inner, s, s.Max, s.MaxOf, float32(math.Inf(-1)))
}

func newPlan(outer, n, inner int, set *vec.Set, combine vec.Binary, whole func([]float32) float32, identity float32) *Plan {
	check("reduce", outer, n, inner)
	p := &Plan{outer: outer, n: n, inner: inner, combine: combine, whole: whole, identity: identity, set: set,
		period: 1, strips: 1, group: 1}
	if outer*n*inner == 0 {
		return p
	}
	if inner == 1 {
		p.rows = min(n, rowPiece)
		p.body = p.rowPart
	} else {
		if n*inner > 2*wide {
			p.period = min(n, max(1, wide/inner))
		}
		if inner > 2*strip {
			p.strips = ceil(inner, strip)
		}
		width := min(inner, strip)
		p.rows = min(n, max(8, piece/(width*p.period))*p.period)
		p.body = p.columnPart
	}
	p.blocks = ceil(n, p.rows)
	if p.blocks == 1 && p.strips == 1 {
		p.group = max(1, piece/(n*inner))
	}
	p.parts = ceil(outer, p.group) * p.strips * p.blocks
	if p.blocks > 1 {
		p.finish = p.finishPart
		p.finishParts = outer * p.strips
	}
	return p
}

func check(what string, sizes ...int) {
	for _, n := range sizes {
		if n < 0 {
			panic(fmt.Sprintf("reduce: %s of sizes %v", what, sizes))
		}
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// Scratch returns the number of float32s that Run needs with a pool of the
// given number of threads.
func (p *Plan) Scratch(threads int) int {
	n := 0
	if p.blocks > 1 {
		n = p.outer * p.blocks * p.inner
	}
	if p.period > 1 {
		n += threads * p.period * p.inner
	}
	return n
}

// Run folds src [outer, n, inner] into dst [outer, inner]. scratch has at least
// Scratch(pool.Threads()) elements; its contents do not matter and are lost.
// dst and src must not overlap. Run allocates nothing.
func (p *Plan) Run(pool *par.Pool, dst, src, scratch []float32) {
	dst, src = dst[:p.outer*p.inner], src[:p.outer*p.n*p.inner]
	if p.parts == 0 {
		for i := range dst {
			dst[i] = p.identity
		}
		return
	}
	scratch = scratch[:p.Scratch(pool.Threads())]
	p.dst, p.src = dst, src
	p.partial, p.work = dst, scratch
	if p.blocks > 1 {
		n := p.outer * p.blocks * p.inner
		p.partial, p.work = scratch[:n], scratch[n:]
	}
	pool.Run(p.parts, p.body)
	if p.blocks > 1 {
		pool.Run(p.finishParts, p.finish)
	}
	p.dst, p.src, p.partial, p.work = nil, nil, nil, nil
}

// rowPart folds contiguous rows, or one block of a long row.
func (p *Plan) rowPart(_, part int) {
	o, b := part/p.blocks*p.group, part%p.blocks
	for ; o < min(p.outer, (part/p.blocks+1)*p.group); o++ {
		lo := b * p.rows
		hi := min(lo+p.rows, p.n)
		p.partial[o*p.blocks+b] = p.whole(p.src[o*p.n+lo : o*p.n+hi])
	}
}

// columnPart folds one block of rows, in one strip of columns, or all rows of
// several small outer indices.
func (p *Plan) columnPart(worker, part int) {
	b := part % p.blocks
	s := part / p.blocks % p.strips
	g := part / (p.blocks * p.strips)
	c0 := s * strip
	c1 := p.inner
	if s+1 < p.strips {
		c1 = c0 + strip
	}
	lo := b * p.rows
	hi := min(lo+p.rows, p.n)
	for o := g * p.group; o < min(p.outer, (g+1)*p.group); o++ {
		src := p.src[o*p.n*p.inner : (o+1)*p.n*p.inner]
		out := p.partial[(o*p.blocks+b)*p.inner:][c0:c1]
		if p.period > 1 {
			p.periodic(out, src[lo*p.inner:hi*p.inner], worker)
			continue
		}
		p.set.Copy(out, src[lo*p.inner+c0:lo*p.inner+c1])
		for r := lo + 1; r < hi; r++ {
			p.combine(out, out, src[r*p.inner+c0:r*p.inner+c1])
		}
	}
}

// periodic folds rows that are joined, period at a time, to wide ones.
func (p *Plan) periodic(out, src []float32, worker int) {
	width := p.period * p.inner
	if len(src) < width {
		width = len(src)
	}
	acc := p.work[worker*p.period*p.inner:][:width]
	p.set.Copy(acc, src[:width])
	for src = src[width:]; len(src) >= width; src = src[width:] {
		p.combine(acc, acc, src[:width])
	}
	if len(src) > 0 {
		p.combine(acc[:len(src)], acc[:len(src)], src)
	}
	p.halve(acc, width/p.inner, p.inner, p.inner)
	p.set.Copy(out, acc[:p.inner])
}

// finishPart folds the blocks' results of one outer index and strip.
func (p *Plan) finishPart(_, part int) {
	o, s := part/p.strips, part%p.strips
	rows := p.partial[o*p.blocks*p.inner : (o+1)*p.blocks*p.inner]
	if p.inner == 1 {
		p.dst[o] = p.whole(rows)
		return
	}
	c0, c1 := s*strip, p.inner
	if s+1 < p.strips {
		c1 = c0 + strip
	}
	p.halve(rows[c0:], p.blocks, c1-c0, p.inner)
	p.set.Copy(p.dst[o*p.inner+c0:o*p.inner+c1], rows[c0:c1])
}

// halve folds rows of the given width, stride apart, into the first: the
// upper half onto the lower until one is left. The row in the middle of an
// odd number waits for the next round.
func (p *Plan) halve(buf []float32, rows, width, stride int) {
	for rows > 1 {
		half := (rows + 1) / 2
		if width == stride {
			low := buf[:(rows-half)*width]
			p.combine(low, low, buf[half*width:rows*width])
		} else {
			for r := half; r < rows; r++ {
				low := buf[(r-half)*stride:][:width]
				p.combine(low, low, buf[r*stride:][:width])
			}
		}
		rows = half
	}
}
