package norm

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// BenchmarkMoments runs a batch of 64 images of 32×32 at several numbers of
// channels on two threads.
func BenchmarkMoments(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	level := levels[len(levels)-1]
	for _, c := range []int{1, 3, 16, 64} {
		const r = 64 * 32 * 32
		x, out := make([]float32, r*c), make([]float32, 2*c)
		for i := range x {
			x[i] = float32(i%101) * 0.01
		}
		m := NewMoments(r, c, level)
		scratch := make([]float32, m.Scratch(2))
		b.Run(fmt.Sprintf("C=%d", c), func(b *testing.B) {
			b.SetBytes(4 * r * int64(c))
			for b.Loop() {
				m.Run(pool, out, x, scratch)
			}
		})
	}
}
