package depthwise

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

const guard = 64

// guarded returns n random elements and a check that nothing around them
// changed.
func guarded(r *rand.Rand, n int) ([]float32, func(t *testing.T, name string)) {
	const word = -12345.5
	offset := guard + r.IntN(16)
	whole := make([]float32, offset+n+guard)
	for i := range whole {
		whole[i] = word
	}
	s := whole[offset:][:n:n]
	for i := range s {
		s[i] = r.Float32()*2 - 1
	}
	return s, func(t *testing.T, name string) {
		t.Helper()
		for i, v := range whole {
			if (i < offset || i >= offset+n) && v != word {
				t.Fatalf("%s: wrote %v at %d, outside its %d elements", name, v, i-offset, n)
			}
		}
	}
}

// eachProduct calls f for every product in the sum with the indices of the
// elements of x, w and y that it concerns.
func eachProduct(s conv.Shape, f func(x, w, y int)) {
	oh, ow := s.Out()
	for n := range s.N {
		for i := range oh {
			for j := range ow {
				for kh := range s.KH {
					for kw := range s.KW {
						y, x := i*max(1, s.StrideH)+kh-s.PadTop, j*max(1, s.StrideW)+kw-s.PadLeft
						if y < 0 || y >= s.H || x < 0 || x >= s.W {
							continue
						}
						for c := range s.C {
							f(((n*s.H+y)*s.W+x)*s.C+c, (kh*s.KW+kw)*s.C+c, ((n*oh+i)*ow+j)*s.C+c)
						}
					}
				}
			}
		}
	}
}

func lens(s conv.Shape) (x, w, y int) {
	oh, ow := s.Out()
	return s.N * s.H * s.W * s.C, s.KH * s.KW * s.C, s.N * oh * ow * s.C
}

func pools(t *testing.T) []*par.Pool {
	list := []*par.Pool{par.New(1), par.New(3)}
	t.Cleanup(func() {
		for _, p := range list {
			p.Close()
		}
	})
	return list
}

// check compares forward pass and gradients at all levels with sums in float64.
func check(t *testing.T, r *rand.Rand, s conv.Shape, pools []*par.Pool) {
	t.Helper()
	nx, nw, ny := lens(s)
	x, checkX := guarded(r, nx)
	w, checkW := guarded(r, nw)
	y, checkY := guarded(r, ny)
	bias, _ := guarded(r, s.C)
	act := gemm.Activation(r.IntN(3))
	if r.IntN(3) == 0 {
		bias = nil
	}
	expect := func(n int, bias []float32, act gemm.Activation, add func(sum []float64)) []float64 {
		sum := make([]float64, n)
		for i := range sum {
			if bias != nil {
				sum[i] = float64(bias[i%s.C])
			}
		}
		add(sum)
		for i, v := range sum {
			if on, most := act.Rectifies(); on {
				sum[i] = min(max(v, 0), float64(most))
			}
		}
		return sum
	}
	for _, result := range []struct {
		name string
		want []float64
		run  func(level isa.Level, pool *par.Pool, out []float32)
	}{
		{"forward", expect(ny, bias, act, func(sum []float64) {
			eachProduct(s, func(i, j, k int) { sum[k] += float64(x[i]) * float64(w[j]) })
		}), func(level isa.Level, pool *par.Pool, out []float32) {
			p, err := NewForward(s, level)
			if err != nil {
				t.Fatal(err)
			}
			p.Run(pool, out, x, w, bias, make([]float32, p.Scratch()), act)
		}},
		{"gradInput", expect(nx, bias, act, func(sum []float64) {
			eachProduct(s, func(i, j, k int) { sum[i] += float64(y[k]) * float64(w[j]) })
		}), func(level isa.Level, pool *par.Pool, out []float32) {
			p, err := NewGradInput(s, level)
			if err != nil {
				t.Fatal(err)
			}
			p.Run(pool, out, y, w, bias, make([]float32, p.Scratch()), act)
		}},
	} {
		for _, level := range levels() {
			if !Supports(s, level) {
				continue
			}
			var first []float32
			for _, pool := range pools {
				name := fmt.Sprintf("%v %s %+v %d threads", level, result.name, s, pool.Threads())
				out, checkOut := guarded(r, len(result.want))
				for i := range out {
					out[i] = float32(math.NaN())
				}
				result.run(level, pool, out)
				checkOut(t, name)
				checkX(t, name)
				checkW(t, name)
				checkY(t, name)
				for i, v := range out {
					if !(math.Abs(float64(v)-result.want[i]) <= 2e-5) {
						t.Fatalf("%s: element %d is %v, want %v", name, i, v, result.want[i])
					}
				}
				if first == nil {
					first = out
				} else if !slices.Equal(first, out) {
					t.Fatalf("%s: bits differ from those on one thread", name)
				}
			}
		}
	}
}

func TestShapes(t *testing.T) {
	pools := pools(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 160 {
		c := 2 + r.IntN(50)
		s := conv.Shape{
			N: 1 + r.IntN(2), H: 1 + r.IntN(11), W: 1 + r.IntN(30), C: c, K: c, Groups: c,
			KH: 1 + r.IntN(5), KW: 3 + 2*(i%2), StrideH: 1 + r.IntN(2), StrideW: r.IntN(3),
			PadTop: r.IntN(4), PadBottom: r.IntN(4), PadLeft: r.IntN(7), PadRight: r.IntN(7),
		}
		if s.Validate() == nil {
			check(t, r, s, pools)
		}
	}
	// More than a part an image.
	check(t, r, conv.Shape{N: 2, H: 90, W: 33, C: 17, K: 17, Groups: 17, KH: 5, KW: 5, StrideH: 2, StrideW: 2, PadTop: 2, PadLeft: 2}, pools)
}

// TestNaNAndInf checks that what is not a number reaches the outputs whose
// filters cover it, also through a ReLU, and no others.
func TestNaNAndInf(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	s := conv.Shape{N: 1, H: 7, W: 21, C: 19, K: 19, Groups: 19, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	nx, nw, ny := lens(s)
	x, w := make([]float32, nx), make([]float32, nw)
	for i := range w {
		w[i] = 1
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		for _, at := range []int{3, (3*s.W+9)*s.C + 18, nx - 1} {
			clear(x)
			x[at] = bad
			want := make([]float32, ny)
			eachProduct(s, func(i, j, k int) {
				if i == at {
					want[k] = max(bad, 0)
				}
			})
			for _, level := range levels() {
				p, err := NewForward(s, level)
				if err != nil {
					t.Fatal(err)
				}
				y := make([]float32, ny)
				p.Run(pool, y, x, w, nil, nil, gemm.ReLU)
				for i, v := range y {
					if v != want[i] && !(v != v && want[i] != want[i]) {
						t.Fatalf("%v: %v at %d gives y[%d] = %v, want %v", level, bad, at, i, v, want[i])
					}
				}
			}
		}
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	s := conv.Shape{N: 2, H: 9, W: 9, C: 20, K: 20, Groups: 20, KH: 3, KW: 3, StrideH: 2, StrideW: 2}
	nx, nw, ny := lens(s)
	x, w, y := make([]float32, nx), make([]float32, nw), make([]float32, ny)
	levels := isa.Available()
	p, err := NewGradInput(s, levels[len(levels)-1])
	if err != nil {
		t.Fatal(err)
	}
	scratch := make([]float32, p.Scratch())
	if n := testing.AllocsPerRun(20, func() { p.Run(pool, x, y, w, nil, scratch, gemm.None) }); n != 0 {
		t.Errorf("Run allocates %v times", n)
	}
}

func TestRejects(t *testing.T) {
	good := conv.Shape{N: 1, H: 9, W: 9, C: 32, K: 32, Groups: 32, KH: 3, KW: 3}
	for _, level := range isa.Available() {
		if !Supports(good, level) {
			t.Errorf("%v: %+v is not supported", level, good)
		}
	}
	for _, change := range []func(s *conv.Shape){
		func(s *conv.Shape) { s.KW = 4 },
		func(s *conv.Shape) { s.StrideW = 3 },
		func(s *conv.Shape) { s.DilationW = 2 },
		func(s *conv.Shape) { s.K = 64 },
		func(s *conv.Shape) { s.Groups = 1 },
		func(s *conv.Shape) { s.H = 0 },
	} {
		s := good
		change(&s)
		if _, err := NewForward(s, isa.Generic); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}
