package conv

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// same3x3 is a convolution of size·size images that keeps their size.
func same3x3(n, size, c, k, stride int) Shape {
	return Shape{N: n, H: size, W: size, C: c, K: k, KH: 3, KW: 3, StrideH: stride, StrideW: stride,
		PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
}

// exact returns a result in float64 and, for each element, the sum of the
// magnitudes of its products.
func exact(s Shape, what string, x, w, y []float32) (sums, sizes []float64) {
	n := map[string]int{"forward": len(y), "gradInput": len(x), "gradWeight": len(w)}[what]
	sums, sizes = make([]float64, n), make([]float64, n)
	add := func(i int, a, b float32) {
		sums[i] += float64(a) * float64(b)
		sizes[i] += math.Abs(float64(a) * float64(b))
	}
	eachProduct(s, func(i, j, k int) {
		switch what {
		case "forward":
			add(k, x[i], w[j])
		case "gradInput":
			add(i, y[k], w[j])
		case "gradWeight":
			add(j, x[i], y[k])
		}
	})
	return sums, sizes
}

// errorBounds are how far an element may lie from the exact one in units of
// 2⁻²⁴ times the largest sum of the magnitudes of any element's products: the
// root mean square, and the worst. They are about twice what these shapes show;
// the worst of Winograd's, 40, is an error of 2.4e-6. It stays below that of the
// direct algorithm because its sums are a ninth as long: where they are long,
// that is what counts.
var errorBounds = map[Algorithm]struct{ mean, worst float64 }{
	Direct:    {12, 60},
	BFloat16:  {12, 60},
	Winograd2: {6, 24},
	Winograd4: {6, 40},
}

// TestAccuracy holds every algorithm to its error, for operands of either sign
// and for positive ones, whose sums are large.
func TestAccuracy(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range []Shape{same3x3(2, 13, 16, 24, 1), same3x3(1, 8, 96, 32, 1), same3x3(3, 6, 32, 80, 1)} {
		s = s.withDefaults()
		for _, low := range []float32{-1, 0} {
			fill := func(n int) []float32 {
				v := make([]float32, n)
				for i := range v {
					v[i] = low + (1-low)*r.Float32()
				}
				return v
			}
			x, w, y := fill(s.inputLen()), fill(s.filterLen()), fill(s.outputLen())
			for _, what := range results {
				for _, level := range levels() {
					for _, o := range algorithms(s) {
						want, sizes := exact(s, what, o.Algorithm.rounded(x), o.Algorithm.rounded(w), o.Algorithm.rounded(y))
						unit := slices.Max(sizes) * 0x1p-24
						p := plan(t, s, what, level, o, false)
						tensors := map[string][]float32{"gradInput": slices.Clone(x), "gradWeight": slices.Clone(w), "forward": slices.Clone(y)}
						p.run(pool, tensors["gradInput"], tensors["gradWeight"], tensors["forward"], make([]float32, p.scratch(2)), gemm.Epilogue{})
						var squares, worst float64
						for i, v := range tensors[what] {
							e := math.Abs(float64(v)-want[i]) / unit
							squares += e * e
							worst = max(worst, e)
						}
						mean := math.Sqrt(squares / float64(len(want)))
						b := errorBounds[o.Algorithm]
						if !(mean <= b.mean && worst <= b.worst) {
							t.Errorf("%v %s %v %+v from %v: errors of %.2f in the mean and %.2f at worst, want %v and %v",
								level, what, o.Algorithm, s, low, mean, worst, b.mean, b.worst)
						}
					}
				}
			}
		}
	}
}

// TestRandomTiles covers the borders of tiles and blocks.
func TestRandomTiles(t *testing.T) {
	pools := newPools(t)[:2]
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 60 {
		s := Shape{
			N: 1 + r.IntN(5), H: 1 + r.IntN(14), W: 1 + r.IntN(14), C: 1 + r.IntN(40), K: 1 + r.IntN(40), KH: 3, KW: 3,
			PadTop: r.IntN(4), PadBottom: r.IntN(4), PadLeft: r.IntN(4), PadRight: r.IntN(4),
		}
		if s.Validate() != nil {
			continue
		}
		checkShape(t, s, levels(), pools, uint64(i))
	}
}

// TestChoice pins down what the model of the costs chooses where the
// difference is clear, at the levels that have assembly.
func TestChoice(t *testing.T) {
	few := same3x3(16, 32, 3, 64, 1)
	strided := same3x3(16, 32, 64, 64, 2)
	grouped := same3x3(16, 32, 64, 64, 1)
	grouped.Groups = 2
	for _, c := range []struct {
		name string
		s    Shape
		want map[string]Algorithm
	}{
		{"many channels", same3x3(16, 32, 64, 64, 1), map[string]Algorithm{"forward": Winograd4, "gradInput": Winograd4, "gradWeight": Winograd4}},
		{"tiles of 4 do not fit", same3x3(64, 2, 256, 256, 1), map[string]Algorithm{"forward": Direct, "gradInput": Direct, "gradWeight": Winograd2}},
		{"three channels", few, map[string]Algorithm{"forward": Direct, "gradInput": Direct, "gradWeight": Direct}},
		{"more weights than work", same3x3(1, 2, 512, 512, 1), map[string]Algorithm{"forward": Direct, "gradInput": Direct, "gradWeight": Direct}},
		{"strides", strided, map[string]Algorithm{"forward": Direct, "gradInput": Direct, "gradWeight": Direct}},
		{"groups", grouped, map[string]Algorithm{"forward": Direct, "gradInput": Direct, "gradWeight": Direct}},
	} {
		for _, level := range levels() {
			for what, want := range c.want {
				if level == isa.Generic {
					want = Direct
				}
				if got := chosen(t, c.s, what, level); got != want {
					t.Errorf("%s: %v %s is %v, want %v", c.name, level, what, got, want)
				}
			}
		}
	}
	if _, err := NewForward(strided, isa.Generic, Options{Winograd4}); err == nil {
		t.Error("Winograd's algorithm was accepted for strides")
	}
	if _, err := NewGradWeight(few, isa.Generic, Options{99}); err == nil {
		t.Error("an unknown algorithm was accepted")
	}
}

func chosen(t testing.TB, s Shape, what string, level isa.Level) Algorithm {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	switch what {
	case "forward":
		p, err := NewForward(s, level, Options{})
		must(err)
		return p.Algorithm()
	case "gradInput":
		p, err := NewGradInput(s, level, Options{})
		must(err)
		return p.Algorithm()
	}
	p, err := NewGradWeight(s, level, Options{})
	must(err)
	return p.Algorithm()
}

// TestNaNReachesItsOutputs: Winograd's algorithm spreads a NaN over the tiles
// that read it, but loses none.
func TestNaNReachesItsOutputs(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	s := same3x3(1, 9, 16, 17, 1).withDefaults()
	x, w := make([]float32, s.inputLen()), make([]float32, s.filterLen())
	for i := range w {
		w[i] = 1
	}
	at := (4*s.W+3)*s.C + 5
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x[at] = float32(bad)
		covered := make([]bool, s.outputLen())
		eachProduct(s, func(i, _, k int) { covered[k] = covered[k] || i == at })
		for _, level := range levels() {
			for _, o := range algorithms(s)[1:] {
				p := plan(t, s, "forward", level, o, false)
				y := make([]float32, s.outputLen())
				p.run(pool, x, w, y, make([]float32, p.scratch(2)), gemm.Epilogue{})
				for i, v := range y {
					if covered[i] && !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) {
						t.Fatalf("%v %v: %v in x gives y[%d] = %v", level, o.Algorithm, bad, i, v)
					}
				}
			}
		}
	}
}
