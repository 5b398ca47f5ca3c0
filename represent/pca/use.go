package pca

import (
	"fmt"
	"math"

	"hourglass/internal/kernel/gemm"
	"hourglass/represent/internal/dense"
)

// Truncate returns the model of the first k components. It shares memory with
// m. It fails if m has fewer.
func (m *Model) Truncate(k int) (*Model, error) {
	if k < 1 || k > m.K() {
		return nil, fmt.Errorf("pca: %d components asked for of a model that has %d", k, m.K())
	}
	t := *m
	t.Components = m.Components[: k*m.Dim() : k*m.Dim()]
	t.Variances = m.Variances[:k:k]
	return &t, nil
}

// Transform returns the codes [n,k] of the vectors x [n,d]: the coordinates of
// x less the mean along each component. Of the options it uses Pool and ISA.
func (m *Model) Transform(x []float32, o Options) ([]float32, error) {
	rows, err := Matrix(x, m.Dim())
	if err != nil {
		return nil, err
	}
	z := make([]float32, rows.Len()*m.K())
	err = m.codes(rows, o, func(e *dense.Engine, start int, _, block []float32) {
		e.Vec.Scale(z[start*m.K():][:len(block)], block, 1/m.scale())
	})
	return z, err
}

// Inverse returns the vectors [n,d] that have the codes z [n,k] and lie in the
// span of the components. Of the options it uses Pool and ISA.
func (m *Model) Inverse(z []float32, o Options) ([]float32, error) {
	k, d := m.K(), m.Dim()
	if len(z)%k != 0 {
		return nil, fmt.Errorf("pca: %d elements are no whole number of codes of %d", len(z), k)
	}
	e, err := dense.New(o.Pool, o.ISA)
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	defer e.Close()
	n := len(z) / k
	x := make([]float32, n*d)
	block := blockRows(n, d)
	for start := 0; start < n; start += block {
		rows := min(block, n-start)
		b := x[start*d : (start+rows)*d]
		e.Mul(b, z[start*k:], m.Components, gemm.Shape{M: rows, N: d, K: k}, false)
		e.Rows(rows, d, func(_, from, to int) {
			for i := from; i < to; i++ {
				e.Vec.Add(b[i*d:(i+1)*d], b[i*d:(i+1)*d], m.Mean)
			}
		})
	}
	return x, nil
}

// ReconstructionErrors returns the mean squared error per element with which
// the rows come back from their codes, for each number of components from 0
// (the mean alone) to k: [k+1]. It reads the rows once, since for orthonormal
// components the squared error of a row falls by the square of each coordinate.
// Of the options it uses Pool and ISA.
func (m *Model) ReconstructionErrors(rows Rows, o Options) ([]float64, error) {
	n, d, k := rows.Len(), rows.Dim(), m.K()
	if d != m.Dim() {
		return nil, fmt.Errorf("pca: rows of %d elements, and the model is of %d", d, m.Dim())
	}
	if n < 1 {
		return nil, fmt.Errorf("pca: no rows to measure the error of")
	}
	total := 0.0
	gain := make([]float64, k)
	squares := make([]float64, blockRows(n, d))
	err := m.codes(rows, o, func(e *dense.Engine, _ int, x, z []float32) {
		e.Rows(len(x)/d, d, func(_, from, to int) {
			for i := from; i < to; i++ {
				squares[i] = sumSquares(e, x[i*d:(i+1)*d])
			}
		})
		for _, s := range squares[:len(x)/d] {
			total += s
		}
		for i, v := range z {
			gain[i%k] += float64(v) * float64(v)
		}
	})
	if err != nil {
		return nil, err
	}
	errs := make([]float64, k+1)
	unscale := 1 / float64(m.scale())
	for i := range errs {
		if i > 0 {
			total -= gain[i-1]
		}
		errs[i] = max(0, total) * unscale * unscale / (float64(n) * float64(d))
	}
	return errs, nil
}

// scale returns the scale of rows such as the model was fitted to.
func (m *Model) scale() float32 {
	high := math.Sqrt(m.TotalVariance)
	for _, v := range m.Mean {
		high = max(high, math.Abs(float64(v)))
	}
	return scaleOf(high)
}

// codes reads rows in blocks, and calls use with the index of the first, the
// centred rows and their codes, both times scale.
func (m *Model) codes(rows Rows, o Options, use func(e *dense.Engine, start int, x, z []float32)) error {
	e, err := dense.New(o.Pool, o.ISA)
	if err != nil {
		return fmt.Errorf("pca: %w", err)
	}
	defer e.Close()
	n, d, k := rows.Len(), rows.Dim(), m.K()
	c := &centred{rows: rows, e: e, mean: m.Mean, scale: m.scale(), block: blockRows(n, d)}
	buf, z := make([]float32, c.block*d), make([]float32, c.block*k)
	for start := 0; start < n; start += c.block {
		b := buf[:min(c.block, n-start)*d]
		c.read(start, b)
		codes := z[:len(b)/d*k]
		e.Mul(codes, b, m.Components, gemm.Shape{M: len(b) / d, N: k, K: d, TransB: true}, false)
		use(e, start, b, codes)
	}
	return nil
}
