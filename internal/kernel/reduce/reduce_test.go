package reduce

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

var shapes = [][3]int{
	{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1}, {1, 17, 1}, {5, 17, 1}, {1, 7, 3}, {4, 7, 3}, {2, 130, 16}, {3, 1, 50}, {1000, 4, 16},
	{1, 40000, 1}, {2, 33001, 1}, {1, 20011, 3}, {1, 5000, 17}, {1, 3000, 64}, {2, 300, 700}, {1, 64, 9000}, {2, 40, 4099},
	{3000, 10, 1}, {1, 1, 100000}, {7, 1000, 5},
}

func forLevels(t *testing.T, f func(t *testing.T, level isa.Level)) {
	for _, level := range isa.Available() {
		t.Run(level.String(), func(t *testing.T) { f(t, level) })
	}
}

func normal(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

func pools(t *testing.T) []*par.Pool {
	var all []*par.Pool
	for _, n := range []int{1, 2, 5} {
		p := par.New(n)
		t.Cleanup(p.Close)
		all = append(all, p)
	}
	return all
}

// scratchFor returns scratch full of NaN, so that reading it unwritten shows.
func scratchFor(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(math.NaN())
	}
	return s
}

func TestFolds(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level) {
		teams := pools(t)
		for _, shape := range shapes {
			outer, n, inner := shape[0], shape[1], shape[2]
			src := normal(outer*n*inner, 3)
			sums, magnitudes, maxima := foldRef(src, outer, n, inner)
			for name, plan := range map[string]*Plan{"sum": NewSum(outer, n, inner, level), "max": NewMax(outer, n, inner, level)} {
				var first []float32
				for _, pool := range teams {
					dst := make([]float32, outer*inner+1)
					dst[outer*inner] = -77
					scratch := scratchFor(plan.Scratch(pool.Threads()))
					plan.Run(pool, dst, src, scratch)
					if dst[outer*inner] != -77 {
						t.Fatalf("%s %v wrote past the end", name, shape)
					}
					dst = dst[:outer*inner]
					for i, got := range dst {
						if name == "max" && float64(got) != maxima[i] || name == "sum" && math.Abs(float64(got)-sums[i]) > 0x1p-19*magnitudes[i] {
							t.Fatalf("%s %v: element %d is %v, want %v or %v", name, shape, i, got, sums[i], maxima[i])
						}
					}
					if first == nil {
						first = dst
					} else if !slices.Equal(first, dst) {
						t.Fatalf("%s %v depends on the number of threads", name, shape)
					}
					if allocs := testing.AllocsPerRun(10, func() { plan.Run(pool, dst, src, scratch) }); allocs != 0 {
						t.Errorf("%s %v: Run allocates %v times", name, shape, allocs)
					}
				}
			}
		}
	})
}

func foldRef(src []float32, outer, n, inner int) (sums, magnitudes, maxima []float64) {
	sums, magnitudes, maxima = make([]float64, outer*inner), make([]float64, outer*inner), make([]float64, outer*inner)
	for o := range outer {
		for i := range inner {
			k := o*inner + i
			maxima[k] = math.Inf(-1)
			for j := range n {
				x := float64(src[(o*n+j)*inner+i])
				sums[k] += x
				magnitudes[k] += math.Abs(x)
				maxima[k] = max(maxima[k], x)
			}
		}
	}
	return sums, magnitudes, maxima
}

func TestMaxKeepsNaN(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level) {
		pool := pools(t)[1]
		for _, shape := range [][3]int{{1, 40000, 1}, {1, 3000, 64}, {2, 40, 4099}, {3, 5, 7}} {
			src := normal(shape[0]*shape[1]*shape[2], 4)
			at := len(src) * 2 / 3
			src[at] = float32(math.NaN())
			plan := NewMax(shape[0], shape[1], shape[2], level)
			dst := make([]float32, shape[0]*shape[2])
			plan.Run(pool, dst, src, scratchFor(plan.Scratch(pool.Threads())))
			want := at/(shape[1]*shape[2])*shape[2] + at%shape[2]
			for i, x := range dst {
				if (x != x) != (i == want) {
					t.Errorf("%v: element %d is %v; the NaN belongs to %d", shape, i, x, want)
				}
			}
		}
	})
}

func TestSumOfManyIsAccurate(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level) {
		pool := pools(t)[0]
		for _, inner := range []int{1, 3, 16} {
			const n = 1 << 19
			src := make([]float32, n*inner)
			for i := range src {
				src[i] = 0.1
			}
			plan := NewSum(1, n, inner, level)
			dst := make([]float32, inner)
			plan.Run(pool, dst, src, scratchFor(plan.Scratch(1)))
			want := n * float64(float32(0.1))
			for _, x := range dst {
				if e := math.Abs(float64(x)-want) / want; e > 2.5e-6 {
					t.Errorf("inner %d: relative error %.2g", inner, e)
				}
			}
		}
	})
}

func TestArgMax(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, pool := range pools(t) {
		for _, shape := range shapes {
			outer, n, inner := shape[0], shape[1], shape[2]
			if n == 0 {
				continue
			}
			src := make([]float32, outer*n*inner)
			for i := range src {
				src[i] = float32(rng.IntN(5)) // many ties
				if rng.IntN(40) == 0 {
					src[i] = float32(math.NaN())
				}
			}
			plan := NewArgMax(outer, n, inner)
			dst := make([]int32, outer*inner)
			plan.Run(pool, dst, src)
			for o := range outer {
				for i := range inner {
					at := 0
					for j := range n {
						x, m := src[(o*n+j)*inner+i], src[(o*n+at)*inner+i]
						if m == m && (x > m || x != x) {
							at = j
						}
					}
					if got := int(dst[o*inner+i]); got != at {
						t.Fatalf("%v: element %d,%d is %d, want %d", shape, o, i, got, at)
					}
				}
			}
			if allocs := testing.AllocsPerRun(10, func() { plan.Run(pool, dst, src) }); allocs != 0 {
				t.Errorf("%v: Run allocates %v times", shape, allocs)
			}
		}
	}
}

func TestSoftmax(t *testing.T) {
	forLevels(t, func(t *testing.T, level isa.Level) {
		teams := pools(t)
		for _, shape := range [][2]int{{0, 5}, {5, 0}, {1, 1}, {3, 2}, {1000, 10}, {7, 100}, {4, 1024}, {3, 1025}, {2, 5000}} {
			rows, n := shape[0], shape[1]
			src := normal(rows*n, 7)
			for i := range src {
				src[i] = src[i]*20 + 500*float32(i/max(n, 1)%2) // overflows without the maximum
			}
			for _, plan := range []*Softmax{NewSoftmax(rows, n, level), NewLogSoftmax(rows, n, level)} {
				var first []float32
				for _, pool := range teams {
					dst := slices.Clone(src) // in place
					scratch := scratchFor(plan.Scratch(pool.Threads()))
					plan.Run(pool, dst, dst, scratch)
					checkSoftmax(t, fmt.Sprint(shape, plan.log), dst, src, n, plan.log)
					if first == nil {
						first = dst
					} else if !slices.Equal(first, dst) {
						t.Fatalf("%v depends on the number of threads", shape)
					}
					if allocs := testing.AllocsPerRun(10, func() { plan.Run(pool, dst, src, scratch) }); allocs != 0 {
						t.Errorf("%v: Run allocates %v times", shape, allocs)
					}
				}
			}
		}
	})
}

func checkSoftmax(t *testing.T, name string, dst, src []float32, n int, log bool) {
	t.Helper()
	for lo := 0; lo < len(src); lo += n {
		m, total := math.Inf(-1), 0.0
		for _, x := range src[lo : lo+n] {
			m = max(m, float64(x))
		}
		for _, x := range src[lo : lo+n] {
			total += math.Exp(float64(x) - m)
		}
		for j, x := range src[lo : lo+n] {
			got := float64(dst[lo+j])
			l := float64(x) - m - math.Log(total)
			if log && math.Abs(got-l) > 1e-6*(1+math.Abs(l)) || !log && math.Abs(got-math.Exp(l)) > 1e-5*math.Exp(l)+1e-30 {
				t.Fatalf("%s: element %d is %v, want logarithm %v", name, lo+j, got, l)
			}
		}
	}
}

func TestSoftmaxOfInfinities(t *testing.T) {
	inf := float32(math.Inf(1))
	forLevels(t, func(t *testing.T, level isa.Level) {
		pool := pools(t)[0]
		src := []float32{1, -inf, 2, 0, inf, 1, float32(math.NaN()), 1, 2}
		dst := make([]float32, 9)
		NewSoftmax(3, 3, level).Run(pool, dst, src, nil)
		if dst[1] != 0 || math.Abs(float64(dst[0]+dst[2])-1) > 1e-6 {
			t.Errorf("a row with -Inf gives %v", dst[:3])
		}
		for i, x := range dst[3:] {
			if x == x {
				t.Errorf("element %d of the rows with Inf and NaN is %v", i+3, x)
			}
		}
	})
}

func TestNegativeSizesPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"sum":     func() { NewSum(1, -1, 1, isa.Generic) },
		"argmax":  func() { NewArgMax(1, 0, 1) },
		"softmax": func() { NewSoftmax(-1, 2, isa.Generic) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
