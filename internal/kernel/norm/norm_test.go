package norm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

var shapes = [][2]int{
	{1, 1}, {1, 5}, {2, 3}, {7, 1}, {50, 3}, {20000, 1}, {7001, 3}, {30, 16}, {999, 17}, {4097, 16}, {1031, 64}, {40, 1000}, {9, 5000}, {300, 257},
}

const eps = 1e-5

func forLevels(t *testing.T, f func(t *testing.T, level isa.Level, teams []*par.Pool)) {
	var teams []*par.Pool
	for _, n := range []int{1, 2, 5} {
		teams = append(teams, par.New(n))
	}
	for _, level := range isa.Available() {
		t.Run(level.String(), func(t *testing.T) { f(t, level, teams) })
	}
	for _, p := range teams {
		p.Close()
	}
}

func normal(rng *rand.Rand, n int, mean, std float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(mean + std*rng.NormFloat64())
	}
	return v
}

// onTeams runs f with each pool, with scratch full of NaN and a guard behind
// the result, and checks that the bits agree and nothing is allocated.
func onTeams(t *testing.T, name string, teams []*par.Pool, n int, scratch func(int) int, f func(pool *par.Pool, dst, scratch []float32)) []float32 {
	t.Helper()
	var first []float32
	for _, pool := range teams {
		work := make([]float32, scratch(pool.Threads()))
		for i := range work {
			work[i] = float32(math.NaN())
		}
		dst := make([]float32, n+1)
		dst[n] = -77
		f(pool, dst[:n], work)
		if dst[n] != -77 {
			t.Fatalf("%s wrote past the end", name)
		}
		if first == nil {
			first = dst[:n]
		} else if !slices.Equal(first, dst[:n]) {
			t.Fatalf("%s depends on the number of threads", name)
		}
		if allocs := testing.AllocsPerRun(10, func() { f(pool, dst[:n], work) }); allocs != 0 {
			t.Errorf("%s allocates %v times", name, allocs)
		}
	}
	return first
}

func near(t *testing.T, name string, got []float32, want []float64, tolerance func(i int) float64) {
	t.Helper()
	for i, g := range got {
		if !(math.Abs(float64(g)-want[i]) <= tolerance(i)) {
			t.Fatalf("%s: element %d is %v, want %v ± %.2g", name, i, g, want[i], tolerance(i))
		}
	}
}

func TestMoments(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level, teams []*par.Pool) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, shape := range shapes {
			r, c := shape[0], shape[1]
			// The last has a mean of ten thousand deviations: E[x²]-E[x]²
			// would lose all digits of the variance.
			for _, d := range [][2]float64{{0, 1}, {3, 0.5}, {10000, 1}} {
				x := normal(rng, r*c, d[0], d[1])
				mean, variance := momentsRef(x, c)
				m := NewMoments(r, c, level)
				out := onTeams(t, "Moments", teams, 2*c, m.Scratch, func(pool *par.Pool, dst, scratch []float32) {
					m.Run(pool, dst, x, scratch)
				})
				near(t, "mean", out[:c], mean, func(int) float64 { return 3e-7 * (d[0] + d[1]) })
				near(t, fmt.Sprint("variance ", shape, d), out[c:], variance, func(i int) float64 {
					return 4e-6*variance[i] + 1e-12*d[0]*d[0]
				})
			}
		}
	})
}

func TestNormalize(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level, teams []*par.Pool) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, shape := range shapes {
			r, c := shape[0], shape[1]
			x := normal(rng, r*c, 2, 1)
			mean, gamma, beta := normal(rng, c, 2, 1), normal(rng, c, 0, 1), normal(rng, c, 0, 1)
			variance := normal(rng, c, 2, 0.1)
			for _, relu := range []bool{false, true} {
				for _, plain := range []bool{false, true} {
					gm, bt := gamma, beta
					if plain {
						gm, bt = nil, nil
					}
					want := make([]float64, r*c)
					for i, v := range x {
						k := i % c
						want[i] = (float64(v)-float64(mean[k]))*coefficient(gm, k, 1)/math.Sqrt(float64(variance[k])+eps) + coefficient(bt, k, 0)
						if relu {
							want[i] = max(want[i], 0)
						}
					}
					n := NewNormalize(r, c, eps, relu, level)
					y := onTeams(t, "Normalize", teams, r*c, n.Scratch, func(pool *par.Pool, dst, scratch []float32) {
						n.Run(pool, dst, x, mean, variance, gm, bt, scratch)
					})
					near(t, "Normalize", y, want, func(i int) float64 { return 3e-6 })
					inPlace := slices.Clone(x)
					n.Run(teams[0], inPlace, inPlace, mean, variance, gm, bt, make([]float32, n.Scratch(1)))
					if !slices.Equal(inPlace, y) {
						t.Fatalf("%v: differs in place", shape)
					}
				}
			}
		}
	})
}

func TestGrads(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level, teams []*par.Pool) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, shape := range shapes {
			r, c := shape[0], shape[1]
			x, dy := normal(rng, r*c, 2, 1), normal(rng, r*c, 0.1, 1)
			gamma := normal(rng, c, 0, 1)
			mean64, variance64 := momentsRef(x, c)
			mean, variance := make([]float32, c), make([]float32, c)
			for i := range mean {
				mean[i], variance[i] = float32(mean64[i]), float32(variance64[i])
				mean64[i], variance64[i] = float64(mean[i]), float64(variance[i])
			}
			if r == 1 { // a variance of zero tells nothing about the formula
				for i := range variance {
					variance[i], variance64[i] = 1, 1
				}
			}
			dx, dgamma, dbeta := gradRef(x, dy, gamma, mean64, variance64, float64(float32(eps)))
			sums := make([]float64, c)
			for i, g := range dy {
				d := (math.Abs(float64(x[i])) + math.Abs(float64(mean[i%c]))) / math.Sqrt(float64(variance[i%c]))
				sums[i%c] += math.Abs(float64(g)) * (1 + d)
			}
			reduce := NewGradReduce(r, c, eps, level)
			out := onTeams(t, "GradReduce", teams, 2*c, reduce.Scratch, func(pool *par.Pool, dst, scratch []float32) {
				reduce.Run(pool, dst, x, dy, mean, variance, scratch)
			})
			near(t, "dgamma", out[:c], dgamma, func(i int) float64 { return 1e-6 * sums[i] })
			near(t, "dbeta", out[c:], dbeta, func(i int) float64 { return 1e-6 * sums[i] })

			input := NewGradInput(r, c, eps, level)
			got := onTeams(t, "GradInput", teams, r*c, input.Scratch, func(pool *par.Pool, dst, scratch []float32) {
				input.Run(pool, dst, dy, x, mean, variance, gamma, out[:c], out[c:], scratch)
			})
			near(t, "dx", got, dx, func(i int) float64 {
				k := i % c
				s := 1 / math.Sqrt(float64(variance[k])+eps)
				return 4e-6 * math.Abs(float64(gamma[k])) * s * (4 + sums[k]/float64(r)*(1+4*s))
			})
			inPlace := slices.Clone(dy)
			input.Run(teams[0], inPlace, inPlace, x, mean, variance, gamma, out[:c], out[c:], make([]float32, input.Scratch(1)))
			if !slices.Equal(inPlace, got) {
				t.Fatalf("%v: GradInput differs in place", shape)
			}
		}
	})
}

// TestGradInputIsADerivative compares with central differences of the whole
// normalisation, the moments included.
func TestGradInputIsADerivative(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const r, c = 9, 3
	x, dy, gamma := normal(rng, r*c, 1, 1), normal(rng, r*c, 0, 1), normal(rng, c, 1, 0.3)
	loss := func(x []float32) float64 {
		mean, variance := momentsRef(x, c)
		total := 0.0
		for i, v := range x {
			total += float64(dy[i]) * float64(gamma[i%c]) * (float64(v) - mean[i%c]) / math.Sqrt(variance[i%c]+eps)
		}
		return total
	}
	mean, variance := momentsRef(x, c)
	dx, _, _ := gradRef(x, dy, gamma, mean, variance, eps)
	for i := range x {
		const h = 1.0 / 1024
		up, down := slices.Clone(x), slices.Clone(x)
		up[i] += h
		down[i] -= h
		step := float64(up[i]) - float64(down[i])
		if d := (loss(up) - loss(down)) / step; math.Abs(d-dx[i]) > 1e-4 {
			t.Errorf("dx[%d] = %v, differences give %v", i, dx[i], d)
		}
	}
}

func TestNaNStaysInItsChannel(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level, teams []*par.Pool) {
		const r, c = 700, 5
		x := normal(rand.New(rand.NewPCG(9, 9)), r*c, 0, 1)
		x[333*c+2] = float32(math.NaN())
		m := NewMoments(r, c, level)
		out := make([]float32, 2*c)
		m.Run(teams[0], out, x, make([]float32, m.Scratch(1)))
		for i, v := range out {
			if (v != v) != (i%c == 2) {
				t.Errorf("moment %d of channel %d is %v", i/c, i%c, v)
			}
		}
	})
}

func TestEmptyPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a matrix without rows was accepted")
		}
	}()
	NewMoments(0, 3, isa.Generic)
}
