package conv

import (
	"unsafe"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/amx"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// halved computes a convolution or an input gradient with operands rounded to
// bfloat16, as products of tiles. Its phases are those of a correlator.
type halved struct {
	name      string
	kern      *amx.Kernels
	filter    Shape
	transpose bool // weights are read as [filter, destination, source]
	src       planes

	dstH, dstW, dstC int
	outH, outW       int  // steps between the destination pixels of a phase
	joined           bool // the source is one column of pixels, and so is the destination
	phases           []halvedPhase
	panels           int                             // of destination channels
	panelsPer        int                             // panels in a task
	packedLen        int                             // elements of all panels
	rows             [pointsPer / amx.Rows]amx.Block // of neighbouring points

	// What one Run holds for its parts.
	dst, x, w           []float32
	packed              []uint16
	buffers             []float32
	ep                  gemm.Epilogue
	workers             []*halvedWorker
	packPart, blockPart func(worker, part int)
}

// halvedPhase is a phase with the pixels that its taps read, in elements.
type halvedPhase struct {
	phase
	taps []int
}

type halvedWorker struct {
	args   amx.Args
	ep     amx.Epilogue
	loaded block // what the planes hold
}

const (
	pointsPer = 4 * amx.Rows // points whose sums lie in the first-level cache
	gapLen    = amx.Depth    // between rows of numbers that are transposed
)

// newHalved plans what the phases of a correlator say.
func newHalved(c *correlator, level isa.Level, x planes) (*halved, error) {
	h := &halved{
		name: c.name, kern: amx.For(level), filter: c.filter, transpose: c.transpose, src: x,
		dstH: c.dstH, dstW: c.dstW, dstC: c.dstC, outH: c.outH, outW: c.outW,
	}
	h.panels = ceilDiv(h.dstC, amx.Columns)
	h.src.cut(planeLimit, ceilDiv(minBlocks, h.panels))
	if err := h.src.check(); err != nil {
		return nil, err
	}
	h.joined = h.src.row == 1 && h.src.images == 1 && h.dstW == 1 && h.outH == 1 && h.outW == 1
	for _, p := range c.phases {
		q := halvedPhase{phase: p}
		q.packed = h.packedLen
		for _, o := range p.offsets {
			q.taps = append(q.taps, h.src.tap(o)*h.src.pixel)
		}
		h.packedLen += h.panelAt(len(p.offsets), h.panels)
		h.phases = append(h.phases, q)
	}
	h.panelsPer = perTask(h.panels, h.src.blocks(), 2*minBlocks)
	for i := range h.rows {
		h.rows[i] = amx.Block{A: i * amx.Rows * h.src.pixel, C: i * amx.Rows * amx.Columns}
	}
	h.packPart, h.blockPart = h.packPanel, h.runBlock
	return h, nil
}

// columns returns how many channels a panel has, and how many tiles they take.
func (h *halved) columns(panel int) (n, tiles int) {
	n = min(amx.Columns, h.dstC-panel*amx.Columns)
	return n, ceilDiv(n, amx.Columns/2)
}

// panelAt returns where a panel of so many taps begins: all but the last are whole.
func (h *halved) panelAt(taps, panel int) int {
	tiles := 2 * panel
	if panel == h.panels {
		_, last := h.columns(panel - 1)
		tiles += last - 2
	}
	return tiles * taps * h.steps() * amx.TileLen
}

// steps is how many steps of a product a tap takes.
func (h *halved) steps() int { return h.src.depth / amx.Depth }

func (h *halved) packedSize() int { return ceilDiv(h.packedLen, 2) }

// The parts of a worker's memory, in float32s: planes, or the weights that are
// being packed, and sums.

func (h *halved) planesLen() int {
	weights := amx.Columns * (h.src.depth + gapLen)
	return rowUp(ceilDiv(max(h.src.elements(), weights), 2))
}

func (h *halved) workerLen() int { return h.planesLen() + pointsPer*amx.Columns + tile.AlignSlack }

func (h *halved) scratch(threads int) int {
	return h.packedSize() + tile.AlignSlack + threads*h.workerLen()
}

// uint16s returns the same memory as bfloat16 numbers.
func uint16s(s []float32) []uint16 {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(s))), 2*len(s))
}

func (h *halved) prepare(threads int) {
	for len(h.workers) < threads {
		h.workers = append(h.workers, &halvedWorker{})
	}
}

func (h *halved) run(pool *par.Pool, to, from, w, packed, scratch []float32, ep gemm.Epilogue) {
	checkRun(h.name, h.filter, h.packedSize(), to, h.src.images*h.dstH*h.dstW*h.dstC,
		from, h.src.images*h.src.height*h.src.width*h.src.channels, w, packed, ep.Bias, h.dstC)
	checkScratch(h.name, h.filter, scratch, h.scratch(pool.Threads()), pool.Threads())
	h.prepare(pool.Threads())
	own := h.packedSize() + tile.AlignSlack
	h.dst, h.x, h.w, h.packed, h.ep, h.buffers = to, from, w, uint16s(packed), ep, scratch[own:]
	if packed == nil {
		h.packed = uint16s(tile.Align(scratch[:own]))
		pool.Run(len(h.phases)*h.panels, h.packPart)
	}
	pool.Run(h.src.blocks()*ceilDiv(h.panels, h.panelsPer), h.blockPart)
	h.release()
}

func (h *halved) release() {
	h.dst, h.x, h.w, h.packed, h.ep, h.buffers = nil, nil, nil, nil, gemm.Epilogue{}, nil
	for _, w := range h.workers {
		*w = halvedWorker{}
	}
}

func (h *halved) pack(pool *par.Pool, packed, w []float32) {
	checkPack(h.name, h.filter, packed, h.packedSize(), w)
	h.prepare(pool.Threads())
	h.packed, h.w = uint16s(packed), w
	h.buffers = make([]float32, pool.Threads()*h.workerLen())
	pool.Run(len(h.phases)*h.panels, h.packPart)
	h.release()
}

// buffer returns the memory of a worker.
func (h *halved) buffer(w int) (planes []uint16, sums []float32) {
	own := tile.Align(h.buffers[w*h.workerLen() : (w+1)*h.workerLen()])
	return uint16s(own[:h.planesLen()]), own[h.planesLen():]
}

// packPanel packs the weights of one panel in one phase.
func (h *halved) packPanel(worker, part int) {
	p, panel := &h.phases[part/h.panels], part%h.panels
	n0 := panel * amx.Columns
	n, tiles := h.columns(panel)
	taps := len(p.offsets)
	dst := h.packed[p.packed+h.panelAt(taps, panel):]
	rows, _ := h.buffer(worker)
	f, depth := h.filter, h.src.depth
	for i, o := range p.offsets {
		to := dst[i*h.steps()*tiles*amx.TileLen:]
		if h.transpose {
			stride := depth + gapLen
			h.kern.Round(rows, h.w[(o.filter*h.dstC+n0)*f.K:], f.K, n, stride, f.K)
			clear(rows[n*stride : amx.Columns*stride])
			for t := range tiles {
				h.kern.Turn(to[t*amx.TileLen:], rows[16*t*stride:], h.steps(), tiles*amx.TileLen, stride)
			}
			continue
		}
		c := h.src.channels
		h.kern.Round(rows, h.w[o.filter*c*f.K+n0:], n, c, amx.Columns, f.K)
		clear(rows[c*amx.Columns : depth*amx.Columns])
		for t := range tiles {
			h.kern.Pair(to[t*amx.TileLen:], rows[16*t:], h.steps(), tiles*amx.TileLen, amx.Columns)
		}
	}
}

// runBlock computes some panels of one block, in every phase.
func (h *halved) runBlock(worker, part int) {
	tasks := ceilDiv(h.panels, h.panelsPer)
	b := h.src.block(part / tasks)
	first := part % tasks * h.panelsPer
	last := min(first+h.panelsPer, h.panels)
	w := h.workers[worker]
	planes, sums := h.buffer(worker)
	if w.loaded != b {
		h.src.load(h.kern, planes, h.x, b, 0, h.src.rows())
		w.loaded = b
	}
	points := h.src.points(b.n1-b.n0, b.i1-b.i0)
	t := &w.args
	t.Steps, t.LDA, t.LDC, t.C, t.NextStride = h.steps(), h.src.pixel, amx.Columns, sums, h.outW*h.dstC
	w.ep.Accumulate = h.ep.Accumulate
	w.ep.Rectify, w.ep.Most = h.ep.Act.Rectifies()
	for i := range h.phases {
		p := &h.phases[i]
		t.Taps = p.taps
		for panel := first; panel < last; panel++ {
			n, tiles := h.columns(panel)
			n0 := panel * amx.Columns
			if h.ep.Bias != nil {
				w.ep.Bias = h.ep.Bias[n0:][:n]
			}
			t.Half = tiles == 1
			t.B = h.packed[p.packed+h.panelAt(len(p.taps), panel):]
			for at := 0; at < points; at += pointsPer {
				end := min(at+pointsPer, points)
				r := h.pointsOf(p, b, at, end)
				if r.n == 0 {
					continue
				}
				if len(p.taps) > 0 {
					t.A, t.Blocks = planes[at*h.src.pixel:], h.rows[:ceilDiv(end-at, amx.Rows)]
					t.Next = h.at(p, r)[n0:]
					h.kern.Multiply(t)
				} else {
					clear(sums[:pointsPer*amx.Columns])
				}
				for ; r.n > 0; r = h.pointsOf(p, b, r.point+r.n, end) {
					h.kern.Store(h.at(p, r)[n0:], sums[(r.point-at)*amx.Columns:], r.n, n, t.NextStride, &w.ep)
				}
			}
		}
	}
}

// pointsOf returns the next of a block's points, from the first to before the
// last, that lie side by side in the source and in the destination.
func (h *halved) pointsOf(p *halvedPhase, b block, first, last int) run {
	if h.joined && first < last {
		return run{first, last - first, b.n0, b.i0 + first, 0}
	}
	return h.src.run(b, p.gridH, p.gridW, first, last)
}

// at returns the destination from the first pixel of a run on.
func (h *halved) at(p *halvedPhase, r run) []float32 {
	y, x := p.y0+r.i*h.outH, p.x0+r.j*h.outW
	return h.dst[((r.image*h.dstH+y)*h.dstW+x)*h.dstC:]
}
