package gemm

// A product of many steps and one panel of columns of a transposed B has few
// tasks, and a B that one worker packs costs the others more to fetch from its
// cache than to multiply by. So the steps are dealt to partial sums, whose number
// follows from the shape alone: a task packs what it needs of B and keeps it, and
// the sums are added in order.

const (
	partialSums  = 8
	leastSteps   = 128 // of a partial sum
	splitDepth   = 256 // the most steps in a pass; which of them a sum adds up follows from it
	splitRows    = 384
	splitColumns = 16 // at every level, so that the same sums are added up
)

func (p *Plan) isSplit() bool {
	return p.s.TransB && p.s.N <= splitColumns && p.s.M <= splitRows && p.s.K >= partialSums*leastSteps
}

func (p *Plan) planSplit() {
	passes := partialSums * ceilDiv(p.s.K, partialSums*splitDepth)
	p.depth = ceilDiv(p.s.K, passes)
	p.ownB = true
	p.tilesPer, p.panelsPer = p.tiles, 1
	p.stage = p.s.K
}

// sumsLen is the memory of all partial sums: rows of N elements.
func (p *Plan) sumsLen() int {
	if !p.split {
		return 0
	}
	return partialSums * p.s.M * p.s.N
}

// multiplySteps computes one partial sum.
func (p *Plan) multiplySteps(w, part int) {
	sums := p.sums[part*p.s.M*p.s.N:][:p.s.M*p.s.N]
	passes := ceilDiv(p.s.K, p.depth)
	t := &p.workers[w].args
	t.Rows, t.CRows = p.rows, p.cRows
	from, to := passes*part/partialSums, passes*(part+1)/partialSums
	for i := from; i < to; i++ {
		p.pass(w, sums, 0, i*p.depth, 0, 1, i == from, &Epilogue{})
	}
}

// addSums adds up the partial sums of some rows.
func (p *Plan) addSums(_, part int) {
	s := p.s
	for m := part * s.M / minTasks; m < (part+1)*s.M/minTasks; m++ {
		c := p.c[m*s.LDC:][:s.N]
		if !p.ep.Accumulate {
			clear(c)
		}
		for i := range partialSums {
			for n, v := range p.sums[(i*s.M+m)*s.N:][:s.N] {
				c[n] += v
			}
		}
		p.finish(m, m+1, 0, s.N)
	}
}
