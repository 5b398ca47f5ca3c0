// Package embedding lays vectors out on a plane, so that a collection can be
// looked at as a map.
//
// [TSNE] keeps neighbours together; distances between groups mean little in
// it. [PCA] is the plane of the largest variance, where distances mean what
// they say and groups may overlap.
//
// Maps depend on the vectors, the options and the instruction-set level alone,
// not on the number of threads.
package embedding

import (
	"fmt"
	"math"
	"slices"

	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/represent/internal/dense"
	"hourglass/represent/neighbors"
	"hourglass/represent/pca"
)

// MaxPoints is the most vectors that TSNE takes. Its time grows with the
// square of their number: of a larger collection, map a sample.
const MaxPoints = 20000

// Options are the options of TSNE and PCA. The zero value is ready to use.
type Options struct {
	// Perplexity is about the number of neighbours that a point is kept close
	// to by TSNE; 0 means 30. It is lowered to a third of the other points if
	// there are too few.
	Perplexity float64
	// Iterations is how many steps TSNE takes, of which the first third, but
	// at most 250, exaggerate attraction; 0 means 750.
	Iterations int
	// Seed is for the small random displacement from which TSNE starts.
	Seed uint64
	// Pool is the workers, those of an engine ([hourglass/engine.Engine.Pool]), which
	// serve one call at a time: a second one panics. Nil means GOMAXPROCS threads for
	// the call.
	Pool *par.Pool
	// ISA names the instruction-set level: "avx512", "avx2" or "generic"; ""
	// means the best of this machine.
	ISA string
}

const (
	defaultPerplexity = 30
	defaultIterations = 750
)

// PCA returns the coordinates [n,2] of the vectors x [n,dim] along their first
// two principal components. A component that does not exist is zero.
func PCA(x []float32, dim int, o Options) ([]float32, error) {
	rows, err := pca.Matrix(x, dim)
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	n := rows.Len()
	y := make([]float32, 2*n)
	if n < 2 {
		return y, nil
	}
	// Two components of many cost the randomised method next to nothing, and
	// at a point cloud's usual spectrum its error is not to be seen.
	fit := pca.Options{Method: pca.Randomized, Passes: 3, Seed: o.Seed, Pool: o.Pool, ISA: o.ISA}
	m, err := pca.Fit(rows, min(2, n, dim), fit)
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	z, err := m.Transform(x, fit)
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	for k := range m.K() {
		if m.Variances[k] == 0 {
			continue // what is left is rounding
		}
		for i := range n {
			y[2*i+k] = z[i*m.K()+k]
		}
	}
	return y, nil
}

// TSNE returns a map [n,2] of the vectors x [n,dim] in which neighbours lie
// together: t-distributed stochastic neighbour embedding (L. van der Maaten
// and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008), from a start
// at the principal components (D. Kobak and P. Berens, "The art of using
// t-SNE", Nature Communications 10, 2019). Attraction is between each point
// and its 3·perplexity nearest neighbours, beyond which it vanishes (L. van
// der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 15, 2014);
// repulsion is between all pairs, without approximation. Fewer than 7 vectors
// have too few neighbours for that, and are laid out by PCA; vectors that are
// all equal lie at the origin. There are at most MaxPoints vectors, of finite
// numbers of a magnitude below 1e15.
func TSNE(x []float32, dim int, o Options) ([]float32, error) {
	if o.Perplexity == 0 {
		o.Perplexity = defaultPerplexity
	}
	if o.Iterations == 0 {
		o.Iterations = defaultIterations
	}
	if !(o.Perplexity > 1) || math.IsInf(o.Perplexity, 0) {
		return nil, fmt.Errorf("embedding: a perplexity of %v; give a number above 1, such as %d", o.Perplexity, defaultPerplexity)
	}
	if o.Iterations < 0 {
		return nil, fmt.Errorf("embedding: %d iterations", o.Iterations)
	}
	e, err := dense.New(o.Pool, o.ISA)
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	defer e.Close()
	o.Pool = e.Pool

	y, err := PCA(x, dim, o)
	if err != nil {
		return nil, err
	}
	n := len(y) / 2
	if n > MaxPoints {
		return nil, fmt.Errorf("embedding: a map of %d points; map a sample of at most %d", n, MaxPoints)
	}
	o.Perplexity = min(o.Perplexity, float64(n-1)/3)
	if n < 7 || constant(x, dim) {
		return y, nil
	}
	k := min(n-1, int(math.Ceil(3*o.Perplexity)))
	indices, distances, err := neighbors.Search(x, x, dim, k, neighbors.Options{ExcludeSelf: true, Pool: o.Pool, ISA: o.ISA})
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	p := affinities(indices, distances, n, k, o.Perplexity)
	start(y, o.Seed)
	descend(e, y, p, o.Iterations)
	return y, nil
}

// constant says whether all vectors are the same. Descent would scatter them,
// as if there were something to see.
func constant(x []float32, dim int) bool {
	return slices.Equal(x[dim:], x[:len(x)-dim])
}

// randomStream keeps the numbers drawn here apart from those of other
// packages with the same seed.
const randomStream = 0x74736e65 // "tsne"

// start scales the map to a standard deviation of 1e-4 along its first axis
// and shakes it by a hundredth of that, so that equal points can part.
func start(y []float32, seed uint64) {
	squares := 0.0
	for i := 0; i < len(y); i += 2 {
		squares += float64(y[i]) * float64(y[i])
	}
	const deviation = 1e-4
	scale := 0.0
	if squares > 0 {
		scale = deviation / math.Sqrt(squares/float64(len(y)/2))
	}
	noise := make([]float32, len(y))
	random.Normal(noise, seed, randomStream, 0)
	for i := range y {
		y[i] = float32(scale*float64(y[i])) + 0.01*deviation*noise[i]
	}
}
