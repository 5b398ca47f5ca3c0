package bfloat

import (
	"math"
	"math/rand/v2"
	"testing"

	"hourglass/internal/par"
)

// TestRound has the cases of the definition by their bits.
func TestRound(t *testing.T) {
	for _, c := range []struct{ from, to uint32 }{
		{0x3f800000, 0x3f800000}, // 1
		{0x3f808000, 0x3f800000}, // a tie, down to even
		{0x3f818000, 0x3f820000}, // a tie, up to even
		{0x3f808001, 0x3f810000},
		{0x3f817fff, 0x3f810000},
		{0xbf818000, 0xbf820000},
		{0x00000000, 0x00000000},
		{0x80000000, 0x80000000}, // -0
		{0x00008001, 0x00010000}, // below the normal numbers
		{0x7f7fffff, 0x7f800000}, // the largest becomes infinite
		{0x7f800000, 0x7f800000},
		{0xff800000, 0xff800000},
		{0x7f800001, 0x7fc00000}, // a NaN whose bits would all be cut off
		{0xffffffff, 0xffff0000},
	} {
		if got := math.Float32bits(Round(math.Float32frombits(c.from))); got != c.to {
			t.Errorf("%08x is rounded to %08x, want %08x", c.from, got, c.to)
		}
	}
}

func TestPlan(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(1, 1))
	const guard = 123.25
	for _, level := range levels() {
		for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 33, 1000, partLen, 2*partLen + 5} {
			src, whole := make([]float32, n), make([]float32, n+32)
			for i := range src {
				src[i] = math.Float32frombits(r.Uint32())
			}
			for i := range whole {
				whole[i] = guard
			}
			offset := r.IntN(16)
			dst := whole[offset : offset+n]
			NewPlan(n, level).Run(pool, dst, src)
			for i, v := range src {
				if math.Float32bits(dst[i]) != math.Float32bits(Round(v)) {
					t.Fatalf("%v, %d of %d: %08x is rounded to %08x, want %08x", level, i, n,
						math.Float32bits(v), math.Float32bits(dst[i]), math.Float32bits(Round(v)))
				}
			}
			for i, v := range whole {
				if (i < offset || i >= offset+n) && v != guard {
					t.Fatalf("%v: wrote %v at %d, outside its %d elements", level, v, i-offset, n)
				}
			}
			NewPlan(n, level).Run(pool, src, src)
			for i := range src {
				if math.Float32bits(src[i]) != math.Float32bits(dst[i]) {
					t.Fatalf("%v: in place, element %d of %d differs", level, i, n)
				}
			}
		}
	}
}
