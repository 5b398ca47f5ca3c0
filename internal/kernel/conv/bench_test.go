package conv

import (
	"fmt"
	"testing"
	"time"

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

// Those of large batches on small images, as in a speed run on CIFAR-10.
func BenchmarkConv3x3x128of31(b *testing.B) { benchmark(b, same3x3(128, 31, 128, 128, 1)) }
func BenchmarkConv3x3x384of15(b *testing.B) { benchmark(b, same3x3(256, 15, 128, 384, 1)) }
func BenchmarkConv3x3x384of7(b *testing.B)  { benchmark(b, same3x3(512, 7, 384, 384, 1)) }

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

// BenchmarkChoice checks the model of the costs: for shapes of many kinds it
// times every algorithm, in turns so that the machine treats them alike, and
// reports how much longer the chosen one takes than the fastest.
func BenchmarkChoice(b *testing.B) {
	levels := isa.Available()
	level := levels[len(levels)-1]
	pool := par.New(1)
	defer pool.Close()
	for _, s := range []Shape{
		same3x3(16, 32, 8, 8, 1), same3x3(16, 32, 8, 64, 1), same3x3(16, 32, 16, 16, 1), same3x3(16, 32, 24, 24, 1),
		same3x3(64, 14, 32, 32, 1), same3x3(16, 32, 64, 64, 1), same3x3(16, 16, 128, 128, 1), same3x3(16, 8, 256, 256, 1), same3x3(16, 4, 512, 512, 1),
		same3x3(1, 32, 64, 64, 1), same3x3(1, 8, 256, 256, 1), same3x3(1, 7, 512, 512, 1), same3x3(1, 4, 512, 512, 1),
		same3x3(64, 7, 64, 64, 1), same3x3(64, 6, 64, 64, 1), same3x3(64, 5, 64, 64, 1), same3x3(64, 3, 64, 64, 1), same3x3(64, 2, 256, 256, 1),
	} {
		s = s.withDefaults()
		x, w, y := make([]float32, s.inputLen()), make([]float32, s.filterLen()), make([]float32, s.outputLen())
		for _, what := range results {
			b.Run(fmt.Sprintf("%dx%dx%dx%dto%d/%s", s.N, s.H, s.W, s.C, s.K, what), func(b *testing.B) {
				choice := chosen(b, s, what, level)
				least := map[Algorithm]time.Duration{}
				runs := map[Algorithm]func(){}
				for _, o := range algorithms(s) {
					p := plan(b, s, what, level, o, false)
					scratch := make([]float32, p.scratch(1))
					runs[o.Algorithm] = func() { p.run(pool, x, w, y, scratch, gemm.Epilogue{}) }
					least[o.Algorithm] = time.Hour
				}
				for b.Loop() {
					for a, run := range runs {
						start := time.Now()
						run()
						least[a] = min(least[a], time.Since(start))
					}
				}
				best := time.Hour
				for _, d := range least {
					best = min(best, d)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(100*(float64(least[choice])/float64(best)-1), "%lost")
				b.ReportMetric(float64(least[Direct])/float64(least[choice]), "xdirect")
			})
		}
	}
}
