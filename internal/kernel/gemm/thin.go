package gemm

import "hourglass/internal/kernel/gemm/tile"

// Thin products have so few rows in C that tiles of C would leave most
// accumulators unused, and every element of B is used so few times that
// packing it would cost more than it saves. Here the roles change: the rows of
// a tile run along N.
//
// Where B is transposed, its rows are the rows of a tile of inner products
// with the rows of A. Where it is not, a tile's rows are runs of columns of B,
// which are scaled by the elements of the only row of A and added up.

func (p *Plan) isThin() bool {
	if p.s.TransB {
		return p.s.M <= tile.MaxDotColumns && p.s.K >= 2*p.kern.Lanes()
	}
	return p.s.M == 1
}

// thinDepth is how many steps of K are whole vectors of inner products.
func (p *Plan) thinDepth() int { return p.s.K - p.s.K%p.kern.Lanes() }

func (p *Plan) thinLen() int {
	if p.s.TransB {
		return p.s.M*p.thinDepth() + tile.AlignSlack
	}
	return 0
}

// planThin cuts N into tasks of thinPer columns.
func (p *Plan) planThin() {
	s := p.s
	p.thin = true
	unit := p.kern.Rows() // rows of inner products
	if !s.TransB {
		unit = p.kern.Columns()
	}
	p.thinPer = ceilDiv(ceilDiv(s.N, unit), minTasks) * unit
	if s.TransB {
		for i := range p.thinPer {
			p.rows = append(p.rows, i*s.LDB)
			p.cRows = append(p.cRows, i)
		}
		p.multiplyPart = p.multiplyDots
		return
	}
	for i := 0; i < p.thinPer; i += unit {
		p.rows = append(p.rows, i)
		p.cRows = append(p.cRows, i)
	}
	p.multiplyPart = p.multiplyRow
}

// packThin arranges A for the inner products.
func (p *Plan) packThin() {
	if !p.s.TransB {
		return
	}
	step, row := 1, p.s.LDA
	if p.s.TransA {
		step, row = row, step
	}
	p.kern.PackDot(p.packedB, p.a, p.thinDepth(), p.s.M, step, row)
}

// multiplyDots computes some columns of C as inner products of rows of A and B.
func (p *Plan) multiplyDots(w, part int) {
	s, depth := p.s, p.thinDepth()
	n0 := part * p.thinPer
	n := min(p.thinPer, s.N-n0)
	b, c := p.b[n0*s.LDB:], p.c[n0:]

	p.workers[w].tap[0] = tile.Tap{Len: depth}
	t := &p.workers[w].args
	t.A, t.B, t.C = b, p.packedB, c
	t.Rows, t.CRows, t.Taps = p.rows[:n], p.cRows[:n], p.workers[w].tap[:]
	t.N, t.CStride = s.M, s.LDC
	t.FromC = p.ep.Accumulate
	p.kern.Dot(t, n)

	if depth < s.K {
		for m := range s.M {
			for i := range n {
				var sum float32
				for k := depth; k < s.K; k++ {
					sum += p.elementA(m, k) * b[i*s.LDB+k]
				}
				c[m*s.LDC+i] += sum
			}
		}
	}
	p.finish(0, p.s.M, n0, n)
}

// packRow puts the columns of B that a task multiplies the only row of A by next
// to each other.
func (p *Plan) packRow(packed, b []float32) {
	for n0 := 0; n0 < p.s.N; n0 += p.thinPer {
		n := min(p.thinPer, p.s.N-n0)
		for k := range p.s.K {
			copy(packed[n0*p.s.K+k*n:][:n], b[k*p.s.LDB+n0:])
		}
	}
}

// multiplyRow computes some columns of the only row of C.
func (p *Plan) multiplyRow(w, part int) {
	s, columns := p.s, p.kern.Columns()
	n0 := part * p.thinPer
	n := min(p.thinPer, s.N-n0)

	p.workers[w].tap[0] = tile.Tap{Len: s.K}
	t := &p.workers[w].args
	t.B, t.C = p.a, p.c[n0:]
	t.Rows, t.CRows, t.Taps = p.rows, p.cRows, p.workers[w].tap[:]
	if p.given != nil {
		t.A, t.KStride = p.given[n0*s.K:], n
	} else {
		t.A, t.KStride = p.b[n0:], s.LDB
	}
	t.LDB = 1
	if s.TransA {
		t.LDB = s.LDA
	}
	t.FromC = p.ep.Accumulate
	whole := n / columns
	if whole > 0 {
		t.N = columns
		p.kern.Scaled(t, whole)
	}
	if n > whole*columns {
		t.N = n - whole*columns
		t.Rows, t.CRows = p.rows[whole:], p.cRows[whole:]
		p.kern.Scaled(t, 1)
	}
	p.finish(0, p.s.M, n0, n)
}

func (p *Plan) elementA(m, k int) float32 {
	if p.s.TransA {
		return p.a[k*p.s.LDA+m]
	}
	return p.a[m*p.s.LDA+k]
}

// finish adds the bias to columns n0 to n0+n of rows m0 to m1 of C and applies
// the activation.
func (p *Plan) finish(m0, m1, n0, n int) {
	for m := m0; m < m1; m++ {
		c := p.c[m*p.s.LDC+n0:][:n]
		if p.ep.Bias != nil {
			for i, v := range p.ep.Bias[n0 : n0+n] {
				c[i] += v
			}
		}
		if on, most := p.ep.Act.Rectifies(); on {
			for i, v := range c {
				if v < 0 {
					c[i] = 0
				} else if v > most {
					c[i] = most
				}
			}
		}
	}
}
