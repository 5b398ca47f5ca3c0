package norm

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// BenchmarkKernels runs a batch of 64 images of 32×32 at several numbers of
// channels on two threads. The rate counts each operand once.
func BenchmarkKernels(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	level := levels[len(levels)-1]
	for _, c := range []int{1, 3, 16, 64} {
		const r = 64 * 32 * 32
		x, dy, y := make([]float32, r*c), make([]float32, r*c), make([]float32, r*c)
		for i := range x {
			x[i], dy[i] = float32(i%101)*0.01, float32(i%53)*0.1
		}
		mean, variance := make([]float32, c), make([]float32, c)
		for i := range variance {
			variance[i] = 1
		}
		out := make([]float32, 2*c)
		m := NewMoments(r, c, level)
		n := NewNormalize(r, c, 1e-5, true, level)
		g := NewGradReduce(r, c, 1e-5, level)
		d := NewGradInput(r, c, 1e-5, level)
		scratch := make([]float32, max(m.Scratch(2), n.Scratch(2), g.Scratch(2), d.Scratch(2)))
		for _, k := range []struct {
			name   string
			arrays int64
			f      func()
		}{
			{"Moments", 1, func() { m.Run(pool, out, x, scratch) }},
			{"Normalize", 2, func() { n.Run(pool, y, x, mean, variance, nil, nil, scratch) }},
			{"GradReduce", 2, func() { g.Run(pool, out, x, dy, mean, variance, scratch) }},
			{"GradInput", 3, func() { d.Run(pool, y, dy, x, mean, variance, nil, mean, mean, scratch) }},
		} {
			b.Run(fmt.Sprintf("%s/C=%d", k.name, c), func(b *testing.B) {
				b.SetBytes(k.arrays * 4 * r * int64(c))
				for b.Loop() {
					k.f()
				}
			})
		}
	}
}
