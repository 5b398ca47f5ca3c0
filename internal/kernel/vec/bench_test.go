package vec

import (
	"testing"

	"hourglass/internal/isa"
)

// BenchmarkTile runs kernels on a tile that stays in the first-level cache.
// The rate counts the bytes read and written.
func BenchmarkTile(b *testing.B) {
	const n = 1024
	buf := make([][]float32, 7)
	for i := range buf {
		buf[i] = make([]float32, n)
		for j := range buf[i] {
			buf[i][j] = float32(j%37)*0.1 + 0.1
		}
	}
	dst, x, y, z := buf[0], buf[1], buf[2], buf[3]
	var sink float32
	for _, level := range isa.Available() {
		s := At(level)
		for _, k := range []struct {
			name   string
			arrays int64
			f      func()
		}{
			{"Add", 3, func() { s.Add(dst, x, y) }},
			{"Max", 3, func() { s.Max(dst, x, y) }},
			{"MulAdd", 4, func() { s.MulAdd(dst, x, y, z) }},
			{"AxpY", 3, func() { s.AxpY(dst, x, 1e-9) }},
			{"Relu", 2, func() { s.Relu(dst, x) }},
			{"LeakyRelu", 2, func() { s.LeakyRelu(dst, x, 0.1) }},
			{"Div", 3, func() { s.Div(dst, x, y) }},
			{"Sqrt", 2, func() { s.Sqrt(dst, x) }},
			{"Exp", 2, func() { s.Exp(dst, x) }},
			{"Log", 2, func() { s.Log(dst, x) }},
			{"Sigmoid", 2, func() { s.Sigmoid(dst, x) }},
			{"Tanh", 2, func() { s.Tanh(dst, x) }},
			{"Erf", 2, func() { s.Erf(dst, x) }},
			{"Sum", 1, func() { sink += s.Sum(x) }},
			{"Dot", 2, func() { sink += s.Dot(x, y) }},
			{"MaxOf", 1, func() { sink += s.MaxOf(x) }},
			{"Affine", 5, func() { s.Affine(dst, x, y, z, buf[4]) }},
			{"GradAffine", 7, func() { s.GradAffine(dst, x, y, z, buf[4], buf[5], buf[6]) }},
		} {
			b.Run(level.String()+"/"+k.name, func(b *testing.B) {
				b.SetBytes(k.arrays * 4 * n)
				for b.Loop() {
					k.f()
				}
			})
		}
		b.Run(level.String()+"/Call", func(b *testing.B) {
			for b.Loop() {
				s.Add(dst[:1], x[:1], y[:1])
			}
		})
	}
	if sink != sink {
		b.Fatal("the sums are not numbers")
	}
}
