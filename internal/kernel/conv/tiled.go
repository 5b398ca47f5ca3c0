package conv

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/conv/winograd"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// tiled computes a convolution or an input gradient by Winograd's algorithm.
// The input gradient is a convolution of dy with the filter turned around, its
// channels exchanged and its padding complemented.
//
// For each frequency the transformed tiles are a matrix of tiles by source
// channels, which the transformed filter, a matrix of source by destination
// channels, takes to destination channels. There are two ways to order this:
//
//   - Where there are many tiles, the filter is transformed first. Then a worker
//     takes a block of tiles through all three steps in memory of its own, small
//     enough to stay in its second-level cache.
//   - Where there are few (shared), all are transformed first, for all workers. Then
//     a worker takes a few panels of destination channels through the rest,
//     the transform of the filter included, which thus never leaves its cache.
type tiled struct {
	name      string
	kern      *tile.Kernels
	t         *winograd.Transforms
	filter    Shape
	transpose bool

	grid     grid
	src, dst canvas
	tiles    int

	panels    int // of destination channels
	panelLen  int // elements of a transformed panel but the last
	packedLen int

	shared    bool
	block     int // tiles that one part computes, unless shared
	panelsPer int // panels that one part computes, if shared
	ldv, ldm  int // from tile to tile
	stepV     int // from frequency to frequency
	stepM     int

	rows, cRows []int
	outside     []float32 // zeros: the pixels around the image

	// What one Run holds for its parts.
	to, from, w, packed, v, buffers []float32
	ep                              gemm.Epilogue
	workers                         []*tiledWorker
	packPart, blockPart             func(worker, part int)
	transformPart, panelPart        func(worker, part int)
}

type tiledWorker struct {
	args   tile.Args
	taps   [1]tile.Tap
	points winograd.Points
	work   winograd.Work
	beyond []float32 // where outputs outside the image go
}

const (
	packSteps = 64 // of a panel's taps that are brought together before the transform
)

// newTiled plans a convolution for which Winograd's algorithm with tiles of
// the given size exists.
func newTiled(name string, s Shape, transpose bool, level isa.Level, size int) *tiled {
	c := &tiled{name: name, kern: tile.For(level), t: winograd.For(level, size), filter: s, transpose: transpose}
	oh, ow := s.Out()
	c.src = canvas{s.H, s.W, s.C, s.PadTop, s.PadLeft, c.t.Side}
	c.dst = canvas{oh, ow, s.K, 0, 0, size}
	if transpose {
		c.src = canvas{oh, ow, s.K, 2 - s.PadTop, 2 - s.PadLeft, c.t.Side}
		c.dst = canvas{s.H, s.W, s.C, 0, 0, size}
	}
	c.grid = newGrid(s.N, c.dst.height, c.dst.width, size)
	c.tiles = c.grid.tiles()
	c.panels = ceilDiv(c.dst.channels, c.kern.Columns())
	c.panelLen = c.t.Frequencies() * c.panelStep(c.kern.Columns())
	last := c.dst.channels - (c.panels-1)*c.kern.Columns()
	c.packedLen = (c.panels-1)*c.panelLen + c.t.Frequencies()*c.panelStep(last)

	c.ldv = rowUp(c.src.channels)
	c.block = blockTiles(c.kern.Rows(), c.tiles)
	c.panelsPer = c.panels
	// With fewer tiles than filters, the transformed tiles are less to pass
	// around than the transformed filter.
	c.shared = c.tiles <= c.dst.channels || ceilDiv(c.tiles, c.block) < minBlocks
	if c.shared {
		c.panelsPer = perTask(c.panels, 1, 2*minBlocks)
	}
	c.ldm = rowUp(min(c.panelsPer*c.kern.Columns(), c.dst.channels))
	at := c.block
	if c.shared {
		at = c.tiles
	}
	c.stepV, c.stepM = lineUp(at*c.ldv)+lineLen, lineUp(at*c.ldm)+lineLen
	for i := range at {
		c.rows, c.cRows = append(c.rows, i*c.ldv), append(c.cRows, i*c.ldm)
	}
	c.outside = make([]float32, c.src.channels)
	c.packPart, c.blockPart = c.packPanel, c.runBlock
	c.transformPart, c.panelPart = c.transformBlock, c.runPanels
	return c
}

// lineUp rounds up to whole cache lines, an odd number of them: rows a round
// number of lines apart would share a few sets of the cache.
func lineUp(n int) int { return (ceilDiv(n, lineLen) | 1) * lineLen }

// rowUp rounds up to whole cache lines.
func rowUp(n int) int { return ceilDiv(n, lineLen) * lineLen }

// blockTiles returns how many tiles make a block: so many that the panels of
// the filter, which come from further away, are worth the way.
func blockTiles(rows, tiles int) int {
	block := ceilDiv(24, rows) * rows
	return min(block, tiles)
}

// panelStep is how far apart the frequencies of a panel of n columns lie.
func (c *tiled) panelStep(n int) int {
	return lineUp(c.src.channels * c.kern.Panel(n))
}

// columns returns where a panel begins and how many channels it has.
func (c *tiled) columns(panel int) (n0, n int) {
	n0 = panel * c.kern.Columns()
	return n0, min(c.kern.Columns(), c.dst.channels-n0)
}

func (c *tiled) frequencies() int { return c.t.Frequencies() }

// The parts of the scratch memory of all, and of a worker.

func (c *tiled) ownLen() int {
	if c.shared {
		return c.frequencies()*c.stepV + tile.AlignSlack
	}
	return c.packedLen + tile.AlignSlack
}

func (c *tiled) tapsLen() int { return 9 * packSteps * c.kern.Columns() }

func (c *tiled) workerLen() int {
	n := c.frequencies()*c.stepM + tile.AlignSlack
	if c.shared {
		return n + c.panelsPer*c.panelLen + c.tapsLen()
	}
	return n + max(c.frequencies()*c.stepV, c.tapsLen())
}

func (c *tiled) scratch(threads int) int { return c.ownLen() + threads*c.workerLen() }

func (c *tiled) packedSize() int { return c.packedLen }

func (c *tiled) prepare(threads int) {
	for len(c.workers) < threads {
		c.workers = append(c.workers, &tiledWorker{beyond: make([]float32, c.dst.channels)})
	}
}

func (c *tiled) run(pool *par.Pool, to, from, w, packed, scratch []float32, ep gemm.Epilogue) {
	s := c.filter
	checkRun(c.name, s, c.packedLen, to, c.grid.images*c.dst.height*c.dst.width*c.dst.channels,
		from, c.grid.images*c.src.height*c.src.width*c.src.channels, w, packed, ep.Bias, c.dst.channels)
	checkScratch(c.name, s, scratch, c.scratch(pool.Threads()), pool.Threads())
	c.prepare(pool.Threads())
	own := c.ownLen()
	c.to, c.from, c.w, c.packed, c.ep, c.buffers = to, from, w, packed, ep, scratch[own:]
	if c.shared {
		c.v = tile.Align(scratch[:own])
		pool.Run(ceilDiv(c.tiles, tilesPer), c.transformPart)
		pool.Run(ceilDiv(c.panels, c.panelsPer), c.panelPart)
	} else {
		if packed == nil {
			c.packed = tile.Align(scratch[:own])
			pool.Run(c.panels, c.packPart)
		}
		pool.Run(ceilDiv(c.tiles, c.block), c.blockPart)
	}
	c.release()
}

func (c *tiled) release() {
	c.to, c.from, c.w, c.packed, c.v, c.ep, c.buffers = nil, nil, nil, nil, nil, gemm.Epilogue{}, nil
	for _, w := range c.workers {
		w.args, w.points = tile.Args{}, winograd.Points{}
	}
}

// pack transforms a filter into dst, which is packedLen long.
func (c *tiled) pack(pool *par.Pool, dst, w []float32) {
	checkPack(c.name, c.filter, dst, c.packedLen, w)
	c.prepare(pool.Threads())
	c.packed, c.w = dst, w
	c.buffers = make([]float32, pool.Threads()*c.workerLen())
	pool.Run(c.panels, c.packPart)
	c.release()
}

// buffer returns the memory of a worker.
func (c *tiled) buffer(w int) []float32 {
	return tile.Align(c.buffers[w*c.workerLen() : (w+1)*c.workerLen()])
}

func (c *tiled) packPanel(w, panel int) {
	c.transformPanel(c.workers[w], c.packed[panel*c.panelLen:], c.buffer(w), panel)
}

// transformPanel writes the transformed weights of a panel. Its taps go through
// a buffer of tapsLen elements.
func (c *tiled) transformPanel(w *tiledWorker, dst, buffer []float32, panel int) {
	n0, n := c.columns(panel)
	width, step, k := c.kern.Panel(n), c.panelStep(n), c.filter.K
	for s0 := 0; s0 < c.src.channels; s0 += packSteps {
		steps := min(packSteps, c.src.channels-s0)
		taps := steps * width
		for i := range 9 {
			to := buffer[i*taps:]
			if c.transpose {
				c.kern.PackTransposed(to, c.w[(i*c.dst.channels+n0)*k+s0:], steps, n, k, width)
			} else {
				c.kern.Pack(to, c.w[(i*c.src.channels+s0)*k+n0:], steps, n, k, width)
			}
		}
		apart := taps
		if c.transpose {
			apart = -taps
		}
		c.t.Filter(dst[s0*width:], step, buffer, apart, taps, &w.work)
	}
}

// transformTiles transforms tiles of the source from the given one on.
func (c *tiled) transformTiles(w *tiledWorker, v []float32, first, n int) {
	for i := range n {
		c.src.points(&w.points, c.from, c.grid, first+i, 0, &c.outside[0])
		c.t.Input(v[i*c.ldv:], c.stepV, winograd.Runs{}, &w.points, c.src.channels, &w.work)
	}
}

// multiply takes n transformed tiles through a panel for one frequency. v and m
// begin with that frequency, u with the panel.
func (c *tiled) multiply(w *tiledWorker, m, v, u []float32, frequency, columns, n int) {
	width := c.kern.Panel(columns)
	w.taps[0].Len = c.src.channels
	t := &w.args
	t.A, t.B, t.C = v, u[frequency*c.panelStep(columns):], m
	t.Rows, t.CRows, t.Taps = c.rows[:n], c.cRows[:n], w.taps[:]
	t.KStride, t.LDB, t.N = 1, width, columns
	c.kern.Broadcast(t, n)
}

// transformBack writes n tiles of channels from c0 on from the given tile on.
func (c *tiled) transformBack(w *tiledWorker, m []float32, first, n, c0, channels int) {
	var bias []float32
	if c.ep.Bias != nil {
		bias = c.ep.Bias[c0:]
	}
	relu, most := c.ep.Act.Rectifies()
	for i := range n {
		c.dst.points(&w.points, c.to, c.grid, first+i, c0, &w.beyond[0])
		c.t.Output(&w.points, m[i*c.ldm:], c.stepM, channels, bias, c.ep.Accumulate, relu, most, &w.work)
	}
}

// runBlock computes a block of tiles.
func (c *tiled) runBlock(worker, part int) {
	w, buffer := c.workers[worker], c.buffer(worker)
	first := part * c.block
	n := min(c.block, c.tiles-first)
	v, m := buffer[:c.frequencies()*c.stepV], buffer[c.frequencies()*c.stepV:]
	c.transformTiles(w, v, first, n)
	for f := range c.frequencies() {
		for panel := range c.panels {
			n0, columns := c.columns(panel)
			c.multiply(w, m[f*c.stepM+n0:], v[f*c.stepV:], c.packed[panel*c.panelLen:], f, columns, n)
		}
	}
	c.transformBack(w, m, first, n, 0, c.dst.channels)
}

// transformBlock transforms a few tiles for all.
func (c *tiled) transformBlock(worker, part int) {
	first := part * tilesPer
	c.transformTiles(c.workers[worker], c.v[first*c.ldv:], first, min(tilesPer, c.tiles-first))
}

// runPanels computes some panels of all tiles.
func (c *tiled) runPanels(worker, part int) {
	w, buffer := c.workers[worker], c.buffer(worker)
	p0 := part * c.panelsPer
	p1 := min(p0+c.panelsPer, c.panels)
	m, rest := buffer[:c.frequencies()*c.stepM], buffer[c.frequencies()*c.stepM:]
	u := c.packed
	if u == nil {
		taps := rest[c.panelsPer*c.panelLen:]
		for panel := p0; panel < p1; panel++ {
			c.transformPanel(w, rest[(panel-p0)*c.panelLen:], taps, panel)
		}
		u = rest
	} else {
		u = u[p0*c.panelLen:]
	}
	c0, _ := c.columns(p0)
	for f := range c.frequencies() {
		for panel := p0; panel < p1; panel++ {
			n0, columns := c.columns(panel)
			c.multiply(w, m[f*c.stepM+n0-c0:], c.v[f*c.stepV:], u[(panel-p0)*c.panelLen:], f, columns, c.tiles)
		}
	}
	end := min(p1*c.kern.Columns(), c.dst.channels)
	c.transformBack(w, m, 0, c.tiles, c0, end-c0)
}

// checkRun panics if a tensor of a convolution or an input gradient is too
// short.
func checkRun(name string, s Shape, packedLen int, to []float32, toLen int, from []float32, fromLen int, w, packed, bias []float32, biasLen int) {
	switch {
	case len(to) < toLen:
		panic(fmt.Sprintf("conv: the result of %s holds %d elements, want %d for %+v", name, len(to), toLen, s))
	case len(from) < fromLen:
		panic(fmt.Sprintf("conv: the image of %s holds %d elements, want %d for %+v", name, len(from), fromLen, s))
	case packed == nil && len(w) < s.filterLen():
		panic(fmt.Sprintf("conv: the filter of %s holds %d elements, want %d for %+v", name, len(w), s.filterLen(), s))
	case packed != nil && len(packed) < packedLen:
		panic(fmt.Sprintf("conv: the packed filter of %s holds %d elements, want %d for %+v", name, len(packed), packedLen, s))
	case bias != nil && len(bias) < biasLen:
		panic(fmt.Sprintf("conv: the bias of %s holds %d elements, want %d for %+v", name, len(bias), biasLen, s))
	}
}

func checkScratch(name string, s Shape, scratch []float32, n, threads int) {
	if len(scratch) < n {
		panic(fmt.Sprintf("conv: the scratch of %s holds %d elements, want %d for %+v on %d threads", name, len(scratch), n, s, threads))
	}
}

func checkPack(name string, s Shape, dst []float32, packedLen int, w []float32) {
	if len(dst) < packedLen || len(w) < s.filterLen() {
		panic(fmt.Sprintf("conv: %d elements do not hold the packed filter of %s, or %d its filter: %+v", len(dst), name, len(w), s))
	}
}
