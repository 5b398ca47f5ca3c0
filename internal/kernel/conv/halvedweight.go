package conv

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/amx"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// halvedWeight computes a filter's gradient with operands rounded to bfloat16, as
// products of tiles: a row is an input channel, a column an output channel, and a
// step 32 points of the planes, in which the gradient of the output has zeros
// where there is no point of the grid. A row of A is thus a channel's pixels, and
// a tap another place to begin in it.
//
// There are two ways to share this out:
//
//   - Where the filter is small, a worker takes a block of points through all
//     steps, in memory of its own that stays in its second-level cache, as do its
//     sums. The blocks are dealt to a number of partial sums that follows from the
//     shape, and these are added in order.
//   - Where it is large (shared), a large block is laid out for all workers. Then a
//     worker takes some rows of some panels of the result, and so on with the
//     next block.
type halvedWeight struct {
	s    Shape
	kern *amx.Kernels
	x    planes // of the input
	dy   planes // of the output's gradient: points alone
	// results are the blocks of the result, group of rows by group of rows, tap by
	// tap: where the pixels begin that a tap has of these channels, and where their
	// sums lie: blocks in a row for each panel.
	results []amx.Block
	taps    int

	shared   bool
	rows     int // input channels, in whole groups
	panels   int // of output channels
	points   int // of a block, in whole steps
	apart    int // from channel to channel of a block
	partials int
	groups   int // groups of rows in a task, if shared
	sumLen   int // elements of one partial sum

	// What one Run holds for its parts.
	dw, px, pdy, sums, buffers []float32
	workers                    []*halvedWorker
	loadPart, layPart          func(worker, part int)
	multiplyPart, blockPart    func(worker, part int)
	addPart                    func(worker, part int)
	block, loads               int // which block all are at, and in how many parts its input is loaded
}

const (
	partialLimit = 1 << 18 // elements of a filter whose sums stay in a second-level cache
	sharedLimit  = 1 << 21 // elements of the planes of a block for all workers
	stepsAtOnce  = 8       // steps whose A and B stay in the first-level cache
	loadRows     = 64      // rows of planes that one part loads
)

func newHalvedWeight(s Shape, level isa.Level) (*halvedWeight, error) {
	oh, ow := s.Out()
	g := &halvedWeight{s: s, kern: amx.For(level)}
	offsets := s.offsets()
	g.x = newPlanes(s.N, s.H, s.W, s.C, s.StrideH, s.StrideW, oh, ow, offsets)
	g.rows = ceilDiv(s.C, amx.Rows) * amx.Rows
	g.panels = ceilDiv(s.K, amx.Columns)
	filter := s.KH * s.KW * g.rows * g.panels * amx.Columns
	if g.shared = filter > partialLimit; g.shared {
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
	g.apart = ceilDiv(len(g.x.kept)*g.x.pixels, sets)*sets + (stepsAtOnce+1)*amx.Depth
	g.taps = len(offsets)
	for group := range g.rows / amx.Rows {
		for _, o := range offsets {
			g.results = append(g.results, amx.Block{A: group*amx.Rows*g.apart + g.x.tap(o), C: len(g.results) * amx.Rows * amx.Columns})
		}
	}
	g.sumLen = filter
	g.partials = 1
	g.groups = g.rows / amx.Rows
	if g.shared {
		g.groups = perTask(g.groups, g.panels, 2*minBlocks)
	} else {
		g.partials = max(1, min(minBlocks, g.x.blocks(), sumLimit/g.sumLen))
	}
	g.loadPart, g.layPart, g.multiplyPart, g.blockPart, g.addPart = g.load, g.lay, g.multiply, g.runBlocks, g.add
	return g, nil
}

// The parts of the memory of a block, in bfloat16 numbers: the planes of both,
// the input by channels, and the gradient's tiles.

func (g *halvedWeight) parts(own []float32) (x, dy, channels, tiles []uint16) {
	all := uint16s(own)
	next := func(n int) []uint16 {
		n = ceilDiv(n, 2*lineLen) * 2 * lineLen
		part := all[:n]
		all = all[n:]
		return part
	}
	lx, ldy, lc, lt := g.lens()
	return next(lx), next(ldy), next(lc), next(lt)
}

func (g *halvedWeight) lens() (x, dy, channels, tiles int) {
	return g.x.elements(), g.dy.elements(), g.rows * g.apart, g.panels * g.points * amx.Columns
}

// blockLen is the memory of a block, in float32s.
func (g *halvedWeight) blockLen() int {
	x, dy, channels, tiles := g.lens()
	return ceilDiv(x+dy+channels+tiles+4*2*lineLen, 2) + tile.AlignSlack
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
		g.workers = append(g.workers, &halvedWorker{})
	}
	own := g.sumsLen()
	g.dw, g.px, g.pdy, g.sums, g.buffers = dw, x, dy, tile.Align(scratch[:own]), scratch[own:]
	if g.shared {
		g.loads = ceilDiv(g.x.rows(), loadRows)
		for g.block = range g.x.blocks() {
			pool.Run(g.loads+ceilDiv(g.dy.rows(), loadRows), g.loadPart)
			pool.Run(g.lays(), g.layPart)
			pool.Run(g.panels*ceilDiv(g.rows/amx.Rows, g.groups), g.multiplyPart)
		}
	} else {
		pool.Run(g.partials, g.blockPart)
	}
	pool.Run(ceilDiv(g.s.KH*g.s.KW*g.s.C, g.addRows()), g.addPart)
	g.dw, g.px, g.pdy, g.sums, g.buffers = nil, nil, nil, nil, nil
	for _, w := range g.workers {
		w.args = amx.Args{}
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

// lays is how many parts lay has: 16 channels of either image.
func (g *halvedWeight) lays() int { return g.x.depth/16 + g.dy.depth/16 }

// lay lays out 16 channels of a block.
func (g *halvedWeight) lay(worker, part int) {
	x, dy, channels, tiles := g.parts(g.buffer(worker))
	if n := g.x.depth / 16; part >= n {
		c := part - n
		g.kern.Pair(tiles[c/2*g.points*amx.Columns+c%2*amx.TileLen:], dy[16*c:], g.points/amx.Depth, 2*amx.TileLen, g.dy.pixel)
		return
	}
	for i := range g.x.kept {
		g.kern.Transpose(channels[16*part*g.apart+i*g.x.pixels:], x[i*g.x.pixels*g.x.pixel+16*part:],
			g.x.pixels/amx.Depth, g.apart, g.x.pixel)
	}
}

// multiply adds the block's products to some rows of a panel of the result.
func (g *halvedWeight) multiply(worker, part int) {
	tasks := ceilDiv(g.rows/amx.Rows, g.groups)
	first := part % tasks * g.groups * g.taps
	results := g.results[first:min(first+g.groups*g.taps, len(g.results))]
	b := g.x.block(g.block)
	g.sumBlock(worker, g.sums, part/tasks, results, g.x.points(b.n1-b.n0, b.i1-b.i0), g.block > 0)
}

// sumBlock adds the products of a block's points to some blocks of a panel, or
// begins with them.
func (g *halvedWeight) sumBlock(worker int, sums []float32, panel int, results []amx.Block, points int, add bool) {
	_, _, channels, tiles := g.parts(g.buffer(worker))
	t := &g.workers[worker].args
	t.LDA, t.LDC, t.Taps = g.apart, amx.Columns, noTaps[:]
	t.C = sums[panel*len(g.results)*amx.Rows*amx.Columns:]
	for p0 := 0; p0 < points; p0 += stepsAtOnce * amx.Depth {
		t.Steps = ceilDiv(min(stepsAtOnce*amx.Depth, points-p0), amx.Depth)
		t.FromC = add || p0 > 0
		t.A, t.B = channels[p0:], tiles[(panel*g.points+p0)*amx.Columns:]
		for first := 0; first < len(results); first += g.taps {
			t.Blocks = results[first : first+g.taps]
			g.kern.Multiply(t)
		}
	}
}

// noTaps are the taps of a product whose rows are read once.
var noTaps = [1]int{}

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
		for panel := range g.panels {
			g.sumBlock(worker, sums, panel, g.results, points, i > first)
		}
	}
}

// addRows is how many rows of the filter one part adds up.
func (g *halvedWeight) addRows() int { return ceilDiv(addLen, g.s.K) }

// add adds up the partial sums of some rows, in order.
func (g *halvedWeight) add(_, part int) {
	panel := len(g.results) * amx.Rows * amx.Columns
	for row := part * g.addRows(); row < min((part+1)*g.addRows(), g.s.KH*g.s.KW*g.s.C); row++ {
		tap, c := row/g.s.C, row%g.s.C
		at := ((c/amx.Rows*g.taps+tap)*amx.Rows + c%amx.Rows) * amx.Columns
		dw := g.dw[row*g.s.K:][:g.s.K]
		for len(dw) > 0 {
			to := dw[:min(len(dw), amx.Columns)]
			copy(to, g.sums[at:])
			for p := 1; p < g.partials; p++ {
				for i, v := range g.sums[p*g.sumLen+at:][:len(to)] {
					to[i] += v
				}
			}
			dw = dw[len(to):]
			at += panel
		}
	}
}
