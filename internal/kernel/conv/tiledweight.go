package conv

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/conv/winograd"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// tiledWeight computes a filter's gradient by the adjoint of Winograd's
// algorithm. A round transforms some tiles of x and of dy, for all workers; for
// each frequency the former, transposed, times the latter adds to a matrix of
// input by output channels. In the end this is transformed to taps.
//
// How many tiles are in a round follows from the shape, and so does the order
// of all sums: frequency by frequency, tile by tile.
type tiledWeight struct {
	s    Shape
	kern *tile.Kernels
	t    *winograd.Transforms

	grid  grid
	x, dy canvas
	tiles int

	round        int // tiles of a round
	rounds       int
	inX, inY     winograd.Runs // for each frequency the channels of x and y lie in runs, tile by tile
	stepX, stepY int           // from frequency to frequency

	// Where one round is enough, a worker takes a few panels of output channels
	// through all frequencies to their taps: one part. Otherwise the matrices of
	// all frequencies lie in memory from round to round, and a part is some rows
	// of one of them.
	byPanels   bool
	panels     int
	panelsPer  int
	rowsPer    int
	ldu, stepU int // of the matrices, from input channel and from frequency on

	rows, cRows []int
	outside     []float32 // zeros: the pixels around the image

	// What one Run holds for its parts.
	dw, xs, dys, tx, ty, u []float32
	first, count           int // the tiles of the current round
	workers                []*tiledWorker
	transformPart, sumPart func(worker, part int)
	panelPart, tapsPart    func(worker, part int)
}

const (
	roundLen   = 3 << 19 // float32s of transformed tiles in a round: leaves room in a third-level cache
	onceLen    = 3 << 20 // the same where one round then is enough
	tilesPer   = 4       // that one part transforms
	weightsPer = 1 << 10 // that one part transforms
)

func newTiledWeight(s Shape, level isa.Level, size int) *tiledWeight {
	g := &tiledWeight{s: s, kern: tile.For(level), t: winograd.For(level, size)}
	oh, ow := s.Out()
	g.x = canvas{s.H, s.W, s.C, s.PadTop, s.PadLeft, g.t.Side}
	g.dy = canvas{oh, ow, s.K, 0, 0, size}
	g.grid = newGrid(s.N, oh, ow, size)
	g.tiles = g.grid.tiles()
	g.inX.Len, g.inY.Len = lineLen, max(lineLen, g.kern.Columns())
	runsX, runsY := ceilDiv(s.C, g.inX.Len), ceilDiv(s.K, g.inY.Len)
	perTile := g.frequencies() * (runsX*g.inX.Len + runsY*g.inY.Len)
	g.round = min(g.tiles, max(64, roundLen/perTile/tilesPer*tilesPer))
	if g.tiles*perTile <= onceLen {
		g.round = g.tiles
	}
	g.rounds = ceilDiv(g.tiles, g.round)
	g.round = ceilDiv(g.tiles, g.rounds) // of even length
	g.inX.Stride, g.inY.Stride = g.round*g.inX.Len, g.round*g.inY.Len
	g.stepX, g.stepY = lineUp(runsX*g.inX.Stride), lineUp(runsY*g.inY.Stride)

	g.panels = ceilDiv(s.K, g.kern.Columns())
	g.panelsPer, g.rowsPer, g.ldu = g.panels, s.C, s.K
	if g.byPanels = g.rounds == 1 && g.panels >= minBlocks; g.byPanels {
		g.panelsPer = ceilDiv(g.panels, min(g.panels, 2*minBlocks))
		g.ldu = lineUp(g.panelsPer * g.kern.Columns())
	}
	for g.rowsPer > manyRows {
		g.rowsPer = halfOf(g.rowsPer)
	}
	rows := s.C // of a matrix
	if g.byPanels {
		rows = g.rowsPer
	}
	g.stepU = lineUp(rows*g.ldu) + lineLen
	for c := range s.C {
		g.rows = append(g.rows, c/g.inX.Len*g.inX.Stride+c%g.inX.Len)
		g.cRows = append(g.cRows, c%rows*g.ldu)
	}
	g.outside = make([]float32, max(s.C, s.K))
	g.transformPart, g.sumPart, g.panelPart, g.tapsPart = g.transform, g.sum, g.sumPanels, g.toTaps
	return g
}

func (g *tiledWeight) frequencies() int { return g.t.Frequencies() }

// The parts of the scratch memory of all, and of a worker.

func (g *tiledWeight) tilesLen() int { return g.frequencies() * (g.stepX + g.stepY) }

func (g *tiledWeight) sumsLen() int { return g.frequencies() * g.stepU }

func (g *tiledWeight) scratch(threads int) int {
	sums := g.sumsLen()
	if g.byPanels {
		sums *= threads
	}
	return g.tilesLen() + sums + tile.AlignSlack
}

func (g *tiledWeight) run(pool *par.Pool, dw, x, dy, scratch []float32) {
	for len(g.workers) < pool.Threads() {
		g.workers = append(g.workers, &tiledWorker{})
	}
	scratch = tile.Align(scratch)
	g.dw, g.xs, g.dys = dw, x, dy
	g.tx, g.ty = scratch[:g.frequencies()*g.stepX], scratch[g.frequencies()*g.stepX:g.tilesLen()]
	g.u = scratch[g.tilesLen():]
	for r := range g.rounds {
		g.first = r * g.round
		g.count = min(g.round, g.tiles-g.first)
		pool.Run(ceilDiv(g.count, tilesPer), g.transformPart)
		if g.byPanels {
			pool.Run(ceilDiv(g.panels, g.panelsPer), g.panelPart)
		} else {
			pool.Run(g.frequencies()*ceilDiv(g.s.C, g.rowsPer), g.sumPart)
		}
	}
	if !g.byPanels {
		pool.Run(ceilDiv(g.s.C*g.s.K, weightsPer), g.tapsPart)
	}
	g.dw, g.xs, g.dys, g.tx, g.ty, g.u = nil, nil, nil, nil, nil, nil
	for _, w := range g.workers {
		w.args, w.points = tile.Args{}, winograd.Points{}
	}
}

// transform transforms a few tiles of x and dy.
func (g *tiledWeight) transform(worker, part int) {
	w := g.workers[worker]
	for i := part * tilesPer; i < min((part+1)*tilesPer, g.count); i++ {
		g.x.points(&w.points, g.xs, g.grid, g.first+i, 0, &g.outside[0])
		g.t.Input(g.tx[i*g.inX.Len:], g.stepX, g.inX, &w.points, g.s.C, &w.work)
		g.dy.points(&w.points, g.dys, g.grid, g.first+i, 0, &g.outside[0])
		g.t.Spread(g.ty[i*g.inY.Len:], g.stepY, g.inY, &w.points, g.s.K, &w.work)
	}
}

// multiply adds the round's tiles to some rows and a panel of the matrix of one
// frequency, which begins at u but for the rows.
func (g *tiledWeight) multiply(w *tiledWorker, u []float32, frequency, panel, r0, r1 int) {
	n0 := panel * g.kern.Columns()
	w.taps[0].Len = g.count
	t := &w.args
	t.A, t.B, t.C = g.tx[frequency*g.stepX:], g.ty[frequency*g.stepY+panel*g.inY.Stride:], u
	t.Rows, t.CRows, t.Taps = g.rows[r0:r1], g.cRows[r0:r1], w.taps[:]
	t.KStride, t.LDB, t.N = g.inX.Len, g.inY.Len, min(g.kern.Columns(), g.s.K-n0)
	t.Adjacent = g.inX.Len
	t.FromC = g.first > 0
	g.kern.Broadcast(t, r1-r0)
}

// sum adds a round to some rows of the matrix of one frequency.
func (g *tiledWeight) sum(worker, part int) {
	tasks := ceilDiv(g.s.C, g.rowsPer)
	f, r0 := part/tasks, part%tasks*g.rowsPer
	for panel := range g.panels {
		g.multiply(g.workers[worker], g.u[f*g.stepU+panel*g.kern.Columns():], f, panel, r0, min(r0+g.rowsPer, g.s.C))
	}
}

// toTaps transforms some elements of the matrices.
func (g *tiledWeight) toTaps(worker, part int) {
	weights := g.s.C * g.s.K
	from, to := part*weightsPer, min((part+1)*weightsPer, weights)
	g.t.Unfilter(g.dw[from:], weights, g.u[from:], g.stepU, to-from, &g.workers[worker].work)
}

// sumPanels computes the gradient for some panels of output channels.
func (g *tiledWeight) sumPanels(worker, part int) {
	w := g.workers[worker]
	u := g.u[worker*g.sumsLen() : (worker+1)*g.sumsLen()]
	p0, p1 := part*g.panelsPer, min((part+1)*g.panelsPer, g.panels)
	k0, k1 := p0*g.kern.Columns(), min(p1*g.kern.Columns(), g.s.K)
	for r0 := 0; r0 < g.s.C; r0 += g.rowsPer { // these stay in a second-level cache
		r1 := min(r0+g.rowsPer, g.s.C)
		for f := range g.frequencies() {
			for panel := p0; panel < p1; panel++ {
				g.multiply(w, u[f*g.stepU+(panel-p0)*g.kern.Columns():], f, panel, r0, r1)
			}
		}
		for c := r0; c < r1; c++ {
			g.t.Unfilter(g.dw[c*g.s.K+k0:], g.s.C*g.s.K, u[(c-r0)*g.ldu:], g.stepU, k1-k0, &w.work)
		}
	}
}
