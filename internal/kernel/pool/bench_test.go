package pool

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// BenchmarkPool pools 64 images of 32×32 on two threads. The rate counts the
// large operands.
func BenchmarkPool(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	level := levels[len(levels)-1]
	for _, c := range []int{3, 16, 64} {
		for _, kernel := range []int{2, 3} {
			s := square(64, 32, c, kernel, 2, kernel-2)
			m, err := NewMax(s, level)
			if err != nil {
				b.Fatal(err)
			}
			a, err := NewAvg(s, level)
			if err != nil {
				b.Fatal(err)
			}
			size, out := 64*32*32*c, 64*s.OutH()*s.OutW()*c
			x, dx := make([]float32, size), make([]float32, size)
			y, dy := make([]float32, out), make([]float32, out)
			for i := range x {
				x[i] = float32(i * 7919 % 1013)
			}
			scratch := make([]float32, max(m.Scratch(2), a.Scratch(2)))
			for _, k := range []struct {
				name   string
				arrays int64
				f      func()
			}{
				{"Max", 1, func() { m.Forward(pool, y, x, scratch) }},
				{"MaxGrad", 2, func() { m.Backward(pool, dx, dy, x, scratch) }},
				{"Avg", 1, func() { a.Forward(pool, y, x, scratch) }},
				{"AvgGrad", 1, func() { a.Backward(pool, dx, dy, scratch) }},
			} {
				b.Run(fmt.Sprintf("%s/%dx%d/C=%d", k.name, kernel, kernel, c), func(b *testing.B) {
					b.SetBytes(k.arrays * 4 * int64(size))
					for b.Loop() {
						k.f()
					}
				})
			}
		}
	}
}
