package quality

import (
	"math"

	"hourglass/internal/par"
)

const (
	window   = 11  // side of the Gaussian window (Wang et al. 2004, section III.B)
	sigma    = 1.5 // its standard deviation
	k1, k2   = 0.01, 0.03
	halfTaps = window/2 + 1
	// stripRows is how many rows of the result one part of the work computes.
	// It is fixed, so that sums do not depend on the number of threads.
	stripRows = 32
)

// MinSSIM is the smallest side of an image that [SSIM] can judge.
const MinSSIM = window

// SSIM returns the structural similarity of two images [height,width,channels]
// (Wang, Bovik, Sheikh and Simoncelli 2004, equation 13): −1 to 1, and 1 where
// they are equal. The index is computed for each channel with a Gaussian
// window of 11×11 and σ = 1.5, K1 = 0.01, K2 = 0.03 and biased moments, and
// averaged over all places at which the window lies within the image, and over
// the channels.
func SSIM[T Pixel](x, y []T, height, width, channels int, o Options) (float64, error) {
	l, err := rangeOf[T](o)
	if err == nil {
		err = check("SSIM", x, y, height, width, channels, MinSSIM)
	}
	if err != nil {
		return 0, err
	}
	c := newComparer(o, l)
	defer c.close()
	total := 0.0
	for k := range channels {
		s, _ := c.compare(channel(x, height, width, channels, k), channel(y, height, width, channels, k))
		total += s
	}
	return total / float64(channels), nil
}

// plane is one channel of an image.
type plane struct {
	pix           []float64 // [height,width]
	height, width int
}

func (p plane) row(y int) []float64 { return p.pix[y*p.width : (y+1)*p.width] }

// channel copies channel k out of an image.
func channel[T Pixel](pix []T, height, width, channels, k int) plane {
	p := plane{make([]float64, height*width), height, width}
	for i := range p.pix {
		p.pix[i] = float64(pix[i*channels+k])
	}
	return p
}

// comparer computes the similarity of planes.
type comparer struct {
	pool   *par.Pool
	own    bool
	c1, c2 float64
	taps   [halfTaps]float64 // of the window, from its edge to its middle
}

func newComparer(o Options, dataRange float64) *comparer {
	c := &comparer{pool: o.Pool, c1: k1 * dataRange * k1 * dataRange, c2: k2 * dataRange * k2 * dataRange}
	if c.pool == nil {
		c.pool, c.own = par.New(0), true
	}
	sum := 0.0
	for i := range c.taps {
		d := float64(window/2 - i)
		c.taps[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += 2 * c.taps[i]
	}
	sum -= c.taps[halfTaps-1]
	for i := range c.taps {
		c.taps[i] /= sum
	}
	return c
}

func (c *comparer) close() {
	if c.own {
		c.pool.Close()
	}
}

// moments are what the window is applied to: x, y, x²+y² and x·y. The sum of
// squares stands for both, since the index needs nothing else of them.
const moments = 4

// compare returns the means over a plane of the index and of its part that
// compares contrast and structure, (2σxy+C2)/(σx²+σy²+C2).
func (c *comparer) compare(x, y plane) (ssim, cs float64) {
	height, width := x.height-window+1, x.width-window+1
	parts := (height + stripRows - 1) / stripRows
	sums := make([][2]float64, parts)
	rows := stripRows + window - 1
	scratch := make([][]float64, c.pool.Threads())
	c.pool.Run(parts, func(worker, part int) {
		if scratch[worker] == nil {
			scratch[worker] = make([]float64, moments*((rows+1)*width)+2*x.width)
		}
		from := part * stripRows
		sums[part][0], sums[part][1] = c.strip(x, y, from, min(from+stripRows, height), scratch[worker])
	})
	for _, s := range sums {
		ssim += s[0]
		cs += s[1]
	}
	n := float64(height * width)
	return ssim / n, cs / n
}

// strip sums the index and its part over rows from to to-1 of the result.
func (c *comparer) strip(x, y plane, from, to int, scratch []float64) (ssim, cs float64) {
	width := x.width - window + 1
	rows := to - from + window - 1
	take := func(n int) []float64 {
		s := scratch[:n:n]
		scratch = scratch[n:]
		return s
	}
	squares, products := take(x.width), take(x.width)
	var across [moments][]float64 // the window's horizontal half applied to each row
	for m := range across {
		across[m] = take(rows * width)
	}
	var whole [moments][]float64 // a row of the result
	for m := range whole {
		whole[m] = take(width)
	}
	for r := range rows {
		a, b := x.row(from+r), y.row(from+r)
		for i, v := range a {
			w := b[i]
			squares[i], products[i] = v*v+w*w, v*w
		}
		for m, source := range [moments][]float64{a, b, squares, products} {
			c.across(across[m][r*width:(r+1)*width], source)
		}
	}
	for r := range to - from {
		for m := range whole {
			c.down(whole[m], across[m][r*width:], width)
		}
		for i, mx := range whole[0] {
			my := whole[1][i]
			means, product := mx*mx+my*my, mx*my
			part := (2*(whole[3][i]-product) + c.c2) / (whole[2][i] - means + c.c2)
			cs += part
			ssim += part * (2*product + c.c1) / (means + c.c1)
		}
	}
	return ssim, cs
}

// across weighs windows of one row.
func (c *comparer) across(dst, src []float64) {
	t := &c.taps
	for i := range dst {
		s := src[i : i+window : i+window]
		dst[i] = t[0]*(s[0]+s[10]) + t[1]*(s[1]+s[9]) + t[2]*(s[2]+s[8]) + t[3]*(s[3]+s[7]) + t[4]*(s[4]+s[6]) + t[5]*s[5]
	}
}

// down weighs the first windows of the columns of rows of a width.
func (c *comparer) down(dst, rows []float64, width int) {
	for i := range dst {
		dst[i] = 0
	}
	for k := range halfTaps {
		t := c.taps[k]
		a, b := rows[k*width:][:len(dst)], rows[(window-1-k)*width:][:len(dst)]
		if k == halfTaps-1 {
			t /= 2 // the middle row is both a and b
		}
		for i, v := range a {
			dst[i] += t * (v + b[i])
		}
	}
}
