package conv

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// directWeight computes a filter's gradient from its definition.
//
// A row of a tile is one tap and input channel, its columns are output
// channels, and a step is one output pixel. Where there are very few output
// channels the tiles are turned: a row is a tap, the columns are input channels.
// The blocks of the image are dealt to a number of partial sums that follows
// from the shape, and these are added in order.
type directWeight struct {
	s         Shape
	kern      *tile.Kernels
	src       source
	depthwise bool
	turned    bool
	groups    int
	perTap    int // rows of the filter for one tap: input channels of a group
	outputs   int // output channels of a group
	columns   int // of the tiles of one group
	panels    int

	rows, cRows []int
	adjacent    int        // rows that lie side by side, see tile.Args
	taps        []tile.Tap // the output rows of a full block

	partials int

	rowsPer  int // rows of the filter in a task
	rowTasks int

	// What one Run holds for its parts.
	dw, x, dy, sums, buffers []float32
	workers                  []*tile.Args
	sumPart, addPart         func(worker, part int)
}

const (
	pixelsPerBlock = 160     // so that a panel of dy and the channels that it meets stay in the first-level cache
	sumLimit       = 1 << 22 // float32s of partial sums
	addLen         = 1 << 12 // elements that one part adds up
	lineLen        = 16      // float32s in a cache line
)

// newDirectWeight plans the gradient. It fails if blocks of the image take
// memory beyond reason.
func newDirectWeight(s Shape, level isa.Level) (*directWeight, error) {
	oh, ow := s.Out()
	g := &directWeight{s: s, kern: tile.For(level), depthwise: s.depthwise(), groups: s.Groups}
	if g.depthwise {
		g.groups = 1
	}
	offsets := s.offsets()
	g.src = newSource(s.N, s.H, s.W, s.C, g.groups, s.StrideH, s.StrideW, oh, ow, offsets)
	if !g.depthwise && g.src.perGroup%(4*lineLen) == 0 {
		// A step reads a few channels of one pixel. Pixels a round number of
		// cache lines apart would share a few sets of the cache.
		g.src.gap = lineLen
	}
	g.src.cut(pixelsPerBlock, pixelsPerBlock/2, 1)
	if err := g.src.check(); err != nil {
		return nil, err
	}
	g.perTap, g.outputs = s.C/s.Groups, s.K/s.Groups
	if g.depthwise {
		g.outputs = s.C
	}
	g.turned = !g.depthwise && g.outputs <= 4 && g.perTap >= 16 && len(offsets) >= 4
	g.columns = g.outputs
	if g.turned {
		g.columns = g.perTap
	}
	g.listRows(offsets)
	g.panels = ceilDiv(g.columns, g.kern.Columns())
	last := 0
	for n := range g.src.blockImages {
		for i := range g.src.blockRows {
			at := n*g.src.image + i*s.StrideH*g.src.row
			g.taps = append(g.taps, tile.Tap{Delta: at - last, Len: ow})
			last = at
		}
	}
	g.split()
	g.sumPart, g.addPart = g.sum, g.add
	return g, nil
}

// listRows lists where the rows read and write. Tiles take them in turn, so
// that all taps of a cache line's channels come one after the other while these
// lines are in the first-level cache.
func (g *directWeight) listRows(offsets []offset) {
	if g.turned {
		for _, o := range offsets {
			g.rows = append(g.rows, g.src.offset(o.y, o.x))
			g.cRows = append(g.cRows, o.filter*g.perTap)
		}
		return
	}
	switch {
	case g.perTap%(lineLen/2) == 0:
		g.adjacent = lineLen / 2 // in whole lines and in what is left over
	case g.perTap <= lineLen && rowsUnit%g.perTap == 0:
		g.adjacent = g.perTap
	}
	for c0 := 0; c0 < g.perTap; c0 += lineLen {
		for _, o := range offsets {
			for c := c0; c < min(c0+lineLen, g.perTap); c++ {
				g.rows = append(g.rows, g.src.offset(o.y, o.x)+c)
				g.cRows = append(g.cRows, (o.filter*g.perTap+c)*g.s.K)
			}
		}
	}
}

// split chooses how many partial sums there are.
func (g *directWeight) split() {
	g.partials = max(1, min(minBlocks, g.src.blocks(), sumLimit/g.s.filterLen()))
}

// share chooses how many tasks share a partial sum: enough for the workers to end
// together, and no more, as each of them copies the blocks of the image. Which rows a
// task has changes no sum.
func (g *directWeight) share(threads int) {
	g.rowsPer = len(g.rows)
	g.rowTasks = 1
	for g.partials*g.rowTasks < max(minBlocks, 2*threads) && g.rowsPer > manyRows {
		g.rowsPer = halfOf(g.rowsPer)
		g.rowTasks = ceilDiv(len(g.rows), g.rowsPer)
	}
}

// addsUp reports whether sums are kept apart from dw until the end.
func (g *directWeight) addsUp() bool { return g.partials > 1 || g.turned }

func (g *directWeight) sumsLen() int {
	if !g.addsUp() {
		return 0
	}
	return g.partials * g.s.filterLen()
}

func (g *directWeight) scratch(threads int) int {
	return g.sumsLen() + threads*g.src.bufferLen()
}

func (g *directWeight) run(pool *par.Pool, dw, x, dy, scratch []float32) {
	for len(g.workers) < pool.Threads() {
		g.workers = append(g.workers, &tile.Args{})
	}
	g.share(pool.Threads())
	own := g.sumsLen()
	g.dw, g.x, g.dy, g.sums, g.buffers = dw, x, dy, scratch[:own], scratch[own:]
	if !g.addsUp() {
		g.sums = dw
	}
	pool.Run(g.partials*g.rowTasks, g.sumPart)
	if g.addsUp() {
		pool.Run(ceilDiv(g.s.filterLen(), addLen), g.addPart)
	}
	g.dw, g.x, g.dy, g.sums, g.buffers = nil, nil, nil, nil, nil
	for _, t := range g.workers {
		*t = tile.Args{}
	}
}

// sum computes some rows of one partial sum over all its blocks.
func (g *directWeight) sum(w, part int) {
	partial := part / g.rowTasks
	r0 := part % g.rowTasks * g.rowsPer
	r1 := min(r0+g.rowsPer, len(g.rows))
	size := g.src.bufferLen()
	buffer := g.buffers[w*size : (w+1)*size]
	t := g.workers[w]
	t.Rows, t.CRows = g.rows[r0:r1], g.cRows[r0:r1]
	t.KStride, t.LDB = g.s.StrideW*g.src.pixel, g.s.K
	t.Adjacent = g.adjacent

	blocks := g.src.blocks()
	first, last := blocks*partial/g.partials, blocks*(partial+1)/g.partials
	for i := first; i < last; i++ {
		b := g.src.block(i)
		t.FromC = i > first
		for group := range g.groups {
			x := g.src.load(buffer, g.x, b, group)
			g.sumBlock(t, b, group, x, g.sums[partial*g.s.filterLen():])
		}
	}
}

func (g *directWeight) sumBlock(t *tile.Args, b block, group int, x, sums []float32) {
	oh, ow := g.src.gridH, g.src.gridW
	t.Taps = g.taps[:(b.n1-b.n0)*(b.i1-b.i0)]
	dy := g.dy[(b.n0*oh+b.i0)*ow*g.s.K+group*g.outputs:]
	for panel := range g.panels {
		n0 := panel * g.kern.Columns()
		t.N = min(g.kern.Columns(), g.columns-n0)
		switch {
		case g.turned:
			size := g.s.filterLen() / g.s.K // of the sums of one output channel
			t.A = x[n0:]
			for k := range g.outputs {
				t.B, t.C = dy[k:], sums[(group*g.outputs+k)*size+n0:]
				g.kern.Scaled(t, len(t.Rows))
			}
		case g.depthwise:
			t.A, t.B, t.C = x[n0:], dy[n0:], sums[n0:]
			g.kern.Elementwise(t, len(t.Rows))
		default:
			t.A, t.B, t.C = x, dy[n0:], sums[group*g.outputs+n0:]
			g.kern.Broadcast(t, len(t.Rows))
		}
	}
}

// add adds up the partial sums of some elements, in order.
func (g *directWeight) add(_, part int) {
	size := g.s.filterLen()
	from, to := part*addLen, min((part+1)*addLen, size)
	if g.turned {
		rows := size / g.s.K
		for i := from; i < to; i++ {
			at := i%g.s.K*rows + i/g.s.K
			sum := g.sums[at]
			for p := 1; p < g.partials; p++ {
				sum += g.sums[p*size+at]
			}
			g.dw[i] = sum
		}
		return
	}
	dw := g.dw[from:to]
	copy(dw, g.sums[from:to])
	for p := 1; p < g.partials; p++ {
		sums := g.sums[p*size+from : p*size+to]
		for i, v := range sums[:len(dw)] {
			dw[i] += v
		}
	}
}
