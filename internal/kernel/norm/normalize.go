package norm

import (
	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// Normalize is the plan of y = (x-mean)*gamma/sqrt(variance+eps) + beta,
// channel by channel, with a ReLU behind it where asked. It must not be used
// by two goroutines at once.
type Normalize struct {
	grid
	eps   float32
	relu  bool
	y, x  []float32
	coefs []float32 // mean, scale and shift, each repeated over the width
	body  func(worker, part int)
}

// NewNormalize returns the plan for r rows and c channels, both at least 1.
func NewNormalize(r, c int, eps float32, relu bool, level isa.Level) *Normalize {
	n := &Normalize{grid: newGrid(r, c, level), eps: eps, relu: relu}
	n.body = n.part
	return n
}

// Scratch returns the number of float32s that Run needs, for any number of
// threads.
func (n *Normalize) Scratch(int) int { return 3 * n.width }

// Run computes y [R, C] from x, which may be the same slice, and from the C
// means, variances, gammas and betas. A nil gamma stands for ones, a nil beta
// for zeros. It allocates nothing.
func (n *Normalize) Run(pool *par.Pool, y, x, mean, variance, gamma, beta, scratch []float32) {
	n.y, n.x = y[:n.r*n.c], x[:n.r*n.c]
	n.coefs = scratch[:3*n.width]
	m, s, b := n.coefs[:n.width], n.coefs[n.width:2*n.width], n.coefs[2*n.width:]
	for i := range n.c {
		m[i] = mean[i]
		s[i] = float32(coefficient(gamma, i, 1) * rstd(variance[i], n.eps))
		b[i] = float32(coefficient(beta, i, 0))
	}
	n.repeat(m)
	n.repeat(s)
	n.repeat(b)
	pool.Run(n.blocks, n.body)
	n.y, n.x, n.coefs = nil, nil, nil
}

func (n *Normalize) part(_, block int) {
	kernel := n.set.Affine
	if n.relu {
		kernel = n.set.AffineRelu
	}
	m, s, b := n.coefs[:n.width], n.coefs[n.width:2*n.width], n.coefs[2*n.width:]
	lo, hi := n.bounds(block)
	for ; lo < hi; lo += n.width {
		k := min(n.width, hi-lo)
		kernel(n.y[lo:lo+k], n.x[lo:lo+k], m[:k], s[:k], b[:k])
	}
}
