// Package gemm computes matrix products of float32 matrices:
// C = act(op(A)·op(B) + bias), where op transposes or does nothing.
//
// A product is planned once for its shape and run many times. A plan blocks
// the product for registers and caches as K. Goto and R. van de Geijn do
// ("Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008),
// except that A is read where it lies.
package gemm

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/par"
)

// Shape is the shape of a product. op(A) is [M,K], op(B) is [K,N] and C is
// [M,N], all row-major.
type Shape struct {
	M, N, K        int
	TransA, TransB bool // A is stored as [K,M], B as [N,K]
	LDA, LDB, LDC  int  // elements from one stored row to the next; 0 means dense
}

// Activation is a function applied to each output as it is stored.
type Activation uint8

const (
	None Activation = iota
	ReLU            // max(x, 0); a NaN stays one
)

// Epilogue is what happens to a product besides being computed.
type Epilogue struct {
	Bias       []float32 // added to each row; length N, or nil
	Act        Activation
	Accumulate bool // add to what the output holds
}

// Plan is a product ready to run. It is not safe for concurrent use; several
// plans may share scratch memory as long as they run in turn.
type Plan struct {
	s    Shape
	kern *tile.Kernels

	thin    bool // few rows of C: see thin.go
	directB bool // read B where it lies instead of packing it
	packA   bool // copy blocks of a transposed A

	depth      int // steps of K in one pass
	rowsPer    int // rows of C in a task
	panels     int // panels of columns in all
	panelsPer  int // panels in a task
	rowTasks   int
	panelTasks int

	rows, cRows []int // offsets of the rows of a task in A and C

	// What one Run holds for its parts.
	c, a, b, packed, blocks []float32
	ep                      Epilogue
	k0                      int
	workers                 []*worker
	packPart, multiplyPart  func(worker, part int)
}

// worker is what one worker of the pool keeps between its parts.
type worker struct {
	args tile.Args
	tap  [1]tile.Tap
}

const maxElements = 1 << 40 // keeps every product of sizes within an int

// NewPlan plans a product for an instruction-set level. It fails if a size is
// below 1, a leading dimension is too small or a matrix is absurdly large.
func NewPlan(s Shape, level isa.Level) (*Plan, error) {
	if s.M < 1 || s.N < 1 || s.K < 1 {
		return nil, fmt.Errorf("gemm: sizes must be at least 1, got M=%d N=%d K=%d", s.M, s.N, s.K)
	}
	for _, m := range []struct {
		name       string
		rows, cols int
		trans      bool
		ld         *int
	}{
		{"A", s.M, s.K, s.TransA, &s.LDA},
		{"B", s.K, s.N, s.TransB, &s.LDB},
		{"C", s.M, s.N, false, &s.LDC},
	} {
		rows, cols := m.rows, m.cols
		if m.trans {
			rows, cols = cols, rows
		}
		if *m.ld == 0 {
			*m.ld = cols
		}
		if *m.ld < cols {
			return nil, fmt.Errorf("gemm: rows of %s are %d long but only %d apart", m.name, cols, *m.ld)
		}
		if *m.ld > maxElements/rows {
			return nil, fmt.Errorf("gemm: %s with %d rows %d apart is too large", m.name, rows, *m.ld)
		}
	}
	p := &Plan{s: s, kern: tile.For(level)}
	if p.isThin() {
		p.planThin()
		return p, nil
	}
	p.block()
	p.rows = make([]int, p.rowsPer)
	p.cRows = make([]int, p.rowsPer)
	for r := range p.rows {
		switch {
		case p.packA:
			tile := r / p.kern.Rows()
			p.rows[r] = tile*p.kern.Rows()*p.depth + r%p.kern.Rows()
		case s.TransA:
			p.rows[r] = r
		default:
			p.rows[r] = r * s.LDA
		}
		p.cRows[r] = r * s.LDC
	}
	p.packPart = p.pack
	p.multiplyPart = p.multiply
	return p, nil
}

const (
	maxDepth  = 256 // a panel of B this deep stays in the first-level cache
	minTasks  = 16  // enough parts for uneven workers to end together
	taskTiles = 8   // tiles of rows in a task of a large product
)

// block chooses the blocking. It depends on the shape and the level alone.
func (p *Plan) block() {
	s, height := p.s, p.kern.Rows()
	p.depth = min(s.K, maxDepth)
	if passes := ceilDiv(s.K, maxDepth); passes > 1 {
		p.depth = ceilDiv(s.K, passes)
	}
	p.directB = !s.TransB && s.M <= 12*height
	p.packA = s.TransA && s.M > taskTiles*height && s.N > 4*p.kern.Columns() && s.K > 64

	p.panels = ceilDiv(s.N, p.kern.Columns())
	p.panelsPer = p.panels
	p.rowsPer = min(s.M, taskTiles*height)
	p.rowTasks = ceilDiv(s.M, p.rowsPer)
	for !p.packA && p.rowTasks*ceilDiv(p.panels, p.panelsPer) < minTasks && p.panelsPer > 1 {
		p.panelsPer = (p.panelsPer + 1) / 2
	}
	for p.rowTasks*ceilDiv(p.panels, p.panelsPer) < minTasks && p.rowsPer > height {
		p.rowsPer = ceilDiv(p.rowsPer/2, height) * height
		p.rowTasks = ceilDiv(s.M, p.rowsPer)
	}
	p.panelTasks = ceilDiv(p.panels, p.panelsPer)
}

func (p *Plan) packedLen() int {
	if p.thin {
		return p.thinLen()
	}
	if p.directB {
		return 0
	}
	cols := p.kern.Columns()
	return (p.panels-1)*cols*p.depth + p.kern.Panel(p.s.N-(p.panels-1)*cols)*p.depth + tile.AlignSlack
}

// blockLen is the length of one worker's copy of a block of A.
func (p *Plan) blockLen() int {
	if !p.packA {
		return 0
	}
	return ceilDiv(p.rowsPer, p.kern.Rows()) * p.kern.Rows() * p.depth
}

// Scratch returns how many float32s of scratch memory Run needs with a pool of
// the given size.
func (p *Plan) Scratch(threads int) int {
	return p.packedLen() + threads*p.blockLen()
}

// Run computes the product. c, a and b must hold the matrices of the plan's
// shape, scratch at least Scratch(pool.Threads()) elements, and ep.Bias N
// elements if any; c must overlap none of the others. The contents of scratch
// do not matter. Run allocates nothing after its first call with a pool of
// that size, and its result does not depend on the pool.
func (p *Plan) Run(pool *par.Pool, c, a, b, scratch []float32, ep Epilogue) {
	p.check(pool, c, a, b, scratch, ep)
	for len(p.workers) < pool.Threads() {
		p.workers = append(p.workers, &worker{})
	}
	p.c, p.a, p.b, p.ep = c, a, b, ep
	packed := p.packedLen()
	p.packed, p.blocks = tile.Align(scratch[:packed]), scratch[packed:]
	if p.thin {
		p.packThin()
		pool.Run(p.rowTasks, p.multiplyPart)
	}
	for p.k0 = 0; !p.thin && p.k0 < p.s.K; p.k0 += p.depth {
		if !p.directB {
			pool.Run(p.panels, p.packPart)
		}
		pool.Run(p.rowTasks*p.panelTasks, p.multiplyPart)
	}
	p.c, p.a, p.b, p.packed, p.blocks, p.ep = nil, nil, nil, nil, nil, Epilogue{}
	for _, w := range p.workers {
		w.args = tile.Args{}
	}
}

// check panics where the kernels would otherwise run past an end.
func (p *Plan) check(pool *par.Pool, c, a, b, scratch []float32, ep Epilogue) {
	s := p.s
	aRows, aCols, bRows, bCols := s.M, s.K, s.K, s.N
	if s.TransA {
		aRows, aCols = aCols, aRows
	}
	if s.TransB {
		bRows, bCols = bCols, bRows
	}
	switch {
	case len(a) < (aRows-1)*s.LDA+aCols:
		panic(fmt.Sprintf("gemm: A holds %d elements, too few for %+v", len(a), s))
	case len(b) < (bRows-1)*s.LDB+bCols:
		panic(fmt.Sprintf("gemm: B holds %d elements, too few for %+v", len(b), s))
	case len(c) < (s.M-1)*s.LDC+s.N:
		panic(fmt.Sprintf("gemm: C holds %d elements, too few for %+v", len(c), s))
	case ep.Bias != nil && len(ep.Bias) < s.N:
		panic(fmt.Sprintf("gemm: the bias holds %d elements, too few for %+v", len(ep.Bias), s))
	case len(scratch) < p.Scratch(pool.Threads()):
		panic(fmt.Sprintf("gemm: scratch holds %d elements, %+v on %d threads needs %d",
			len(scratch), s, pool.Threads(), p.Scratch(pool.Threads())))
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
