package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/bfloat"
	"hourglass/internal/kernel/emulate"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// guarded returns n random elements that lie offset elements past a boundary,
// and a check that nothing around them changed.
func guarded(t testing.TB, r *rand.Rand, n, offset int) ([]float32, func(name string)) {
	const guard = 64
	const word = -12345.5
	whole := make([]float32, guard+offset+n+guard)
	for i := range whole {
		whole[i] = word
	}
	s := whole[guard+offset:][:n:n]
	for i := range s {
		s[i] = r.Float32()*2 - 1
	}
	return s, func(name string) {
		t.Helper()
		for i, v := range whole {
			if (i < guard+offset || i >= guard+offset+n) && v != word {
				t.Fatalf("%s: wrote %v at %d, outside its %d elements", name, v, i-guard-offset, n)
			}
		}
	}
}

// eachProduct calls f for every product in a convolution's sum with the
// indices of the elements of x, w and y that it concerns.
func eachProduct(s Shape, f func(x, w, y int)) {
	s = s.withDefaults()
	oh, ow := s.Out()
	cg, kg := s.C/s.Groups, s.K/s.Groups
	for n := range s.N {
		for i := range oh {
			for j := range ow {
				for kh := range s.KH {
					for kw := range s.KW {
						y, x := i*s.StrideH+kh*s.DilationH-s.PadTop, j*s.StrideW+kw*s.DilationW-s.PadLeft
						if y < 0 || y >= s.H || x < 0 || x >= s.W {
							continue
						}
						for k := range s.K {
							for c := range cg {
								f(((n*s.H+y)*s.W+x)*s.C+k/kg*cg+c,
									((kh*s.KW+kw)*cg+c)*s.K+k,
									((n*oh+i)*ow+j)*s.K+k)
							}
						}
					}
				}
			}
		}
	}
}

// naive computes one of the three results in float64.
func naive(s Shape, what string, x, w, y []float32, old []float32, ep gemm.Epilogue) []float64 {
	out := make([]float64, len(old))
	for i := range out {
		if ep.Accumulate {
			out[i] = float64(old[i])
		}
		if ep.Bias != nil {
			out[i] += float64(ep.Bias[i%len(ep.Bias)])
		}
	}
	switch what {
	case "forward":
		eachProduct(s, func(i, j, k int) { out[k] += float64(x[i]) * float64(w[j]) })
	case "gradInput":
		eachProduct(s, func(i, j, k int) { out[i] += float64(y[k]) * float64(w[j]) })
	case "gradWeight":
		eachProduct(s, func(i, j, k int) { out[j] += float64(x[i]) * float64(y[k]) })
	}
	if on, most := ep.Act.Rectifies(); on {
		for i := range out {
			out[i] = min(max(out[i], 0), float64(most))
		}
	}
	return out
}

// terms is about how many products an element of a result sums.
func terms(s Shape, what string) float64 {
	s = s.withDefaults()
	oh, ow := s.Out()
	switch what {
	case "forward":
		return float64(s.KH * s.KW * s.C / s.Groups)
	case "gradInput":
		return float64(s.KH * s.KW * s.K / s.Groups)
	}
	return float64(s.N * oh * ow)
}

// runner runs one plan with the tensors in the order x, w, y, of which what
// names the result.
type runner struct {
	scratch func(threads int) int
	run     func(pool *par.Pool, x, w, y, scratch []float32, ep gemm.Epilogue)
}

func plan(t testing.TB, s Shape, what string, level isa.Level, o Options, packed bool) runner {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	switch what {
	case "forward":
		f, err := NewForward(s, level, o)
		must(err)
		return runner{f.Scratch, func(pool *par.Pool, x, w, y, scratch []float32, ep gemm.Epilogue) {
			if packed {
				p := make([]float32, f.PackedLen())
				f.Pack(pool, p, w)
				f.RunPacked(pool, y, x, p, scratch, ep)
				return
			}
			f.Run(pool, y, x, w, scratch, ep)
		}}
	case "gradInput":
		g, err := NewGradInput(s, level, o)
		must(err)
		return runner{g.Scratch, func(pool *par.Pool, x, w, y, scratch []float32, ep gemm.Epilogue) {
			if packed {
				p := make([]float32, g.PackedLen())
				g.Pack(pool, p, w)
				g.RunPacked(pool, x, y, p, scratch, ep)
				return
			}
			g.Run(pool, x, y, w, scratch, ep)
		}}
	}
	g, err := NewGradWeight(s, level, o)
	must(err)
	return runner{g.Scratch, func(pool *par.Pool, x, w, y, scratch []float32, _ gemm.Epilogue) {
		g.Run(pool, w, x, y, scratch)
	}}
}

// algorithms lists the options that a shape has.
func algorithms(s Shape) []Options {
	options := []Options{{Direct}}
	if s.withDefaults().Groups == 1 {
		options = append(options, Options{BFloat16})
	}
	if s.withDefaults().winogradFits() {
		options = append(options, Options{Winograd2}, Options{Winograd4})
	}
	return options
}

// rounded returns the operands that an algorithm multiplies.
func (a Algorithm) rounded(x []float32) []float32 {
	if a != BFloat16 {
		return x
	}
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = bfloat.Round(v)
	}
	return y
}

// tolerance is how far an element of a result may lie from the exact one, for
// operands up to 1. It grows as a random walk of the products does; Winograd's
// algorithm adds the roundings of its transforms.
func tolerance(s Shape, what string, a Algorithm) float64 {
	if a == Direct || a == BFloat16 {
		return 1e-5 * math.Sqrt(terms(s, what)+1)
	}
	return 2e-5 * math.Sqrt(terms(s, what)+36)
}

var results = []string{"forward", "gradInput", "gradWeight"}

func checkShape(t *testing.T, s Shape, levels []isa.Level, pools []*par.Pool, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	var tensors [3][]float32
	var checks [3]func(string)
	for i, n := range []int{s.withDefaults().inputLen(), s.withDefaults().filterLen(), s.withDefaults().outputLen()} {
		tensors[i], checks[i] = guarded(t, r, n, r.IntN(16))
	}
	for what, name := range results {
		result := map[string]int{"forward": 2, "gradInput": 0, "gradWeight": 1}[name]
		var ep gemm.Epilogue
		if name != "gradWeight" {
			channels := s.K
			if name == "gradInput" {
				channels = s.C
			}
			if seed&1 != 0 {
				ep.Bias, _ = guarded(t, r, channels, 1)
			}
			if seed&2 != 0 {
				ep.Act = gemm.ReLU
			}
			ep.Accumulate = seed&4 != 0
			if seed%5 == 0 {
				ep.Act = gemm.ReLU6
			}
		}
		old := slices.Clone(tensors[result])
		wants := make(map[bool][]float64)
		for _, a := range []Algorithm{Direct, BFloat16} {
			wants[a == BFloat16] = naive(s, name, a.rounded(tensors[0]), a.rounded(tensors[1]), a.rounded(tensors[2]), old, ep)
		}
		for _, level := range levels {
			pools := pools
			if emulate.Emulated(level) { // which takes long
				if sample := rand.New(rand.NewPCG(seed, 3)); sample.IntN(4) != 0 {
					continue
				}
				pools = pools[len(pools)-1:]
			}
			for _, o := range algorithms(s) {
				p := plan(t, s, name, level, o, seed&8 != 0)
				allowed, want := tolerance(s, name, o.Algorithm), wants[o.Algorithm == BFloat16]
				var first []float32
				for _, pool := range pools {
					label := fmt.Sprintf("%v %s %v %+v %d threads", level, name, o.Algorithm, s, pool.Threads())
					scratch, checkScratch := guarded(t, r, p.scratch(pool.Threads()), what)
					for i := range scratch {
						scratch[i] = float32(math.NaN())
					}
					copy(tensors[result], old)
					p.run(pool, tensors[0], tensors[1], tensors[2], scratch, ep)
					got := slices.Clone(tensors[result])
					copy(tensors[result], old)
					for i := range checks {
						checks[i](label)
					}
					checkScratch(label + ": scratch")
					for i := range got {
						if diff := math.Abs(float64(got[i]) - want[i]); !(diff <= allowed) {
							t.Fatalf("%s: element %d is %v, want %v", label, i, got[i], want[i])
						}
					}
					if first == nil {
						first = got
					} else if !slices.Equal(first, got) {
						t.Fatalf("%s: bits differ from those on %d threads", label, pools[0].Threads())
					}
				}
			}
		}
	}
}

func newPools(t *testing.T) []*par.Pool {
	var pools []*par.Pool
	for threads := 1; threads <= 3; threads++ {
		pools = append(pools, par.New(threads))
	}
	t.Cleanup(func() {
		for _, p := range pools {
			p.Close()
		}
	})
	return pools
}

func TestConvolution(t *testing.T) {
	same := func(s Shape, pad int) Shape {
		s.PadTop, s.PadBottom, s.PadLeft, s.PadRight = pad, pad, pad, pad
		return s
	}
	shapes := []Shape{
		{N: 1, H: 1, W: 1, C: 1, K: 1, KH: 1, KW: 1},
		{N: 2, H: 5, W: 7, C: 3, K: 4, KH: 1, KW: 1},
		same(Shape{N: 2, H: 8, W: 9, C: 16, K: 33, KH: 3, KW: 3}, 1),
		same(Shape{N: 3, H: 9, W: 8, C: 5, K: 17, KH: 3, KW: 3, StrideH: 2, StrideW: 2}, 1),
		same(Shape{N: 1, H: 17, W: 13, C: 2, K: 3, KH: 5, KW: 5, StrideH: 3, StrideW: 2}, 2),
		{N: 2, H: 10, W: 11, C: 6, K: 8, KH: 4, KW: 3, StrideH: 1, StrideW: 4, PadTop: 1, PadRight: 2},
		{N: 1, H: 12, W: 12, C: 4, K: 6, KH: 3, KW: 2, DilationH: 2, DilationW: 3, PadTop: 3, PadLeft: 1},
		same(Shape{N: 2, H: 7, W: 7, C: 12, K: 18, KH: 3, KW: 3, Groups: 3}, 1),
		{N: 2, H: 6, W: 6, C: 8, K: 8, KH: 2, KW: 2, Groups: 2, StrideH: 2, StrideW: 2},
		same(Shape{N: 2, H: 9, W: 10, C: 35, K: 35, KH: 3, KW: 3, Groups: 35}, 1),
		same(Shape{N: 1, H: 9, W: 10, C: 16, K: 16, KH: 5, KW: 3, Groups: 16, StrideH: 2, StrideW: 2, DilationH: 2}, 2),
		same(Shape{N: 2, H: 6, W: 5, C: 4, K: 12, KH: 3, KW: 3, Groups: 4}, 1),
		{N: 1, H: 4, W: 4, C: 3, K: 2, KH: 2, KW: 2, PadTop: 5, PadBottom: 1, PadLeft: 4, PadRight: 6},
		{N: 1, H: 5, W: 5, C: 3, K: 2, KH: 1, KW: 1, StrideH: 3, StrideW: 3},
		{N: 1, H: 1, W: 1, C: 3, K: 2, KH: 1, KW: 1, StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1},
		{N: 1, H: 1, W: 3, C: 40, K: 7, KH: 1, KW: 3},
		same(Shape{N: 40, H: 4, W: 4, C: 9, K: 11, KH: 3, KW: 3}, 1),
		same(Shape{N: 1, H: 40, W: 30, C: 1, K: 32, KH: 3, KW: 3}, 1),
		same(Shape{N: 1, H: 30, W: 40, C: 32, K: 3, KH: 3, KW: 3}, 1),
		same(Shape{N: 2, H: 11, W: 15, C: 40, K: 66, KH: 3, KW: 3}, 1),
		same(Shape{N: 1, H: 14, W: 14, C: 3, K: 24, KH: 7, KW: 7, StrideH: 2, StrideW: 2}, 3),
		{N: 5, H: 2, W: 2, C: 130, K: 40, KH: 2, KW: 2},
		same(Shape{N: 1, H: 21, W: 22, C: 16, K: 20, KH: 3, KW: 3, StrideH: 2, StrideW: 2}, 1),
		same(Shape{N: 13, H: 8, W: 7, C: 18, K: 36, KH: 4, KW: 4, StrideH: 2, StrideW: 2}, 1),
		same(Shape{N: 14, H: 3, W: 2, C: 32, K: 2, KH: 3, KW: 3}, 1),
		same(Shape{N: 12, H: 5, W: 6, C: 40, K: 40, KH: 3, KW: 3, Groups: 40}, 1),
		same(Shape{N: 12, H: 5, W: 6, C: 8, K: 12, KH: 3, KW: 3, Groups: 2, DilationW: 2}, 1),
		same(Shape{N: 2, H: 31, W: 33, C: 17, K: 19, KH: 3, KW: 3}, 1), // many tiles
		same(Shape{N: 3, H: 4, W: 5, C: 70, K: 80, KH: 3, KW: 3}, 1),   // few tiles, more than one panel
		{N: 20, H: 17, W: 18, C: 9, K: 40, KH: 3, KW: 3, PadTop: 5, PadLeft: 3, PadBottom: 2},
		same(Shape{N: 2, H: 9, W: 8, C: 112, K: 40, KH: 3, KW: 3}, 1), // rows of a filter's gradient in several tasks
		{N: 5, H: 2, W: 2, C: 112, K: 40, KH: 2, KW: 2},
		{N: 5, H: 3, W: 3, C: 24, K: 40, KH: 2, KW: 3}, // lines and halves of lines of channels
		{N: 5, H: 3, W: 3, C: 12, K: 9, KH: 3, KW: 2},
		// Columns of pixels whose gradients are not a column, and an image that no tap reaches.
		{N: 1, H: 9, W: 1, C: 8, K: 8, KH: 3, KW: 1, StrideH: 1, StrideW: 2, PadTop: 1, PadBottom: 1},
		same(Shape{N: 1, H: 9, W: 1, C: 8, K: 8, KH: 3, KW: 3, StrideH: 1, StrideW: 2}, 1),
		{N: 1000, H: 1, W: 1, C: 8, K: 8, KH: 1, KW: 1, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1},
	}
	pools := newPools(t)
	for i, s := range shapes {
		checkShape(t, s, levels(), pools, uint64(i))
		checkShape(t, s, levels(), pools[:1], uint64(i)+9)
	}
}

// TestRandomShapes covers the corners that nobody thinks of.
func TestRandomShapes(t *testing.T) {
	pools := newPools(t)[:2]
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 150 {
		groups := 1
		if r.IntN(3) == 0 {
			groups = 1 + r.IntN(4)
		}
		s := Shape{
			N: 1 + r.IntN(4), H: 1 + r.IntN(12), W: 1 + r.IntN(12),
			C: groups * (1 + r.IntN(10)), K: groups * (1 + r.IntN(10)),
			KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3),
			PadTop: r.IntN(4), PadBottom: r.IntN(4), PadLeft: r.IntN(4), PadRight: r.IntN(4),
			DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2), Groups: groups,
		}
		if r.IntN(4) == 0 {
			s.K, s.Groups = s.C, s.C
		}
		if r.IntN(3) == 0 {
			s.N = 12 + r.IntN(3) // enough to read the images in place
		}
		if s.Validate() != nil {
			continue
		}
		checkShape(t, s, levels(), pools, uint64(i))
	}
}

// TestPackForAnotherBatch: a filter packed by the plan of one batch size serves
// the plans of others.
func TestPackForAnotherBatch(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(11, 12))
	for _, level := range levels() {
		for _, k := range []int{2, 40} {
			one := Shape{N: 1, H: 6, W: 7, C: 16, K: k, KH: 3, KW: 3, StrideH: 2, StrideW: 1, PadTop: 1, PadRight: 2}.withDefaults()
			many := one
			many.N = 37
			x, _ := guarded(t, r, many.inputLen(), 0)
			w, _ := guarded(t, r, many.filterLen(), 0)
			want, got := make([]float32, many.outputLen()), make([]float32, many.outputLen())
			a, err := NewForward(one, level, Options{Direct})
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewForward(many, level, Options{Direct})
			if err != nil {
				t.Fatal(err)
			}
			packed, scratch := make([]float32, a.PackedLen()), make([]float32, b.Scratch(2))
			a.Pack(pool, packed, w)
			b.RunPacked(pool, got, x, packed, scratch, gemm.Epilogue{})
			b.Run(pool, want, x, w, scratch, gemm.Epilogue{})
			if !slices.Equal(got, want) {
				t.Errorf("%v, %d filters: a filter packed for one image gives other bits for %d", level, k, many.N)
			}
		}
	}
}

// TestNaNAndInf checks that a NaN or infinity in the image reaches the outputs
// whose filters cover it, also through a ReLU, and no others.
func TestNaNAndInf(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, s := range []Shape{
		{N: 2, H: 9, W: 8, C: 16, K: 33, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1},
		{N: 2, H: 9, W: 8, C: 16, K: 2, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1},
		{N: 2, H: 9, W: 8, C: 16, K: 16, KH: 3, KW: 3, Groups: 16, PadTop: 2, PadRight: 1},
	} {
		s = s.withDefaults()
		x, w := make([]float32, s.inputLen()), make([]float32, s.filterLen())
		for i := range w {
			w[i] = 1
		}
		for _, bad := range []float32{inf, -inf, nan} {
			at := ((1*s.H+4)*s.W+3)*s.C + 5
			clear(x)
			x[at] = bad
			want := make([]float32, s.outputLen())
			eachProduct(s, func(i, j, k int) {
				if i == at {
					want[k] = max(bad, 0) // a NaN stays one
				}
			})
			for _, level := range levels() {
				p := plan(t, s, "forward", level, Options{Direct}, false)
				y := make([]float32, s.outputLen())
				p.run(pool, x, w, y, make([]float32, p.scratch(2)), gemm.Epilogue{Act: gemm.ReLU})
				for i, v := range y {
					if v != want[i] && !(want[i] != want[i] && v != v) {
						t.Fatalf("%v %+v: %v in x gives y[%d] = %v, want %v", level, s, bad, i, v, want[i])
					}
				}
			}
		}
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	level := isa.Available()[len(isa.Available())-1]
	s := Shape{N: 3, H: 12, W: 12, C: 20, K: 40, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1}.withDefaults()
	x, w, y := make([]float32, s.inputLen()), make([]float32, s.filterLen()), make([]float32, s.outputLen())
	for _, what := range results {
		for _, o := range algorithms(s) {
			p := plan(t, s, what, level, o, false)
			scratch := make([]float32, p.scratch(2))
			if n := testing.AllocsPerRun(20, func() { p.run(pool, x, w, y, scratch, gemm.Epilogue{}) }); n != 0 {
				t.Errorf("%s %v allocates %v times", what, o.Algorithm, n)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	good := Shape{N: 1, H: 4, W: 4, C: 4, K: 4, KH: 3, KW: 3}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Shape){
		"no images":         func(s *Shape) { s.N = 0 },
		"negative width":    func(s *Shape) { s.W = -1 },
		"negative padding":  func(s *Shape) { s.PadLeft = -1 },
		"negative stride":   func(s *Shape) { s.StrideH = -1 },
		"groups":            func(s *Shape) { s.Groups = 3 },
		"filter too large":  func(s *Shape) { s.KH = 5 },
		"dilated too large": func(s *Shape) { s.DilationW = 2 },
		"too many elements": func(s *Shape) { s.N, s.H, s.W = 1<<20, 1<<20, 1<<20 },
		"overflow":          func(s *Shape) { s.N, s.H, s.W, s.C = 1<<62, 1<<62, 1<<62, 1<<62 },
	} {
		s := good
		change(&s)
		if s.Validate() == nil {
			t.Errorf("%s: %+v was accepted", name, s)
		}
		if _, err := NewForward(s, isa.Generic, Options{}); err == nil {
			t.Errorf("%s: NewForward accepted %+v", name, s)
		}
		if _, err := NewGradInput(s, isa.Generic, Options{}); err == nil {
			t.Errorf("%s: NewGradInput accepted %+v", name, s)
		}
		if _, err := NewGradWeight(s, isa.Generic, Options{}); err == nil {
			t.Errorf("%s: NewGradWeight accepted %+v", name, s)
		}
	}
}

// Shapes like these fit in a few bytes of a model file. Each is a valid
// convolution of a small image, whose plan would take gigabytes.
func TestPlansBeyondReasonAreRefused(t *testing.T) {
	far := Shape{N: 1, H: 8, W: 8, C: 4, K: 4, KH: 3, KW: 3, DilationH: 1 << 16, DilationW: 1 << 16,
		PadTop: 1 << 16, PadBottom: 1 << 16, PadLeft: 1 << 16, PadRight: 1 << 16}
	apart := Shape{N: 1, H: 1 << 10, W: 1 << 10, C: 1, K: 1, KH: 1, KW: 1, StrideH: 1 << 10, StrideW: 1 << 10}
	plans := map[string]func(Shape, isa.Level) error{
		"forward":    func(s Shape, l isa.Level) error { _, err := NewForward(s, l, Options{}); return err },
		"gradInput":  func(s Shape, l isa.Level) error { _, err := NewGradInput(s, l, Options{}); return err },
		"gradWeight": func(s Shape, l isa.Level) error { _, err := NewGradWeight(s, l, Options{}); return err },
	}
	for _, level := range levels() {
		for what, plan := range plans {
			if err := far.Validate(); err != nil {
				t.Fatal(err)
			}
			if plan(far, level) == nil {
				t.Errorf("%v %s: %+v was accepted", level, what, far)
			}
		}
		if plans["gradInput"](apart, level) == nil {
			t.Errorf("%v: an input gradient in %d×%d parts was accepted", level, apart.StrideH, apart.StrideW)
		}
		if err := plans["forward"](apart, level); err != nil {
			t.Errorf("%v: %v", level, err)
		}
	}
}
