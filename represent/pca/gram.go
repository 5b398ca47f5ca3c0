package pca

import (
	"math"

	"hourglass/internal/kernel/gemm"
	"hourglass/represent/internal/dense"
)

// fitGram sets components, and variances times n-1. If X·Xᵀ·u = λ·u, then
// Xᵀ·u/√λ is an eigenvector of Xᵀ·X, also with λ.
func (m *Model) fitGram(x *centred, k int, seed uint64) {
	n, d := x.rows.Len(), x.rows.Dim()
	g := make([]float64, n*n)
	left := make([]float32, x.block*d)
	var right []float32
	if x.block < n {
		right = make([]float32, x.block*d)
	}
	for i := 0; i < n; i += x.block {
		ni := min(x.block, n-i)
		x.read(i, left[:ni*d])
		x.e.AddRowGram(g[i*n+i:], n, left, ni, d)
		for j := i + x.block; j < n; j += x.block {
			nj := min(x.block, n-j)
			x.read(j, right[:nj*d])
			x.e.AddMul(g[i*n+j:], n, left, right, gemm.Shape{M: ni, N: nj, K: d, TransB: true, LDA: d, LDB: d})
		}
	}
	dense.Mirror(g, n)
	vectors := m.eigen(g, n, k)

	// Directions without variance stay zero here; Orthonormalize finds some.
	smallest := m.Variances[0] * float64(n) * 0x1p-40
	weights := make([]float32, n*k)
	for j := range k {
		if m.Variances[j] <= smallest {
			m.Variances[j] = 0
			continue
		}
		s := 1 / math.Sqrt(m.Variances[j])
		for i := range n {
			weights[i*k+j] = float32(s * vectors.At(i, n-1-j))
		}
	}
	m.Components = make([]float32, k*d)
	for i := 0; i < n; i += x.block {
		ni := min(x.block, n-i)
		if x.block < n || i > 0 {
			x.read(i, left[:ni*d])
		}
		x.e.Mul(m.Components, weights[i*k:], left, gemm.Shape{M: k, N: d, K: ni, TransA: true}, i > 0)
	}
	x.e.Orthonormalize(m.Components, k, d, seed)
}
