package layout

import (
	"math/rand/v2"
	"slices"
	"testing"

	"hourglass/internal/par"
)

// copyRef is the definition: one element at a time in index order.
func copyRef[T Element](dst []T, dstBase int, dstStrides []int, src []T, srcBase int, srcStrides, shape []int) {
	if len(shape) == 0 {
		dst[dstBase] = src[srcBase]
		return
	}
	for i := range shape[0] {
		copyRef(dst, dstBase+i*dstStrides[0], dstStrides[1:], src, srcBase+i*srcStrides[0], srcStrides[1:], shape[1:])
	}
}

// randomCase draws a shape, a dense or gappy destination in some axis order,
// and a source with any mix of strides.
func randomCase(rng *rand.Rand, sizes []int) (shape, dst, src []int) {
	rank := rng.IntN(6)
	shape, dst, src = make([]int, rank), make([]int, rank), make([]int, rank)
	for i := range shape {
		shape[i] = sizes[rng.IntN(len(sizes))]
	}
	step := 1
	if rng.IntN(3) == 0 {
		step = 2
	}
	for _, i := range rng.Perm(rank) {
		dst[i] = step
		step *= max(shape[i], 1) + rng.IntN(2)*rng.IntN(3)
	}
	step = 1
	for _, i := range rng.Perm(rank) {
		switch rng.IntN(6) {
		case 0:
			src[i] = 0
		case 1:
			src[i] = -step
		default:
			src[i] = step
		}
		step *= max(shape[i], 1)
	}
	return shape, dst, src
}

func testCopies[T Element](t *testing.T, value func(int) T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 1500 {
		sizes := []int{0, 1, 2, 3, 5, 8, 17}
		if trial%3 != 0 {
			sizes = sizes[1:]
		}
		if trial%50 == 1 {
			sizes = []int{1, 4, 33}
		}
		shape, ds, ss := randomCase(rng, sizes)
		dstLen, srcLen, srcBase := 1, 1, 0
		for i, n := range shape {
			dstLen += max(n-1, 0) * ds[i]
			if ss[i] < 0 {
				srcBase -= max(n-1, 0) * ss[i]
				srcLen -= max(n-1, 0) * ss[i]
			} else {
				srcLen += max(n-1, 0) * ss[i]
			}
		}
		src := make([]T, srcLen)
		for i := range src {
			src[i] = value(i)
		}
		want := make([]T, dstLen)
		for i := range want {
			want[i] = value(-1 - i)
		}
		got := slices.Clone(want)
		once := slices.Clone(want)
		fresh := slices.Clone(want)
		copyRef(want, 0, ds, src, srcBase, ss, shape)
		Copy(once, ds, src, ss, shape)
		if !slices.Equal(once, want) {
			t.Fatalf("shape %v dst %v src %v: Copy differs", shape, ds, ss)
		}
		plan := NewPlan[T](shape, ds, ss)
		for _, pool := range pools {
			copy(got, fresh)
			plan.Run(pool, got, src)
			if !slices.Equal(got, want) {
				t.Fatalf("shape %v dst %v src %v with %d threads differs", shape, ds, ss, pool.Threads())
			}
		}
	}
	for _, pool := range pools {
		pool.Close()
	}
}

func TestCopies(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testCopies(t, func(i int) float32 { return float32(i) }) })
	t.Run("uint8", func(t *testing.T) { testCopies(t, func(i int) uint8 { return uint8(i * 31) }) })
}

// TestLargeCopies has shapes that are cut into several parts.
func TestLargeCopies(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, c := range []struct{ shape, dst, src []int }{
		{[]int{100000}, []int{1}, []int{1}},
		{[]int{99991}, []int{1}, []int{-1}},
		{[]int{100000}, []int{1}, []int{0}},
		{[]int{65536}, []int{2}, []int{3}},
		{[]int{300, 301}, []int{1, 300}, []int{301, 1}},
		{[]int{8, 64, 64, 16}, []int{64 * 64 * 16, 1, 64, 64 * 64}, []int{64 * 64 * 16, 64 * 16, 16, 1}},
		{[]int{70000, 3}, []int{3, 1}, []int{1, 70000}},
		{[]int{3, 70000}, []int{70000, 1}, []int{1, 3}},
		{[]int{50, 2, 40, 3, 7}, []int{1680, 840, 21, 7, 1}, []int{280, 0, 7, 0, 1}},
	} {
		dstLen, srcLen, srcBase := 1, 1, 0
		for i, n := range c.shape {
			dstLen += (n - 1) * c.dst[i]
			srcLen += (n - 1) * max(c.src[i], -c.src[i])
			if c.src[i] < 0 {
				srcBase -= (n - 1) * c.src[i]
			}
		}
		src := make([]int32, srcLen)
		for i := range src {
			src[i] = int32(i)
		}
		want, got := make([]int32, dstLen), make([]int32, dstLen)
		copyRef(want, 0, c.dst, src, srcBase, c.src, c.shape)
		plan := NewPlan[int32](c.shape, c.dst, c.src)
		plan.Run(pool, got, src)
		if !slices.Equal(got, want) {
			t.Errorf("shape %v dst %v src %v differs", c.shape, c.dst, c.src)
		}
		if n := testing.AllocsPerRun(10, func() { plan.Run(pool, got, src) }); n != 0 {
			t.Errorf("shape %v: Run allocates %v times", c.shape, n)
		}
	}
}

func TestTranspose(t *testing.T) {
	for _, size := range [][2]int{{0, 3}, {3, 0}, {1, 1}, {1, 40}, {40, 1}, {16, 16}, {15, 17}, {33, 50}, {130, 65}} {
		rows, cols := size[0], size[1]
		src, dst := make([]float32, rows*cols), make([]float32, rows*cols+1)
		for i := range src {
			src[i] = float32(i)
		}
		dst[rows*cols] = -1
		Transpose(dst, src, rows, cols)
		for i := range rows {
			for j := range cols {
				if dst[j*rows+i] != src[i*cols+j] {
					t.Fatalf("%v: element %d,%d is wrong", size, i, j)
				}
			}
		}
		if dst[rows*cols] != -1 {
			t.Errorf("%v: wrote past the end", size)
		}
	}
}

func TestBadPlansPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"lengths":   func() { NewPlan[uint8]([]int{2, 3}, []int{3, 1}, []int{1}) },
		"size":      func() { NewPlan[uint8]([]int{-1}, []int{1}, []int{1}) },
		"dst":       func() { NewPlan[uint8]([]int{2}, []int{0}, []int{1}) },
		"short src": func() { Copy(make([]int32, 6), []int{1}, make([]int32, 5), []int{1}, []int{6}) },
		"short dst": func() { Copy(make([]int32, 5), []int{1}, make([]int32, 6), []int{1}, []int{6}) },
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
