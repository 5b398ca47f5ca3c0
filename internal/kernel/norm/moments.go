package norm

import (
	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// Moments is the plan of the mean and the biased variance of each channel. It
// must not be used by two goroutines at once.
//
// A block of rows is passed over once, for the sums of the differences from a
// pivot and of their squares. The pivot is the mean of the block's first k of
// R rows, whose distance d from the block's own mean is part of its variance:
// that is at least d²·k/R, so that no more than a factor of R/k, about 16, is
// lost to cancellation, however far the mean lies from zero. Of a channel with an
// infinity both moments may be NaN. Blocks are joined
// in float64 by the formula of Chan, Golub and LeVeque (1983).
type Moments struct {
	grid
	out, x, partial, work []float32
	body, joinBody        func(worker, part int)
}

// leastPivot is the number of rows that a pivot is made of at least.
const leastPivot = 8

// NewMoments returns the plan for x of r rows and c channels, both at least 1.
func NewMoments(r, c int, level isa.Level) *Moments {
	m := &Moments{grid: newGrid(r, c, level)}
	m.body, m.joinBody = m.part, m.join
	return m
}

// Scratch returns the number of float32s that Run needs with a pool of the
// given number of threads.
func (m *Moments) Scratch(threads int) int { return m.blocks*3*m.c + threads*3*m.width }

// Run writes the means of x [R, C] to out[:C] and the biased variances (the
// squares divided by R) to out[C:2*C]. It allocates nothing.
func (m *Moments) Run(pool *par.Pool, out, x, scratch []float32) {
	m.out, m.x = out[:2*m.c], x[:m.r*m.c]
	scratch = scratch[:m.Scratch(pool.Threads())]
	n := m.blocks * 3 * m.c
	m.partial, m.work = scratch[:n], scratch[n:]
	pool.Run(m.blocks, m.body)
	pool.Run((m.c+chunk-1)/chunk, m.joinBody)
	m.out, m.x, m.partial, m.work = nil, nil, nil, nil
}

func (m *Moments) part(worker, block int) {
	lo, hi := m.bounds(block)
	x := m.x[lo:hi]
	width := min(m.width, len(x))
	work := m.work[worker*3*m.width:]
	acc, mean := work[:width], work[m.width:][:width]

	first := x[:min(len(x), max(width, leastPivot*m.c))/width*width]
	m.set.Copy(acc, first[:width])
	for v := first[width:]; len(v) > 0; v = v[width:] {
		m.set.Add(acc, acc, v[:width])
	}
	m.fold(acc)
	m.set.Scale(mean[:m.c], acc[:m.c], 1/float32(len(first)/m.c))
	m.repeat(mean)

	square := work[2*m.width:][:width]
	m.set.Fill(acc, 0)
	m.set.Fill(square, 0)
	for v := x; len(v) > 0; {
		k := min(width, len(v))
		m.set.AddDiffs(acc[:k], square[:k], v[:k], mean[:k])
		v = v[k:]
	}
	m.fold(acc)
	m.fold(square)
	// What the pivot leaves over corrects it, and is kept apart: far from zero
	// a float32 could not hold their sum.
	out := m.partial[block*3*m.c:]
	means, rests, squares := out[:m.c], out[m.c:2*m.c], out[2*m.c:3*m.c]
	rows := float64(len(x) / m.c)
	for i := range m.c {
		rest := float64(acc[i]) / rows
		means[i], rests[i] = mean[i], float32(rest)
		squares[i] = float32(float64(square[i]) - float64(rest*rest*rows))
	}
}

// chunk is the number of channels that are joined together.
const chunk = 16

// join merges the blocks for one chunk of channels.
func (m *Moments) join(_, part int) {
	c0 := part * chunk
	n := min(chunk, m.c-c0)
	var mean, square [chunk]float64
	for b := range m.blocks {
		w := m.weight(b)
		means, rests, _ := m.block3(b, c0, n)
		for i := range n {
			mean[i] += float64(w * (float64(means[i]) + float64(rests[i])))
		}
	}
	for i := range n {
		mean[i] /= float64(m.r)
		m.out[c0+i] = float32(mean[i])
	}
	for b := range m.blocks {
		w := m.weight(b)
		means, rests, squares := m.block3(b, c0, n)
		for i := range n {
			d := float64(means[i]) - mean[i] + float64(rests[i])
			square[i] += float64(squares[i]) + float64(w*float64(d*d))
		}
	}
	for i := range n {
		m.out[m.c+c0+i] = float32(square[i] / float64(m.r))
	}
}

// block3 returns what a block says about n channels from c0 on: means, their
// corrections, and sums of squares about the corrected means.
func (m *Moments) block3(block, c0, n int) (means, rests, squares []float32) {
	v := m.partial[block*3*m.c+c0:]
	return v[:n], v[m.c:][:n], v[2*m.c:][:n]
}

// weight returns the number of rows of a block.
func (m *Moments) weight(block int) float64 {
	lo, hi := m.bounds(block)
	return float64((hi - lo) / m.c)
}
