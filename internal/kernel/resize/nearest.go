package resize

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Nearest is the plan of upsampling by whole factors: every pixel becomes a
// block of its copies. It must not be used by two goroutines at once.
type Nearest struct {
	n, h, w, c int
	fh, fw     int
	rows       rows // of the small image
	set        *vec.Set
	big, small []float32
	work       []float32
	forward    func(worker, part int)
	backward   func(worker, part int)
}

// NewNearest returns the plan from images [n, h, w, c] to [n, h*factorH,
// w*factorW, c], or an error if a size or factor is below 1.
func NewNearest(n, h, w, c, factorH, factorW int, level isa.Level) (*Nearest, error) {
	if err := check("nearest upsampling", n, h, w, c, factorH, factorW); err != nil {
		return nil, err
	}
	p := &Nearest{n: n, h: h, w: w, c: c, fh: factorH, fw: factorW, set: vec.At(level)}
	p.rows = newRows(n*h, w*c*factorH*factorW)
	p.forward, p.backward = p.forwardPart, p.backwardPart
	return p, nil
}

// Scratch returns the number of float32s that Backward needs with a pool of
// the given number of threads. Forward needs none.
func (p *Nearest) Scratch(threads int) int { return threads * p.w * p.fw * p.c }

// Forward writes the enlarged images to y. It allocates nothing.
func (p *Nearest) Forward(pool *par.Pool, y, x []float32) {
	size := p.n * p.h * p.w * p.c
	p.big, p.small = y[:size*p.fh*p.fw], x[:size]
	pool.Run(p.rows.parts, p.forward)
	p.big, p.small = nil, nil
}

func (p *Nearest) forwardPart(_, part int) {
	lo, hi := p.rows.bounds(part)
	row, bigRow := p.w*p.c, p.w*p.fw*p.c
	for r := lo; r < hi; r++ {
		x := p.small[r*row : (r+1)*row]
		y := p.big[r*p.fh*bigRow : (r+1)*p.fh*bigRow]
		first := y[:bigRow]
		at := 0
		for i := 0; i < row; i += p.c {
			for range p.fw {
				copyPixel(first[at:at+p.c], x[i:i+p.c])
				at += p.c
			}
		}
		for k := 1; k < p.fh; k++ {
			copy(y[k*bigRow:(k+1)*bigRow], first)
		}
	}
}

// Backward writes the gradient with respect to the small images, the sum over
// each pixel's copies, to dx. dx must not overlap dy. It allocates nothing.
func (p *Nearest) Backward(pool *par.Pool, dx, dy, scratch []float32) {
	size := p.n * p.h * p.w * p.c
	p.big, p.small = dy[:size*p.fh*p.fw], dx[:size]
	p.work = scratch[:p.Scratch(pool.Threads())]
	pool.Run(p.rows.parts, p.backward)
	p.big, p.small, p.work = nil, nil, nil
}

func (p *Nearest) backwardPart(worker, part int) {
	lo, hi := p.rows.bounds(part)
	row, bigRow := p.w*p.c, p.w*p.fw*p.c
	buf := p.work[worker*bigRow:][:bigRow]
	for r := lo; r < hi; r++ {
		dy := p.big[r*p.fh*bigRow : (r+1)*p.fh*bigRow]
		tall := dy[:bigRow]
		for k := 1; k < p.fh; k++ {
			p.set.Add(buf, tall, dy[k*bigRow:(k+1)*bigRow])
			tall = buf
		}
		dx := p.small[r*row : (r+1)*row]
		at := 0
		for i := 0; i < row; i += p.c {
			cell := dx[i : i+p.c]
			copyPixel(cell, tall[at:at+p.c])
			at += p.c
			for k := 1; k < p.fw; k++ {
				addPixel(p.set, cell, tall[at:at+p.c], 1)
				at += p.c
			}
		}
	}
}
