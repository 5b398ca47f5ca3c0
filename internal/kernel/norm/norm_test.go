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

// TestMomentsOfStrayFirstRows: the pivot, made of the first rows, may lie far
// from where the others are.
func TestMomentsOfStrayFirstRows(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level, teams []*par.Pool) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, shape := range shapes {
			r, c := shape[0], shape[1]
			x := normal(rng, r*c, 5, 1e-3)
			for i := range min(len(x), 9*c) {
				x[i] += 1000
			}
			mean, variance := momentsRef(x, c)
			m := NewMoments(r, c, level)
			out := onTeams(t, "Moments", teams, 2*c, m.Scratch, func(pool *par.Pool, dst, scratch []float32) {
				m.Run(pool, dst, x, scratch)
			})
			near(t, "mean", out[:c], mean, func(int) float64 { return 3e-7 * 1000 })
			near(t, fmt.Sprint("variance ", shape), out[c:], variance, func(i int) float64 { return 1e-5*variance[i] + 1e-6 })
		}
	})
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
