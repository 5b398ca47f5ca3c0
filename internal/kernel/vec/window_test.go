package vec

import (
	"math/rand/v2"
	"testing"
)

// TestWindows holds the window kernels against the portable ones, bit for bit:
// none of them rounds in more than one way.
func TestWindows(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(15, 16))
		numbers := func(n int) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(rng.IntN(5)) // many ties
				if rng.IntN(8) == 0 {
					v[i] = float32(nan)
				}
			}
			return v
		}
		for c := 1; c <= 70; c++ {
			for _, n := range []int{0, 1, 2, 5} {
				x0, x1, g := numbers(2*n*c), numbers(2*n*c), numbers(n*c)
				type result struct {
					bufs   [6][]float32
					checks []func() error
				}
				run := func(s *Set) (r result) {
					for i, size := range []int{1, 1, 2, 2, 2, 2} {
						v, check := guarded(make([]float32, size*n*c), (c+i)%5)
						r.bufs[i], r.checks = v, append(r.checks, check)
					}
					s.Max2x2(r.bufs[0], x0, x1, c)
					s.Sum2x2(r.bufs[1], x0, x1, c, 0.3)
					s.MaxGrad2x2(r.bufs[2], r.bufs[3], x0, x1, g, c)
					s.Spread2x2(r.bufs[4], r.bufs[5], g, c, 0.3)
					return r
				}
				got, want := run(s), run(&generic)
				for k := range got.bufs {
					for i := range got.bufs[k] {
						if !same(got.bufs[k][i], want.bufs[k][i]) {
							t.Fatalf("%d windows of %d channels: result %d differs at %d: %v, want %v", n, c, k, i, got.bufs[k][i], want.bufs[k][i])
						}
					}
				}
				for _, check := range got.checks {
					if err := check(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
