package pool

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Avg is the plan of average pooling. It must not be used by two goroutines at
// once.
type Avg struct {
	shape     Shape
	v, h      side
	set       *vec.Set
	out, in   split
	y, x      []float32
	dx, dy    []float32
	work      []float32
	perWorker int
	forward   func(worker, part int)
	backward  func(worker, part int)
}

// NewAvg returns the plan, or Check's error. A window's average is over the
// cells that lie on the image, or with IncludePad over all its cells, those on
// the padding being zero.
func NewAvg(s Shape, level isa.Level) (*Avg, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	a := &Avg{shape: s, v: s.vertical(), h: s.horizontal(), set: vec.At(level)}
	a.out = newSplit(s.N, a.v.out, s.W*s.C*min(s.KernelH, s.H), 1)
	a.in = newSplit(s.N, s.H, s.W*s.C, s.StrideH)
	a.perWorker = max(s.W, a.h.out) * s.C
	a.forward, a.backward = a.forwardPart, a.backwardPart
	if s.quarters() {
		a.forward, a.backward = a.forwardQuarter, a.backwardQuarter
	}
	return a, nil
}

// Scratch returns the number of float32s that Forward and Backward need with a
// pool of the given number of threads.
func (a *Avg) Scratch(threads int) int { return threads * a.perWorker }

// Forward writes the windows' averages to y [N, OutH, OutW, C]. It allocates
// nothing.
func (a *Avg) Forward(pool *par.Pool, y, x, scratch []float32) {
	s := a.shape
	a.y, a.x = y[:s.N*a.v.out*a.h.out*s.C], x[:s.N*s.H*s.W*s.C]
	a.work = scratch[:a.Scratch(pool.Threads())]
	pool.Run(a.out.parts, a.forward)
	a.y, a.x, a.work = nil, nil, nil
}

// count returns the number of cells by which a window is divided in one
// direction.
func (a *Avg) count(lo, hi, kernel int) int {
	if a.shape.IncludePad {
		return kernel
	}
	return hi - lo
}

// forwardPart sums over a window's rows for a whole row of the image at once,
// and over the columns thereafter.
func (a *Avg) forwardPart(worker, part int) {
	s, c := a.shape, a.shape.C
	row := s.W * c
	buf := a.work[worker*a.perWorker:][:row]
	n0, n1, r0, r1 := a.out.bounds(part)
	for n := n0; n < n1; n++ {
		x := a.x[n*s.H*row : (n+1)*s.H*row]
		for oh := r0; oh < r1; oh++ {
			h0, h1 := a.v.window(oh)
			tall := x[h0*row : (h0+1)*row]
			for h := h0 + 1; h < h1; h++ {
				a.set.Add(buf, tall, x[h*row:(h+1)*row])
				tall = buf
			}
			y := a.y[(n*a.v.out+oh)*a.h.out*c:][:a.h.out*c]
			for ow := range a.h.out {
				w0, w1 := a.h.window(ow)
				cells := a.count(h0, h1, s.KernelH) * a.count(w0, w1, s.KernelW)
				a.sumColumns(y[ow*c:(ow+1)*c], tall[w0*c:w1*c], 1/float32(cells))
			}
		}
	}
}

// sumColumns sets y to the sum of the cells in x times scale.
func (a *Avg) sumColumns(y, x []float32, scale float32) {
	c := len(y)
	if c < few {
		for i := range y {
			sum := x[i]
			for k := i + c; k < len(x); k += c {
				sum += x[k]
			}
			y[i] = sum * scale
		}
		return
	}
	if len(x) == c {
		a.set.Scale(y, x, scale)
		return
	}
	a.set.Add(y, x[:c], x[c:2*c])
	for x = x[2*c:]; len(x) > 0; x = x[c:] {
		a.set.Add(y, y, x[:c])
	}
	a.set.Scale(y, y, scale)
}

// Backward writes the gradient with respect to the input to dx, from the
// gradient dy with respect to the output; they must not overlap. It allocates
// nothing.
func (a *Avg) Backward(pool *par.Pool, dx, dy, scratch []float32) {
	s := a.shape
	a.dx, a.dy = dx[:s.N*s.H*s.W*s.C], dy[:s.N*a.v.out*a.h.out*s.C]
	a.work = scratch[:a.Scratch(pool.Threads())]
	pool.Run(a.in.parts, a.backward)
	a.dx, a.dy, a.work = nil, nil, nil
}

// backwardPart gathers, for each row of the input, the rows of the output
// whose windows cover it, and spreads their sum over the columns.
func (a *Avg) backwardPart(worker, part int) {
	s, c := a.shape, a.shape.C
	row, outRow := s.W*c, a.h.out*c
	buf := a.work[worker*a.perWorker:][:outRow]
	n0, n1, r0, r1 := a.in.bounds(part)
	for n := n0; n < n1; n++ {
		for h := r0; h < r1; h++ {
			a.set.Fill(buf, 0)
			o0, o1 := a.v.covering(h, h)
			for oh := o0; oh < o1; oh++ {
				h0, h1 := a.v.window(oh)
				scale := 1 / float32(a.count(h0, h1, s.KernelH))
				a.set.AxpY(buf, a.dy[(n*a.v.out+oh)*outRow:][:outRow], scale)
			}
			dx := a.dx[(n*s.H+h)*row:][:row]
			a.set.Fill(dx, 0)
			for ow := range a.h.out {
				w0, w1 := a.h.window(ow)
				scale := 1 / float32(a.count(w0, w1, s.KernelW))
				g := buf[ow*c : (ow+1)*c]
				for w := w0; w < w1; w++ {
					a.addScaled(dx[w*c:(w+1)*c], g, scale)
				}
			}
		}
	}
}

func (a *Avg) addScaled(dst, g []float32, scale float32) {
	if len(g) < few {
		for i, v := range g {
			dst[i] += float32(v * scale)
		}
		return
	}
	a.set.AxpY(dst, g, scale)
}
