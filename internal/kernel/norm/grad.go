package norm

import (
	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// GradReduce is the plan of the gradients of gamma and beta. It must not be
// used by two goroutines at once.
type GradReduce struct {
	grid
	eps                  float32
	out, x, dy, variance []float32
	mean, partial, acc   []float32
	body, joinBody       func(worker, part int)
}

// NewGradReduce returns the plan for r rows and c channels, both at least 1.
func NewGradReduce(r, c int, eps float32, level isa.Level) *GradReduce {
	g := &GradReduce{grid: newGrid(r, c, level), eps: eps}
	g.body, g.joinBody = g.part, g.join
	return g
}

// Scratch returns the number of float32s that Run needs with a pool of the
// given number of threads.
func (g *GradReduce) Scratch(threads int) int {
	return g.width + g.blocks*2*g.c + threads*2*g.width
}

// Run writes Σ dy*(x-mean)/sqrt(variance+eps), the gradient of gamma, to
// out[:C] and Σ dy, the gradient of beta, to out[C:2*C]; the sums are over the
// rows of x and dy [R, C]. It allocates nothing.
func (g *GradReduce) Run(pool *par.Pool, out, x, dy, mean, variance, scratch []float32) {
	g.x, g.dy = x[:g.r*g.c], dy[:g.r*g.c]
	scratch = scratch[:g.Scratch(pool.Threads())]
	g.mean, scratch = scratch[:g.width], scratch[g.width:]
	g.partial, g.acc = scratch[:g.blocks*2*g.c], scratch[g.blocks*2*g.c:]
	copy(g.mean, mean[:g.c])
	g.repeat(g.mean)
	pool.Run(g.blocks, g.body)

	g.out, g.variance = out[:2*g.c], variance[:g.c]
	pool.Run((2*g.c+chunk-1)/chunk, g.joinBody)
	g.x, g.dy, g.mean, g.partial, g.acc = nil, nil, nil, nil, nil
	g.out, g.variance = nil, nil
}

// join adds up the blocks for one chunk of the results.
func (g *GradReduce) join(_, part int) {
	c0 := part * chunk
	n := min(chunk, 2*g.c-c0)
	var sum [chunk]float64
	for b := range g.blocks {
		for i, v := range g.partial[b*2*g.c+c0:][:n] {
			sum[i] += float64(v)
		}
	}
	for i, s := range sum[:n] {
		if k := c0 + i; k < g.c {
			s *= rstd(g.variance[k], g.eps)
		}
		g.out[c0+i] = float32(s)
	}
}

func (g *GradReduce) part(worker, block int) {
	lo, hi := g.bounds(block)
	width := min(g.width, hi-lo)
	acc := g.acc[worker*2*g.width:]
	gamma, beta := acc[:width], acc[g.width:][:width]
	g.set.Fill(gamma, 0)
	g.set.Fill(beta, 0)
	for ; lo < hi; lo += g.width {
		k := min(g.width, hi-lo)
		g.set.AddGrads(gamma[:k], beta[:k], g.dy[lo:lo+k], g.x[lo:lo+k], g.mean[:k])
	}
	g.fold(gamma)
	g.fold(beta)
	out := g.partial[block*2*g.c:]
	copy(out[:g.c], gamma)
	copy(out[g.c:2*g.c], beta)
}

// GradInput is the plan of the gradient with respect to x, where mean and
// variance are those of x itself. It must not be used by two goroutines at
// once.
type GradInput struct {
	grid
	eps       float32
	dx, dy, x []float32
	coefs     []float32 // mean and the three factors of vec.Set.GradAffine
	body      func(worker, part int)
}

// NewGradInput returns the plan for r rows and c channels, both at least 1.
func NewGradInput(r, c int, eps float32, level isa.Level) *GradInput {
	g := &GradInput{grid: newGrid(r, c, level), eps: eps}
	g.body = g.part
	return g
}

// Scratch returns the number of float32s that Run needs, for any number of
// threads.
func (g *GradInput) Scratch(int) int { return 4 * g.width }

// Run computes
//
//	dx = gamma*rstd * (dy - dbeta/R - xhat*dgamma/R)
//
// with rstd = 1/sqrt(variance+eps) and xhat = (x-mean)*rstd, from dy and x
// [R, C] and the C means, variances, gammas (nil for ones) and the gradients
// that GradReduce gave. dx may be dy or x. It allocates nothing.
func (g *GradInput) Run(pool *par.Pool, dx, dy, x, mean, variance, gamma, dgamma, dbeta, scratch []float32) {
	n := g.r * g.c
	g.dx, g.dy, g.x = dx[:n], dy[:n], x[:n]
	g.coefs = scratch[:4*g.width]
	w := g.width
	for i := range g.c {
		r := rstd(variance[i], g.eps)
		a := coefficient(gamma, i, 1) * r
		g.coefs[i] = mean[i]
		g.coefs[w+i] = float32(a)
		g.coefs[2*w+i] = float32(-a * r * float64(dgamma[i]) / float64(g.r))
		g.coefs[3*w+i] = float32(-a * float64(dbeta[i]) / float64(g.r))
	}
	for i := range 4 {
		g.repeat(g.coefs[i*w : (i+1)*w])
	}
	pool.Run(g.blocks, g.body)
	g.dx, g.dy, g.x, g.coefs = nil, nil, nil, nil
}

func (g *GradInput) part(_, block int) {
	w := g.width
	m, a, b, c := g.coefs[:w], g.coefs[w:2*w], g.coefs[2*w:3*w], g.coefs[3*w:]
	lo, hi := g.bounds(block)
	for ; lo < hi; lo += w {
		k := min(w, hi-lo)
		g.set.GradAffine(g.dx[lo:lo+k], g.dy[lo:lo+k], g.x[lo:lo+k], m[:k], a[:k], b[:k], c[:k])
	}
}
