// Package distribution measures how near two sets of vectors are to being
// drawn from one distribution: the Fréchet distance of the normal
// distributions with their moments, and precision and recall by the manifolds
// of nearest neighbours. The vectors are most often what a network makes of
// images, real ones and generated ones.
//
// Figures depend on the space and on the number of vectors: those of two
// models can be compared if both are the same, and only then. They do not
// depend on the number of threads.
package distribution

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// maxDim bounds the length of vectors: a covariance has its square in float64.
const maxDim = 4096

// Moments are the first two moments of a set of vectors.
type Moments struct {
	N          int
	Mean       []float64
	Covariance *mat.SymDense // unbiased: divided by N−1
}

// Measure returns the moments of vectors [N,dim], at least two of them, all
// finite.
func Measure(vectors []float32, dim int) (*Moments, error) {
	if err := check(vectors, dim, 2); err != nil {
		return nil, err
	}
	n := len(vectors) / dim
	m := &Moments{N: n, Mean: make([]float64, dim)}
	for i, v := range vectors {
		m.Mean[i%dim] += float64(v)
	}
	for k := range m.Mean {
		m.Mean[k] /= float64(n)
	}
	sums, row := make([]float64, dim*dim), make([]float64, dim)
	for at := 0; at < len(vectors); at += dim {
		for k, v := range vectors[at : at+dim] {
			row[k] = float64(v) - m.Mean[k]
		}
		for a, v := range row {
			line := sums[a*dim : (a+1)*dim]
			for b := a; b < dim; b++ {
				line[b] += v * row[b]
			}
		}
	}
	for i := range sums {
		sums[i] /= float64(n - 1)
	}
	m.Covariance = mat.NewSymDense(dim, sums) // it reads the upper triangle
	return m, nil
}

// check reports vectors that are no whole number of finite ones, or fewer than
// least.
func check(vectors []float32, dim, least int) error {
	if dim < 1 || dim > maxDim || len(vectors)%dim != 0 {
		return fmt.Errorf("distribution: %d numbers are no whole number of vectors of %d, which must be 1 to %d", len(vectors), dim, maxDim)
	}
	if n := len(vectors) / dim; n < least {
		return fmt.Errorf("distribution: a set has %d vectors; it takes at least %d", n, least)
	}
	for i, v := range vectors {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("distribution: vector %d holds %v, which is no number to compare", i/dim, v)
		}
	}
	return nil
}

// Frechet returns the squared Fréchet distance of two normal distributions
// with the given moments, |μ₁−μ₂|² + tr(Σ₁+Σ₂−2(Σ₁Σ₂)^½) (Dowson & Landau
// 1982, eq. 4), which the FID of Heusel et al. 2017 is in the space of one
// certain network. It is at least 0.
func Frechet(a, b *Moments) (float64, error) {
	dim := len(a.Mean)
	if len(b.Mean) != dim {
		return 0, fmt.Errorf("distribution: sets of vectors of %d and %d numbers cannot be compared", dim, len(b.Mean))
	}
	sum := 0.0
	for k, v := range a.Mean {
		d := v - b.Mean[k]
		sum += d*d + a.Covariance.At(k, k) + b.Covariance.At(k, k)
	}
	// The eigenvalues of Σ₁Σ₂ are those of the symmetric Σ₁^½ Σ₂ Σ₁^½.
	root, err := squareRoot(a.Covariance)
	if err != nil {
		return 0, err
	}
	var half, product mat.Dense
	half.Mul(root, b.Covariance)
	product.Mul(&half, root)
	symmetric := mat.NewSymDense(dim, nil)
	for i := range dim {
		for j := i; j < dim; j++ {
			symmetric.SetSym(i, j, (product.At(i, j)+product.At(j, i))/2)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(symmetric, false) {
		return 0, errEigen(dim)
	}
	for _, v := range eigen.Values(nil) {
		sum -= 2 * math.Sqrt(max(0, v)) // below 0 by rounding only
	}
	return max(0, sum), nil
}

func errEigen(dim int) error {
	return fmt.Errorf("distribution: the eigenvalues of a %d×%d covariance were not found", dim, dim)
}

// squareRoot returns the symmetric square root of a covariance.
func squareRoot(s *mat.SymDense) (*mat.Dense, error) {
	dim := s.SymmetricDim()
	var eigen mat.EigenSym
	if !eigen.Factorize(s, true) {
		return nil, errEigen(dim)
	}
	var vectors, scaled mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	scaled.Apply(func(_, j int, v float64) float64 { return v * math.Sqrt(max(0, values[j])) }, &vectors)
	root := mat.NewDense(dim, dim, nil)
	root.Mul(&scaled, vectors.T())
	return root, nil
}
