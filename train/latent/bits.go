package latent

import "math"

// Bits turns nats an image into bits a dimension of images of d numbers.
func Bits(nats float64, d int) float64 { return nats / math.Ln2 / float64(d) }

// byteBits are the bits between a density on 0–1 and the probability of one of
// the 256 levels there, which are 1/255 apart, as long as the density hardly
// changes between them.
var byteBits = math.Log2(255)

// objective returns what the first stage makes less, in bits a dimension: the
// negative logarithm of the likelihood with the best variance for the images,
// and β times the divergence of their codes.
func objective(mse, divergence, beta float64, d int) float64 {
	const least = 1e-6 // as in [loss.OptimalNormal]
	nats := (1 + math.Log(2*math.Pi*(mse+least))) / 2 * float64(d)
	return Bits(nats+beta*divergence, d) + byteBits
}

// NegativeLogLikelihood returns −log P of an image of bytes in nats, given
// what a decoder makes of its code: each value is normal around the decoded
// one with deviation sigma, in 0–1, rounded to the nearest of 256 levels, so
// that this is a probability and no density.
func NegativeLogLikelihood(image []uint8, decoded []float32, sigma float64) float64 {
	sum := 0.0
	scale := 1 / (sigma * math.Sqrt2)
	for i, v := range image {
		// The lowest and highest level take what lies beyond them.
		low, high := math.Inf(-1), math.Inf(1)
		mean := float64(decoded[i])
		if v > 0 {
			low = ((float64(v)-0.5)/255 - mean) * scale
		}
		if v < 255 {
			high = ((float64(v)+0.5)/255 - mean) * scale
		}
		sum -= logInterval(low, high)
	}
	return sum
}

// logInterval returns the logarithm of the probability that a normal number,
// over √2, lies between low and high.
func logInterval(low, high float64) float64 {
	if low > 0 { // mirrored: the tail on the left keeps its digits
		low, high = -high, -low
	}
	var p float64
	if high < 0 {
		p = (math.Erfc(-high) - math.Erfc(-low)) / 2
	} else {
		p = (math.Erf(high) - math.Erf(low)) / 2
	}
	if p > 1e-290 {
		return math.Log(p)
	}
	// Far out in the tail the density at the nearer end times the width is
	// near enough, and does not vanish.
	width := math.Min(high-low, 1/(2*math.Max(1, -high)))
	return -high*high + math.Log(width) - math.Log(math.Pi)/2
}
