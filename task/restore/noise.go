package restore

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"hourglass/internal/random"
)

// Noise names what makes an image worse.
type Noise string

const (
	// Gaussian adds independent normal numbers of one standard deviation σ, in
	// units of 255ths of the range.
	Gaussian Noise = "gaussian"
	// Poisson counts photons: a white pixel has so many on average. Fewer are
	// worse.
	Poisson Noise = "poisson"
	// JPEG compresses with a quality of 1 to 100, as libjpeg counts it.
	JPEG Noise = "jpeg"
	// Salt turns a percentage of the pixels white or black, all channels
	// together.
	Salt Noise = "salt"
)

// Noises returns the kinds of noise.
func Noises() []Noise { return []Noise{Gaussian, Poisson, JPEG, Salt} }

// noiseKinds says of each kind which strengths are trained on, from weakest to
// strongest, and at which it is judged.
var noiseKinds = map[Noise]struct {
	unit     string
	weak     float64
	strong   float64
	judged   []float64
	even     func(weak, strong, u float64) float64 // strength at u in 0–1
	judgedAs string
}{
	Gaussian: {"σ", 0, 55, []float64{15, 25, 50}, evenly, "σ = %v"},
	Poisson:  {"photons", 1000, 8, []float64{200, 50, 15}, evenRatio, "%v photons"},
	JPEG:     {"quality", 95, 5, []float64{40, 20, 10}, evenly, "quality %v"},
	Salt:     {"%", 0, 60, []float64{5, 20, 50}, evenly, "%v%%"},
}

func evenly(a, b, u float64) float64 { return a + (b-a)*u }

func evenRatio(a, b, u float64) float64 { return a * math.Pow(b/a, u) }

// Strengths returns those at which a kind of noise is judged, the weakest
// first.
func (k Noise) Strengths() []float64 { return noiseKinds[k].judged }

// Describe names a strength of a kind of noise.
func (k Noise) Describe(strength float64) string {
	return fmt.Sprintf(noiseKinds[k].judgedAs, strength)
}

// within draws a strength to train on.
func (k Noise) within(u float64) float64 {
	n := noiseKinds[k]
	return n.even(n.weak, n.strong, u)
}

// noiseStream keeps the draws of noise apart from others of the same seed.
const noiseStream = 0x4e4f4953 << 32

// Add writes to dst [height,width,3] what noise of a strength makes of the
// pixels of an image. Values are in 0–1 but not clipped to it: sensors are, but
// the benchmarks of the field are not. Grey noise has equal channels, for
// images that have. What it draws is a function of the seed and the counter,
// which belongs to one image.
func (k Noise) Add(dst []float32, pixels []uint8, height, width int, strength float64, grey bool, seed, counter uint64) error {
	for i, v := range pixels {
		dst[i] = float32(v) / 255
	}
	switch k {
	case Gaussian:
		addGaussian(dst, float32(strength/255), grey, seed, counter)
	case Poisson:
		addPoisson(dst, strength, grey, seed, counter)
	case Salt:
		addSalt(dst, strength/100, seed, counter)
	case JPEG:
		return throughJPEG(dst, pixels, height, width, int(math.Round(strength)))
	default:
		return fmt.Errorf("restore: noise %q is unknown", k)
	}
	return nil
}

// chunk is how many numbers are drawn at a time.
const chunk = 3 * 1024

func addGaussian(dst []float32, sigma float32, grey bool, seed, counter uint64) {
	var z [chunk]float32
	for at := 0; at < len(dst); at += chunk {
		part := dst[at:min(at+chunk, len(dst))]
		if !grey {
			random.NormalAt(z[:len(part)], seed, noiseStream, counter, uint64(at))
			for i := range part {
				part[i] += sigma * z[i]
			}
			continue
		}
		random.NormalAt(z[:len(part)/3], seed, noiseStream, counter, uint64(at/3))
		for i := range part {
			part[i] += sigma * z[i/3]
		}
	}
}

// addSalt draws one number for each pixel.
func addSalt(dst []float32, share float64, seed, counter uint64) {
	var u [chunk / 3]float32
	for at := 0; at < len(dst); at += chunk {
		part := dst[at:min(at+chunk, len(dst))]
		random.UniformAt(u[:len(part)/3], seed, noiseStream, counter, uint64(at/3))
		for i := range part {
			switch v := float64(u[i/3]); {
			case v < share/2:
				part[i] = 0
			case v < share:
				part[i] = 1
			}
		}
	}
}

func addPoisson(dst []float32, photons float64, grey bool, seed, counter uint64) {
	var z, u [chunk]float32
	for at := 0; at < len(dst); at += chunk {
		part := dst[at:min(at+chunk, len(dst))]
		random.NormalAt(z[:len(part)], seed, noiseStream, counter, uint64(at))
		random.UniformAt(u[:len(part)], seed, noiseStream+1, counter, uint64(at))
		for i, v := range part {
			if grey && i%3 != 0 {
				part[i] = part[i-1]
				continue
			}
			part[i] = float32(poisson(float64(v)*photons, float64(u[i]), float64(z[i])) / photons)
		}
	}
}

// poisson returns a number from the Poisson distribution of a mean: by
// inversion of u, uniform in 0–1, where the mean is small, else by rounding
// the normal distribution of the same mean and variance.
func poisson(mean, u, z float64) float64 {
	const small = 40 // photons
	if mean > small {
		return max(0, math.Round(mean+math.Sqrt(mean)*z))
	}
	n, p := 0, math.Exp(-mean)
	for sum := p; u >= sum && n < 4*small; sum += p {
		n++
		p *= mean / float64(n)
	}
	return float64(n)
}

// throughJPEG replaces dst by what is left of the pixels after compression.
func throughJPEG(dst []float32, pixels []uint8, height, width, quality int) error {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range height * width {
		copy(m.Pix[4*i:], pixels[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return fmt.Errorf("restore: an image cannot be compressed: %w", err)
	}
	back, err := jpeg.Decode(&b)
	if err != nil {
		return fmt.Errorf("restore: a compressed image cannot be read: %w", err)
	}
	i := 0
	for y := range height {
		for x := range width {
			r, g, b, _ := back.At(x, y).RGBA()
			for _, v := range [3]uint32{r, g, b} {
				dst[i] = float32(v>>8) / 255
				i++
			}
		}
	}
	return nil
}
