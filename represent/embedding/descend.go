package embedding

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/represent/internal/dense"
)

// The schedule of van der Maaten and Hinton 2008, section 3.4, with the
// exaggeration of A. Belkina et al., "Automated optimized parameters for t-SNE"
// (Nature Communications 10, 2019), and a step that follows the number of
// points as theirs does. All attractions of a point sum to about 1/n, so that a
// step of n/exaggeration is stable for any number; a lower limit to it, as
// others have, keeps small maps swinging.
const (
	exaggeration     = 12
	exaggeratedSteps = 250
	momentumEarly    = 0.5
	momentumLate     = 0.8
	gainUp           = 0.2
	gainDown         = 0.8
	smallestGain     = 0.01
)

// descend moves the map y down the gradient of the Kullback-Leibler divergence
// between attractions and the map's own affinities.
func descend(e *dense.Engine, y []float32, p graph, iterations int) {
	n := len(y) / 2
	f := newForces(e, n)
	velocity, gains := make([]float64, 2*n), make([]float64, 2*n)
	position := make([]float64, 2*n)
	for i := range position {
		position[i] = float64(y[i])
		gains[i] = 1
	}
	step := float64(n) / exaggeration
	early := min(exaggeratedSteps, iterations/3)
	for t := range iterations {
		attraction, momentum := 1.0, momentumLate
		if t < early {
			attraction, momentum = exaggeration, momentumEarly
		}
		for i := range n {
			f.x[i], f.y[i] = float32(position[2*i]), float32(position[2*i+1])
		}
		f.compute(p)
		for i := range position {
			grad := 4 * (attraction*f.attract[i] - f.repel[i]/f.normal)
			if (grad > 0) != (velocity[i] > 0) {
				gains[i] += gainUp
			} else {
				gains[i] = max(smallestGain, gains[i]*gainDown)
			}
			velocity[i] = momentum*velocity[i] - step*gains[i]*grad
			position[i] += velocity[i]
		}
		centre(position)
	}
	for i, v := range position {
		y[i] = float32(v)
	}
}

// centre moves the map's mean to the origin.
func centre(position []float64) {
	var sx, sy float64
	for i := 0; i < len(position); i += 2 {
		sx += position[i]
		sy += position[i+1]
	}
	n := float64(len(position) / 2)
	for i := 0; i < len(position); i += 2 {
		position[i] -= sx / n
		position[i+1] -= sy / n
	}
}

// forces computes both parts of the gradient for a map. With the affinity
// w = 1/(1+|yi-yj|²), attract is the sum of p·w·(yi-yj) over j, repel that of
// w²·(yi-yj), and normal that of w over all pairs.
type forces struct {
	e              *dense.Engine
	x, y           []float32 // the map's coordinates
	attract, repel []float64 // [n,2]
	sums           []float64 // of w for each point
	normal         float64
	workers        []workspace
	row            func(f *forces, w *workspace, i int)
	rows           func(worker, from, to int)
	p              graph
}

// workspace is what a worker needs for one point against all.
type workspace struct {
	dx, dy, w []float32
}

func newForces(e *dense.Engine, n int) *forces {
	f := &forces{
		e: e, x: make([]float32, n), y: make([]float32, n),
		attract: make([]float64, 2*n), repel: make([]float64, 2*n), sums: make([]float64, n),
		workers: make([]workspace, e.Pool.Threads()),
		row:     (*forces).repelVector,
	}
	if e.Vec.Level == isa.Generic {
		f.row = (*forces).repelScalar
	}
	for i := range f.workers {
		f.workers[i] = workspace{make([]float32, n), make([]float32, n), make([]float32, n)}
	}
	f.rows = func(worker, from, to int) {
		for i := from; i < to; i++ {
			f.pull(i)
			f.row(f, &f.workers[worker], i)
		}
	}
	return f
}

// compute sets attract, repel and normal for the map in x and y.
func (f *forces) compute(p graph) {
	f.p = p
	f.e.Rows(len(f.x), len(f.x), f.rows)
	f.normal = 0
	for _, s := range f.sums {
		f.normal += s
	}
}

// pull sums the attractions of point i.
func (f *forces) pull(i int) {
	var ax, ay float64
	xi, yi := f.x[i], f.y[i]
	for _, e := range f.p.edges[f.p.first[i]:f.p.first[i+1]] {
		dx, dy := xi-f.x[e.to], yi-f.y[e.to]
		w := e.p / (1 + dx*dx + dy*dy)
		ax += float64(w * dx)
		ay += float64(w * dy)
	}
	f.attract[2*i], f.attract[2*i+1] = ax, ay
}

// repelVector sums the repulsion of point i from all others with vector
// kernels, pass by pass over rows that stay in cache. The point itself adds
// exactly 1 to the sum of w and nothing else.
func (f *forces) repelVector(s *workspace, i int) {
	k := f.e.Vec
	k.AddScalar(s.dx, f.x, -f.x[i])
	k.AddScalar(s.dy, f.y, -f.y[i])
	k.Square(s.w, s.dx)
	k.MulAdd(s.w, s.dy, s.dy, s.w)
	k.AddScalar(s.w, s.w, 1)
	k.Reciprocal(s.w, s.w)
	f.sums[i] = sum(k, s.w) - 1
	k.Square(s.w, s.w)
	f.repel[2*i] = -float64(k.Dot(s.w, s.dx))
	f.repel[2*i+1] = -float64(k.Dot(s.w, s.dy))
}

// sum adds w in runs short enough for float32.
func sum(k *vec.Set, w []float32) float64 {
	const run = 4096
	total := 0.0
	for len(w) > run {
		total += float64(k.Sum(w[:run]))
		w = w[run:]
	}
	return total + float64(k.Sum(w))
}

// repelScalar is repelVector in one loop, which portable code runs faster.
func (f *forces) repelScalar(_ *workspace, i int) {
	const run = 256 // summed in float32
	xi, yi := f.x[i], f.y[i]
	var total, rx, ry float64
	for from := 0; from < len(f.x); from += run {
		xs := f.x[from:min(from+run, len(f.x))]
		ys := f.y[from:][:len(xs)]
		var t, sx, sy float32
		for j, xj := range xs {
			dx, dy := xi-xj, yi-ys[j]
			w := 1 / (1 + dx*dx + dy*dy)
			t += w
			w *= w
			sx += w * dx
			sy += w * dy
		}
		total += float64(t)
		rx += float64(sx)
		ry += float64(sy)
	}
	f.sums[i] = total - 1
	f.repel[2*i], f.repel[2*i+1] = rx, ry
}
