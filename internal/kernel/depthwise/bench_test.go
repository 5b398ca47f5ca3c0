package depthwise

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/peak"
	"hourglass/internal/par"
)

// BenchmarkForward reports, beside the share of the multiply-add peak, how fast
// input and output pass: the least that must be moved.
func BenchmarkForward(b *testing.B) {
	for _, k := range []int{3, 5} {
		for _, stride := range []int{1, 2} {
			for _, size := range []struct{ side, channels int }{{112, 32}, {56, 144}, {14, 480}} {
				s := conv.Shape{N: 16, H: size.side, W: size.side, C: size.channels, K: size.channels, Groups: size.channels,
					KH: k, KW: k, StrideH: stride, StrideW: stride, PadTop: k / 2, PadBottom: k / 2, PadLeft: k / 2, PadRight: k / 2}
				for _, level := range isa.Available() {
					b.Run(fmt.Sprintf("%dx%d-stride%d-%dx%d/%v", k, k, stride, size.side, size.channels, level), func(b *testing.B) {
						pool := par.New(0)
						defer pool.Close()
						p, err := NewForward(s, level)
						if err != nil {
							b.Fatal(err)
						}
						nx, nw, ny := lens(s)
						x, w, y := make([]float32, nx), make([]float32, nw), make([]float32, ny)
						ceiling := peak.MultiplyAdd(pool, level)
						for b.Loop() {
							p.Run(pool, y, x, w, nil, nil, gemm.None)
						}
						runs := float64(b.N) / b.Elapsed().Seconds()
						rate := 2 * float64(ny*k*k) * runs
						b.ReportMetric(rate/1e9, "GFLOP/s")
						b.ReportMetric(100*rate/ceiling, "%peak")
						b.ReportMetric(4*float64(nx+ny)*runs/1e9, "GB/s")
					})
				}
			}
		}
	}
}
