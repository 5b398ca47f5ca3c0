package winograd

import "unsafe"

// The portable loops: what the assembly is tested against, and what runs where
// there is none. Each transform is M·X·Mᵀ for a matrix M.

// points are the numbers at which the polynomials of a tile of 4 outputs are
// evaluated, besides 0 and infinity.
const (
	a, b   = 0.75, 1.5
	aa, bb = a * a, b * b
	atZero = aa * bb // the products of the differences of a point to the others
	atA    = 2 * aa * (aa - bb)
	atB    = 2 * bb * (bb - aa)
)

// matrix is a matrix of a transform.
type matrix [][]float32

// matrices are those of one tile size: input is Bᵀ, filter is G and spread A.
type matrices struct{ input, filter, spread matrix }

var (
	matrices2 = matrices{
		input:  matrix{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}},
		filter: matrix{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
		spread: matrix{{1, 0}, {1, 1}, {1, -1}, {0, 1}},
	}
	matrices4 = matrices{
		input: matrix{
			{aa * bb, 0, -aa - bb, 0, 1, 0},
			{0, -a * bb, -bb, a, 1, 0},
			{0, a * bb, -bb, -a, 1, 0},
			{0, -b * aa, -aa, b, 1, 0},
			{0, b * aa, -aa, -b, 1, 0},
			{0, aa * bb, 0, -aa - bb, 0, 1},
		},
		filter: matrix{
			{1 / atZero, 0, 0},
			{1 / atA, a / atA, aa / atA},
			{1 / atA, -a / atA, aa / atA},
			{1 / atB, b / atB, bb / atB},
			{1 / atB, -b / atB, bb / atB},
			{0, 0, 1},
		},
		spread: matrix{
			{1, 0, 0, 0},
			{1, a, aa, a * aa},
			{1, -a, aa, -a * aa},
			{1, b, bb, b * bb},
			{1, -b, bb, -b * bb},
			{0, 0, 0, 1},
		},
	}
)

func (m matrix) transposed() matrix {
	t := make(matrix, len(m[0]))
	for i := range t {
		for _, row := range m {
			t[i] = append(t[i], row[i])
		}
	}
	return t
}

// sandwich computes y = M·x·Mᵀ.
func (m matrix) sandwich(y, x *[MaxFrequencies]float32) {
	rows, cols := len(m), len(m[0])
	var t [MaxFrequencies]float32 // M·x
	for i, row := range m {
		for j := range cols {
			var sum float32
			for k, v := range row {
				sum += v * x[k*cols+j]
			}
			t[i*cols+j] = sum
		}
	}
	for i := range rows {
		for j, row := range m {
			var sum float32
			for k, v := range row {
				sum += t[i*cols+k] * v
			}
			y[i*rows+j] = sum
		}
	}
}

// element returns element i past a pointer.
func element(p *float32, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i))
}

// reference returns the portable transforms of a tile size.
func reference(size int) Transforms {
	m := matrices2
	if size == 4 {
		m = matrices4
	}
	gather := func(f matrix) func(dst *float32, stride int, src **float32, n int, tmp *float32, run, jump int) {
		return func(dst *float32, stride int, src **float32, n int, _ *float32, run, jump int) {
			points := unsafe.Slice(src, len(f[0])*len(f[0]))
			var x, y [MaxFrequencies]float32
			for i := range n {
				for j, p := range points {
					x[j] = *element(p, i)
				}
				f.sandwich(&y, &x)
				for j := range len(f) * len(f) {
					*element(dst, j*stride+i/run*jump+i) = y[j]
				}
			}
		}
	}
	toPixels, toTaps := m.spread.transposed(), m.filter.transposed()
	return Transforms{
		Size: size, Side: size + 2, lanes: 1,
		input:  gather(m.input),
		spread: gather(m.spread),
		filter: func(dst *float32, stride int, src *float32, taps, n int, _ *float32) {
			var x, y [MaxFrequencies]float32
			for i := range n {
				for j := range 9 {
					x[j] = *element(src, j*taps+i)
				}
				m.filter.sandwich(&y, &x)
				for j := range len(m.filter) * len(m.filter) {
					*element(dst, j*stride+i) = y[j]
				}
			}
		},
		output: func(dst **float32, src *float32, stride int, n int, _ *float32, bias *float32, add, relu bool, most float32) {
			points := unsafe.Slice(dst, size*size)
			var x, y [MaxFrequencies]float32
			for i := range n {
				for j := range len(m.input) * len(m.input) {
					x[j] = *element(src, j*stride+i)
				}
				toPixels.sandwich(&y, &x)
				for j, p := range points {
					to := element(p, i)
					if bias != nil {
						y[j] += *element(bias, i)
					}
					if add {
						y[j] += *to
					}
					switch {
					case !relu:
					case y[j] < 0:
						y[j] = 0
					case y[j] > most:
						y[j] = most
					}
					*to = y[j]
				}
			}
		},
		unfilter: func(dst *float32, taps int, src *float32, stride, n int, _ *float32) {
			var x, y [MaxFrequencies]float32
			for i := range n {
				for j := range len(m.input) * len(m.input) {
					x[j] = *element(src, j*stride+i)
				}
				toTaps.sandwich(&y, &x)
				for j := range 9 {
					*element(dst, j*taps+i) = y[j]
				}
			}
		},
	}
}

var generic2, generic4 = reference(2), reference(4)

// portable returns the portable transforms of a tile size.
func portable(size int) *Transforms {
	if size == 2 {
		return &generic2
	}
	return &generic4
}
