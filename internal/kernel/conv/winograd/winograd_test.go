package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm/tile"
)

// guard lies around what a transform may write.
const guard = -12345.5

func filled(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = r.Float32()*2 - 1
	}
	return s
}

func fill(s []float32, v float32) []float32 {
	for i := range s {
		s[i] = v
	}
	return s
}

// scattered returns pixels of n channels in random places of one slice, which ends
// where the last pixel does.
func scattered(r *rand.Rand, pixels, n int) ([]float32, Points) {
	x := filled(r, pixels*n)
	var p Points
	for i, at := range r.Perm(pixels) {
		p[i] = &x[at*n]
	}
	return x, p
}

// TestVariants compares every transform of every level with the portable one,
// for all lengths around those of vectors, and checks that none writes where it
// must not.
func TestVariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, level := range levels() {
		for _, size := range []int{2, 4} {
			for n := 1; n <= 40; n++ {
				t.Run(fmt.Sprintf("%v/%d/%d", level, size, n), func(t *testing.T) { compareAt(t, r, level, size, n) })
			}
		}
	}
}

func compareAt(t *testing.T, r *rand.Rand, level isa.Level, size, n int) {
	k, ref := For(level, size), portable(size)
	f := k.Frequencies()
	stride := (n+maxLanes-1)/maxLanes*maxLanes + r.IntN(5)
	var work Work
	near := func(what string, got, want float32) {
		t.Helper()
		if !(math.Abs(float64(got-want)) <= 2e-5*(1+math.Abs(float64(want)))) {
			t.Fatalf("%s is %v, want %v", what, got, want)
		}
	}
	frequencies := func(what string, run func(k *Transforms, dst []float32)) {
		got, want := fill(make([]float32, f*stride), guard), make([]float32, f*stride)
		run(k, got)
		run(ref, want)
		whole := (n + k.Lanes() - 1) / k.Lanes() * k.Lanes()
		for i := range got {
			switch at := i % stride; {
			case at < n:
				near(what, got[i], want[i])
			case at >= whole && got[i] != guard:
				t.Fatalf("%s wrote beyond its last vector", what)
			}
		}
	}
	for _, g := range []struct {
		what string
		from int
		run  func(k *Transforms, dst []float32, stride int, r Runs, src *Points, n int, w *Work)
	}{{"input", k.Side, (*Transforms).Input}, {"spread", size, (*Transforms).Spread}} {
		_, points := scattered(r, g.from*g.from, n)
		frequencies(g.what, func(k *Transforms, dst []float32) { g.run(k, dst, stride, Runs{}, &points, n, &work) })
		checkRuns(t, k, g.run, &points, n)
	}
	taps := n + r.IntN(3)
	g := filled(r, 8*taps+n)
	for _, apart := range []int{taps, -taps} {
		frequencies("filter", func(k *Transforms, dst []float32) { k.Filter(dst, stride, g, apart, n, &work) })
	}

	m := filled(r, f*stride)
	dg, want := fill(make([]float32, 8*taps+n), guard), fill(make([]float32, 8*taps+n), guard)
	k.Unfilter(dg, taps, m, stride, n, &work)
	ref.Unfilter(want, taps, m, stride, n, &work)
	for i := range dg {
		near("unfilter", dg[i], want[i])
	}

	var bias []float32
	if r.IntN(2) == 0 {
		bias = filled(r, n)
	}
	add, relu := r.IntN(2) == 0, r.IntN(2) == 0
	seed := r.Uint64()
	got, points := scattered(rand.New(rand.NewPCG(seed, 1)), size*size, n)
	wanted, wantedPoints := scattered(rand.New(rand.NewPCG(seed, 1)), size*size, n)
	k.Output(&points, m, stride, n, bias, add, relu, 0.5, &work)
	ref.Output(&wantedPoints, m, stride, n, bias, add, relu, 0.5, &work)
	for i := range got {
		near("output", got[i], wanted[i])
	}
}

// checkRuns compares values in runs with values side by side, bit by bit.
func checkRuns(t *testing.T, k *Transforms, f func(*Transforms, []float32, int, Runs, *Points, int, *Work), src *Points, n int) {
	t.Helper()
	var work Work
	const side = 64
	want := make([]float32, k.Frequencies()*side)
	f(k, want, side, Runs{}, src, n, &work)
	for _, r := range []Runs{{16, 16}, {16, 37}, {32, 51}} {
		stride := 5 * r.Stride
		got := fill(make([]float32, k.Frequencies()*stride), guard)
		f(k, got, stride, r, src, n, &work)
		for i := range got {
			at := i % stride
			c := at/r.Stride*r.Len + at%r.Stride
			switch {
			case at%r.Stride < r.Len && c < n:
				if got[i] != want[i/stride*side+c] {
					t.Fatalf("runs %+v: value %d of frequency %d is %v, want %v", r, c, i/stride, got[i], want[i/stride*side+c])
				}
			case at%r.Stride >= r.Len && got[i] != guard:
				t.Fatalf("runs %+v: wrote between runs at %d", r, i)
			}
		}
	}
}

// TestIdentity checks with exact sums that the matrices compute a correlation,
// and its gradients: every product of one pixel with one tap.
func TestIdentity(t *testing.T) {
	for _, size := range []int{2, 4} {
		m := map[int]matrices{2: matrices2, 4: matrices4}[size]
		for i := range size {
			for k := range 3 {
				for l := range size + 2 {
					var sum float64
					for f := range size + 2 {
						sum += float64(m.spread[f][i]) * float64(m.filter[f][k]) * float64(m.input[f][l])
					}
					want := 0.0
					if l == i+k {
						want = 1
					}
					if math.Abs(sum-want) > 1e-6 {
						t.Errorf("size %d: output %d has tap %d of input %d %v times, want %v", size, i, k, l, sum, want)
					}
				}
			}
		}
	}
}

// TestNaN checks that a ReLU keeps a NaN.
func TestNaN(t *testing.T) {
	var work Work
	for _, level := range levels() {
		for _, size := range []int{2, 4} {
			k := For(level, size)
			const n = 19
			m := fill(make([]float32, k.Frequencies()*32), float32(math.NaN()))
			y, points := scattered(rand.New(rand.NewPCG(1, 1)), size*size, n)
			k.Output(&points, m, 32, n, nil, false, true, 6, &work)
			for i, v := range y {
				if v == v {
					t.Fatalf("%v, size %d: output %d of NaNs is %v", level, size, i, v)
				}
			}
		}
	}
}

func BenchmarkTransforms(b *testing.B) {
	const n = 64
	r := rand.New(rand.NewPCG(1, 1))
	levels := isa.Available()
	var work Work
	for _, size := range []int{2, 4} {
		k := For(levels[len(levels)-1], size)
		_, in := scattered(r, k.Frequencies(), n)
		_, out := scattered(r, size*size, n)
		m, taps := tile.Align(make([]float32, k.Frequencies()*(n+16)+tile.AlignSlack)), filled(r, 9*n)
		for _, f := range []struct {
			what string
			run  func()
		}{
			{"input", func() { k.Input(m, n+16, Runs{}, &in, n, &work) }},
			{"spread", func() { k.Spread(m, n+16, Runs{}, &out, n, &work) }},
			{"filter", func() { k.Filter(m, n+16, taps, n, n, &work) }},
			{"output", func() { k.Output(&out, m, n+16, n, nil, false, false, 0, &work) }},
			{"unfilter", func() { k.Unfilter(taps, n, m, n+16, n, &work) }},
		} {
			b.Run(fmt.Sprintf("%s%d", f.what, size), func(b *testing.B) {
				for b.Loop() {
					f.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*float64(k.Lanes())/n, "ns/vector")
			})
		}
	}
}
