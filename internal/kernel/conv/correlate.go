package conv

import (
	"slices"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// correlator computes what a convolution and its input gradient have in
// common: phases, each of which fills every stepH-th row and stepW-th column
// of an image with weighted sums of the pixels around the points of a grid.
// A convolution is one phase that fills everything. The input gradient of a
// convolution of stride s is s² phases that read the output gradient without
// gaps, so that no zero is ever multiplied.
type correlator struct {
	name string
	kern *tile.Kernels
	src  source

	dstH, dstW, dstC int
	outH, outW       int // steps between the destination pixels of a phase
	groups           int
	perGroup         int // destination channels of a group
	depthwise        bool
	dot              bool // few destination channels: inner products over those of the source

	filter    Shape // for the layout of the weights
	transpose bool  // weights are read as [filter, destination, source]
	phases    []phase
	panels    int // of destination channels in a group
	panelsPer int // panels in a task
	packedLen int
	inPlace   bool // read weights where they lie unless the caller has packed them
	kStride   int

	// What one Run holds for its parts.
	dst, x, w, packed, buffers []float32
	ep                         gemm.Epilogue
	workers                    []*tile.Args
	packPart, blockPart        func(worker, part int)
}

// phase is the grid of destination pixels (y0+i·outH, x0+j·outW).
type phase struct {
	y0, x0, gridH, gridW int
	offsets              []offset // in the order of the packed weights
	regions              []region
	steps                int // of the reduction
	packed               int // where its weights begin
}

const tilesPerBlock = 32 // of points

// build completes a correlator whose geometry and phases' grids and offsets
// are set. It fails if blocks of the source take memory beyond reason.
func (c *correlator) build(level isa.Level) error {
	c.kern = tile.For(level)
	if c.depthwise {
		c.groups = 1
	}
	c.perGroup = c.dstC / c.groups
	c.panels = ceilDiv(c.perGroup, c.kern.Columns())
	lanes := c.kern.Lanes()
	c.dot = !c.depthwise && c.perGroup <= tile.MaxDotColumns && c.src.perGroup%lanes == 0
	tiles := 4 // in a block, at least
	if c.src.gridW == 1 && c.panels >= minBlocks {
		tiles = tilesPerBlock // panels can be shared out, and each is read once a block
	}
	cut := func() { c.src.cut(tilesPerBlock*c.kern.Rows(), tiles*c.kern.Rows(), c.kern.Rows()) }
	cut()
	if c.src.padded && c.fewRegions() {
		c.src.padded = false
		cut()
	}
	if err := c.src.check(); err != nil {
		return err
	}
	c.panelsPer = perTask(c.panels, c.src.blocks(), minBlocks)
	// For a tile or two of pixels, packing would take longer than it saves.
	c.inPlace = !c.transpose && !c.depthwise && !c.dot &&
		c.src.images*c.src.gridH*c.src.gridW <= 2*c.kern.Rows()
	c.kStride = 1
	stepsPerTap := c.src.perGroup
	if c.depthwise {
		c.kStride = c.src.pixel
		stepsPerTap = 1
	}
	for i := range c.phases {
		p := &c.phases[i]
		slices.SortFunc(p.offsets, compareOffsets)
		p.steps = len(p.offsets) * stepsPerTap
		p.packed = c.packedLen
		c.packedLen += c.groups * c.groupPacked(p)
		p.regions = c.cutRegions(p)
		for j := range p.regions {
			c.planRegion(p, &p.regions[j], stepsPerTap)
		}
	}
	c.packPart = c.packPanel
	c.blockPart = c.runBlock
	return nil
}

// groupPacked is the length of the packed weights of one group of a phase.
func (c *correlator) groupPacked(p *phase) int {
	if c.dot {
		return c.perGroup * p.steps
	}
	full := (c.panels - 1) * c.kern.Columns()
	return (full + c.kern.Panel(c.perGroup-full)) * p.steps
}

func (c *correlator) scratch(threads int) int {
	return c.ownLen() + threads*c.src.bufferLen()
}

// ownLen is how much scratch the packed weights take.
func (c *correlator) ownLen() int {
	if c.inPlace {
		return 0
	}
	return c.packedLen + tile.AlignSlack
}

func (c *correlator) packedSize() int { return c.packedLen }

func (c *correlator) run(pool *par.Pool, dst, x, w, packed, scratch []float32, ep gemm.Epilogue) {
	checkRun(c.name, c.filter, c.packedLen, dst, c.src.images*c.dstH*c.dstW*c.dstC,
		x, c.src.images*c.src.height*c.src.width*c.src.channels, w, packed, ep.Bias, c.dstC)
	checkScratch(c.name, c.filter, scratch, c.scratch(pool.Threads()), pool.Threads())
	for len(c.workers) < pool.Threads() {
		c.workers = append(c.workers, &tile.Args{})
	}
	own := c.ownLen()
	c.dst, c.x, c.w, c.ep, c.packed, c.buffers = dst, x, w, ep, packed, scratch[own:]
	if packed == nil && !c.inPlace {
		c.packed = tile.Align(scratch[:own])
		pool.Run(len(c.phases)*c.groups*c.panels, c.packPart)
	}
	pool.Run(c.src.blocks()*ceilDiv(c.panels, c.panelsPer), c.blockPart)
	c.dst, c.x, c.w, c.ep, c.packed, c.buffers = nil, nil, nil, gemm.Epilogue{}, nil, nil
	for _, t := range c.workers {
		*t = tile.Args{}
	}
}

// pack packs a filter into dst, which is packedLen long.
func (c *correlator) pack(pool *par.Pool, dst, w []float32) {
	checkPack(c.name, c.filter, dst, c.packedLen, w)
	c.packed, c.w = dst, w
	pool.Run(len(c.phases)*c.groups*c.panels, c.packPart)
	c.packed, c.w = nil, nil
}

// packPanel packs the weights of one panel of destination channels.
func (c *correlator) packPanel(_, part int) {
	p := &c.phases[part/(c.groups*c.panels)]
	g, panel := part/c.panels%c.groups, part%c.panels
	n0 := panel * c.kern.Columns()
	n := min(c.kern.Columns(), c.perGroup-n0)
	width := c.kern.Panel(n)
	dst := c.packed[p.packed+g*c.groupPacked(p)+n0*p.steps:]
	f := c.filter
	for i, o := range p.offsets {
		k := c.src.perGroup
		switch {
		case c.dot && c.transpose:
			c.kern.PackDot(dst[i*k*n:], c.w[o.filter*n*f.K+g*k:], k, n, 1, f.K)
		case c.dot:
			c.kern.PackDot(dst[i*k*n:], c.w[o.filter*k*f.K+g*n:], k, n, f.K, 1)
		case c.depthwise:
			c.kern.Pack(dst[i*width:], c.w[o.filter*f.K+n0:], 1, n, f.K, width)
		case c.transpose:
			c.kern.PackTransposed(dst[i*k*width:], c.w[(o.filter*c.perGroup+n0)*f.K+g*k:], k, n, f.K, width)
		default:
			c.kern.Pack(dst[i*k*width:], c.w[o.filter*k*f.K+g*c.perGroup+n0:], k, n, f.K, width)
		}
	}
}

// runBlock computes some panels of one block, in every phase and group.
func (c *correlator) runBlock(w, part int) {
	tasks := ceilDiv(c.panels, c.panelsPer)
	b := c.src.block(part / tasks)
	first := part % tasks * c.panelsPer
	last := min(first+c.panelsPer, c.panels)
	size := c.src.bufferLen()
	buffer := c.buffers[w*size : (w+1)*size]
	t := c.workers[w]
	t.KStride = c.kStride
	t.FromC = c.ep.Accumulate
	t.ReLU, t.Most = c.ep.Act.Rectifies()
	for g := range c.groups {
		x := c.x[g*c.src.perGroup:]
		if c.src.padded {
			x = c.src.load(buffer, c.x, b, g)
		}
		for i := range c.phases {
			p := &c.phases[i]
			for j := range p.regions {
				c.runRegion(t, p, &p.regions[j], b, g, x, first, last)
			}
		}
	}
}

// runRegion computes what a block has of a region. x is the image from the
// group's first channel on, or the block's copy of it.
func (c *correlator) runRegion(t *tile.Args, p *phase, r *region, b block, g int, x []float32, first, last int) {
	i0, i1 := max(b.i0, r.i0), min(b.i1, r.i0+r.gridH)
	if i0 >= i1 {
		return
	}
	points := (b.n1 - b.n0) * (i1 - i0) * r.gridW
	t.Rows, t.CRows, t.Taps = r.rows[:points], r.cRows[:points], r.taps
	if len(r.taps) > 0 {
		from := r.first + i0*c.src.stepH*c.src.row + r.j0*c.src.stepW*c.src.pixel
		if c.src.padded {
			from -= b.i0 * c.src.stepH * c.src.row
		} else {
			from += b.n0 * c.src.image
		}
		x = x[from:]
	}
	y, xAt := p.y0+i0*c.outH, p.x0+r.j0*c.outW
	dst := c.dst[((b.n0*c.dstH+y)*c.dstW+xAt)*c.dstC+g*c.perGroup:]
	for panel := first; panel < last; panel++ {
		n0 := panel * c.kern.Columns()
		t.N = min(c.kern.Columns(), c.perGroup-n0)
		t.A, t.C = x, dst[n0:]
		if c.packed == nil {
			t.B, t.LDB = c.w[g*c.perGroup+n0:], c.filter.K
		} else {
			t.B, t.LDB = c.packed[p.packed+g*c.groupPacked(p)+n0*p.steps:], c.kern.Panel(t.N)
		}
		if c.ep.Bias != nil {
			t.Bias = c.ep.Bias[g*c.perGroup+n0:]
		}
		switch {
		case c.dot:
			t.CStride = 1
			c.kern.Dot(t, points)
		case c.depthwise:
			t.A = x[n0:]
			c.kern.Elementwise(t, points)
		default:
			c.kern.Broadcast(t, points)
		}
	}
}
