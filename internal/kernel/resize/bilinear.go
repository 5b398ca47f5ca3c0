package resize

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// tap says how one place of the output is mixed from two of the input: the
// first with weight 1-w, the second with weight w.
type tap struct {
	lo, hi int32
	w      float32
}

// taps lays n outputs over size inputs so that their outer edges agree (half
// pixel centres); beyond the outermost centres the nearest input is taken.
func taps(size, n int) []tap {
	t := make([]tap, n)
	for o := range t {
		at := max((float64(o)+0.5)*float64(size)/float64(n)-0.5, 0)
		lo := min(int(at), size-1)
		t[o] = tap{int32(lo), int32(min(lo+1, size-1)), float32(at - float64(lo))}
	}
	return t
}

// Bilinear is the plan of bilinear interpolation to any size, with half-pixel
// centres and without smoothing when it shrinks: PyTorch's interpolate with
// align_corners=False and antialias=False. It must not be used by two
// goroutines at once.
type Bilinear struct {
	n, h, w, c int
	oh, ow     int
	v, u       []tap // vertical, horizontal
	first      []int // per row of the input, the first row of the output that uses it
	out, in    rows
	set        *vec.Set
	dst, src   []float32
	work       []float32
	perWorker  int
	forward    func(worker, part int)
	backward   func(worker, part int)
}

// NewBilinear returns the plan from images [n, h, w, c] to [n, outH, outW, c],
// or an error if a size is below 1.
func NewBilinear(n, h, w, c, outH, outW int, level isa.Level) (*Bilinear, error) {
	if err := check("bilinear interpolation", n, h, w, c, outH, outW); err != nil {
		return nil, err
	}
	b := &Bilinear{n: n, h: h, w: w, c: c, oh: outH, ow: outW, v: taps(h, outH), u: taps(w, outW), set: vec.At(level)}
	b.first = make([]int, h+1)
	for i := range b.first {
		o := 0
		if i > 0 {
			o = b.first[i-1]
		}
		for o < outH && int(b.v[o].hi) < i {
			o++
		}
		b.first[i] = o
	}
	b.out = newRows(n*outH, outW*c)
	b.in = newRows(n*h, max(w*c, outH*outW*c/h))
	b.perWorker = max(w, outW) * c
	b.forward, b.backward = b.forwardPart, b.backwardPart
	return b, nil
}

// Scratch returns the number of float32s that Forward and Backward need with a
// pool of the given number of threads.
func (b *Bilinear) Scratch(threads int) int { return threads * b.perWorker }

// Forward writes the interpolated images to y. It allocates nothing.
func (b *Bilinear) Forward(pool *par.Pool, y, x, scratch []float32) {
	b.dst, b.src = y[:b.n*b.oh*b.ow*b.c], x[:b.n*b.h*b.w*b.c]
	b.work = scratch[:b.Scratch(pool.Threads())]
	pool.Run(b.out.parts, b.forward)
	b.dst, b.src, b.work = nil, nil, nil
}

func (b *Bilinear) forwardPart(worker, part int) {
	lo, hi := b.out.bounds(part)
	row, outRow, c := b.w*b.c, b.ow*b.c, b.c
	buf := b.work[worker*b.perWorker:][:row]
	for r := lo; r < hi; r++ {
		n, o := r/b.oh, r%b.oh
		x := b.src[n*b.h*row : (n+1)*b.h*row]
		v := b.v[o]
		mixed := x[int(v.lo)*row:][:row]
		if v.w != 0 {
			b.set.Scale(buf, mixed, 1-v.w)
			b.set.AxpY(buf, x[int(v.hi)*row:][:row], v.w)
			mixed = buf
		}
		y := b.dst[r*outRow : (r+1)*outRow]
		for i, t := range b.u {
			mixPixels(b.set, y[i*c:(i+1)*c], mixed[int(t.lo)*c:][:c], mixed[int(t.hi)*c:][:c], t.w)
		}
	}
}

// Backward writes the gradient with respect to the input, the transpose of
// Forward applied to dy, to dx. They must not overlap. It allocates nothing.
func (b *Bilinear) Backward(pool *par.Pool, dx, dy, scratch []float32) {
	b.dst, b.src = dx[:b.n*b.h*b.w*b.c], dy[:b.n*b.oh*b.ow*b.c]
	b.work = scratch[:b.Scratch(pool.Threads())]
	pool.Run(b.in.parts, b.backward)
	b.dst, b.src, b.work = nil, nil, nil
}

// backwardPart gathers, for each row of the input, the rows of the output it
// went into, and hands the mixture on to the columns.
func (b *Bilinear) backwardPart(worker, part int) {
	lo, hi := b.in.bounds(part)
	row, outRow, c := b.w*b.c, b.ow*b.c, b.c
	buf := b.work[worker*b.perWorker:][:outRow]
	for r := lo; r < hi; r++ {
		n, i := r/b.h, r%b.h
		dy := b.src[n*b.oh*outRow : (n+1)*b.oh*outRow]
		b.set.Fill(buf, 0)
		for o := b.first[i]; o < b.oh && int(b.v[o].lo) <= i; o++ {
			weight := float32(0)
			if int(b.v[o].lo) == i {
				weight += 1 - b.v[o].w
			}
			if int(b.v[o].hi) == i {
				weight += b.v[o].w
			}
			b.set.AxpY(buf, dy[o*outRow:(o+1)*outRow], weight)
		}
		dx := b.dst[r*row : (r+1)*row]
		b.set.Fill(dx, 0)
		for k, t := range b.u {
			g := buf[k*c : (k+1)*c]
			addPixel(b.set, dx[int(t.lo)*c:][:c], g, 1-t.w)
			addPixel(b.set, dx[int(t.hi)*c:][:c], g, t.w)
		}
	}
}
