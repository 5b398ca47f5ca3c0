package quality

import "math"

// scales are the weights of the five scales, finest first (Wang, Simoncelli
// and Bovik 2003, section 3.2).
var scales = [...]float64{0.0448, 0.2856, 0.3001, 0.2363, 0.1333}

// MinMSSSIM is the smallest side of an image that [MSSSIM] can judge: its
// coarsest scale must hold a window.
const MinMSSSIM = (window-1)<<(len(scales)-1) + 1

// MSSSIM returns the multi-scale structural similarity of two images
// [height,width,channels] of at least 161×161 pixels (Wang, Simoncelli and
// Bovik 2003, equation 7): 0 to 1, and 1 where they are equal. Contrast and
// structure are compared at five scales, luminance at the coarsest; a negative
// factor counts as 0, so that the powers are real. Each scale averages 2×2
// pixels of the one before it; where a side is odd, a line of zeros is put
// before the first pixel, as pytorch-msssim does. The score of an image is the
// mean of its channels'.
func MSSSIM[T Pixel](x, y []T, height, width, channels int, o Options) (float64, error) {
	l, err := rangeOf[T](o)
	if err == nil {
		err = check("MS-SSIM", x, y, height, width, channels, MinMSSSIM)
	}
	if err != nil {
		return 0, err
	}
	c := newComparer(o, l)
	defer c.close()
	total := 0.0
	for k := range channels {
		a, b := channel(x, height, width, channels, k), channel(y, height, width, channels, k)
		score := 1.0
		for i, weight := range scales {
			if i > 0 {
				a, b = a.halved(), b.halved()
			}
			ssim, cs := c.compare(a, b)
			if i == len(scales)-1 {
				cs = ssim
			}
			score *= math.Pow(max(cs, 0), weight)
		}
		total += score
	}
	return total / float64(channels), nil
}

// halved averages 2×2 pixels, from one pixel outside where a side is odd.
func (p plane) halved() plane {
	h := plane{height: (p.height + 1) / 2, width: (p.width + 1) / 2}
	h.pix = make([]float64, h.height*h.width)
	odd, left := p.height%2, p.width%2
	for y := range h.height {
		for row := max(0, 2*y-odd); row < 2*y-odd+2; row++ {
			source := p.row(row)
			for x := range h.width {
				for col := max(0, 2*x-left); col < 2*x-left+2; col++ {
					h.pix[y*h.width+x] += source[col] / 4
				}
			}
		}
	}
	return h
}
