package gemm

import "hourglass/internal/kernel/gemm/tile"

// Thin products are not computed in tiles of C:
//
//   - Where B is transposed, the rows of both factors lie along the reduction, and
//     elements of C are inner products of them. That suits few rows in C, which
//     would leave most accumulators of a tile unused and use every element of B so
//     few times that packing it would cost more than it saves. It suits few columns
//     with a long reduction, too.
//   - A single row of C is the sum of the rows of B, scaled by the elements of A:
//     runs of its columns are the rows of a tile.

// dots says how a product is made of inner products, each of a row of lying, read
// as it is, with a row of turned, which is packed.
type dots struct {
	ofB         bool // lying is B and turned A, and not the other way round
	lying, ld   int  // how many rows, and from one to the next
	turned      int
	step, next  int // from element to element of a row of turned, and from row to row
	row, column int // from row to row of lying in C, and of turned
}

func (p *Plan) isThin() bool { return p.s.M == 1 && !p.s.TransB || p.hasFewRows() || p.hasFewColumns() }

func (p *Plan) hasFewRows() bool {
	return p.s.TransB && p.s.M <= tile.MaxDotColumns && p.s.K >= 2*p.kern.Lanes()
}

// hasFewColumns holds for the vectors of AVX-512 only: tiles of inner products are
// so small at other levels that they load nearly as much as they multiply.
func (p *Plan) hasFewColumns() bool {
	const mostColumns, leastLanes, leastVectors = 4 * tile.MaxDotColumns, 16, 16
	lanes := p.kern.Lanes()
	return p.s.TransB && !p.s.TransA && p.s.N <= mostColumns && lanes >= leastLanes && p.s.K >= leastVectors*lanes
}

// thinDepth is how many steps of K are whole vectors of inner products.
func (p *Plan) thinDepth() int { return p.s.K - p.s.K%p.kern.Lanes() }

func (p *Plan) thinLen() int {
	if p.dots == nil {
		return 0
	}
	return p.dots.turned*p.thinDepth() + tile.AlignSlack
}

// planThin cuts the rows of lying, or the columns of the only row, into tasks of
// thinPer of them.
func (p *Plan) planThin() {
	s := p.s
	p.thin = true
	if !s.TransB {
		p.cutThin(s.N, p.kern.Columns())
		for i := 0; i < p.thinPer; i += p.kern.Columns() {
			p.rows = append(p.rows, i)
			p.cRows = append(p.cRows, i)
		}
		p.multiplyPart = p.multiplyRow
		return
	}
	d := &dots{lying: s.M, ld: s.LDA, turned: s.N, step: 1, next: s.LDB, row: s.LDC, column: 1}
	if p.hasFewRows() {
		d = &dots{ofB: true, lying: s.N, ld: s.LDB, turned: s.M, step: 1, next: s.LDA, row: 1, column: s.LDC}
		if s.TransA {
			d.step, d.next = d.next, d.step
		}
	}
	p.dots = d
	p.cutThin(d.lying, p.kern.Rows())
	for i := range p.thinPer {
		p.rows = append(p.rows, i*d.ld)
		p.cRows = append(p.cRows, i*d.row)
	}
	p.multiplyPart = p.multiplyDots
}

// cutThin cuts n into tasks of whole units.
func (p *Plan) cutThin(n, unit int) {
	p.thinPer = ceilDiv(ceilDiv(n, unit), minTasks) * unit
	p.thinTasks = ceilDiv(n, p.thinPer)
}

// factors returns the elements of lying and turned.
func (p *Plan) factors() (lying, turned []float32) {
	if p.dots.ofB {
		return p.b, p.a
	}
	return p.a, p.b
}

// packThin arranges turned for the inner products, a few rows at a time.
func (p *Plan) packThin() {
	d := p.dots
	if d == nil {
		return
	}
	_, turned := p.factors()
	for j := 0; j < d.turned; j += tile.MaxDotColumns {
		p.kern.PackDot(p.packedB[j*p.thinDepth():], turned[j*d.next:], p.thinDepth(), min(tile.MaxDotColumns, d.turned-j), d.step, d.next)
	}
}

// multiplyDots computes the inner products of some rows of lying.
func (p *Plan) multiplyDots(w, part int) {
	d, depth := p.dots, p.thinDepth()
	first := part * p.thinPer
	n := min(p.thinPer, d.lying-first)
	lying, turned := p.factors()
	lying = lying[first*d.ld:]
	c := p.c[first*d.row:]

	p.workers[w].tap[0] = tile.Tap{Len: depth}
	t := &p.workers[w].args
	t.A, t.Rows, t.CRows, t.Taps = lying, p.rows[:n], p.cRows[:n], p.workers[w].tap[:]
	t.CStride = d.column
	t.FromC = p.ep.Accumulate
	for j := 0; j < d.turned; j += tile.MaxDotColumns {
		t.N = min(tile.MaxDotColumns, d.turned-j)
		t.B, t.C = p.packedB[j*depth:], c[j*d.column:]
		p.kern.Dot(t, n)
	}
	if depth < p.s.K {
		for j := range d.turned {
			for i := range n {
				var sum float32
				for k := depth; k < p.s.K; k++ {
					sum += turned[j*d.next+k*d.step] * lying[i*d.ld+k]
				}
				c[i*d.row+j*d.column] += sum
			}
		}
	}
	if d.ofB {
		p.finish(0, p.s.M, first, n)
	} else {
		p.finish(first, n, 0, p.s.N)
	}
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
	p.finish(0, 1, n0, n)
}

// finish adds the bias to m rows and n columns of C, from m0 and n0 on, and applies
// the activation.
func (p *Plan) finish(m0, m, n0, n int) {
	for row := m0; row < m0+m; row++ {
		c := p.c[row*p.s.LDC+n0:][:n]
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
