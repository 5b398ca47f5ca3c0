package layout

import (
	"testing"

	"hourglass/internal/par"
)

// BenchmarkCopies moves 64 images of 32×32 with 64 channels on two threads.
// The rate counts what is read and what is written.
func BenchmarkCopies(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	const n, h, w, c = 64, 32, 32, 64
	src, dst := make([]float32, n*h*w*c), make([]float32, n*h*w*c)
	for _, k := range []struct {
		name            string
		shape, dst, src []int
	}{
		{"Contiguous", []int{n, h, w, c}, []int{h * w * c, w * c, c, 1}, []int{h * w * c, w * c, c, 1}},
		{"NHWCtoNCHW", []int{n, c, h * w}, []int{c * h * w, h * w, 1}, []int{h * w * c, 1, c}},
		{"NCHWtoNHWC", []int{n, h * w, c}, []int{h * w * c, c, 1}, []int{c * h * w, 1, h * w}},
		{"Crop", []int{n, h - 2, w - 2, c}, []int{(h - 2) * (w - 2) * c, (w - 2) * c, c, 1}, []int{h * w * c, w * c, c, 1}},
		{"Broadcast", []int{n, h * w, c}, []int{h * w * c, c, 1}, []int{c, 0, 1}},
		{"Mirror", []int{n * h, w, c}, []int{w * c, c, 1}, []int{w * c, -c, 1}},
		{"PixelsMirror", []int{n * h * 16, w * c / 48, 3}, []int{w * c / 16, 3, 1}, []int{w * c / 16, -3, 1}},
	} {
		plan := NewPlan[float32](k.shape, k.dst, k.src)
		b.Run(k.name, func(b *testing.B) {
			size := int64(8)
			for _, d := range k.shape {
				size *= int64(d)
			}
			b.SetBytes(size)
			for b.Loop() {
				plan.Run(pool, dst, src)
			}
		})
	}
}
