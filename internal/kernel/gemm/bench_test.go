package gemm

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/peak"
	"hourglass/internal/par"
)

// benchmark times a product at every level and reports its rate and share of
// the measured peak.
func benchmark(b *testing.B, s Shape) {
	for _, level := range isa.Available() {
		b.Run(level.String(), func(b *testing.B) {
			pool := par.New(0)
			defer pool.Close()
			p, err := NewPlan(s, level)
			if err != nil {
				b.Fatal(err)
			}
			x, y, z := make([]float32, s.M*s.K), make([]float32, s.K*s.N), make([]float32, s.M*s.N)
			scratch := make([]float32, p.Scratch(pool.Threads()))
			ceiling := peak.MultiplyAdd(pool, level)
			for b.Loop() {
				p.Run(pool, z, x, y, scratch, Epilogue{})
			}
			rate := 2 * float64(s.M) * float64(s.N) * float64(s.K) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate/1e9, "GFLOP/s")
			b.ReportMetric(100*rate/ceiling, "%peak")
		})
	}
}

func BenchmarkGemm1024(b *testing.B) {
	for trans := range 4 {
		s := Shape{M: 1024, N: 1024, K: 1024, TransA: trans&1 != 0, TransB: trans&2 != 0}
		b.Run(fmt.Sprintf("transA=%v,transB=%v", s.TransA, s.TransB), func(b *testing.B) { benchmark(b, s) })
	}
}

// BenchmarkDense has the three products of a dense layer of 784 inputs and 128
// outputs on a batch of 64, and the first of them on one image.
func BenchmarkDense(b *testing.B) {
	b.Run("forward", func(b *testing.B) { benchmark(b, Shape{M: 64, N: 128, K: 784}) })
	b.Run("gradInput", func(b *testing.B) { benchmark(b, Shape{M: 64, N: 784, K: 128, TransB: true}) })
	b.Run("gradWeight", func(b *testing.B) { benchmark(b, Shape{M: 784, N: 128, K: 64, TransA: true}) })
	b.Run("one", func(b *testing.B) { benchmark(b, Shape{M: 1, N: 128, K: 784}) })
	b.Run("oneGradInput", func(b *testing.B) { benchmark(b, Shape{M: 1, N: 784, K: 128, TransB: true}) })
}
