package pool

import "hourglass/internal/kernel/vec"

// The commonest pooling, which quarters an image: windows of two by two side
// by side. Each pair of rows is one call of a kernel. Where the height or the
// width is odd, the last row or column lies in no window.

// quarters says whether s is that pooling.
func (s Shape) quarters() bool {
	return s.KernelH == 2 && s.KernelW == 2 && s.StrideH == 2 && s.StrideW == 2 &&
		s.PadTop == 0 && s.PadBottom == 0 && s.PadLeft == 0 && s.PadRight == 0
}

// pairs calls f for every pair of rows of the images whose first row lies in
// [r0, r1): with the places of both rows, cut to an even width, and that of the
// row they become.
func (s Shape) pairs(n0, n1, r0, r1 int, f func(top, bottom, out, width int)) {
	row, outRow := s.W*s.C, s.OutW()*s.C
	for n := n0; n < n1; n++ {
		for r := r0; r+1 < r1; r += 2 {
			top := (n*s.H + r) * row
			f(top, top+row, (n*s.OutH()+r/2)*outRow, outRow)
		}
	}
}

func (m *Max) forwardQuarter(_, part int) {
	c := m.shape.C
	n0, n1, o0, o1 := m.out.bounds(part)
	m.shape.pairs(n0, n1, 2*o0, 2*o1, func(top, bottom, out, width int) {
		m.set.Max2x2(m.y[out:out+width], m.x[top:top+2*width], m.x[bottom:bottom+2*width], c)
	})
}

func (m *Max) backwardQuarter(_, part int) {
	c := m.shape.C
	n0, n1, r0, r1 := m.in.bounds(part)
	m.shape.pairs(n0, n1, r0, r1, func(top, bottom, out, width int) {
		m.set.MaxGrad2x2(m.dx[top:top+2*width], m.dx[bottom:bottom+2*width],
			m.x[top:top+2*width], m.x[bottom:bottom+2*width], m.dy[out:out+width], c)
	})
	m.shape.clearOdd(m.set, m.dx, n0, n1, r0, r1)
}

func (a *Avg) forwardQuarter(_, part int) {
	c := a.shape.C
	n0, n1, o0, o1 := a.out.bounds(part)
	a.shape.pairs(n0, n1, 2*o0, 2*o1, func(top, bottom, out, width int) {
		a.set.Sum2x2(a.y[out:out+width], a.x[top:top+2*width], a.x[bottom:bottom+2*width], c, 0.25)
	})
}

func (a *Avg) backwardQuarter(_, part int) {
	c := a.shape.C
	n0, n1, r0, r1 := a.in.bounds(part)
	a.shape.pairs(n0, n1, r0, r1, func(top, bottom, out, width int) {
		a.set.Spread2x2(a.dx[top:top+2*width], a.dx[bottom:bottom+2*width], a.dy[out:out+width], c, 0.25)
	})
	a.shape.clearOdd(a.set, a.dx, n0, n1, r0, r1)
}

// clearOdd zeroes what lies in no window of the rows [r0, r1).
func (s Shape) clearOdd(set *vec.Set, dx []float32, n0, n1, r0, r1 int) {
	row, used := s.W*s.C, 2*s.OutW()*s.C
	for n := n0; n < n1; n++ {
		image := dx[n*s.H*row : (n+1)*s.H*row]
		if used < row {
			for r := r0; r < r1; r++ {
				set.Fill(image[r*row+used:(r+1)*row], 0)
			}
		}
		if s.H%2 == 1 && r1 == s.H {
			set.Fill(image[(s.H-1)*row:], 0)
		}
	}
}
