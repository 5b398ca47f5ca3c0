package augment

import (
	"fmt"
	"math"

	"hourglass/internal/random"
)

// Mixer mixes each image of a batch with another one of it, by a share that is
// the same for the whole batch. Its zero value does nothing. What it does is a
// pure function of seed, epoch and step. A Mixer must not be used by two
// goroutines at once.
type Mixer struct {
	// Mixup, if positive, is the parameter α of the distribution Beta(α, α) of
	// the shares in which two images are blended (Zhang et al. 2018, section 2).
	Mixup float64
	// Cutmix, if positive, is that of the share of the area that is left when
	// a rectangle of one image is put into the other (Yun et al. 2019, section
	// 3.1). With both, each is done to every other batch, by a coin.
	Cutmix float64

	random random.Source
	before []uint8
}

// mixStream keeps the draws of mixers apart from others of the same seed; the
// epoch is added to it.
const mixStream = 0x4d495845 << 32

// MaxMix is the greatest parameter of a mixer: beyond it the shares are all but
// one half.
const MaxMix = 100

// Check reports parameters that are out of range.
func (m *Mixer) Check() error {
	for _, v := range []float64{m.Mixup, m.Cutmix} {
		if !(v >= 0 && v <= MaxMix) {
			return fmt.Errorf("augment: the parameter %v of mixing must be 0 to %d", v, MaxMix)
		}
	}
	return nil
}

// Empty tells whether the mixer does nothing.
func (m *Mixer) Empty() bool { return m.Mixup == 0 && m.Cutmix == 0 }

// Apply mixes the images [N,h,w,c] of a batch in place. It writes to partners
// [N] the place in the batch of the image that was mixed into each, and
// returns the share of itself that each kept, 0–1. It panics if the sizes do not
// agree or Check fails.
func (m *Mixer) Apply(images []uint8, partners []int32, h, w, c int, seed, epoch, step uint64) (share float64) {
	n := len(partners)
	size := h * w * c
	if len(images) != n*size {
		panic(fmt.Sprintf("augment: %d images [%d,%d,%d] in %d bytes", n, h, w, c, len(images)))
	}
	if err := m.Check(); err != nil {
		panic(err.Error())
	}
	for i := range partners {
		partners[i] = int32(i)
	}
	if m.Empty() || n < 2 {
		return 1
	}
	r := &m.random
	r.Reset(seed, mixStream+epoch, step)
	cut := m.Mixup == 0 || m.Cutmix > 0 && r.Float64() < 0.5
	alpha := m.Mixup
	if cut {
		alpha = m.Cutmix
	}
	share = beta(r, alpha)
	for i := range partners {
		j := r.IntN(i + 1)
		partners[i] = partners[j]
		partners[j] = int32(i)
	}
	m.before = grow(m.before, len(images))
	copy(m.before, images)
	if !cut {
		// Sixteen bits of the share: the blend of two bytes is exact to half a
		// step.
		own := uint32(math.Round(share * (1 << 16)))
		for i, p := range partners {
			image, other := images[i*size:(i+1)*size], m.before[int(p)*size:(int(p)+1)*size]
			for k, v := range image {
				image[k] = uint8((uint32(v)*own + uint32(other[k])*(1<<16-own) + 1<<15) >> 16)
			}
		}
		return share
	}
	// The rectangle has the image's aspect; its middle is anywhere, and what
	// lies outside is lost, so that the share is counted at the end.
	side := math.Sqrt(1 - share)
	cx, cy := r.IntN(w), r.IntN(h)
	rw, rh := int(side*float64(w)), int(side*float64(h))
	x0, x1 := max(0, cx-rw/2), min(w, cx-rw/2+rw)
	y0, y1 := max(0, cy-rh/2), min(h, cy-rh/2+rh)
	for i, p := range partners {
		for y := y0; y < y1; y++ {
			at := (y*w + x0) * c
			end := (y*w + x1) * c
			copy(images[i*size+at:i*size+end], m.before[int(p)*size+at:int(p)*size+end])
		}
	}
	return 1 - float64((x1-x0)*(y1-y0))/float64(w*h)
}

// beta draws from Beta(alpha, alpha): the share of one of two numbers of the
// distribution Gamma(alpha).
func beta(r *random.Source, alpha float64) float64 {
	a, b := logGamma(r, alpha), logGamma(r, alpha)
	return 1 / (1 + math.Exp(b-a))
}

// logGamma draws the logarithm of a number of the distribution Gamma(alpha)
// (Marsaglia & Tsang 2000; for alpha below 1 by their remark in section 6, in
// logarithms, since the numbers themselves may underflow).
func logGamma(r *random.Source, alpha float64) float64 {
	if alpha < 1 {
		return logGamma(r, alpha+1) + math.Log(1-r.Float64())/alpha
	}
	d := alpha - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return math.Log(d * v)
		}
	}
}
