// Package random is a counter-based generator: every number is a pure
// function of a seed, a stream, a counter and an index. Nothing is carried
// from one call to the next, so a tensor can be filled in any order and by any
// number of workers, and a run that stops can go on where it stood by knowing
// the step it had reached.
//
// The bits come from Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel
// Random Numbers: As Easy as 1, 2, 3", SC 2011. It is not meant for
// cryptography.
//
// The four coordinates are used as follows. The seed and the stream together
// give the 64-bit key. A stream belongs to one consumer (a layer's
// initialiser, a dropout mask, the shuffle) and the counter to one use of it
// (a step, an epoch). The index counts the numbers of that use. The sequences
// of two counters of one stream never overlap.
package random

import "math/bits"

const (
	mul0  = 0xD2511F53
	mul1  = 0xCD9E8D57
	weyl0 = 0x9E3779B9
	weyl1 = 0xBB67AE85
)

// Philox returns the 128 bits that Philox4x32-10 assigns to a counter under a
// key.
func Philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		h0, l0 := bits.Mul32(mul0, c0)
		h1, l1 := bits.Mul32(mul1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += weyl0
		k1 += weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// sequence is the generator of one (seed, stream, counter).
type sequence struct {
	key     [2]uint32
	counter uint64
}

func newSequence(seed, stream, counter uint64) sequence {
	return sequence{Key(seed, stream), counter}
}

// Key returns the key of a seed and a stream. One block under the plain seed
// turns the stream into the key proper, which leaves the whole 128-bit counter
// to the caller's counter and the index.
func Key(seed, stream uint64) [2]uint32 {
	k := Philox(split(stream, 0), [2]uint32{uint32(seed), uint32(seed >> 32)})
	return [2]uint32{k[0], k[1]}
}

// block returns numbers 4*i to 4*i+3 of the sequence.
func (s *sequence) block(i uint64) [4]uint32 { return Philox(split(i, s.counter), s.key) }

// two returns numbers 4*i to 4*i+7. A block is one long chain of products; two
// side by side take little longer than one.
func (s *sequence) two(i uint64) (w [8]uint32) {
	j, c := i+1, s.counter
	a0, a1, a2, a3 := uint32(i), uint32(i>>32), uint32(c), uint32(c>>32)
	b0, b1, b2, b3 := uint32(j), uint32(j>>32), uint32(c), uint32(c>>32)
	k0, k1 := s.key[0], s.key[1]
	for range 10 {
		p, q := mul0*uint64(a0), mul1*uint64(a2)
		r, t := mul0*uint64(b0), mul1*uint64(b2)
		a0, a1, a2, a3 = uint32(q>>32)^a1^k0, uint32(q), uint32(p>>32)^a3^k1, uint32(p)
		b0, b1, b2, b3 = uint32(t>>32)^b1^k0, uint32(t), uint32(r>>32)^b3^k1, uint32(r)
		k0 += weyl0
		k1 += weyl1
	}
	return [8]uint32{a0, a1, a2, a3, b0, b1, b2, b3}
}

func split(lo, hi uint64) [4]uint32 {
	return [4]uint32{uint32(lo), uint32(lo >> 32), uint32(hi), uint32(hi >> 32)}
}
