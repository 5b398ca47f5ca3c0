//go:build amd64 && !noasm

package vec

import (
	"math"
	"unsafe"

	"hourglass/internal/isa"
	"hourglass/internal/random"
)

func at(level isa.Level) *Set {
	switch level {
	case isa.Generic:
		return &generic
	case isa.AVX2:
		return &avx2
	case isa.AVX512:
		return &avx512
	}
	return nil
}

// The functions below give an assembly loop, which takes addresses, the type
// of its field in Set. They hold the operands to the length of the
// destination: the assembly could not. They find the loop when they are called,
// so that tests can put another in its place.

func addr(v []float32) *float32 { return unsafe.SliceData(v) }

// short reports a bug of the caller. It is apart so that the checks stay small.
func short() { panic("vec: an operand is shorter than the destination") }

func unaryOf(f *func(dst, a *float32, n int)) Unary {
	return func(dst, a []float32) {
		if n := len(dst); len(a) < n {
			short()
		}
		(*f)(addr(dst), addr(a), len(dst))
	}
}

func unaryScalarOf(f *func(dst, a *float32, n int, s float32)) UnaryScalar {
	return func(dst, a []float32, s float32) {
		if n := len(dst); len(a) < n {
			short()
		}
		(*f)(addr(dst), addr(a), len(dst), s)
	}
}

func binaryOf(f *func(dst, a, b *float32, n int)) Binary {
	return func(dst, a, b []float32) {
		if n := len(dst); len(a) < n || len(b) < n {
			short()
		}
		(*f)(addr(dst), addr(a), addr(b), len(dst))
	}
}

func ternaryOf(f *func(dst, a, b, c *float32, n int)) Ternary {
	return func(dst, a, b, c []float32) {
		if n := len(dst); len(a) < n || len(b) < n || len(c) < n {
			short()
		}
		(*f)(addr(dst), addr(a), addr(b), addr(c), len(dst))
	}
}

func quaternaryOf(f *func(dst, a, b, c, d *float32, n int)) func(dst, a, b, c, d []float32) {
	return func(dst, a, b, c, d []float32) {
		if n := len(dst); len(a) < n || len(b) < n || len(c) < n || len(d) < n {
			short()
		}
		(*f)(addr(dst), addr(a), addr(b), addr(c), addr(d), len(dst))
	}
}

func senaryOf(f *func(dst, g, x, m, a, b, c *float32, n int)) func(dst, g, x, m, a, b, c []float32) {
	return func(dst, g, x, m, a, b, c []float32) {
		if n := len(dst); len(g) < n || len(x) < n || len(m) < n || len(a) < n || len(b) < n || len(c) < n {
			short()
		}
		(*f)(addr(dst), addr(g), addr(x), addr(m), addr(a), addr(b), addr(c), len(dst))
	}
}

func octonaryOf(f *func(dst, g, x, m, s, t, a, b, c *float32, n int)) func(dst, g, x, m, s, t, a, b, c []float32) {
	return func(dst, g, x, m, s, t, a, b, c []float32) {
		if n := len(dst); len(g) < n || len(x) < n || len(m) < n || len(s) < n || len(t) < n || len(a) < n || len(b) < n || len(c) < n {
			short()
		}
		(*f)(addr(dst), addr(g), addr(x), addr(m), addr(s), addr(t), addr(a), addr(b), addr(c), len(dst))
	}
}

func stepOf(f *func(a, b, c *float32, n int, s float32)) func(a, b, c []float32, s float32) {
	return func(a, b, c []float32, s float32) {
		if n := len(a); len(b) < n || len(c) < n {
			short()
		}
		(*f)(addr(a), addr(b), addr(c), len(a), s)
	}
}

func fillOf(f *func(dst *float32, n int, v float32)) func(dst []float32, v float32) {
	return func(dst []float32, v float32) { (*f)(addr(dst), len(dst), v) }
}

// fromUint8Of leaves the last bytes to Go: there is no masked load of bytes
// below AVX-512.
func fromUint8Of(f *func(dst *float32, src *uint8, n int)) func(dst []float32, src []uint8) {
	return func(dst []float32, src []uint8) {
		if n := len(dst); len(src) < n {
			short()
		}
		n := len(dst) &^ 15
		(*f)(addr(dst), unsafe.SliceData(src), n)
		fromUint8Ref(dst[n:], src[n:])
	}
}

func fromInt32Of(f *func(dst *float32, src *int32, n int)) func(dst []float32, src []int32) {
	return func(dst []float32, src []int32) {
		if n := len(dst); len(src) < n {
			short()
		}
		(*f)(addr(dst), unsafe.SliceData(src), len(dst))
	}
}

// uniformOf leaves the ends, which are no whole vectors of blocks, to Go.
func uniformOf(f *func(dst *float32, n int, key0, key1, block0, block1, counter0, counter1 uint32)) func(dst []float32, key [2]uint32, counter, offset uint64) {
	return func(dst []float32, key [2]uint32, counter, offset uint64) {
		if head := min(int(-offset&3), len(dst)); head > 0 {
			random.UniformOf(dst[:head], key, counter, offset)
			dst, offset = dst[head:], offset+uint64(head)
		}
		block, n := offset/4, len(dst)&^63
		if uint64(uint32(block))+uint64(n/4) > math.MaxUint32 {
			n = 0 // the carry is rare
		}
		(*f)(addr(dst), n, key[0], key[1], uint32(block), uint32(block>>32), uint32(counter), uint32(counter>>32))
		random.UniformOf(dst[n:], key, counter, offset+uint64(n))
	}
}

func sumOf(f *func(a *float32, n int) float32) func([]float32) float32 {
	return inBlocks(func(a []float32) float32 { return (*f)(addr(a), len(a)) })
}

func dotOf(f *func(a, b *float32, n int) float32) func(a, b []float32) float32 {
	return inBlocks2(func(a, b []float32) float32 {
		if n := len(a); len(b) < n {
			short()
		}
		return (*f)(addr(a), addr(b), len(a))
	})
}

func maxOf(f *func(a *float32, n int) float32) func([]float32) float32 {
	return func(a []float32) float32 {
		if len(a) == 0 {
			return float32(math.Inf(-1))
		}
		return (*f)(addr(a), len(a))
	}
}
