package augment

import (
	"math"

	"hourglass/internal/random"
)

// maxRadius is that of the widest blur: three times the greatest deviation.
const maxRadius = 30

// blur convolves an image with a Gaussian cut at three deviations, rows and
// columns apart; the edge's pixels stand for what is outside.
func (k *Worker) blur(pix []uint8, h, w, c int, deviation float64) {
	radius := min(int(math.Ceil(3*deviation)), maxRadius)
	var weights [2*maxRadius + 1]int64
	total := int64(0)
	for i := range 2*radius + 1 {
		d := float64(i-radius) / max(deviation, 1e-9)
		weights[i] = fixed(math.Exp(-d * d / 2))
		total += weights[i]
	}
	if total == weights[radius] {
		return // nothing but the middle has a weight
	}
	k.bytes = grow(k.bytes, len(pix))
	for y := range h {
		convolve(k.bytes[y*w*c:][:w*c], pix[y*w*c:][:w*c], w, c, c, weights[:2*radius+1], total)
	}
	for x := range w {
		convolve(pix[x*c:], k.bytes[x*c:], h, w*c, c, weights[:2*radius+1], total)
	}
}

// convolve filters a line of n pixels that lie stride bytes apart.
func convolve(dst, src []uint8, n, stride, c int, weights []int64, total int64) {
	radius := len(weights) / 2
	for i := range n {
		for ch := range c {
			sum := total / 2
			for j, weight := range weights {
				at := min(max(i+j-radius, 0), n-1)
				sum += weight * int64(src[at*stride+ch])
			}
			dst[i*stride+ch] = uint8(sum / total)
		}
	}
}

// noise adds normal numbers of a deviation given as a share of the range.
func (k *Worker) noise(pix []uint8, deviation float64, seed, stream, counter uint64) {
	scale := float32(255 * deviation)
	for at := 0; at < len(pix); at += len(k.normal) {
		part := pix[at:min(at+len(k.normal), len(pix))]
		z := k.normal[:len(part)]
		random.NormalAt(z, seed, stream, counter, uint64(at))
		for i, p := range part {
			part[i] = clip8(int64(float32(z[i]*scale)*(1<<fixedBits)) + int64(p)<<fixedBits)
		}
	}
}

// erase fills a rectangle with random bytes.
func (k *Worker) erase(pix []uint8, w, c int, v values) {
	x, y, rw, rh := int(v[0]), int(v[1]), int(v[2]), int(v[3])
	for row := y; row < y+rh; row++ {
		line := pix[(row*w+x)*c:][:rw*c]
		for i := 0; i < len(line); i += 8 {
			bits := k.random.Uint64()
			for j := range line[i:min(i+8, len(line))] {
				line[i+j] = uint8(bits >> (8 * j))
			}
		}
	}
}
