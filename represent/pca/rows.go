package pca

import (
	"fmt"
	"math"

	"hourglass/represent/internal/dense"
)

// Rows is a matrix of float32 that can be read again and again in blocks of
// rows.
type Rows interface {
	// Len returns the number of rows, n.
	Len() int
	// Dim returns the length of a row, d.
	Dim() int
	// Read fills dst, [len(dst)/d, d], with the rows from start on. It must
	// always give the same numbers. It is called by one goroutine at a time.
	Read(start int, dst []float32)
}

// Matrix returns rows of dim elements each that lie one after another in x.
// It fails if x does not hold a whole number of them.
func Matrix(x []float32, dim int) (Rows, error) {
	if dim < 1 || len(x)%dim != 0 {
		return nil, fmt.Errorf("pca: %d elements are no whole number of rows of %d", len(x), dim)
	}
	return matrix{x, dim}, nil
}

type matrix struct {
	x   []float32
	dim int
}

func (m matrix) Len() int { return len(m.x) / m.dim }
func (m matrix) Dim() int { return m.dim }
func (m matrix) Read(start int, dst []float32) {
	copy(dst, m.x[start*m.dim:])
}

const (
	blockElements = 24 << 20 // of a block of rows: 96 MB
	maxBlockRows  = 4096
	minBlockRows  = 16
)

// blockRows returns how many rows of d elements are worked on at once.
func blockRows(n, d int) int {
	return min(n, max(minBlockRows, min(maxBlockRows, blockElements/d)))
}

// centred reads rows less their mean, times a power of two that keeps squares
// of very large or small numbers within float32.
type centred struct {
	rows  Rows
	e     *dense.Engine
	mean  []float32
	scale float32 // see scaleOf
	block int     // rows in a block
}

// newCentred reads all rows once for their mean. It refuses numbers that are
// not finite, naming the row.
func newCentred(e *dense.Engine, rows Rows) (*centred, error) {
	n, d := rows.Len(), rows.Dim()
	c := &centred{rows: rows, e: e, mean: make([]float32, d), block: blockRows(n, d)}
	sums := make([]float64, d)
	const width = 512 // of a part: columns are summed apart, each in the order of the rows
	parts := (d + width - 1) / width
	largest := make([]float32, parts)
	buf := make([]float32, c.block*d)
	for start := 0; start < n; start += c.block {
		x := buf[:min(c.block, n-start)*d]
		rows.Read(start, x)
		e.Pool.Run(parts, func(_, part int) {
			from, to := part*width, min(d, (part+1)*width)
			high := largest[part]
			for at := 0; at < len(x); at += d {
				for j, v := range x[at+from : at+to] {
					sums[from+j] += float64(v)
					high = max(high, v, -v)
				}
			}
			largest[part] = high
		})
		if bad := firstNotFinite(sums); bad >= 0 {
			return nil, notFinite(x, start, d)
		}
	}
	for j, s := range sums {
		c.mean[j] = float32(s / float64(n))
	}
	high := float32(0)
	for _, v := range largest {
		high = max(high, v)
	}
	c.scale = scaleOf(float64(high))
	return c, nil
}

// scaleOf returns a power of two that brings numbers of magnitudes up to high to
// where their squares lie well within float32: 1 for those between 2^-20 and 2^20.
func scaleOf(high float64) float32 {
	if high == 0 || (high >= 0x1p-20 && high <= 0x1p20) {
		return 1
	}
	_, exponent := math.Frexp(high)
	return float32(math.Ldexp(1, max(-126, min(126, -exponent))))
}

// read fills x with rows from start on, centred and scaled.
func (c *centred) read(start int, x []float32) {
	c.rows.Read(start, x)
	c.centre(x)
}

// centre scales the rows of x and takes the mean from them: in this order, as the
// difference of large numbers may be too large.
func (c *centred) centre(x []float32) {
	d, mean := len(c.mean), c.mean
	if c.scale != 1 {
		mean = make([]float32, d)
		c.e.Vec.Scale(mean, c.mean, c.scale)
	}
	c.e.Rows(len(x)/d, d, func(_, from, to int) {
		for i := from; i < to; i++ {
			row := x[i*d : (i+1)*d]
			if c.scale != 1 {
				c.e.Vec.Scale(row, row, c.scale)
			}
			c.e.Vec.Sub(row, row, mean)
		}
	})
}

// firstNotFinite returns the index of the first infinity or NaN of x, or -1.
func firstNotFinite(x []float64) int {
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return i
		}
	}
	return -1
}

// notFinite returns the error for the first row of x, the rows from start on,
// that holds an infinity or a NaN.
func notFinite(x []float32, start, d int) error {
	for i, v := range x {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("pca: row %d holds %v at column %d: only finite numbers have components", start+i/d, v, i%d)
		}
	}
	return nil
}
