package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/emulate"
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

// naive computes the product in float64, rows of C lying LDC apart.
func naive(s Shape, c, a, b []float32, ep Epilogue) []float64 {
	out := make([]float64, len(c))
	for i, v := range c {
		out[i] = float64(v)
	}
	for m := range s.M {
		for n := range s.N {
			var sum float64
			if ep.Accumulate {
				sum = float64(c[m*s.LDC+n])
			}
			if ep.Bias != nil {
				sum += float64(ep.Bias[n])
			}
			for k := range s.K {
				ai, bi := m*s.LDA+k, k*s.LDB+n
				if s.TransA {
					ai = k*s.LDA + m
				}
				if s.TransB {
					bi = n*s.LDB + k
				}
				sum += float64(a[ai]) * float64(b[bi])
			}
			if on, most := ep.Act.Rectifies(); on {
				sum = min(max(sum, 0), float64(most))
			}
			out[m*s.LDC+n] = sum
		}
	}
	return out
}

func dense(s Shape, slack int) Shape {
	s.LDA, s.LDB, s.LDC = s.K+slack, s.N+slack, s.N+slack
	if s.TransA {
		s.LDA = s.M + slack
	}
	if s.TransB {
		s.LDB = s.K + slack
	}
	return s
}

func sizes(s Shape) (a, b, c int) {
	aRows, bRows := s.M, s.K
	if s.TransA {
		aRows = s.K
	}
	if s.TransB {
		bRows = s.N
	}
	return aRows * s.LDA, bRows * s.LDB, s.M * s.LDC
}

func checkProduct(t *testing.T, s Shape, level isa.Level, pools []*par.Pool, ep Epilogue, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	na, nb, nc := sizes(s)
	offset := r.IntN(16)
	a, checkA := guarded(t, r, na, offset)
	b, checkB := guarded(t, r, nb, offset/2)
	before, _ := guarded(t, r, nc, 0)
	if ep.Bias != nil {
		ep.Bias, _ = guarded(t, r, s.N, 3)
	}
	want := naive(s, before, a, b, ep)
	p, err := NewPlan(s, level)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	for _, pool := range pools {
		name := fmt.Sprintf("%v %+v %d threads", level, s, pool.Threads())
		c, checkC := guarded(t, r, nc, offset)
		copy(c, before)
		scratch, checkScratch := guarded(t, r, p.Scratch(pool.Threads()), 5)
		for i := range scratch {
			scratch[i] = float32(math.NaN())
		}
		p.Run(pool, c, a, b, scratch, ep)
		checkA(name + ": A")
		checkB(name + ": B")
		checkC(name + ": C")
		checkScratch(name + ": scratch")
		for i := range c {
			if diff := math.Abs(float64(c[i]) - want[i]); !(diff <= 1e-5*math.Sqrt(float64(s.K))) {
				t.Fatalf("%s %+v: element %d is %v, want %v", name, ep, i, c[i], want[i])
			}
		}
		if n := p.PackedLen(); n > 0 {
			packed, checkPacked := guarded(t, r, n, 7)
			p.Pack(pool, packed, b)
			again, checkAgain := guarded(t, r, nc, offset)
			copy(again, before)
			p.RunPacked(pool, again, a, packed, scratch, ep)
			checkPacked(name + ": packed B")
			checkAgain(name + ": C of a packed B")
			if !slices.Equal(again, c) {
				t.Fatalf("%s: a packed B gives other bits", name)
			}
		}
		if first == nil {
			first = c
		} else if !slices.Equal(first, c) {
			t.Fatalf("%s: bits differ from those on %d threads", name, pools[0].Threads())
		}
	}
}

func pools(t *testing.T) []*par.Pool {
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

func TestProduct(t *testing.T) {
	pools := pools(t)
	shapes := []Shape{
		{M: 1, N: 1, K: 1}, {M: 1, N: 10, K: 300}, {M: 2, N: 3, K: 5}, {M: 5, N: 33, K: 7},
		{M: 12, N: 32, K: 16}, {M: 13, N: 31, K: 17}, {M: 48, N: 16, K: 9}, {M: 49, N: 17, K: 257},
		{M: 64, N: 100, K: 3}, {M: 97, N: 70, K: 600}, {M: 130, N: 129, K: 33}, {M: 257, N: 1, K: 40},
		{M: 100, N: 300, K: 20}, {M: 1, N: 500, K: 70}, {M: 31, N: 270, K: 269}, {M: 401, N: 85, K: 70},
		{M: 64, N: 16, K: 256}, {M: 13, N: 7, K: 303}, {M: 110, N: 9, K: 260}, {M: 17, N: 13, K: 271},
		{M: 17, N: 16, K: 1024}, {M: 30, N: 9, K: 1033}, {M: 5, N: 3, K: 2100},
	}
	for _, level := range levels() {
		pools := pools
		if emulate.Emulated(level) { // which takes long
			pools = pools[len(pools)-1:]
		}
		for i, s := range shapes {
			for _, slack := range []int{0, 3} {
				for trans := range 4 {
					s := s
					s.TransA, s.TransB = trans&1 != 0, trans&2 != 0
					ep := Epilogue{Accumulate: (i+trans)%3 == 0}
					if (i+slack+trans)%2 == 0 {
						ep.Bias = []float32{}
					}
					ep.Act = []Activation{None, ReLU, None, ReLU6}[(i+trans)%4]
					checkProduct(t, dense(s, slack), level, pools, ep, uint64(i))
				}
			}
		}
	}
}

// TestDepth cuts the steps of products into near and far passes: their results are
// the same to the last bit.
func TestDepth(t *testing.T) {
	defer func(before bool) { streams = before }(streams)
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(9, 9))
	for _, level := range levels() {
		for trans := range 4 {
			for _, s := range []Shape{{M: 205, N: 90, K: 2*farDepth + 9}, {M: 29, N: 700, K: farDepth}, {M: 64, N: 16, K: 3136}} {
				s.TransA, s.TransB = trans&1 != 0, trans&2 != 0
				s = dense(s, 3)
				na, nb, nc := sizes(s)
				a, _ := guarded(t, r, na, 1)
				b, _ := guarded(t, r, nb, 2)
				var results [2][]float32
				for i := range results {
					streams = i == 1
					p, err := NewPlan(s, level)
					if err != nil {
						t.Fatal(err)
					}
					results[i] = make([]float32, nc)
					p.Run(pool, results[i], a, b, make([]float32, p.Scratch(pool.Threads())), Epilogue{Act: ReLU})
				}
				if !slices.Equal(results[0], results[1]) {
					t.Errorf("%v, %+v: results depend on how deep a pass is", level, s)
				}
			}
		}
	}
}

// TestStages packs the passes one at a time, as a product does whose matrices
// are too large to be packed at once.
func TestStages(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(8, 8))
	for _, level := range levels() {
		for trans := range 4 {
			s := dense(Shape{M: 205, N: 90, K: 2*farDepth + 9, TransA: trans&1 != 0, TransB: trans&2 != 0}, 2)
			na, nb, nc := sizes(s)
			a, _ := guarded(t, r, na, 1)
			b, _ := guarded(t, r, nb, 2)
			var results [2][]float32
			for i := range results {
				p, err := NewPlan(s, level)
				if err != nil {
					t.Fatal(err)
				}
				if i == 1 {
					p.stage = p.depth
				}
				results[i] = make([]float32, nc)
				p.Run(pool, results[i], a, b, make([]float32, p.Scratch(2)), Epilogue{})
			}
			if !slices.Equal(results[0], results[1]) {
				t.Errorf("%v %+v: packing in stages changes bits", level, s)
			}
		}
	}
}

// TestSmallSizes runs every combination of small sizes, so that each tile of
// each height and width meets each kind of edge.
func TestSmallSizes(t *testing.T) {
	pools := []*par.Pool{par.New(1)}
	defer pools[0].Close()
	for _, level := range levels() {
		for m := 1; m <= 26; m++ {
			for n := 1; n <= 66; n += 1 + n/20 {
				s := Shape{M: m, N: n, K: 1 + (m+n)%5, TransB: n%2 == 0, TransA: m%3 == 0}
				checkProduct(t, dense(s, m%2), level, pools, Epilogue{}, uint64(m*100+n))
			}
		}
	}
}

// TestNaNAndInf checks that a NaN or infinity in an operand reaches exactly the
// outputs that it must, also through a ReLU, and none through the padding of
// partial tiles.
func TestNaNAndInf(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, level := range levels() {
		for trans := range 4 {
			s := dense(Shape{M: 29, N: 37, K: 11, TransA: trans&1 != 0, TransB: trans&2 != 0}, 0)
			p, err := NewPlan(s, level)
			if err != nil {
				t.Fatal(err)
			}
			for _, act := range []Activation{None, ReLU, ReLU6} {
				for _, bad := range []float32{inf, -inf, nan} {
					a, b, c := make([]float32, s.M*s.K), make([]float32, s.K*s.N), make([]float32, s.M*s.N)
					for i := range a {
						a[i] = 1
					}
					for i := range b {
						b[i] = 1
					}
					const row, step = 17, 6
					if s.TransA {
						a[step*s.LDA+row] = bad
					} else {
						a[row*s.LDA+step] = bad
					}
					p.Run(pool, c, a, b, make([]float32, p.Scratch(2)), Epilogue{Act: act})
					for i, v := range c {
						want := float32(s.K)
						if i/s.N == row {
							want = bad
						}
						if on, most := act.Rectifies(); on {
							want = min(max(want, 0), most)
						}
						if v != want && !(want != want && v != v) {
							t.Fatalf("%v %+v act %d: %v in A gives C[%d,%d] = %v, want %v",
								level, s, act, bad, i/s.N, i%s.N, v, want)
						}
					}
				}
			}
		}
	}
}

func TestLevelsAgree(t *testing.T) {
	// Both assembly levels fuse multiply and add, and sum in the same order.
	if !slices.Contains(levels(), isa.AVX512) {
		t.Skip("this machine or build has no assembly levels")
	}
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(7, 7))
	for _, s := range []Shape{{M: 101, N: 77, K: 300}, {M: 20, N: 13, K: 1100}, {M: 20, N: 17, K: 1100}} {
		s.TransB = true
		s = dense(s, 0)
		a, _ := guarded(t, r, s.M*s.K, 1)
		b, _ := guarded(t, r, s.K*s.N, 2)
		var results [][]float32
		for _, level := range []isa.Level{isa.AVX2, isa.AVX512} {
			p, err := NewPlan(s, level)
			if err != nil {
				t.Fatal(err)
			}
			c := make([]float32, s.M*s.N)
			p.Run(pool, c, a, b, make([]float32, p.Scratch(2)), Epilogue{})
			results = append(results, c)
		}
		if !slices.Equal(results[0], results[1]) {
			t.Errorf("%+v: AVX2 and AVX-512 give different bits", s)
		}
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, s := range []Shape{{M: 70, N: 70, K: 300}, {M: 70, N: 300, K: 70, TransA: true, TransB: true}, {M: 70, N: 9, K: 300, TransB: true}, {M: 70, N: 9, K: 1100, TransB: true}} {
		p, err := NewPlan(s, isa.Available()[len(isa.Available())-1])
		if err != nil {
			t.Fatal(err)
		}
		a, b, c := make([]float32, s.M*s.K), make([]float32, s.K*s.N), make([]float32, s.M*s.N)
		scratch := make([]float32, p.Scratch(2))
		if n := testing.AllocsPerRun(20, func() { p.Run(pool, c, a, b, scratch, Epilogue{}) }); n != 0 {
			t.Errorf("%+v: Run allocates %v times", s, n)
		}
	}
}

func TestNewPlanRejects(t *testing.T) {
	for _, s := range []Shape{
		{M: 0, N: 1, K: 1}, {M: 1, N: -1, K: 1}, {M: 1, N: 1},
		{M: 2, N: 2, K: 5, LDA: 4}, {M: 2, N: 2, K: 5, LDB: 1}, {M: 2, N: 2, K: 5, LDC: 1},
		{M: 2, N: 2, K: 5, TransA: true, LDA: 1},
		{M: 1 << 40, N: 1, K: 1 << 40}, {M: 1 << 62, N: 1 << 62, K: 1 << 62},
	} {
		if _, err := NewPlan(s, isa.Generic); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}

func TestRunPanicsOnShortSlices(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	s := Shape{M: 9, N: 8, K: 7}
	p, err := NewPlan(s, isa.Generic)
	if err != nil {
		t.Fatal(err)
	}
	lens := []int{72, 63, 56, p.Scratch(1)}
	for short := range lens {
		if lens[short] == 0 {
			continue
		}
		var m [4][]float32
		for i := range m {
			m[i] = make([]float32, lens[i])
		}
		m[short] = m[short][1:]
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("slice %d one element short was accepted", short)
				}
			}()
			p.Run(pool, m[0], m[1], m[2], m[3], Epilogue{})
		}()
	}
}
