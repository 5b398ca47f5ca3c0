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
	UniformOf(dst, Key(seed, stream), counter, offset)
}

// UniformOf is UniformAt for a key that [Key] gave.
func UniformOf(dst []float32, key [2]uint32, counter, offset uint64) {
	fill(dst, sequence{key, counter}, offset, uniform8)
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
	fill(dst, newSequence(seed, stream, counter), offset, normal8)
}

// fill walks the pairs of blocks, eight numbers each, that overlap
// [offset, offset+len(dst)).
func fill(dst []float32, s sequence, offset uint64, convert func(w [8]uint32) [8]float32) {
	i := offset / 8 * 2
	if skip := offset % 8; skip != 0 && len(dst) > 0 {
		v := convert(s.two(i))
		dst = dst[copy(dst, v[skip:]):]
		i += 2
	}
	for ; len(dst) >= 8; i += 2 {
		*(*[8]float32)(dst) = convert(s.two(i))
		dst = dst[8:]
	}
	if len(dst) > 0 {
		v := convert(s.two(i))
		copy(dst, v[:])
	}
}

func uniform8(w [8]uint32) (v [8]float32) {
	for i, x := range w {
		v[i] = float32(x>>8) * 0x1p-24
	}
	return v
}

func normal8(w [8]uint32) (v [8]float32) {
	for i := 0; i < 8; i += 2 {
		v[i], v[i+1] = boxMuller(w[i], w[i+1])
	}
	return v
}

// boxMuller turns 64 random bits into two independent normal numbers.
func boxMuller(a, b uint32) (float32, float32) {
	u := (float64(a) + 1) * 0x1p-32 // in (0, 1], so that the logarithm is finite
	r := math.Sqrt(-2 * math.Log(u))
	sin, cos := math.Sincos(2 * math.Pi * 0x1p-32 * float64(b))
	return float32(r * cos), float32(r * sin)
}
