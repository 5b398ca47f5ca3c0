package pool

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

func square(n, size, c, kernel, stride, pad int) Shape {
	return Shape{N: n, H: size, W: size, C: c, KernelH: kernel, KernelW: kernel, StrideH: stride, StrideW: stride,
		PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad}
}

func testShapes() []Shape {
	shapes := []Shape{
		square(1, 1, 1, 1, 1, 0), square(2, 4, 3, 2, 2, 0), square(2, 5, 16, 2, 2, 0), square(3, 7, 5, 3, 2, 1), square(1, 9, 17, 3, 1, 1),
		square(2, 8, 64, 8, 8, 0), square(1, 6, 8, 2, 3, 0), square(1, 11, 2, 5, 3, 4), square(1, 64, 20, 2, 2, 0), square(2, 61, 16, 3, 2, 1),
		square(40, 6, 33, 2, 2, 0), square(1, 129, 6, 2, 2, 0), square(3, 30, 64, 2, 2, 0), square(9, 27, 1, 2, 2, 0),
		{N: 2, H: 6, W: 9, C: 9, KernelH: 3, KernelW: 2, StrideH: 1, StrideW: 3, PadTop: 2, PadBottom: 0, PadLeft: 0, PadRight: 1},
		{N: 1, H: 3, W: 40, C: 1, KernelH: 1, KernelW: 7, StrideH: 2, StrideW: 2, PadLeft: 6, PadRight: 3},
		{N: 1, H: 2, W: 2, C: 10, KernelH: 4, KernelW: 4, StrideH: 1, StrideW: 1, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1},
	}
	for _, s := range slices.Clone(shapes) {
		s.IncludePad = true
		shapes = append(shapes, s)
	}
	return shapes
}

// numbers are small and whole, so that ties are common; some are NaN if asked.
func numbers(rng *rand.Rand, n int, withNaN bool) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.IntN(9) - 4)
		if withNaN && rng.IntN(30) == 0 {
			v[i] = float32(math.NaN())
		}
	}
	return v
}

func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return x == y || x != x && y != y })
}

// onTeams runs f at every level with several pools and checks that the bits of
// a level agree, nothing is written outside and nothing is allocated.
func onTeams(t *testing.T, s Shape, n int, newRun func(level isa.Level) (scratch func(int) int, run func(p *par.Pool, dst, scratch []float32)),
	check func(level isa.Level, dst []float32)) {
	t.Helper()
	for _, level := range isa.Available() {
		scratch, run := newRun(level)
		var first []float32
		for _, threads := range []int{1, 2, 5} {
			pool := par.New(threads)
			work := make([]float32, scratch(threads))
			for i := range work {
				work[i] = float32(math.NaN())
			}
			dst := make([]float32, n+1)
			dst[n] = -77
			run(pool, dst[:n], work)
			if dst[n] != -77 {
				t.Fatalf("%+v %v: wrote past the end", s, level)
			}
			if first == nil {
				first = dst[:n]
				check(level, first)
			} else if !same(first, dst[:n]) {
				t.Fatalf("%+v %v: depends on the number of threads", s, level)
			}
			if threads < 3 {
				if allocs := testing.AllocsPerRun(10, func() { run(pool, dst[:n], work) }); allocs != 0 {
					t.Errorf("%+v %v: allocates %v times", s, level, allocs)
				}
			}
			pool.Close()
		}
	}
}

func TestMaxPool(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i, s := range testShapes() {
		x := numbers(rng, s.N*s.H*s.W*s.C, i%2 == 1)
		dy := numbers(rng, s.N*s.OutH()*s.OutW()*s.C, false)
		y, dx := maxRef(s, x, dy)
		plan := func(level isa.Level) *Max {
			m, err := NewMax(s, level)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		exact := func(what string, want []float64) func(level isa.Level, got []float32) {
			return func(level isa.Level, got []float32) {
				for i, v := range got {
					if w := want[i]; float64(v) != w && (v == v || w == w) {
						t.Fatalf("%+v %v: %s[%d] = %v, want %v", s, level, what, i, v, w)
					}
				}
			}
		}
		onTeams(t, s, len(y), func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			m := plan(level)
			return m.Scratch, func(p *par.Pool, dst, scratch []float32) { m.Forward(p, dst, x, scratch) }
		}, exact("y", y))
		onTeams(t, s, len(x), func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			m := plan(level)
			return m.Scratch, func(p *par.Pool, dst, scratch []float32) { m.Backward(p, dst, dy, x, scratch) }
		}, exact("dx", dx))
	}
}

func TestAvgPool(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range testShapes() {
		x := numbers(rng, s.N*s.H*s.W*s.C, false)
		dy := numbers(rng, s.N*s.OutH()*s.OutW()*s.C, false)
		y, dx, yMagnitude, dxMagnitude := avgRef(s, x, dy)
		plan := func(level isa.Level) *Avg {
			a, err := NewAvg(s, level)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		near := func(what string, want, magnitude []float64) func(level isa.Level, got []float32) {
			return func(level isa.Level, got []float32) {
				for i, v := range got {
					if !(math.Abs(float64(v)-want[i]) <= 1e-6*magnitude[i]) {
						t.Fatalf("%+v %v: %s[%d] = %v, want %v", s, level, what, i, v, want[i])
					}
				}
			}
		}
		onTeams(t, s, len(y), func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			a := plan(level)
			return a.Scratch, func(p *par.Pool, dst, scratch []float32) { a.Forward(p, dst, x, scratch) }
		}, near("y", y, yMagnitude))
		onTeams(t, s, len(x), func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			a := plan(level)
			return a.Scratch, func(p *par.Pool, dst, scratch []float32) { a.Backward(p, dst, dy, scratch) }
		}, near("dx", dx, dxMagnitude))
	}
}

func TestBadShapes(t *testing.T) {
	good := square(1, 4, 1, 2, 2, 0)
	for want, change := range map[string]func(*Shape){
		"batch size":      func(s *Shape) { s.N = 0 },
		"kernel height":   func(s *Shape) { s.KernelH = 0 },
		"vertical stride": func(s *Shape) { s.StrideH = -1 },
		"left padding":    func(s *Shape) { s.PadLeft = 2 },
		"bottom padding":  func(s *Shape) { s.PadBottom = -1 },
		"does not fit":    func(s *Shape) { s.KernelW = 5 },
	} {
		s := good
		change(&s)
		if _, err := NewMax(s, isa.Generic); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: maximum error %v, want one about %q", s, err, want)
		}
		if _, err := NewAvg(s, isa.Generic); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: average error %v, want one about %q", s, err, want)
		}
	}
}
