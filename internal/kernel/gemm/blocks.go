package gemm

import "hourglass/internal/kernel/gemm/tile"

// passDepth returns the steps of K in the current pass.
func (p *Plan) passDepth() int { return min(p.depth, p.s.K-p.k0) }

// panel returns the first column of a panel and how many it has.
func (p *Plan) panel(i int) (n0, n int) {
	n0 = i * p.kern.Columns()
	return n0, min(p.kern.Columns(), p.s.N-n0)
}

// pack copies one panel of op(B), as deep as the current pass.
func (p *Plan) pack(_, part int) {
	n0, n := p.panel(part)
	dst, depth, width := p.packed[n0*p.depth:], p.passDepth(), p.kern.Panel(n)
	if p.s.TransB {
		p.kern.PackTransposed(dst, p.b[n0*p.s.LDB+p.k0:], depth, n, p.s.LDB, width)
	} else {
		tile.Pack(dst, p.b[p.k0*p.s.LDB+n0:], depth, n, p.s.LDB, width)
	}
}

// multiply computes one task: some rows of C times some panels of its columns,
// as deep as the current pass.
func (p *Plan) multiply(w, part int) {
	s, depth := p.s, p.passDepth()
	m0 := part / p.panelTasks * p.rowsPer
	m := min(p.rowsPer, s.M-m0)
	first := part % p.panelTasks * p.panelsPer
	last := min(first+p.panelsPer, p.panels)

	p.workers[w].tap[0] = tile.Tap{Len: depth}
	t := &p.workers[w].args
	t.Rows, t.CRows = p.rows[:m], p.cRows[:m]
	t.Taps = p.workers[w].tap[:]
	t.Bias = nil
	t.FromC = p.k0 > 0 || p.ep.Accumulate
	t.ReLU = p.k0+depth == s.K && p.ep.Act == ReLU
	switch {
	case p.packA:
		t.A, t.KStride = p.packBlock(w, m0, m), p.kern.Rows()
	case s.TransA:
		t.A, t.KStride = p.a[p.k0*s.LDA+m0:], s.LDA
	default:
		t.A, t.KStride = p.a[m0*s.LDA+p.k0:], 1
	}
	for i := first; i < last; i++ {
		n0, n := p.panel(i)
		t.N = n
		t.C = p.c[m0*s.LDC+n0:]
		if p.directB {
			t.B, t.LDB = p.b[p.k0*s.LDB+n0:], s.LDB
		} else {
			t.B, t.LDB = p.packed[n0*p.depth:], p.kern.Panel(n)
		}
		if p.ep.Bias != nil && p.k0 == 0 {
			t.Bias = p.ep.Bias[n0 : n0+n]
		}
		p.kern.Broadcast(t, m)
	}
}

// packBlock copies m columns of a transposed A from m0 on to the worker's
// block, where the rows of one tile lie side by side for each step. Columns
// that lie a page apart would share a few sets of the caches.
func (p *Plan) packBlock(w, m0, m int) []float32 {
	height, depth := p.kern.Rows(), p.passDepth()
	dst := p.blocks[w*p.blockLen() : (w+1)*p.blockLen()]
	src := p.a[p.k0*p.s.LDA+m0:]
	for k := range depth {
		tile.Deal(dst[k*height:], src[k*p.s.LDA:][:m], height, height*p.depth)
	}
	return dst
}
