package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMaskedGradients: the kernels that rectify by themselves give the bits of
// the kernels that they stand for, one after the other.
func TestMaskedGradients(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(13, 14))
		special := []float32{0, 1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(nan)}
		for n := 0; n <= maxLen; n++ {
			var in [10][]float32 // two accumulators and eight operands
			checks := make([]func() error, len(in))
			for k := range in {
				v := make([]float32, n)
				for i := range v {
					if v[i] = float32(rng.NormFloat64()); rng.IntN(40) == 0 {
						v[i] = special[rng.IntN(len(special))]
					}
				}
				in[k], checks[k] = guarded(v, (n+3*k)%5)
			}
			g, x, m, scale, shift, a, b, c := in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9]
			masked, want0, want1, want := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
			s.Affine(masked, x, m, scale, shift)
			s.MulStep(masked, g, masked)
			copy(want0, in[0])
			copy(want1, in[1])
			s.AddGrads(want0, want1, masked, x, m)
			s.GradAffine(want, masked, x, m, a, b, c)

			dst, check := guarded(make([]float32, n), n%7)
			s.GradAffineRelu(dst, g, x, m, scale, shift, a, b, c)
			s.AddGradsRelu(in[0], in[1], g, x, m, scale, shift)
			for i := range n {
				if !same(dst[i], want[i]) || !same(in[0][i], want0[i]) || !same(in[1][i], want1[i]) {
					t.Fatalf("length %d, element %d: %v, %v, %v, want %v, %v, %v",
						n, i, dst[i], in[0][i], in[1][i], want[i], want0[i], want1[i])
				}
			}
			for _, check := range append(checks, check) {
				if err := check(); err != nil {
					t.Fatalf("length %d: %v", n, err)
				}
			}
		}
	})
}

// TestSilu: both kernels give the bits of those that they stand for.
func TestSilu(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(15, 16))
		special := []float32{0, -200, 90, float32(math.Inf(1)), float32(math.Inf(-1)), float32(nan)}
		for n := 0; n <= maxLen; n++ {
			g, z := make([]float32, n), make([]float32, n)
			for i := range z {
				g[i], z[i] = float32(rng.NormFloat64()), float32(3*rng.NormFloat64())
				if rng.IntN(20) == 0 {
					z[i] = special[rng.IntN(len(special))]
				}
			}
			g, checkG := guarded(g, n%5)
			z, checkZ := guarded(z, n%3)
			sigmoid, square, product, want := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
			s.Sigmoid(sigmoid, z)
			s.Square(square, sigmoid)
			s.Sub(square, sigmoid, square)
			s.Mul(product, g, z)
			s.Mul(product, product, square)
			s.Mul(want, g, sigmoid)
			s.Add(want, want, product)
			s.Mul(sigmoid, z, sigmoid)
			value, checkValue := guarded(make([]float32, n), n%7)
			grad, checkGrad := guarded(make([]float32, n), n%4)
			s.Silu(value, z)
			s.SiluGrad(grad, g, z)
			for i := range n {
				if !same(value[i], sigmoid[i]) || !same(grad[i], want[i]) {
					t.Fatalf("length %d, element %d of %v and %v: %v, %v, want %v, %v", n, i, g[i], z[i], value[i], grad[i], sigmoid[i], want[i])
				}
			}
			for _, check := range []func() error{checkG, checkZ, checkValue, checkGrad} {
				if err := check(); err != nil {
					t.Fatalf("length %d: %v", n, err)
				}
			}
		}
	})
}
