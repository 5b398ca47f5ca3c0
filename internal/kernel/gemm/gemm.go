// Package gemm computes matrix products of float32 matrices:
// C = act(op(A)·op(B) + bias), where op transposes or does nothing.
//
// A product is planned once for its shape and run many times. A plan blocks
// the product for registers and caches as K. Goto and R. van de Geijn do
// ("Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008).
package gemm

import (
	"fmt"
	"math"

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
	None  Activation = iota
	ReLU             // max(x, 0); a NaN stays one
	ReLU6            // min(max(x, 0), 6); a NaN stays one
)

// Rectifies reports whether values below zero become zero, and how large the
// others may stay.
func (a Activation) Rectifies() (on bool, most float32) {
	if a == ReLU6 {
		return true, 6
	}
	return a == ReLU, float32(math.Inf(1))
}

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
	split   bool // the steps are dealt to partial sums: see split.go
	directB bool // read B where it lies instead of packing it
	ownB    bool // each worker packs the panels of B that it needs for itself
	packA   bool // copy A too

	depth     int // steps of K in one pass
	stage     int // steps of K that are packed together: some passes
	tiles     int // tiles of rows in all
	tilesPer  int // tiles in a task
	panels    int // panels of columns in all
	panelsPer int // panels in a task

	thinPer     int   // columns of C in a task of a thin product
	rows, cRows []int // offsets of the rows of a task in A and C

	// What one Run holds for its parts.
	c, a, b                []float32
	given                  []float32 // all of B as Pack has laid it out, or nil
	packedA, packedB, own  []float32
	sums                   []float32 // if split
	ep                     Epilogue
	k0                     int // where the stage begins
	workers                []*worker
	packPart, multiplyPart func(worker, part int)
	addPart                func(worker, part int)
}

// worker is what one worker of the pool keeps between its parts.
type worker struct {
	args tile.Args
	tap  [1]tile.Tap
	held held
}

// held says which panel of B a worker has packed for itself, in the pass from k0 on.
type held struct {
	k0, panel int
	ok        bool
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
	ldc := s.LDC
	p.packPart, p.multiplyPart = p.pack, p.multiply
	if p.split {
		ldc = s.N
		p.multiplyPart, p.addPart = p.multiplySteps, p.addSums
	}
	height := p.kern.Rows()
	p.rows = make([]int, min(s.M, p.tilesPer*height))
	p.cRows = make([]int, len(p.rows))
	for r := range p.rows {
		switch {
		case p.packA:
			p.rows[r] = r/height*height*p.depth + r%height
		case s.TransA:
			p.rows[r] = r
		default:
			p.rows[r] = r * s.LDA
		}
		p.cRows[r] = r * ldc
	}
	return p, nil
}

// packedLens returns how much of the scratch memory the packed A and B take,
// with what Align may drop.
func (p *Plan) packedLens() (a, b int) {
	if p.thin {
		return 0, p.thinLen()
	}
	// The last pass may be shorter than the others but is laid out like them.
	steps := ceilDiv(p.stage, p.depth) * p.depth
	if a = steps * p.stepA(); a > 0 {
		a += tile.AlignSlack
	}
	if b = steps * p.stepB(); b > 0 {
		b += tile.AlignSlack
	}
	return a, b
}

// Scratch returns how many float32s of scratch memory Run needs with a pool of
// the given size.
func (p *Plan) Scratch(threads int) int {
	a, b := p.packedLens()
	return a + b + p.sumsLen() + threads*p.ownLen()
}

// Run computes the product. c, a and b must hold the matrices of the plan's
// shape, scratch at least Scratch(pool.Threads()) elements, and ep.Bias N
// elements if any; c must overlap none of the others. The contents of scratch
// do not matter. Run allocates nothing after its first call with a pool of
// that size, and its result does not depend on the pool.
func (p *Plan) Run(pool *par.Pool, c, a, b, scratch []float32, ep Epilogue) {
	p.checkB(b)
	p.run(pool, c, a, b, nil, scratch, ep)
}

// PackedLen returns how many float32s a packed B takes, 0 if it is best read
// where it lies.
func (p *Plan) PackedLen() int {
	switch {
	case p.thin && p.s.TransB:
		return 0
	case p.thin:
		return p.s.K * p.s.N
	}
	return ceilDiv(p.s.K, p.depth) * p.depth * p.width()
}

// Pack rearranges B into packed, of length PackedLen, for RunPacked of a plan of
// the same shape and level.
func (p *Plan) Pack(pool *par.Pool, packed, b []float32) {
	p.checkB(b)
	if len(packed) < p.PackedLen() {
		panic(fmt.Sprintf("gemm: %d elements do not hold the packed B of %+v", len(packed), p.s))
	}
	if p.thin {
		p.packRow(packed, b)
		return
	}
	p.b = b
	pool.Run(ceilDiv(p.s.K, p.depth)*p.panels, func(_, part int) { p.packPass(packed, 0, part) })
	p.b = nil
}

// RunPacked is Run with a B that Pack has rearranged.
func (p *Plan) RunPacked(pool *par.Pool, c, a, packed, scratch []float32, ep Epilogue) {
	if n := p.PackedLen(); n == 0 || len(packed) < n {
		panic(fmt.Sprintf("gemm: the packed B holds %d elements, and it has %d: %+v", len(packed), n, p.s))
	}
	p.run(pool, c, a, nil, packed, scratch, ep)
}

func (p *Plan) run(pool *par.Pool, c, a, b, given, scratch []float32, ep Epilogue) {
	p.check(pool, c, a, scratch, ep)
	for len(p.workers) < pool.Threads() {
		p.workers = append(p.workers, &worker{})
	}
	p.c, p.a, p.b, p.given, p.ep = c, a, b, given, ep
	lenA, lenB := p.packedLens()
	p.packedA, p.packedB = tile.Align(scratch[:lenA]), tile.Align(scratch[lenA:lenA+lenB])
	scratch = scratch[lenA+lenB:]
	p.sums, p.own = scratch[:p.sumsLen()], scratch[p.sumsLen():]
	switch {
	case p.thin:
		p.packThin()
		pool.Run(ceilDiv(p.s.N, p.thinPer), p.multiplyPart)
	case p.split:
		pool.Run(partialSums, p.multiplyPart)
		pool.Run(minTasks, p.addPart)
	default:
		for p.k0 = 0; p.k0 < p.s.K; p.k0 += p.stage {
			partsA, partsB := p.packParts()
			pool.Run(partsA+partsB, p.packPart)
			pool.Run(p.rowTasks()*p.panelTasks(), p.multiplyPart)
		}
	}
	p.c, p.a, p.b, p.given, p.packedA, p.packedB, p.sums, p.own, p.ep = nil, nil, nil, nil, nil, nil, nil, nil, Epilogue{}
	for _, w := range p.workers {
		w.args, w.held = tile.Args{}, held{}
	}
}

// checkB and check panic where the kernels would otherwise run past an end.
func (p *Plan) checkB(b []float32) {
	rows, cols := p.s.K, p.s.N
	if p.s.TransB {
		rows, cols = cols, rows
	}
	if len(b) < (rows-1)*p.s.LDB+cols {
		panic(fmt.Sprintf("gemm: B holds %d elements, too few for %+v", len(b), p.s))
	}
}

func (p *Plan) check(pool *par.Pool, c, a, scratch []float32, ep Epilogue) {
	s := p.s
	rows, cols := s.M, s.K
	if s.TransA {
		rows, cols = cols, rows
	}
	switch {
	case len(a) < (rows-1)*s.LDA+cols:
		panic(fmt.Sprintf("gemm: A holds %d elements, too few for %+v", len(a), s))
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
