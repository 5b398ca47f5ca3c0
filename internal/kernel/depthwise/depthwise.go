// Package depthwise computes convolutions in which each channel has a filter of
// its own, and their gradients: those of MobileNet and its kin. Images are
// [N,H,W,C], filters [KH,KW,1,C] and outputs [N,OH,OW,C], all dense, as in
// package conv.
//
// Such a convolution moves about as many bytes as it does multiplications, and
// memory sets its pace. Images are therefore read where they lie, without a
// padded copy: where a filter reaches beyond the border, its taps there are
// left out.
package depthwise

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// Supports reports whether this package computes convolutions of a shape,
// which must be valid: those of three or five columns, strides up to two across
// and no dilation, on enough channels to fill a vector.
func Supports(s conv.Shape, level isa.Level) bool {
	one := func(v int) bool { return v == 0 || v == 1 }
	return s.Groups > 1 && s.Groups == s.C && s.K == s.C && (s.KW == 3 || s.KW == 5) &&
		(one(s.StrideW) || s.StrideW == 2) && s.StrideH <= 2 && one(s.DilationH) && one(s.DilationW) &&
		forLevel(level, s.C) != nil
}

// Plan is a convolution, or its gradient with respect to its input, ready to
// run. It is not safe for concurrent use.
type Plan struct {
	name           string
	kern           *kernels
	n, c           int
	srcH, srcW     int
	dstH, dstW     int
	stepH, stepW   int // destination rows and columns from one grid point to the next
	kh, kw         int // of the filter
	grids          []grid
	turned         bool      // weights are copied, each grid's in its order
	bandRows, band int       // grid rows in a band, and bands in an image
	slices         [][]group // of the channels; a part is a slice of a band
	ahead          bool      // prefetch

	// What one Run holds for its parts.
	dst, src, weights, bias []float32
	relu                    int
	most                    float32
	workers                 []*strip
	part                    func(worker, part int)
}

// grid is the destination pixels (y0+i·stepH, x0+j·stepW), each a sum over a
// filter of its own: a convolution is one grid of all pixels. Grid point (i, j)
// sees the source from pixel (top+i·strideH, left+j·strideW) on.
type grid struct {
	y0, x0, rows, columns int
	top, left             int
	strideH, strideW      int
	kh, kw                int // of its filter
	weights               int // where this begins
	spans                 []span
	order                 []int // filter positions, if turned
}

// NewForward plans y = act(conv(x, w) + bias). It fails if the shape is not
// valid or not supported.
func NewForward(s conv.Shape, level isa.Level) (*Plan, error) {
	p, err := newPlan("a depthwise convolution", s, level)
	if err != nil {
		return nil, err
	}
	p.srcH, p.srcW = s.H, s.W
	p.dstH, p.dstW = s.Out()
	p.stepH, p.stepW = 1, 1
	p.add(grid{rows: p.dstH, columns: p.dstW, top: -s.PadTop, left: -s.PadLeft,
		strideH: max(1, s.StrideH), strideW: max(1, s.StrideW), kh: s.KH, kw: s.KW})
	p.cut()
	return p, nil
}

// NewGradInput plans dx = act(convᵀ(dy, w) + bias). With a stride the pixels of
// dx fall into grids, each of which sees some of the filter's taps. It fails as
// NewForward does.
func NewGradInput(s conv.Shape, level isa.Level) (*Plan, error) {
	p, err := newPlan("the input gradient of a depthwise convolution", s, level)
	if err != nil {
		return nil, err
	}
	p.turned = true
	p.srcH, p.srcW = s.Out()
	p.dstH, p.dstW = s.H, s.W
	p.stepH, p.stepW = max(1, s.StrideH), max(1, s.StrideW)
	weights := 0
	for y0 := range min(p.stepH, s.H) {
		for x0 := range min(p.stepW, s.W) {
			top, rows := turn(y0+s.PadTop, p.stepH, s.KH)
			left, columns := turn(x0+s.PadLeft, p.stepW, s.KW)
			g := grid{y0: y0, x0: x0, rows: ceilDiv(s.H-y0, p.stepH), columns: ceilDiv(s.W-x0, p.stepW),
				top: top, left: left, strideH: 1, strideW: 1, kh: len(rows), kw: len(columns), weights: weights}
			for _, kh := range rows {
				for _, kw := range columns {
					g.order = append(g.order, kh*s.KW+kw)
				}
			}
			weights += len(g.order)
			p.add(g)
		}
	}
	p.cut()
	return p, nil
}

// turn returns which taps of a filter of length k reach input position at (from
// the padding's begin), by the output position that each comes from, and the
// first of these.
func turn(at, stride, k int) (first int, taps []int) {
	for t := at % stride; t < k; t += stride {
		taps = append([]int{t}, taps...)
		first = (at - t) / stride
	}
	return first, taps
}

func newPlan(name string, s conv.Shape, level isa.Level) (*Plan, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if !Supports(s, level) {
		return nil, fmt.Errorf("depthwise: no kernel for %+v; use package conv", s)
	}
	p := &Plan{name: name, kern: forLevel(level, s.C), n: s.N, c: s.C, kh: s.KH, kw: s.KW}
	p.part = p.run
	return p, nil
}

// add completes a grid.
func (p *Plan) add(g grid) {
	if g.kh == 0 || g.kw == 0 { // no tap reaches it
		g.kh, g.kw = 0, 1
	}
	p.cutColumns(&g)
	p.grids = append(p.grids, g)
}

// partLen is about how many elements of the destination one part computes: few
// enough that neighbouring rows of the source are still in the cache.
const partLen = 1 << 15

// leastParts are enough for uneven workers to end together.
const leastParts = 16

// cut divides the work. Images so small that their rows are few are also cut
// between channels.
func (p *Plan) cut() {
	rows := ceilDiv(p.dstH, p.stepH)
	p.bandRows = min(rows, max(1, min(partLen/(p.stepH*p.dstW*p.c), p.n*rows/leastParts)))
	p.band = ceilDiv(rows, p.bandRows)
	lanes := p.kern.lanes
	blocks := p.c / lanes
	slices := min(blocks, ceilDiv(leastParts, p.n*p.band))
	for i := range slices {
		first, last := i*blocks/slices, (i+1)*blocks/slices
		p.slices = append(p.slices, []group{{first * lanes, last - first}})
	}
	if blocks*lanes < p.c { // the last vector repeats some channels
		end := &p.slices[slices-1]
		*end = append(*end, group{p.c - lanes, 1})
	}
	p.ahead = p.n*p.c*(p.srcH*p.srcW+p.dstH*p.dstW) > cacheLen
}

// Scratch returns how many float32s of scratch memory Run needs.
func (p *Plan) Scratch() int {
	if !p.turned {
		return 0
	}
	return p.kh * p.kw * p.c
}

// Run computes dst from src and the filter w; the bias, if any, has C elements,
// and act is applied to each element of dst, which must overlap none of the
// others. Run allocates nothing after its first call with a pool of that size,
// and its result does not depend on the pool.
func (p *Plan) Run(pool *par.Pool, dst, src, w, bias, scratch []float32, act gemm.Activation) {
	for _, v := range []struct {
		name      string
		got, want int
	}{
		{"result", len(dst), p.n * p.dstH * p.dstW * p.c},
		{"image", len(src), p.n * p.srcH * p.srcW * p.c},
		{"filter", len(w), p.kh * p.kw * p.c},
		{"scratch", len(scratch), p.Scratch()},
	} {
		if v.got < v.want {
			panic(fmt.Sprintf("depthwise: the %s of %s holds %d elements, want %d", v.name, p.name, v.got, v.want))
		}
	}
	if bias != nil && len(bias) < p.c {
		panic(fmt.Sprintf("depthwise: the bias of %s holds %d elements, want %d", p.name, len(bias), p.c))
	}
	for len(p.workers) < pool.Threads() {
		p.workers = append(p.workers, &strip{})
	}
	p.dst, p.src, p.weights, p.bias, p.relu = dst, src, w, bias, 0
	on, most := act.Rectifies()
	if p.most = most; on {
		p.relu = 1
	}
	if p.turned {
		p.weights = scratch
		for _, g := range p.grids {
			for i, k := range g.order {
				copy(scratch[(g.weights+i)*p.c:][:p.c], w[k*p.c:])
			}
		}
	}
	pool.Run(p.n*p.band*len(p.slices), p.part)
	p.dst, p.src, p.weights, p.bias = nil, nil, nil, nil
	for _, s := range p.workers {
		*s = strip{}
	}
}

// run computes some channels, most often all, of a band of grid rows of one
// image, in every grid. Memory passes in the order in which it lies: going down
// a few channels at a time would keep more in the first-level cache, and took
// longer.
func (p *Plan) run(worker, part int) {
	s := p.workers[worker]
	groups := p.slices[part%len(p.slices)]
	part /= len(p.slices)
	n, first := part/p.band, part%p.band*p.bandRows
	for i := first; i < first+p.bandRows; i++ {
		for j := range p.grids {
			g := &p.grids[j]
			if i >= g.rows {
				continue
			}
			for k := range g.spans {
				for _, c := range groups {
					p.call(s, g, &g.spans[k], c, n, i)
				}
			}
		}
	}
}

// call computes a span of row i of a grid for a group of channels.
func (p *Plan) call(s *strip, g *grid, v *span, c group, n, i int) {
	top := g.top + i*g.strideH
	r0 := min(max(0, -top), g.kh)
	r1 := max(r0, min(g.kh, p.srcH-top))
	s.rows = r1 - r0
	if v.blind {
		s.rows = 0
	}
	s.before, s.after = v.before, v.after
	s.x, s.w = nil, nil
	if s.rows > 0 {
		s.x = p.src[((n*p.srcH+top+r0)*p.srcW+v.from)*p.c+c.at:]
		s.w = p.weights[(g.weights+r0*g.kw)*p.c+c.at:]
	}
	s.y = p.dst[((n*p.dstH+g.y0+i*p.stepH)*p.dstW+g.x0+v.column*p.stepW)*p.c+c.at:]
	s.bias = nil
	if p.bias != nil {
		s.bias = p.bias[c.at:]
	}
	s.blocks = c.blocks
	s.xRow, s.xPixel = p.srcW*p.c, p.c
	s.wRow, s.wTap = g.kw*p.c, p.c
	s.yPixel = p.stepW * p.c
	s.relu, s.most = p.relu, p.most
	s.xAhead, s.yAhead = 0, 0
	if p.ahead {
		s.xAhead, s.yAhead = s.rows*s.xRow, p.stepH*p.dstW*p.c // the next row
	}
	v.kernel(s)
}

const cacheLen = 1 << 22 // elements of source and destination that may well lie in a cache

// group is some vectors of channels.
type group struct{ at, blocks int }

// span is some neighbouring columns of a grid that one call of a kernel
// computes.
type span struct {
	column        int  // the first
	from          int  // column of the source that it sees first
	before, after int  // columns of the source beyond its borders that the filter meets
	blind         bool // no tap sees the source
	kernel        func(*strip)
}

// cutColumns cuts the columns of a grid into spans.
func (p *Plan) cutColumns(g *grid) {
	kernels := p.kern.strips[filterRow{g.kw, g.strideW}]
	sees := func(j int) bool {
		left := g.left + j*g.strideW
		return left > -g.kw && left < p.srcW
	}
	for j := 0; j < g.columns; {
		if !sees(j) {
			g.spans = append(g.spans, span{column: j, blind: true, kernel: kernels[len(kernels)-1]})
			j++
			continue
		}
		end := j + 1
		for end < g.columns && sees(end) {
			end++
		}
		for _, k := range strips(end - j) {
			left := g.left + j*g.strideW
			right := left + (stripPixels[k]-1)*g.strideW + g.kw
			g.spans = append(g.spans, span{column: j, from: max(0, left),
				before: max(0, -left), after: max(0, right-p.srcW), kernel: kernels[k]})
			j += stripPixels[k]
		}
	}
}

// stripCost is what a strip costs beside its pixels, in pixels: it loads the
// filter.
const stripCost = 2

// strips returns the cheapest kernels, by their places in stripPixels, that
// compute n pixels in all.
func strips(n int) []int {
	type best struct{ cost, last int }
	cheapest := make([]best, n+1)
	for i := 1; i <= n; i++ {
		for k, pixels := range stripPixels {
			if pixels > i {
				continue
			}
			if cost := cheapest[i-pixels].cost + pixels + stripCost; cheapest[i].cost == 0 || cost < cheapest[i].cost {
				cheapest[i] = best{cost, k}
			}
		}
	}
	var list []int
	for i := n; i > 0; i -= stripPixels[cheapest[i].last] {
		list = append(list, cheapest[i].last)
	}
	return list
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
