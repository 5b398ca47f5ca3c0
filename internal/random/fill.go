package random

import "math"

// Uniform fills dst with numbers uniform on [0, 1), multiples of 2^-24. dst[i]
// depends on seed, stream, counter and i alone.
func Uniform(dst []float32, seed, stream, counter uint64) {
	UniformAt(dst, seed, stream, counter, 0)
}

// UniformAt fills dst with the numbers that Uniform would put at offset,
// offset+1, … of a longer slice, so that parts of a tensor can be filled
// apart.
func UniformAt(dst []float32, seed, stream, counter, offset uint64) {
	fill(dst, seed, stream, counter, offset, uniform4)
}

// Normal fills dst with numbers from the standard normal distribution (Box
// and Muller 1958); their magnitude is at most 6.67. dst[i] depends on seed,
// stream, counter and i alone.
func Normal(dst []float32, seed, stream, counter uint64) {
	NormalAt(dst, seed, stream, counter, 0)
}

// NormalAt fills dst with the numbers that Normal would put at offset,
// offset+1, … of a longer slice.
func NormalAt(dst []float32, seed, stream, counter, offset uint64) {
	fill(dst, seed, stream, counter, offset, normal4)
}

// fill walks the blocks of four numbers that overlap [offset, offset+len(dst)).
func fill(dst []float32, seed, stream, counter, offset uint64, convert func([4]uint32) [4]float32) {
	s := newSequence(seed, stream, counter)
	b := offset / 4
	if skip := int(offset % 4); skip != 0 && len(dst) > 0 {
		v := convert(s.block(b))
		dst = dst[copy(dst, v[skip:]):]
		b++
	}
	for ; len(dst) >= 4; b++ {
		*(*[4]float32)(dst) = convert(s.block(b))
		dst = dst[4:]
	}
	if len(dst) > 0 {
		v := convert(s.block(b))
		copy(dst, v[:])
	}
}

func uniform4(w [4]uint32) (v [4]float32) {
	for i, x := range w {
		v[i] = float32(x>>8) * 0x1p-24
	}
	return v
}

func normal4(w [4]uint32) (v [4]float32) {
	v[0], v[1] = boxMuller(w[0], w[1])
	v[2], v[3] = boxMuller(w[2], w[3])
	return v
}

// boxMuller turns 64 random bits into two independent normal numbers.
func boxMuller(a, b uint32) (float32, float32) {
	u := (float64(a) + 1) * 0x1p-32 // in (0, 1], so that the logarithm is finite
	r := math.Sqrt(-2 * math.Log(u))
	sin, cos := math.Sincos(2 * math.Pi * 0x1p-32 * float64(b))
	return float32(r * cos), float32(r * sin)
}
