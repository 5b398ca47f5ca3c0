package random

import "math/bits"

// Source is a sequence of numbers for work that draws a varying amount of
// them, such as augmenting one image. It is one (seed, stream, counter)
// sequence read from its beginning. It satisfies math/rand/v2's Source. A
// Source must not be used by two goroutines at once.
type Source struct {
	seq  sequence
	next uint64 // block to generate next
	word [4]uint32
	used int // words of word already given out
}

// NewSource returns the source of the given coordinates at its beginning.
func NewSource(seed, stream, counter uint64) *Source {
	s := new(Source)
	s.Reset(seed, stream, counter)
	return s
}

// Reset makes s the source of the given coordinates, at its beginning. It lets
// a worker keep one Source for all its images.
func (s *Source) Reset(seed, stream, counter uint64) {
	*s = Source{seq: newSequence(seed, stream, counter), used: 4}
}

// Uint64 returns 64 random bits.
func (s *Source) Uint64() uint64 {
	if s.used == len(s.word) {
		s.word = s.seq.block(s.next)
		s.next++
		s.used = 0
	}
	lo, hi := s.word[s.used], s.word[s.used+1]
	s.used += 2
	return uint64(hi)<<32 | uint64(lo)
}

// IntN returns a number uniform on [0, n). It panics if n is not positive.
func (s *Source) IntN(n int) int {
	if n <= 0 {
		panic("random: IntN of a number that is not positive")
	}
	// Lemire, "Fast Random Integer Generation in an Interval" (2019): the
	// high word of a product is uniform once the low words that would favour
	// some results are rejected.
	bound := uint64(n)
	hi, lo := bits.Mul64(s.Uint64(), bound)
	if lo < bound {
		for reject := -bound % bound; lo < reject; {
			hi, lo = bits.Mul64(s.Uint64(), bound)
		}
	}
	return int(hi)
}

// Float64 returns a number uniform on [0, 1), a multiple of 2^-53.
func (s *Source) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// NormFloat64 returns a number from the standard normal distribution, with
// the resolution of a float32.
func (s *Source) NormFloat64() float64 {
	w := s.Uint64()
	z, _ := boxMuller(uint32(w), uint32(w>>32))
	return float64(z)
}

// Perm returns a permutation of [0, n), every one as likely as any other
// (Fisher and Yates, in Durstenfeld's form). It is a pure function of its
// arguments; an epoch's shuffle takes the epoch into its stream.
func Perm(n int, seed, stream uint64) []int {
	s := NewSource(seed, stream, 0)
	p := make([]int, n)
	for i := range p {
		j := s.IntN(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}
