// Package layout moves elements between strided views of memory. One plan
// serves transposing, slicing, padding, concatenating, tiling and flipping: a
// caller describes both sides by strides and offsets.
package layout

import (
	"fmt"
	"slices"

	"hourglass/internal/par"
)

// Element is a type that a plan can move. Bit patterns are kept, those of
// NaNs included.
type Element interface {
	~uint8 | ~int8 | ~bool | ~int32 | ~uint32 | ~float32
}

// axis is one loop of a copy.
type axis struct{ n, dst, src int }

// kind says how the innermost axes are walked.
type kind uint8

const (
	strided   kind = iota // element by element along one axis
	runs                  // both sides contiguous
	repeats               // one source element fills a run
	transpose             // src is contiguous along the axis before the last
)

// Plan is the copy of dst[i·dstStrides] = src[i·srcStrides] for every index i
// of a shape. A plan is immutable but for the operands of the Run in progress;
// it must not be used by two goroutines at once.
type Plan[T Element] struct {
	outer   []axis // loops around the innermost, slowest first
	inner   axis
	second  axis // with transpose: the axis along which src is contiguous
	kind    kind
	empty   bool
	total   int // elements
	count   int // product of the outer loops
	perPart int // outer iterations a part
	parts   int
	dstLen  int // elements that the views span
	srcLen  int
	srcBase int // where a view with negative strides begins
	dst     []T
	src     []T
	body    func(worker, part int)
}

// maxAxes bounds the loop counters, which are kept on the stack.
const maxAxes = 16

// grain is about the number of elements worth a part of its own.
const grain = 16 << 10

// NewPlan describes a copy. shape and both strides, counted in elements, have
// equal length. Source strides may be zero, which repeats the source along
// that axis, or negative, which walks it backwards: src then begins at the
// lowest element the view touches, not at its first. Destination strides are
// positive, and two indices must not share a destination. It panics if the
// description is not of this form.
func NewPlan[T Element](shape, dstStrides, srcStrides []int) *Plan[T] {
	if len(dstStrides) != len(shape) || len(srcStrides) != len(shape) {
		panic(fmt.Sprintf("layout: shape %v with strides %v and %v: the lengths differ", shape, dstStrides, srcStrides))
	}
	c := &Plan[T]{total: 1, dstLen: 1, srcLen: 1}
	axes := make([]axis, 0, len(shape))
	for i, n := range shape {
		a := axis{n, dstStrides[i], srcStrides[i]}
		if n < 0 || n > 1 && a.dst <= 0 {
			panic(fmt.Sprintf("layout: axis %d of shape %v has destination stride %d", i, shape, a.dst))
		}
		c.total *= n
		if n <= 1 {
			continue
		}
		c.dstLen += (n - 1) * a.dst
		if a.src < 0 {
			c.srcBase -= (n - 1) * a.src
			c.srcLen -= (n - 1) * a.src
		} else {
			c.srcLen += (n - 1) * a.src
		}
		axes = append(axes, a)
	}
	if c.total == 0 {
		c.empty = true
		return c
	}
	c.choose(merge(axes))
	c.split()
	c.body = c.run
	return c
}

// merge orders the axes by falling destination stride, so that writing is as
// sequential as it can be, and joins neighbours that both sides walk as one.
func merge(axes []axis) []axis {
	slices.SortStableFunc(axes, func(a, b axis) int { return b.dst - a.dst })
	merged := axes[:0]
	for _, a := range axes {
		if k := len(merged) - 1; k >= 0 && merged[k].dst == a.n*a.dst && merged[k].src == a.n*a.src {
			merged[k] = axis{merged[k].n * a.n, a.dst, a.src}
			continue
		}
		merged = append(merged, a)
	}
	return merged
}

// choose picks the innermost loops.
func (c *Plan[T]) choose(axes []axis) {
	if len(axes) == 0 {
		axes = append(axes, axis{1, 1, 1})
	}
	last := len(axes) - 1
	c.inner = axes[last]
	outer := axes[:last]
	switch {
	case c.inner.dst == 1 && c.inner.src == 1:
		c.kind = runs
	case c.inner.dst == 1 && c.inner.src == 0:
		c.kind = repeats
	case c.inner.dst == 1 && c.inner.src > 0:
		for i, a := range outer {
			if a.src == 1 {
				c.kind, c.second = transpose, a
				outer = slices.Concat(outer[:i], outer[i+1:])
				break
			}
		}
	}
	c.outer = slices.Clone(outer)
	if len(c.outer) >= maxAxes {
		panic(fmt.Sprintf("layout: a copy over %d axes that do not merge; at most %d", len(axes), maxAxes))
	}
}

// split cuts the work into parts by its shape alone. Where the outer loops
// are too few to keep a team busy, a piece of an inner axis is moved out.
func (c *Plan[T]) split() {
	inner := c.inner.n
	if c.kind == transpose {
		inner *= c.second.n
	}
	if inner > grain {
		a := &c.inner
		if c.kind == transpose && c.second.n >= 2*tile {
			a = &c.second
		}
		// The largest divisor of the axis that brings a piece below the grain;
		// an axis without a useful one stays whole.
		want := inner/grain + 1
		for f := want; f <= 4*want && f < a.n; f++ {
			if a.n%f == 0 {
				piece := a.n / f
				c.outer = append(c.outer, axis{f, piece * a.dst, piece * a.src})
				a.n = piece
				inner /= f
				break
			}
		}
	}
	c.count = c.total / inner
	c.perPart = max(1, grain/inner)
	c.parts = (c.count + c.perPart - 1) / c.perPart
}

// Run copies. dst and src begin at the lowest element that their views touch;
// they must not overlap. It panics if one is too short. It allocates nothing.
func (c *Plan[T]) Run(pool *par.Pool, dst, src []T) {
	if c.empty {
		return
	}
	c.dst, c.src = dst[:c.dstLen], src[:c.srcLen]
	pool.Run(c.parts, c.body)
	c.dst, c.src = nil, nil
}

func (c *Plan[T]) run(_, part int) {
	first := part * c.perPart
	n := min(c.perPart, c.count-first)
	var index [maxAxes]int
	dst, src := 0, c.srcBase
	rest := first
	for k := len(c.outer) - 1; k >= 0; k-- {
		a := c.outer[k]
		index[k] = rest % a.n
		rest /= a.n
		dst += index[k] * a.dst
		src += index[k] * a.src
	}
	last := len(c.outer) - 1
	if last < 0 {
		c.blocks(dst, src, axis{n: 1})
		return
	}
	for {
		// All that is left of the last outer axis, or of the part.
		a := c.outer[last]
		m := min(a.n-index[last], n)
		c.blocks(dst, src, axis{m, a.dst, a.src})
		if n -= m; n == 0 {
			return
		}
		dst -= index[last] * a.dst
		src -= index[last] * a.src
		index[last] = 0
		for k := last - 1; ; k-- {
			a := c.outer[k]
			dst += a.dst
			src += a.src
			if index[k]++; index[k] < a.n {
				break
			}
			index[k] = 0
			dst -= a.n * a.dst
			src -= a.n * a.src
		}
	}
}

// Copy copies once, in the calling goroutine and by NewPlan's rules: for set-up
// work.
func Copy[T Element](dst []T, dstStrides []int, src []T, srcStrides, shape []int) {
	c := NewPlan[T](shape, dstStrides, srcStrides)
	if c.empty {
		return
	}
	c.dst, c.src = dst[:c.dstLen], src[:c.srcLen]
	for part := range c.parts {
		c.run(0, part)
	}
}
