package generate

import (
	"errors"
	"fmt"
	"math"

	"hourglass/train/latent"
)

// count reports images that are not exactly n of the model's size.
func (m *Model) count(images []uint8, n int) error {
	if d := m.config.size().Elements(); len(images) != n*d {
		return fmt.Errorf("generate: %d bytes are not %d images of %d×%d×%d", len(images), n, m.config.Height, m.config.Width, m.config.Channels)
	}
	return nil
}

// noises returns the normal numbers that images are made of.
func (m *Model) noises(images []uint8) ([]float32, error) {
	mean, _, err := m.Encode(images)
	if err != nil {
		return nil, err
	}
	return m.prior.Noises(mean)
}

// Interpolate returns steps images [steps,H,W,C] in 0–1 between two of bytes,
// the first and last of which are what is left of these after the waist. The
// way leads along a great circle through the normal numbers that codes are
// made of, and so through likely codes only: the straight line between two
// codes would leave them.
func (m *Model) Interpolate(a, b []uint8, steps int) ([]float32, error) {
	if steps < 2 {
		return nil, errors.New("generate: an interpolation takes at least 2 steps")
	}
	if err := errors.Join(m.count(a, 1), m.count(b, 1)); err != nil {
		return nil, err
	}
	u, err := m.noises(append(append([]uint8(nil), a...), b...))
	if err != nil {
		return nil, err
	}
	half := len(u) / 2
	path := make([]float32, 0, steps*half)
	for i := range steps {
		path = append(path, between(u[:half], u[half:], float64(i)/float64(steps-1))...)
	}
	codes, err := m.prior.Codes(path)
	if err != nil {
		return nil, err
	}
	return m.Decode(codes)
}

// between returns the point at t from 0 to 1 on the great circle from a to b
// (Shoemake 1985, section 3.3), whose length goes evenly from that of a to that
// of b.
func between(a, b []float32, t float64) []float32 {
	var ab, aa, bb float64
	for i, v := range a {
		ab += float64(v) * float64(b[i])
		aa += float64(v) * float64(v)
		bb += float64(b[i]) * float64(b[i])
	}
	p, q := 1-t, t // of points that are nearly, or not at all, apart
	if length := math.Sqrt(aa * bb); length > 0 {
		angle := math.Acos(max(-1, min(1, ab/length)))
		if sin := math.Sin(angle); sin > 1e-4 {
			norm := (1-t)*math.Sqrt(aa) + t*math.Sqrt(bb)
			p = math.Sin((1-t)*angle) / sin * norm / math.Sqrt(aa)
			q = math.Sin(t*angle) / sin * norm / math.Sqrt(bb)
		}
	}
	c := make([]float32, len(a))
	for i, v := range a {
		c[i] = float32(p*float64(v) + q*float64(b[i]))
	}
	return c
}

// Vary returns n images [n,H,W,C] in 0–1 that are like one of bytes. Strength
// says how much of the normal numbers that it is made of is drawn anew, from 0
// (nothing: what is left of it after the waist) to 1 (everything: any image).
func (m *Model) Vary(image []uint8, n int, strength float64, seed uint64, at int) ([]float32, error) {
	if !(strength >= 0 && strength <= 1) {
		return nil, fmt.Errorf("generate: a strength of %v is not in 0 to 1", strength)
	}
	if err := m.count(image, 1); err != nil {
		return nil, err
	}
	u, err := m.noises(image)
	if err != nil {
		return nil, err
	}
	fresh := latent.Draw(n, len(u), seed, at)
	keep := math.Sqrt(1 - strength*strength)
	for i, v := range fresh {
		fresh[i] = float32(keep*float64(u[i%len(u)]) + strength*float64(v))
	}
	codes, err := m.prior.Codes(fresh)
	if err != nil {
		return nil, err
	}
	return m.Decode(codes)
}

// Direction returns what separates the codes of images that have an attribute
// from those of others without: the difference of their means [k].
func (m *Model) Direction(with, without []uint8) ([]float32, error) {
	direction := make([]float32, m.config.Latent)
	for i, group := range [][]uint8{with, without} {
		n := len(group) / m.config.size().Elements()
		if n < 1 {
			return nil, errors.New("generate: an attribute takes at least one image with it and one without")
		}
		mean, _, err := m.Encode(group)
		if err != nil {
			return nil, err
		}
		sums := make([]float64, len(direction))
		for j, v := range mean {
			sums[j%len(sums)] += float64(v)
		}
		for j, s := range sums {
			direction[j] += float32(float64(1-2*i) * s / float64(n))
		}
	}
	return direction, nil
}

// Move returns what becomes of one image of bytes as a direction is added to
// its code so many times: an image in 0–1 for each of the strengths.
func (m *Model) Move(image []uint8, direction []float32, strengths []float64) ([]float32, error) {
	if err := m.count(image, 1); err != nil {
		return nil, err
	}
	if len(direction) != m.config.Latent {
		return nil, fmt.Errorf("generate: a direction of %d numbers is none of codes of %d", len(direction), m.config.Latent)
	}
	mean, _, err := m.Encode(image)
	if err != nil {
		return nil, err
	}
	codes := make([]float32, 0, len(strengths)*len(mean))
	for _, s := range strengths {
		for i, v := range mean {
			codes = append(codes, float32(float64(v)+s*float64(direction[i])))
		}
	}
	return m.Decode(codes)
}
