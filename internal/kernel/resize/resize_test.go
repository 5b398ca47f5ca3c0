package resize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

func normal(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// check runs f at every level with several pools against want.
func checkRuns(t *testing.T, name string, want, magnitude []float64,
	newRun func(level isa.Level) (scratch func(int) int, run func(p *par.Pool, dst, scratch []float32))) {
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
			dst := make([]float32, len(want)+1)
			dst[len(want)] = -77
			run(pool, dst[:len(want)], work)
			if dst[len(want)] != -77 {
				t.Fatalf("%s %v: wrote past the end", name, level)
			}
			dst = dst[:len(want)]
			for i, v := range dst {
				if !(math.Abs(float64(v)-want[i]) <= 1e-6*magnitude[i]) {
					t.Fatalf("%s %v: element %d is %v, want %v", name, level, i, v, want[i])
				}
			}
			if first == nil {
				first = dst
			} else if !slices.Equal(first, dst) {
				t.Fatalf("%s %v: depends on the number of threads", name, level)
			}
			if threads < 3 {
				if allocs := testing.AllocsPerRun(10, func() { run(pool, dst, work) }); allocs != 0 {
					t.Errorf("%s %v: allocates %v times", name, level, allocs)
				}
			}
			pool.Close()
		}
	}
}

// apply multiplies by the matrix that each describes, or by its transpose.
func apply(each func(f func(out, in int, weight float64)), v []float32, n int, transposed bool) (result, magnitude []float64) {
	result, magnitude = make([]float64, n), make([]float64, n)
	each(func(out, in int, weight float64) {
		if transposed {
			out, in = in, out
		}
		result[out] += weight * float64(v[in])
		magnitude[out] += weight * math.Abs(float64(v[in]))
	})
	return result, magnitude
}

func TestNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][6]int{{1, 1, 1, 1, 1, 1}, {2, 3, 4, 3, 2, 2}, {1, 5, 2, 16, 3, 1}, {2, 4, 4, 9, 1, 4}, {1, 70, 80, 3, 2, 2}, {3, 16, 16, 33, 2, 2}} {
		n, h, w, c, fh, fw := s[0], s[1], s[2], s[3], s[4], s[5]
		each := func(f func(out, in int, weight float64)) { nearestRef(n, h, w, c, fh, fw, f) }
		plan := func(level isa.Level) *Nearest {
			p, err := NewNearest(n, h, w, c, fh, fw, level)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		small, big := n*h*w*c, n*h*w*c*fh*fw
		x, dy := normal(rng, small), normal(rng, big)
		y, _ := apply(each, x, big, false)
		checkRuns(t, fmt.Sprint("nearest ", s), y, make([]float64, big), func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			p := plan(level)
			return func(int) int { return 0 }, func(pool *par.Pool, dst, _ []float32) { p.Forward(pool, dst, x) }
		})
		dx, magnitude := apply(each, dy, small, true)
		checkRuns(t, fmt.Sprint("nearest gradient ", s), dx, magnitude, func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			p := plan(level)
			return p.Scratch, func(pool *par.Pool, dst, scratch []float32) { p.Backward(pool, dst, dy, scratch) }
		})
	}
}

func TestBilinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][6]int{
		{1, 1, 1, 1, 1, 1}, {1, 1, 1, 3, 5, 4}, {2, 3, 4, 3, 6, 8}, {1, 7, 5, 16, 3, 9}, {2, 9, 9, 2, 4, 4}, {1, 4, 4, 17, 4, 4},
		{1, 64, 48, 3, 100, 31}, {2, 20, 20, 24, 40, 40}, {1, 40, 3, 1, 1, 1}, {1, 2, 2, 1, 33, 1},
	} {
		n, h, w, c, oh, ow := s[0], s[1], s[2], s[3], s[4], s[5]
		each := func(f func(out, in int, weight float64)) { bilinearRef(n, h, w, c, oh, ow, f) }
		plan := func(level isa.Level) *Bilinear {
			p, err := NewBilinear(n, h, w, c, oh, ow, level)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		x, dy := normal(rng, n*h*w*c), normal(rng, n*oh*ow*c)
		y, magnitude := apply(each, x, len(dy), false)
		checkRuns(t, fmt.Sprint("bilinear ", s), y, magnitude, func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			p := plan(level)
			return p.Scratch, func(pool *par.Pool, dst, scratch []float32) { p.Forward(pool, dst, x, scratch) }
		})
		dx, magnitude := apply(each, dy, len(x), true)
		checkRuns(t, fmt.Sprint("bilinear gradient ", s), dx, magnitude, func(level isa.Level) (func(int) int, func(*par.Pool, []float32, []float32)) {
			p := plan(level)
			return p.Scratch, func(pool *par.Pool, dst, scratch []float32) { p.Backward(pool, dst, dy, scratch) }
		})
	}
}

// TestBilinearExample holds values worked out by hand: a row 0, 4 doubled
// reads the ends at -0.25 and 1.25, which are clamped, and 0.25 and 0.75.
func TestBilinearExample(t *testing.T) {
	pool := par.New(1)
	b, err := NewBilinear(1, 1, 2, 1, 1, 4, isa.Generic)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float32, 4)
	b.Forward(pool, y, []float32{0, 4}, make([]float32, b.Scratch(1)))
	if want := []float32{0, 1, 3, 4}; !slices.Equal(y, want) {
		t.Errorf("0, 4 doubled is %v, want %v", y, want)
	}
}

func TestBadSizes(t *testing.T) {
	if _, err := NewNearest(1, 2, 2, 1, 0, 2, isa.Generic); err == nil {
		t.Error("a factor of 0 was accepted")
	}
	if _, err := NewBilinear(1, 2, 2, 1, 3, -1, isa.Generic); err == nil {
		t.Error("a width of -1 was accepted")
	}
}
