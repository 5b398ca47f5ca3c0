package pca

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"hourglass/represent/internal/dense"
)

// Model is a fitted set of principal components. It must not be changed while
// its methods run; they may run at the same time if their options hold
// different pools or none.
type Model struct {
	Mean       []float32 // [d]
	Components []float32 // [k,d], orthonormal rows in the order of falling variance
	// Variances holds the variance along each component, [k], with divisor
	// n-1. Those of Randomized are slightly too small where components lie
	// close together.
	Variances []float64
	// TotalVariance is the sum of the variances of all d columns.
	TotalVariance float64
	// Method is the method that was used, as Method.String names it.
	Method string
}

// Dim returns the length of a vector, d.
func (m *Model) Dim() int { return len(m.Mean) }

// K returns the number of components.
func (m *Model) K() int { return len(m.Variances) }

// Fit finds the first k principal components of the rows. A component points
// to where the element of its largest magnitude is positive. There are at
// least two rows, and k is at most min(n, d); a component beyond the rank of
// the rows has variance 0 and a direction that is orthogonal to the others and
// else arbitrary.
//
// Beyond the rows and the model, Fit takes about 200 MB for the blocks of a
// large problem, and Gram 24·n², Covariance 24·d², Randomized 4·(k+32)·d bytes.
func Fit(rows Rows, k int, o Options) (*Model, error) {
	n, d := rows.Len(), rows.Dim()
	switch {
	case d < 1:
		return nil, fmt.Errorf("pca: rows of %d elements have no components", d)
	case n < 2:
		return nil, fmt.Errorf("pca: %d rows have no variance; give at least 2", max(n, 0))
	case k < 1:
		return nil, fmt.Errorf("pca: %d components asked for; ask for at least 1", k)
	case k > min(n, d):
		return nil, fmt.Errorf("pca: %d components asked for, and %d rows of %d elements have %d at most", k, n, d, min(n, d))
	case o.Passes < 0:
		return nil, fmt.Errorf("pca: %d passes asked for", o.Passes)
	}
	e, err := dense.New(o.Pool, o.ISA)
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	defer e.Close()
	x, err := newCentred(e, rows)
	if err != nil {
		return nil, err
	}
	method := o.Method
	if method == Auto {
		method = Choose(n, d, k)
	}
	m := &Model{Mean: x.mean, Method: method.String()}
	switch method {
	case Covariance:
		if d > maxExact {
			return nil, fmt.Errorf("pca: a covariance matrix of %d columns is too large; the limit is %d: choose randomized", d, maxExact)
		}
		m.fitCovariance(x, k)
	case Gram:
		if n > maxExact {
			return nil, fmt.Errorf("pca: a Gram matrix of %d rows is too large; the limit is %d: choose randomized", n, maxExact)
		}
		m.fitGram(x, k, o.Seed)
	case Randomized:
		passes := o.Passes
		if passes == 0 {
			passes = defaultPasses(n, d, k)
		}
		m.fitRandomized(x, k, passes, o.Seed)
	default:
		return nil, fmt.Errorf("pca: no method %v", method)
	}
	unscale := 1 / (float64(x.scale) * float64(x.scale) * float64(n-1))
	for i := range m.Variances {
		m.Variances[i] *= unscale
	}
	m.TotalVariance *= unscale
	m.fixSigns(e)
	return m, nil
}

// fitCovariance sets components, and variances times n-1.
func (m *Model) fitCovariance(x *centred, k int) {
	n, d := x.rows.Len(), x.rows.Dim()
	c := make([]float64, d*d)
	buf := make([]float32, x.block*d)
	for start := 0; start < n; start += x.block {
		b := buf[:min(x.block, n-start)*d]
		x.read(start, b)
		x.e.AddColumnGram(c, b, len(b)/d, d)
	}
	dense.Mirror(c, d)
	vectors := m.eigen(c, d, k)
	m.Components = make([]float32, k*d)
	for i := range k {
		for j := range d {
			m.Components[i*d+j] = float32(vectors.At(j, d-1-i))
		}
	}
}

// eigen sets the k largest eigenvalues of the [size,size] matrix a as
// variances and its trace as their total, and returns its eigenvectors as
// columns, in the order of rising eigenvalues.
func (m *Model) eigen(a []float64, size, k int) *mat.Dense {
	for i := range size {
		m.TotalVariance += a[i*size+i]
	}
	values, vectors := eigenSym(a, size)
	m.Variances = make([]float64, k)
	for i := range k {
		m.Variances[i] = max(0, values[size-1-i])
	}
	return vectors
}

// eigenSym returns the eigenvalues of the symmetric [size,size] matrix a in
// rising order, and its eigenvectors as columns.
func eigenSym(a []float64, size int) ([]float64, *mat.Dense) {
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(size, a), true) {
		// The QL iteration is known to converge for every finite matrix, and
		// the input has been checked and scaled.
		panic("pca: the eigenvalues of a finite matrix did not converge")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	return e.Values(nil), &vectors
}

// fixSigns turns each component so that its element of largest magnitude, the
// first of several, is positive.
func (m *Model) fixSigns(e *dense.Engine) {
	d := m.Dim()
	e.Rows(m.K(), d, func(_, from, to int) {
		for i := from; i < to; i++ {
			row := m.Components[i*d : (i+1)*d]
			largest := float32(0)
			for _, v := range row {
				if math.Abs(float64(v)) > math.Abs(float64(largest)) {
					largest = v
				}
			}
			if largest < 0 {
				e.Vec.Neg(row, row)
			}
		}
	})
}
