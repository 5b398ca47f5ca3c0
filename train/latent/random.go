package latent

import (
	"math"

	"hourglass/internal/random"
)

// Draw returns the normal numbers [n,length] that images at, at+1, … of a seed
// are made of. An image has numbers of its own: they do not depend on how many
// there are.
func Draw(n, length int, seed uint64, at int) []float32 {
	u := make([]float32, n*length)
	for i := range n {
		random.Normal(u[i*length:(i+1)*length], seed, drawStream, uint64(at+i))
	}
	return u
}

// Scatter is the simplest distribution of codes: each number by itself, with
// the mean and the deviation that it has in the codes of images. It is what one
// can do with a plain autoencoder.
type Scatter struct{ mean, deviation []float64 }

// ScatterOf measures codes [N,k].
func ScatterOf(codes []float32, k int) Scatter {
	s := Scatter{make([]float64, k), make([]float64, k)}
	n := float64(len(codes) / k)
	for i, v := range codes {
		s.mean[i%k] += float64(v) / n
	}
	for i, v := range codes {
		d := float64(v) - s.mean[i%k]
		s.deviation[i%k] += d * d / n
	}
	for i, v := range s.deviation {
		s.deviation[i] = math.Sqrt(v)
	}
	return s
}

// Draw returns codes [n,k] made of the numbers of Draw.
func (s Scatter) Draw(n int, seed uint64, at int) []float32 {
	k := len(s.mean)
	codes := Draw(n, k, seed, at)
	for i, v := range codes {
		codes[i] = float32(s.mean[i%k] + s.deviation[i%k]*float64(v))
	}
	return codes
}

// RandomPixels returns images of d numbers of which every value is as likely as
// any other, in the manner of Draw.
func RandomPixels(n, d int, seed uint64, at int) []uint8 {
	images, u := make([]uint8, n*d), make([]float32, d)
	for i := range n {
		random.Uniform(u, seed, pixelStream, uint64(at+i))
		for j, v := range u {
			images[i*d+j] = uint8(v * 256)
		}
	}
	return images
}
