package conv

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/amx"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// halvedWeight computes a filter's gradient with operands rounded to bfloat16, as
// products of tiles: a row is an output channel, a column an input channel, and a
// step 32 points of the planes, in which the gradient of the output has zeros
// where there is no point of the grid. A row of A is thus a channel of that
// gradient; B are the pixels of the input, two by two, and a tap is another place
// to begin in them. Places at odd distances begin in a second copy, whose pairs
// begin at odd pixels, so that whatever is read lies in whole cache lines.
//
// There are two ways to share this out:
//
//   - Where the filter is small, a worker takes a block of points through all
//     steps, in memory of its own that stays in its second-level cache, as do its
//     sums. The blocks are dealt to a number of partial sums that follows from the
//     shape, and these are added in order.
//   - Where it is large (shared), a large block is laid out for all workers. Then a
//     worker takes some panels of some rows of the result, and so on with the
//     next block.
type halvedWeight struct {
	s    Shape
	kern *amx.Kernels
	x    planes // of the input
	dy   planes // of the output's gradient: points alone

	groups  int // of output channels
	panels  int // of input channels
	taps    int
	copies  []pairedTaps // of the pairs of the input
	slots   []int        // where the sums of a tap lie among those of all
	points  int          // of a block, in whole steps
	apart   int          // from channel to channel of the gradient
	copyLen int          // elements of 16 channels of a copy

	shared    bool
	panelsPer int // panels in a task, if shared
	partials  int
	sumLen    int // elements of one partial sum

	// What one Run holds for its parts.
	dw, px, pdy, sums, buffers []float32
	workers                    []*weightWorker
	loadPart, layPart          func(worker, part int)
	multiplyPart, blockPart    func(worker, part int)
	addPart                    func(worker, part int)
	block, loads               int // which block all are at, and in how many parts its input is loaded
}

// pairedTaps are the taps that read pairs which begin at even pixels, or at odd
// ones.
type pairedTaps struct {
	odd   int
	begin []int // in the pairs of 16 channels
}

type weightWorker struct {
	args amx.Shifted
	flip [amx.Rows * amx.Columns]float32
}

const (
	partialLimit = 1 << 18 // elements of a filter whose sums stay in a second-level cache
	sharedLimit  = 1 << 21 // elements of the planes of a block for all workers
	stepsAtOnce  = 8       // steps whose A and B stay in the first-level cache
	loadRows     = 64      // rows of planes that one part loads
	pairLen      = 16 * 2  // elements of a pair of pixels in 16 channels
)

func newHalvedWeight(s Shape, level isa.Level) (*halvedWeight, error) {
	oh, ow := s.Out()
	g := &halvedWeight{s: s, kern: amx.For(level)}
	offsets := s.offsets()
	g.x = newPlanes(s.N, s.H, s.W, s.C, s.StrideH, s.StrideW, oh, ow, offsets)
	g.groups, g.panels, g.taps = ceilDiv(s.K, amx.Rows), ceilDiv(s.C, amx.Columns), len(offsets)
	g.sumLen = g.groups * g.panels * g.taps * amx.Rows * amx.Columns
	if g.shared = g.sumLen > partialLimit; g.shared {
		g.x.cut(sharedLimit, 1)
	} else {
		g.x.cut(planeLimit/2, minBlocks)
	}
	if err := g.x.check(); err != nil {
		return nil, err
	}
	g.dy = newPlanes(s.N, oh, ow, s.K, 1, 1, oh, ow, []offset{{}})
	g.dy.row, g.dy.imageRow = g.x.row, g.x.imageRow
	g.dy.blockImages, g.dy.blockRows = g.x.blockImages, g.x.blockRows
	g.dy.measure()
	g.points = amx.Width(g.x.points(g.x.blockImages, g.x.blockRows))
	g.dy.pixels = g.points
	// Rows follow each other in the sets of the first-level cache.
	const sets = 64 * 2 * lineLen
	g.apart = ceilDiv(g.points, sets)*sets + (stepsAtOnce+1)*amx.Depth
	g.copyLen = len(g.x.kept) * g.x.pixels / 2 * pairLen
	g.slots = make([]int, g.taps)
	slot := 0
	for odd := range 2 {
		c := pairedTaps{odd: odd}
		for i, o := range offsets {
			if at := g.x.tap(o); at%2 == odd {
				c.begin = append(c.begin, at/2*pairLen)
				g.slots[i] = slot
				slot++
			}
		}
		if len(c.begin) > 0 {
			g.copies = append(g.copies, c)
		}
	}
	g.partials, g.panelsPer = 1, g.panels
	if g.shared {
		g.panelsPer = perTask(g.panels, g.groups, 2*minBlocks)
	} else {
		g.partials = max(1, min(minBlocks, g.x.blocks(), sumLimit/g.sumLen))
	}
	g.loadPart, g.layPart, g.multiplyPart, g.blockPart, g.addPart = g.load, g.lay, g.multiply, g.runBlocks, g.add
	return g, nil
}

// The parts of the memory of a block, in bfloat16 numbers: the planes of both,
// the pairs of the input, and the gradient by channels.

func (g *halvedWeight) parts(own []float32) (x, dy, pairs, channels []uint16) {
	all := uint16s(own)
	next := func(n int) []uint16 {
		n = ceilDiv(n, 2*lineLen) * 2 * lineLen
		part := all[:n]
		all = all[n:]
		return part
	}
	lx, ldy, lp, lc := g.lens()
	return next(lx), next(ldy), next(lp), next(lc)
}

func (g *halvedWeight) lens() (x, dy, pairs, channels int) {
	// Pairs that begin at odd pixels end behind the last one.
	return g.x.elements() + g.x.pixel, g.dy.elements(), len(g.copies) * g.x.depth / 16 * g.copyLen, g.groups * amx.Rows * g.apart
}

// blockLen is the memory of a block, in float32s.
func (g *halvedWeight) blockLen() int {
	x, dy, pairs, channels := g.lens()
	return ceilDiv(x+dy+pairs+channels+4*2*lineLen, 2) + tile.AlignSlack
}

func (g *halvedWeight) sumsLen() int { return g.partials*g.sumLen + tile.AlignSlack }

func (g *halvedWeight) scratch(threads int) int {
	if g.shared {
		threads = 1
	}
	return g.sumsLen() + threads*g.blockLen()
}

func (g *halvedWeight) run(pool *par.Pool, dw, x, dy, scratch []float32) {
	for len(g.workers) < pool.Threads() {
		g.workers = append(g.workers, &weightWorker{})
	}
	own := g.sumsLen()
	g.dw, g.px, g.pdy, g.sums, g.buffers = dw, x, dy, tile.Align(scratch[:own]), scratch[own:]
	if g.shared {
		g.loads = ceilDiv(g.x.rows(), loadRows)
		for g.block = range g.x.blocks() {
			pool.Run(g.loads+ceilDiv(g.dy.rows(), loadRows), g.loadPart)
			pool.Run(g.lays(), g.layPart)
			pool.Run(g.groups*ceilDiv(g.panels, g.panelsPer), g.multiplyPart)
		}
	} else {
		pool.Run(g.partials, g.blockPart)
	}
	pool.Run(g.panels*g.taps, g.addPart)
	g.dw, g.px, g.pdy, g.sums, g.buffers = nil, nil, nil, nil, nil
	for _, w := range g.workers {
		w.args = amx.Shifted{}
	}
}

func (g *halvedWeight) buffer(worker int) []float32 {
	if g.shared {
		worker = 0
	}
	return tile.Align(g.buffers[worker*g.blockLen() : (worker+1)*g.blockLen()])
}

// load writes some rows of the planes of the block.
func (g *halvedWeight) load(_, part int) {
	x, dy, _, _ := g.parts(g.buffer(0))
	b := g.x.block(g.block)
	if part < g.loads {
		g.x.load(g.kern, x, g.px, b, part*loadRows, (part+1)*loadRows)
		return
	}
	part -= g.loads
	g.dy.load(g.kern, dy, g.pdy, b, part*loadRows, (part+1)*loadRows)
}

// lays is how many parts lay has: 32 channels of a copy or of the gradient.
func (g *halvedWeight) lays() int { return len(g.copies)*g.panels + g.groups }

// lay lays out 32 channels of a block, which share cache lines: some steps of
// the first half, the same of the other.
func (g *halvedWeight) lay(worker, part int) {
	x, dy, pairs, channels := g.parts(g.buffer(worker))
	const each = 4
	if group := part - len(g.copies)*g.panels; group >= 0 {
		channels, dy = channels[group*amx.Rows*g.apart:], dy[group*amx.Rows:]
		steps := g.points / amx.Depth
		for i := 0; i < steps; i += each {
			for half := range 2 {
				g.kern.Transpose(channels[half*16*g.apart+i*amx.Depth:], dy[half*16+i*amx.Depth*g.dy.pixel:], min(each, steps-i), g.apart, g.dy.pixel)
			}
		}
		return
	}
	pairs, x = pairs[2*part*g.copyLen:], x[g.copies[part/g.panels].odd*g.x.pixel+part%g.panels*amx.Columns:]
	steps := g.copyLen / amx.TileLen
	for i := 0; i < steps; i += each {
		for half := range 2 {
			g.kern.Pair(pairs[half*g.copyLen+i*amx.TileLen:], x[half*16+i*amx.Depth*g.x.pixel:], min(each, steps-i), amx.TileLen, g.x.pixel)
		}
	}
}

// multiply adds the block's products to some panels of a group of the result.
func (g *halvedWeight) multiply(worker, part int) {
	tasks := ceilDiv(g.panels, g.panelsPer)
	first := part % tasks * g.panelsPer
	b := g.x.block(g.block)
	g.sumBlock(worker, g.sums, part/tasks, first, min(first+g.panelsPer, g.panels), g.x.points(b.n1-b.n0, b.i1-b.i0), g.block > 0)
}

// sumBlock adds the products of a block's points to panels of a group, from the
// first to before the last, or begins with them.
func (g *halvedWeight) sumBlock(worker int, sums []float32, group, first, last, points int, add bool) {
	_, _, pairs, channels := g.parts(g.buffer(worker))
	t := &g.workers[worker].args
	t.LDA, t.Half = g.apart, g.copyLen
	// A call takes one copy of a panel.
	calls := (last - first) * len(g.copies)
	call := func(i, point int) ([]uint16, []int) {
		panel, c := first+i/len(g.copies), i%len(g.copies)
		return pairs[(c*g.x.depth/16+2*panel)*g.copyLen+point/2*pairLen:], g.copies[c].begin
	}
	for point := 0; point < points; point += stepsAtOnce * amx.Depth {
		t.Steps = ceilDiv(min(stepsAtOnce*amx.Depth, points-point), amx.Depth)
		t.FromC = add || point > 0
		t.A = channels[group*amx.Rows*g.apart+point:]
		t.C = sums[(group*g.panels+first)*g.taps*amx.Rows*amx.Columns:]
		t.B, t.Taps = call(0, point)
		for i := range calls {
			next, taps := t.B, t.Taps
			switch {
			case i+1 < calls:
				next, taps = call(i+1, point)
			case point+stepsAtOnce*amx.Depth < points:
				next, taps = call(0, point+stepsAtOnce*amx.Depth)
			}
			t.Next = next[taps[0]:]
			g.kern.Correlate(t)
			t.C = t.C[len(t.Taps)*amx.Rows*amx.Columns:]
			t.B, t.Taps = next, taps
		}
	}
}

// runBlocks computes one partial sum over all its blocks.
func (g *halvedWeight) runBlocks(worker, partial int) {
	x, dy, _, _ := g.parts(g.buffer(worker))
	sums := g.sums[partial*g.sumLen:]
	blocks := g.x.blocks()
	first, last := blocks*partial/g.partials, blocks*(partial+1)/g.partials
	for i := first; i < last; i++ {
		b := g.x.block(i)
		g.x.load(g.kern, x, g.px, b, 0, g.x.rows())
		g.dy.load(g.kern, dy, g.pdy, b, 0, g.dy.rows())
		for part := range g.lays() {
			g.lay(worker, part)
		}
		points := g.x.points(b.n1-b.n0, b.i1-b.i0)
		for group := range g.groups {
			g.sumBlock(worker, sums, group, 0, g.panels, points, i > first)
		}
	}
}

// add adds up the partial sums of a panel at a tap, in order, and turns them over:
// the filter's rows are input channels.
func (g *halvedWeight) add(worker, part int) {
	panel, tap := part/g.taps, part%g.taps
	flip := &g.workers[worker].flip
	c0 := panel * amx.Columns
	rows := min(amx.Columns, g.s.C-c0)
	const block = amx.Rows * amx.Columns
	for group := range g.groups {
		at := ((group*g.panels+panel)*g.taps + g.slots[tap]) * block
		sum := g.sums[at:][:block]
		for p := 1; p < g.partials; p++ {
			for i, v := range g.sums[p*g.sumLen+at:][:block] {
				sum[i] += v
			}
		}
		g.kern.Flip(flip[:], sum)
		k0 := group * amx.Rows
		n := min(amx.Rows, g.s.K-k0)
		for c := range rows {
			copy(g.dw[(tap*g.s.C+c0+c)*g.s.K+k0:][:n], flip[c*amx.Rows:])
		}
	}
}
