package conv

import (
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/peak"
	"hourglass/internal/par"
)

// benchmark times the three computations of a convolution at every level and
// reports their rates and shares of the measured peak.
func benchmark(b *testing.B, s Shape) {
	s = s.withDefaults()
	oh, ow := s.Out()
	operations := 2 * float64(s.N*oh*ow*s.K) * float64(s.KH*s.KW*s.C/s.Groups)
	for _, what := range results {
		for _, level := range isa.Available() {
			for _, o := range algorithms(s) {
				if level == isa.Generic && o.Algorithm != Direct {
					continue
				}
				b.Run(what+"/"+level.String()+"/"+o.Algorithm.String(), func(b *testing.B) {
					pool := par.New(0)
					defer pool.Close()
					p := plan(b, s, what, level, o, false)
					x, w, y := make([]float32, s.inputLen()), make([]float32, s.filterLen()), make([]float32, s.outputLen())
					scratch := make([]float32, p.scratch(pool.Threads()))
					ceiling := peak.MultiplyAdd(pool, level)
					for b.Loop() {
						p.run(pool, x, w, y, scratch, gemm.Epilogue{})
					}
					rate := operations * float64(b.N) / b.Elapsed().Seconds()
					b.ReportMetric(rate/1e9, "GFLOP/s")
					b.ReportMetric(100*rate/ceiling, "%peak")
				})
			}
		}
	}
}

func same3x3(n, size, c, k, stride int) Shape {
	return Shape{N: n, H: size, W: size, C: c, K: k, KH: 3, KW: 3, StrideH: stride, StrideW: stride,
		PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
}

func BenchmarkConv3x3x64(b *testing.B)      { benchmark(b, same3x3(16, 32, 64, 64, 1)) }
func BenchmarkConv3x3x64of28(b *testing.B)  { benchmark(b, same3x3(16, 28, 64, 64, 1)) }
func BenchmarkConv3x3x64s2(b *testing.B)    { benchmark(b, same3x3(16, 32, 64, 64, 2)) }
func BenchmarkConv3x3x32of14(b *testing.B)  { benchmark(b, same3x3(64, 14, 32, 32, 1)) }
func BenchmarkConv3x3x128of7(b *testing.B)  { benchmark(b, same3x3(64, 7, 128, 128, 1)) }
func BenchmarkConv3x3x128of28(b *testing.B) { benchmark(b, same3x3(4, 28, 128, 128, 1)) }
func BenchmarkConv3x3x512of4(b *testing.B)  { benchmark(b, same3x3(16, 4, 512, 512, 1)) }
func BenchmarkConv3x3from1(b *testing.B)    { benchmark(b, same3x3(64, 28, 1, 32, 1)) }
func BenchmarkConv3x3from3(b *testing.B)    { benchmark(b, same3x3(64, 32, 3, 64, 1)) }
func BenchmarkConv3x3to1(b *testing.B)      { benchmark(b, same3x3(64, 28, 32, 1, 1)) }
func BenchmarkConv3x3to3(b *testing.B)      { benchmark(b, same3x3(64, 32, 64, 3, 1)) }

func BenchmarkConv4x4s2(b *testing.B) {
	benchmark(b, Shape{N: 32, H: 28, W: 28, C: 32, K: 64, KH: 4, KW: 4, StrideH: 2, StrideW: 2,
		PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1})
}

func BenchmarkConv1x1(b *testing.B) {
	benchmark(b, Shape{N: 16, H: 28, W: 28, C: 128, K: 64, KH: 1, KW: 1})
}

func BenchmarkDepthwise(b *testing.B) {
	s := same3x3(16, 28, 64, 64, 1)
	s.Groups = 64
	benchmark(b, s)
}
