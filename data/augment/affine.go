package augment

import "math"

// affine is a map of colours: out[i] = sum over j of m[i][j]·in[j], plus
// m[i][3], on values 0–255.
type affine [3][4]float64

var same = affine{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}

// luma has the weights of red, green and blue in a pixel's grey (ITU-R
// BT.601).
var luma = [3]float64{0.299, 0.587, 0.114}

// then makes m the map that does m first and then b.
func (m *affine) then(b *affine) {
	var out affine
	for i := range 3 {
		for j := range 4 {
			out[i][j] = b[i][0]*m[0][j] + b[i][1]*m[1][j] + b[i][2]*m[2][j]
		}
		out[i][3] += b[i][3]
	}
	*m = out
}

// of returns the colour that m makes of a colour.
func (m *affine) of(in *[3]float64) (out [3]float64) {
	for i := range out {
		out[i] = m[i][0]*in[0] + m[i][1]*in[1] + m[i][2]*in[2] + m[i][3]
	}
	return out
}

func recolorBrightness(m *affine, v values, _ *[3]float64) {
	f := v[0]
	m.then(&affine{{f, 0, 0, 0}, {0, f, 0, 0}, {0, 0, f, 0}})
}

// recolorContrast takes the mean of what the maps before make of the image:
// they are affine, so that this is what they make of the image's mean.
func recolorContrast(m *affine, v values, mean *[3]float64) {
	f, c := v[0], m.of(mean)
	b := (1 - f) * (luma[0]*c[0] + luma[1]*c[1] + luma[2]*c[2])
	m.then(&affine{{f, 0, 0, b}, {0, f, 0, b}, {0, 0, f, b}})
}

func recolorSaturation(m *affine, v values, _ *[3]float64) {
	b := blend(v[0])
	m.then(&b)
}

// blend is f of the colour and 1-f of its grey.
func blend(f float64) (b affine) {
	for i := range 3 {
		for j := range 3 {
			b[i][j] = (1 - f) * luma[j]
		}
		b[i][i] += f
	}
	return b
}

// recolorHue turns the chrominance plane of YIQ (the NTSC's, 1953), in which
// grey is the origin: what is grey stays so, and luma stays the same.
func recolorHue(m *affine, v values, _ *[3]float64) {
	sin, cos := math.Sincos(2 * math.Pi * v[0])
	// Rows of I and Q as sums of red, green and blue, and back.
	i := [3]float64{0.595716, -0.274453, -0.321263}
	q := [3]float64{0.211456, -0.522591, 0.311135}
	back := [3][2]float64{{0.9563, 0.6210}, {-0.2721, -0.6474}, {-1.1070, 1.7046}}
	var b affine
	for c := range 3 {
		for j := range 3 {
			b[c][j] = luma[j] + back[c][0]*(cos*i[j]-sin*q[j]) + back[c][1]*(sin*i[j]+cos*q[j])
		}
	}
	m.then(&b)
}

func recolorShift(m *affine, v values, _ *[3]float64) {
	for i := range 3 {
		m[i][3] += 255 * v[i]
	}
}

func recolorGrey(m *affine, v values, _ *[3]float64) {
	if v[0] != 0 {
		b := blend(0)
		m.then(&b)
	}
}

// Colours are mapped in fixed point: an integer sum is the same on every
// machine, whatever it fuses.
const (
	fixedBits = 16
	fixedHalf = 1 << (fixedBits - 1)
)

func fixed(v float64) int64 { return int64(math.Round(v * (1 << fixedBits))) }

// clip8 rounds a fixed-point number to a byte.
func clip8(v int64) uint8 { return uint8(min(max((v+fixedHalf)>>fixedBits, 0), 255)) }

// apply maps the pixels of an image in place. A grey pixel is three equal
// channels of which the mean shift of the three is kept.
func (m *affine) apply(pix []uint8, c int) {
	if c == 1 {
		gain, offset := 0.0, 0.0
		for i, l := range luma {
			gain += l * (m[i][0] + m[i][1] + m[i][2])
			offset += l * m[i][3]
		}
		var table [256]uint8
		fillTable(&table, gain, offset)
		for i, p := range pix {
			pix[i] = table[p]
		}
		return
	}
	if m[0][1] == 0 && m[0][2] == 0 && m[1][0] == 0 && m[1][2] == 0 && m[2][0] == 0 && m[2][1] == 0 {
		var tables [3][256]uint8
		for i := range tables {
			fillTable(&tables[i], m[i][i], m[i][3])
		}
		for ; len(pix) >= 3; pix = pix[3:] {
			pix[0], pix[1], pix[2] = tables[0][pix[0]], tables[1][pix[1]], tables[2][pix[2]]
		}
		return
	}
	var f [3][4]int64
	for i := range f {
		for j := range f[i] {
			f[i][j] = fixed(m[i][j])
		}
	}
	for ; len(pix) >= 3; pix = pix[3:] {
		r, g, b := int64(pix[0]), int64(pix[1]), int64(pix[2])
		pix[0] = clip8(f[0][0]*r + f[0][1]*g + f[0][2]*b + f[0][3])
		pix[1] = clip8(f[1][0]*r + f[1][1]*g + f[1][2]*b + f[1][3])
		pix[2] = clip8(f[2][0]*r + f[2][1]*g + f[2][2]*b + f[2][3])
	}
}

func fillTable(table *[256]uint8, gain, offset float64) {
	g, o := fixed(gain), fixed(offset)
	for i := range table {
		table[i] = clip8(g*int64(i) + o)
	}
}

// meanColour returns the mean of an image's pixels; grey counts as three equal
// channels.
func meanColour(pix []uint8, c int) (mean [3]float64) {
	var sum [3]int64
	n := len(pix) / c
	for i := range n {
		for k := range c {
			sum[k] += int64(pix[i*c+k])
		}
	}
	for k := range mean {
		mean[k] = float64(sum[k%c]) / float64(max(n, 1))
	}
	return mean
}
