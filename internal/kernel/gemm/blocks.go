package gemm

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm/tile"
)

const (
	nearDepth  = 256      // a panel of B this deep leaves half of the first-level cache free
	farDepth   = 1024     // and one this deep an eighth of the second-level cache's
	maxTiles   = 32       // tiles of rows whose A stays in the second-level cache while panels pass
	maxSmall   = 80 << 10 // elements between the ends of an A that does so whole
	taskPanels = 8        // panels in a task of a large product
	minTasks   = 16       // enough parts for uneven workers to end together
	maxPacked  = 1 << 22  // float32s packed at once
	maxDirect  = 1 << 18  // elements of a B that may be read where it lies, being near
)

var streams = isa.Streams() // tests compare both

// maxDepth is the most steps in a pass of a product for which one step takes so many
// packed elements. Where B streams from the second-level cache as fast as it is
// multiplied, deep passes save reading and writing C between them; at 1024³ that is a
// twelfth of the time on two cores of an EPYC of Zen 4, a fortieth on Zen 5, a
// thirtieth on a Xeon of Emerald Rapids.
func maxDepth(packed int) int {
	if !streams {
		return nearDepth
	}
	return min(max(nearDepth, maxPacked/packed), farDepth)
}

// block chooses the blocking. Sums do not depend on it, as each pass adds to what
// the one before has stored.
//
// K is cut into passes, and passes that are packed together form a stage. A
// task of a stage computes some rows of some panels of C in all its passes, so
// that this part of C stays in the worker's cache. Tasks that follow each other
// share rows, so that this part of A does so too.
func (p *Plan) block() {
	s, height := p.s, p.kern.Rows()
	p.tiles = ceilDiv(s.M, height)
	p.panels = ceilDiv(s.N, p.kern.Columns())
	passes := ceilDiv(s.K, maxDepth(p.tiles*height+p.width()))
	p.depth = ceilDiv(s.K, passes)

	if p.split = p.isSplit(); p.split {
		p.planSplit()
		return
	}
	// Rows of a panel lie in other pages, which the processor does not fetch of its
	// own accord: that costs little where B is in the second-level cache.
	p.directB = !s.TransB && (s.M <= 4*height && s.K*s.N <= maxDirect || p.panels == 1)
	// Workers that pass all of a small A by their own panels need not wait for
	// each other's packing, and have no use for a copy of A.
	extent := s.M * s.LDA
	if s.TransA {
		extent = s.K * s.LDA
	}
	small := !p.directB && p.panels >= minTasks/2 && extent <= maxSmall
	most := maxTiles
	if small {
		most = p.tiles
	}
	p.ownB = !p.directB && p.tiles <= most && (p.panels >= minTasks/2 || p.panels == 1 && passes == 1)
	// Rows far apart share a few sets of the caches, and would be read again
	// for each panel.
	p.packA = !small && p.panels > 4 && s.K > 64

	p.tilesPer = ceilDiv(p.tiles, ceilDiv(p.tiles, most))
	p.panelsPer = ceilDiv(p.panels, ceilDiv(p.panels, taskPanels))
	for p.rowTasks()*p.panelTasks() < minTasks && p.panelsPer > 1 {
		p.panelsPer = (p.panelsPer + 1) / 2
	}
	for (!p.ownB || p.panels == 1) && p.rowTasks()*p.panelTasks() < minTasks && p.tilesPer > 1 {
		p.tilesPer = (p.tilesPer + 1) / 2
	}
	p.stage = p.depth * min(passes, max(1, maxPacked/(p.stepA()+p.stepB()+1)/p.depth))
}

func (p *Plan) rowTasks() int   { return ceilDiv(p.tiles, p.tilesPer) }
func (p *Plan) panelTasks() int { return ceilDiv(p.panels, p.panelsPer) }

// stepA and stepB are how many elements of the packed A and B one step takes
// that all workers share.
func (p *Plan) stepA() int {
	if !p.packA {
		return 0
	}
	return p.tiles * p.kern.Rows()
}

func (p *Plan) stepB() int {
	if p.directB || p.ownB {
		return 0
	}
	return p.width()
}

// width is how many elements of a packed B one step takes.
func (p *Plan) width() int {
	full := (p.panels - 1) * p.kern.Columns()
	return full + p.kern.Panel(p.s.N-full)
}

// ownLen is the length of the panel of B that each worker packs for itself.
func (p *Plan) ownLen() int {
	if !p.ownB {
		return 0
	}
	return p.depth*p.kern.Columns() + tile.AlignSlack
}

// panel returns the first column of a panel and how many it has.
func (p *Plan) panel(i int) (n0, n int) {
	n0 = i * p.kern.Columns()
	return n0, min(p.kern.Columns(), p.s.N-n0)
}

// packParts returns how many parts of A and B a stage has to pack.
func (p *Plan) packParts() (a, b int) {
	passes := ceilDiv(min(p.stage, p.s.K-p.k0), p.depth)
	if p.packA {
		a = passes * ceilDiv(p.tiles, packTiles)
	}
	if !p.directB && !p.ownB && p.given == nil {
		b = passes * p.panels
	}
	return a, b
}

const packTiles = 4 // tiles of A in a part of packing

// pack copies a few tiles of A or a panel of B in one pass.
func (p *Plan) pack(_, part int) {
	if a, _ := p.packParts(); part >= a {
		p.packPass(p.packedB, p.k0, part-a)
		return
	}
	groups, height := ceilDiv(p.tiles, packTiles), p.kern.Rows()
	pass, first := part/groups, part%groups*packTiles
	k0 := p.k0 + pass*p.depth
	depth := min(p.depth, p.s.K-k0)
	for i := first; i < min(first+packTiles, p.tiles); i++ {
		m0 := i * height
		m := min(height, p.s.M-m0)
		dst := p.packedA[(pass*p.tiles+i)*height*p.depth:][:height*depth]
		if p.s.TransA {
			p.kern.PackTileTransposed(dst, p.a[k0*p.s.LDA+m0:], depth, m, p.s.LDA)
		} else {
			p.kern.PackTile(dst, p.a[m0*p.s.LDA+k0:], depth, m, p.s.LDA)
		}
	}
}

// packPass copies one panel of B in one of the passes from step from on.
func (p *Plan) packPass(dst []float32, from, part int) {
	k0 := part / p.panels * p.depth
	n0, n := p.panel(part % p.panels)
	p.packPanel(dst[k0*p.width()+n0*p.depth:], from+k0, min(p.depth, p.s.K-from-k0), n0, n)
}

// packPanel copies n columns of op(B) from n0 on and depth of its rows from k0
// on.
func (p *Plan) packPanel(dst []float32, k0, depth, n0, n int) {
	width := p.kern.Panel(n)
	if p.s.TransB {
		p.kern.PackTransposed(dst, p.b[n0*p.s.LDB+k0:], depth, n, p.s.LDB, width)
	} else {
		p.kern.Pack(dst, p.b[k0*p.s.LDB+n0:], depth, n, p.s.LDB, width)
	}
}

// multiply computes one task of a stage.
func (p *Plan) multiply(w, part int) {
	m0 := part / p.panelTasks() * p.tilesPer * p.kern.Rows()
	m := min(p.tilesPer*p.kern.Rows(), p.s.M-m0)
	first := part % p.panelTasks() * p.panelsPer
	t := &p.workers[w].args
	t.Rows, t.CRows = p.rows[:m], p.cRows[:m]
	for k0 := p.k0; k0 < min(p.k0+p.stage, p.s.K); k0 += p.depth {
		p.pass(w, p.c[m0*p.s.LDC:], m0, k0, first, min(first+p.panelsPer, p.panels), k0 == 0, &p.ep)
	}
}

// pass computes what the steps of one pass from k0 on add to some panels of the
// rows of a worker's arguments, the first of which is m0 and lies at the beginning
// of c.
func (p *Plan) pass(w int, c []float32, m0, k0, first, last int, begin bool, ep *Epilogue) {
	s, height := p.s, p.kern.Rows()
	depth := min(p.depth, s.K-k0)
	t := &p.workers[w].args
	t.Taps = p.workers[w].tap[:]
	t.Taps[0] = tile.Tap{Len: depth}
	t.FromC = !begin || ep.Accumulate
	t.ReLU, t.Most = ep.Act.Rectifies()
	t.ReLU = t.ReLU && k0+depth == s.K
	t.Adjacent = 0
	switch {
	case p.packA:
		t.Adjacent = height
		t.A, t.KStride = p.packedA[(k0-p.k0)*p.stepA()+m0*p.depth:], height
	case s.TransA:
		t.Adjacent = len(t.Rows)
		t.A, t.KStride = p.a[k0*s.LDA+m0:], s.LDA
	default:
		t.A, t.KStride = p.a[m0*s.LDA+k0:], 1
	}
	for i := first; i < last; i++ {
		n0, n := p.panel(i)
		t.N = n
		t.C = c[n0:]
		switch {
		case p.given != nil:
			t.B, t.LDB = p.given[k0*p.width()+n0*p.depth:], p.kern.Panel(n)
		case p.directB:
			t.B, t.LDB = p.b[k0*s.LDB+n0:], s.LDB
		case p.ownB:
			own := tile.Align(p.own[w*p.ownLen() : (w+1)*p.ownLen()])
			if held := (held{k0, i, true}); p.workers[w].held != held {
				p.packPanel(own, k0, depth, n0, n)
				p.workers[w].held = held
			}
			t.B, t.LDB = own, p.kern.Panel(n)
		default:
			t.B, t.LDB = p.packedB[(k0-p.k0)*p.stepB()+n0*p.depth:], p.kern.Panel(n)
		}
		t.Bias = nil
		if ep.Bias != nil && begin {
			t.Bias = ep.Bias[n0 : n0+n]
		}
		p.kern.Broadcast(t, len(t.Rows))
	}
}
