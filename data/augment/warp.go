package augment

import "math"

// Weights of the bilinear interpolation, as whole numbers.
const (
	weightBits = 11
	weightOne  = 1 << weightBits
)

// warp samples src at where m leads from each pixel's middle, bilinearly.
func (k *Worker) warp(dst, src []uint8, h, w, c int, m *matrix, zero bool) {
	if k.moves(dst, src, h, w, c, m, zero) {
		return
	}
	for y := range h {
		for x := range w {
			px, py := m.at(x, y, h, w)
			fx, fy := math.Floor(px), math.Floor(py)
			x0, y0 := int(fx), int(fy)
			wx, wy := int((px-fx)*weightOne+0.5), int((py-fy)*weightOne+0.5)
			out := dst[(y*w+x)*c:][:c]
			xa, xb := inside(x0, w, zero), inside(x0+1, w, zero)
			ya, yb := inside(y0, h, zero), inside(y0+1, h, zero)
			for i := range out {
				top := pixel(src, xa, ya, w, c, i)*(weightOne-wx) + pixel(src, xb, ya, w, c, i)*wx
				low := pixel(src, xa, yb, w, c, i)*(weightOne-wx) + pixel(src, xb, yb, w, c, i)*wx
				out[i] = uint8((top*(weightOne-wy) + low*wy + 1<<(2*weightBits-1)) >> (2 * weightBits))
			}
		}
	}
}

// at returns the place in the input, with pixel (0, 0) at the origin, of a
// pixel of the output.
func (m *matrix) at(x, y, h, w int) (px, py float64) {
	cx, cy := float64(w)/2-0.5, float64(h)/2-0.5
	fx, fy := float64(x)-cx, float64(y)-cy
	d := m[6]*fx + m[7]*fy + m[8]
	return limit((m[0]*fx+m[1]*fy+m[2])/d + cx), limit((m[3]*fx+m[4]*fy+m[5])/d + cy)
}

// limit keeps a place where it can be made an integer.
func limit(v float64) float64 {
	const far = 1 << 30
	if v > -far {
		return min(v, far)
	}
	return -far // and for no number at all
}

// moves does what needs no interpolation, mirrored and moved by whole pixels,
// and tells whether m was of that kind.
func (k *Worker) moves(dst, src []uint8, h, w, c int, m *matrix, zero bool) bool {
	x0, y0 := m.at(0, 0, h, w)
	if !m.affine() || m[8] != 1 || m[1] != 0 || m[3] != 0 || m[4] != 1 || m[0] != 1 && m[0] != -1 ||
		x0 != math.Floor(x0) || y0 != math.Floor(y0) {
		return false
	}
	k.columns = grow(k.columns, w)
	for x := range k.columns {
		k.columns[x] = inside(int(x0)+x*int(m[0]), w, zero)
	}
	for y := range h {
		row := dst[y*w*c : (y+1)*w*c]
		from := inside(int(y0)+y, h, zero)
		if from < 0 {
			clear(row)
			continue
		}
		line := src[from*w*c : (from+1)*w*c]
		for x, at := range k.columns {
			out := row[x*c:][:c]
			if at < 0 {
				clear(out)
				continue
			}
			copy(out, line[at*c:][:c])
		}
	}
	return true
}

// inside brings a place into 0 to n-1: by reflection that doesn't repeat the
// edge, or, where outside is black, as -1.
func inside(i, n int, zero bool) int {
	if uint(i) < uint(n) {
		return i
	}
	if zero {
		return -1
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	if i %= period; i < 0 {
		i += period
	}
	return min(i, period-i)
}

// pixel reads a channel, black outside.
func pixel(src []uint8, x, y, w, c, i int) int {
	if x < 0 || y < 0 {
		return 0
	}
	return int(src[(y*w+x)*c+i])
}
