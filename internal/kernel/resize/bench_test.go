package resize

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// BenchmarkDouble enlarges 64 images from 16×16 to 32×32 on two threads. The
// rate counts the large operand.
func BenchmarkDouble(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	level := levels[len(levels)-1]
	for _, c := range []int{3, 64} {
		n, err := NewNearest(64, 16, 16, c, 2, 2, level)
		if err != nil {
			b.Fatal(err)
		}
		l, err := NewBilinear(64, 16, 16, c, 32, 32, level)
		if err != nil {
			b.Fatal(err)
		}
		small, big := make([]float32, 64*16*16*c), make([]float32, 64*32*32*c)
		scratch := make([]float32, max(n.Scratch(2), l.Scratch(2)))
		for _, k := range []struct {
			name string
			f    func()
		}{
			{"Nearest", func() { n.Forward(pool, big, small) }},
			{"NearestGrad", func() { n.Backward(pool, small, big, scratch) }},
			{"Bilinear", func() { l.Forward(pool, big, small, scratch) }},
			{"BilinearGrad", func() { l.Backward(pool, small, big, scratch) }},
		} {
			b.Run(fmt.Sprintf("%s/C=%d", k.name, c), func(b *testing.B) {
				b.SetBytes(4 * int64(len(big)))
				for b.Loop() {
					k.f()
				}
			})
		}
	}
}
