package pool

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Max is the plan of maximum pooling. Padding never wins. A window with a NaN
// gives NaN. It must not be used by two goroutines at once.
type Max struct {
	shape     Shape
	v, h      side
	set       *vec.Set
	out, in   split // rows of the output, for Forward; of the input, for Backward
	y, x      []float32
	dx, dy    []float32
	work      []float32
	perWorker int
	forward   func(worker, part int)
	backward  func(worker, part int)
}

// NewMax returns the plan, or Check's error.
func NewMax(s Shape, level isa.Level) (*Max, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	m := &Max{shape: s, v: s.vertical(), h: s.horizontal(), set: vec.At(level)}
	m.out = newSplit(s.N, m.v.out, s.W*s.C*min(s.KernelH, s.H), 1)
	m.in = newSplit(s.N, s.H, s.W*s.C, s.StrideH)
	m.perWorker = max(s.W, 2) * s.C
	m.forward, m.backward = m.forwardPart, m.backwardPart
	if s.quarters() {
		m.forward, m.backward = m.forwardQuarter, m.backwardQuarter
	}
	return m, nil
}

// Scratch returns the number of float32s that Forward and Backward need with a
// pool of the given number of threads.
func (m *Max) Scratch(threads int) int { return threads * m.perWorker }

// Forward writes the windows' maxima to y [N, OutH, OutW, C]. It allocates
// nothing.
func (m *Max) Forward(pool *par.Pool, y, x, scratch []float32) {
	s := m.shape
	m.y, m.x = y[:s.N*m.v.out*m.h.out*s.C], x[:s.N*s.H*s.W*s.C]
	m.work = scratch[:m.Scratch(pool.Threads())]
	pool.Run(m.out.parts, m.forward)
	m.y, m.x, m.work = nil, nil, nil
}

// forwardPart takes the maximum over a window's rows for a whole row of the
// image at once, and over the columns thereafter.
func (m *Max) forwardPart(worker, part int) {
	s, c := m.shape, m.shape.C
	row := s.W * c
	buf := m.work[worker*m.perWorker:][:row]
	n0, n1, r0, r1 := m.out.bounds(part)
	for n := n0; n < n1; n++ {
		x := m.x[n*s.H*row : (n+1)*s.H*row]
		for oh := r0; oh < r1; oh++ {
			lo, hi := m.v.window(oh)
			tall := x[lo*row : (lo+1)*row]
			for h := lo + 1; h < hi; h++ {
				m.set.Max(buf, tall, x[h*row:(h+1)*row])
				tall = buf
			}
			y := m.y[(n*m.v.out+oh)*m.h.out*c:][:m.h.out*c]
			for ow := range m.h.out {
				lo, hi := m.h.window(ow)
				m.maxColumns(y[ow*c:(ow+1)*c], tall[lo*c:hi*c])
			}
		}
	}
}

// few is the number of channels below which a loop here beats a vector kernel.
const few = 8

// maxColumns sets y to the maximum of the cells in x.
func (m *Max) maxColumns(y, x []float32) {
	c := len(y)
	if c < few {
		for i := range y {
			best := x[i]
			for k := i + c; k < len(x); k += c {
				best = max(best, x[k])
			}
			y[i] = best
		}
		return
	}
	if len(x) == c {
		copy(y, x)
		return
	}
	m.set.Max(y, x[:c], x[c:2*c])
	for x = x[2*c:]; len(x) > 0; x = x[c:] {
		m.set.Max(y, y, x[:c])
	}
}

// Backward writes the gradient with respect to x to dx, from the gradient dy
// with respect to the output and from x: each window hands its gradient to its
// largest cell, the first of them by rows if several are equal, the first NaN
// if there is one. dx must not overlap the others. It allocates nothing.
func (m *Max) Backward(pool *par.Pool, dx, dy, x, scratch []float32) {
	s := m.shape
	size := s.N * s.H * s.W * s.C
	m.dx, m.dy, m.x = dx[:size], dy[:s.N*m.v.out*m.h.out*s.C], x[:size]
	m.work = scratch[:m.Scratch(pool.Threads())]
	pool.Run(m.in.parts, m.backward)
	m.dx, m.dy, m.x, m.work = nil, nil, nil, nil
}

// backwardPart looks at every window that touches its rows of the input, and
// keeps what falls on them; a window that crosses into the next part is
// looked at by both.
func (m *Max) backwardPart(worker, part int) {
	s, c := m.shape, m.shape.C
	row := s.W * c
	work := m.work[worker*m.perWorker:]
	best, at := work[:c], work[c:2*c]
	n0, n1, r0, r1 := m.in.bounds(part)
	o0, o1 := m.v.covering(r0, r1-1)
	for n := n0; n < n1; n++ {
		image := n * s.H * row
		m.set.Fill(m.dx[image+r0*row:image+r1*row], 0)
		for oh := o0; oh < o1; oh++ {
			h0, h1 := m.v.window(oh)
			for ow := range m.h.out {
				w0, w1 := m.h.window(ow)
				g := m.dy[((n*m.v.out+oh)*m.h.out+ow)*c:][:c]
				if c < few || s.KernelH*s.KernelW > mostCounted {
					m.scalar(image, h0, h1, w0, w1, r0, r1, g)
					continue
				}
				copy(best, m.x[image+h0*row+w0*c:])
				m.set.Fill(at, 0)
				cell := float32(0)
				for h := h0; h < h1; h++ {
					for w := w0; w < w1; w++ {
						if cell > 0 {
							m.set.ArgMaxStep(best, at, m.x[image+h*row+w*c:][:c], cell)
						}
						cell++
					}
				}
				for h := max(h0, r0); h < min(h1, r1); h++ {
					for w := w0; w < w1; w++ {
						cell := float32((h-h0)*(w1-w0) + w - w0)
						m.set.AddWhere(m.dx[image+h*row+w*c:][:c], at, g, cell)
					}
				}
			}
		}
	}
}

// mostCounted is how many cells float32 can count.
const mostCounted = 1 << 24

// scalar is the work on one window for few channels, or of more cells than vectors
// count.
func (m *Max) scalar(image, h0, h1, w0, w1, r0, r1 int, g []float32) {
	c, row := len(g), m.shape.W*len(g)
	for i, v := range g {
		first := image + h0*row + w0*c + i
		at, best, atRow := first, m.x[first], h0
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				k := image + h*row + w*c + i
				if x := m.x[k]; x > best || x != x && best == best {
					at, best, atRow = k, x, h
				}
			}
		}
		if atRow >= r0 && atRow < r1 {
			m.dx[at] += v
		}
	}
}
