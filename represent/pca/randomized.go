package pca

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"hourglass/internal/kernel/gemm"
	"hourglass/internal/random"
	"hourglass/represent/internal/dense"
)

const randomStream = 0x706361 // "pca"

// fitRandomized sets components, and variances times n-1.
//
// A random basis Q of l = k+32 directions is multiplied by C = Xᵀ·X again and
// again and made orthonormal in between: first, where there are many rows,
// with some of the rows only, which costs little and turns Q most of the way;
// then with all of them. From the last product Y = C·Q the eigenvectors of the
// Nyström approximation Y·(Qᵀ·Y)⁻¹·Yᵀ of C follow without another pass. Bases
// are stored by rows, [l,d].
func (m *Model) fitRandomized(x *centred, k, passes int, seed uint64) {
	n, d := x.rows.Len(), x.rows.Dim()
	l := subspace(n, d, k)
	q, y := make([]float32, l*d), make([]float32, l*d)
	x.e.Rows(l, d, func(_, from, to int) {
		for i := from; i < to; i++ {
			random.Normal(q[i*d:(i+1)*d], seed, randomStream, uint64(i))
		}
	})
	p := &power{x: x, l: l, buf: make([]float32, x.block*d), z: make([]float32, x.block*l)}
	p.look(y, q)
	q, y = y, q
	x.e.Orthonormalize(q, l, d, seed)
	for pass := range passes {
		if pass > 0 {
			q, y = y, q
			x.e.Orthonormalize(q, l, d, seed)
		}
		m.TotalVariance = p.all(y, q)
	}
	m.nystrom(x.e, q, y, k, l, d)
	x.e.Orthonormalize(m.Components, k, d, seed)
}

// power multiplies bases by C.
type power struct {
	x   *centred
	l   int
	buf []float32 // a block of rows
	z   []float32 // its products with the basis, [rows,l]
}

// all sets y to C·q and returns the trace of C.
func (p *power) all(y, q []float32) float64 {
	n, d := p.x.rows.Len(), p.x.rows.Dim()
	trace := 0.0
	squares := make([]float64, p.x.block)
	for start := 0; start < n; start += p.x.block {
		rows := min(p.x.block, n-start)
		b := p.buf[:rows*d]
		p.x.read(start, b)
		p.add(y, q, b, start > 0)
		p.x.e.Rows(rows, d, func(_, from, to int) {
			for i := from; i < to; i++ {
				squares[i] = sumSquares(p.x.e, b[i*d:(i+1)*d])
			}
		})
		for _, s := range squares[:rows] {
			trace += s
		}
	}
	return trace
}

// look sets y to C·q for the C of 4·l rows or 2048, taken in runs of 16 from
// all over the data, or of all rows if they are not many more.
func (p *power) look(y, q []float32) {
	n, d := p.x.rows.Len(), p.x.rows.Dim()
	const run = 16
	want := max(4*p.l, 2048)
	if n < 2*want {
		p.all(y, q)
		return
	}
	runs := want / run
	perBlock := max(1, p.x.block/run)
	for first := 0; first < runs; first += perBlock {
		count := min(perBlock, runs-first)
		b := p.buf[:count*run*d]
		for r := range count {
			start := int(int64(first+r) * int64(n-run) / int64(max(1, runs-1)))
			p.x.rows.Read(start, b[r*run*d:(r+1)*run*d])
		}
		p.x.centre(b)
		p.add(y, q, b, first > 0)
	}
}

// add computes (q·bᵀ)·b for a block of rows b, and sets y to it or adds it.
func (p *power) add(y, q, b []float32, accumulate bool) {
	d := p.x.rows.Dim()
	rows := len(b) / d
	p.x.e.Mul(p.z, b, q, gemm.Shape{M: rows, N: p.l, K: d, TransB: true}, false)
	p.x.e.Mul(y, p.z, b, gemm.Shape{M: p.l, N: d, K: rows, TransA: true}, accumulate)
}

// nystrom takes the first k eigenvectors and eigenvalues of Y·(Qᵀ·Y)⁻¹·Yᵀ,
// where y = Yᵀ is C times the orthonormal q = Qᵀ. A small multiple of Q is
// added to Y and its effect taken from the eigenvalues, which keeps rounding
// from making Qᵀ·Y indefinite (J. Tropp et al., "Fixed-rank approximation of a
// positive-semidefinite matrix from streaming data", NIPS 2017, algorithm 3).
// y is overwritten.
func (m *Model) nystrom(e *dense.Engine, q, y []float32, k, l, d int) {
	m.Variances = make([]float64, k)
	norm := 0.0
	for i := range l {
		norm += sumSquares(e, y[i*d:(i+1)*d])
	}
	norm = math.Sqrt(norm)
	if norm < 1e-30 { // constant rows
		m.Components = make([]float32, k*d)
		return
	}
	core := make([]float64, l*l)
	e.AddMul(core, l, q, y, gemm.Shape{M: l, N: l, K: d, TransB: true, LDA: d, LDB: d})
	var chol mat.Cholesky
	shift := 0x1p-24 * norm
	for {
		s := mat.NewSymDense(l, nil)
		for i := range l {
			for j := i; j < l; j++ {
				s.SetSym(i, j, (core[i*l+j]+core[j*l+i])/2)
			}
			s.SetSym(i, i, s.At(i, i)+shift)
		}
		if chol.Factorize(s) {
			break
		}
		if shift > 2*norm { // above every eigenvalue
			panic("pca: a product of finite matrices is not finite")
		}
		shift *= 10
	}
	e.Vec.AxpY(y, q, float32(shift))

	// The rows of L⁻¹·y are a matrix B with BᵀB the approximation.
	var lower, inverse mat.TriDense
	chol.LTo(&lower)
	_ = inverse.InverseTri(&lower) // its error is a warning about the condition, which the shift bounds
	t := make([]float32, l*l)
	for i := range l {
		for j := range i + 1 {
			t[i*l+j] = float32(inverse.At(i, j))
		}
	}
	e.MulInPlace(t, y, l, l, d)

	gram := make([]float64, l*l)
	e.AddRowGram(gram, l, y, l, d)
	dense.Mirror(gram, l)
	values, vectors := eigenSym(gram, l)
	for i := range k {
		v := values[l-1-i]
		m.Variances[i] = max(0, v-shift)
		s := 0.0
		if v > 0 {
			s = 1 / math.Sqrt(v)
		}
		for j := range l {
			t[i*l+j] = float32(s * vectors.At(j, l-1-i))
		}
	}
	e.MulInPlace(t, y, k, l, d)
	m.Components = y[: k*d : k*d]
}

// sumSquares returns the squared length of a row.
func sumSquares(e *dense.Engine, row []float32) float64 {
	sum := 0.0
	const run = 4096 // summed in float32
	for len(row) > run {
		sum += float64(e.Vec.SumSquares(row[:run]))
		row = row[run:]
	}
	return sum + float64(e.Vec.SumSquares(row))
}
