package dense

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
	"hourglass/internal/random"
)

func engine(t testing.TB, threads int) *Engine {
	t.Helper()
	pool := par.New(threads)
	t.Cleanup(pool.Close)
	e, err := New(pool, "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func normal(n int, seed uint64) []float32 {
	x := make([]float32, n)
	random.Normal(x, seed, 1, 2)
	return x
}

func dot(a, b []float32) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}

func TestGrams(t *testing.T) {
	e := engine(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		d := rapid.IntRange(1, 300).Draw(t, "d")
		x := normal(n*d, rapid.Uint64().Draw(t, "seed"))
		columns, rows := make([]float64, d*d), make([]float64, n*n)
		e.AddColumnGram(columns, x, n, d)
		Mirror(columns, d)
		e.AddRowGram(rows, n, x, n, d)
		Mirror(rows, n)
		for range 20 {
			i, j := rapid.IntRange(0, n-1).Draw(t, "i"), rapid.IntRange(0, n-1).Draw(t, "j")
			want := dot(x[i*d:(i+1)*d], x[j*d:(j+1)*d])
			if got := rows[i*n+j]; math.Abs(got-want) > 1e-5*float64(d) {
				t.Fatalf("row Gram [%d,%d] is %v, want %v", i, j, got, want)
			}
			i, j = rapid.IntRange(0, d-1).Draw(t, "i"), rapid.IntRange(0, d-1).Draw(t, "j")
			want = 0
			for r := range n {
				want += float64(x[r*d+i]) * float64(x[r*d+j])
			}
			if got := columns[i*d+j]; math.Abs(got-want) > 1e-5*float64(n) {
				t.Fatalf("column Gram [%d,%d] is %v, want %v", i, j, got, want)
			}
		}
	})
}

// TestAddMulInRuns takes a K that needs several runs, with each transposition.
func TestAddMulInRuns(t *testing.T) {
	e := engine(t, 2)
	const m, n, k = 3, 5, 2*runK + 77
	a, b := normal(m*k, 1), normal(n*k, 2)
	for _, s := range []gemm.Shape{
		{LDA: k, LDB: n}, {TransA: true, LDA: m, LDB: n}, {TransB: true, LDA: k, LDB: k}, {TransA: true, TransB: true, LDA: m, LDB: k},
	} {
		s.M, s.N, s.K = m, n, k
		const ldd = n + 2
		dst := make([]float64, m*ldd)
		for i := range dst {
			dst[i] = 100
		}
		e.AddMul(dst, ldd, a, b, s)
		for i := range m {
			for j := range ldd {
				want := 100.0
				for p := range k {
					if j >= n {
						break
					}
					at, bt := i*k+p, p*n+j
					if s.TransA {
						at = p*m + i
					}
					if s.TransB {
						bt = j*k + p
					}
					want += float64(a[at]) * float64(b[bt])
				}
				if got := dst[i*ldd+j]; math.Abs(got-want) > 1e-3 {
					t.Fatalf("%+v: [%d,%d] is %v, want %v", s, i, j, got, want)
				}
			}
		}
	}
}

func TestMulInPlace(t *testing.T) {
	e := engine(t, 2)
	const m, k, d = 3, 7, 2048 + 33
	x, w := normal(k*d, 1), normal(m*k, 2)
	want := make([]float32, m*d)
	e.Mul(want, w, x, gemm.Shape{M: m, N: d, K: k}, false)
	rest := slices.Clone(x[m*d:])
	e.MulInPlace(w, x, m, k, d)
	for i, v := range x[:m*d] {
		if math.Abs(float64(v-want[i])) > 1e-5 {
			t.Fatalf("element %d is %v, want %v", i, v, want[i])
		}
	}
	if !slices.Equal(rest, x[m*d:]) {
		t.Error("rows beyond the result were written")
	}
}

// TestOrthonormalize covers rows in general position, nearly dependent ones,
// rank far below k, equal rows, zero rows and a full basis.
func TestOrthonormalize(t *testing.T) {
	e := engine(t, 2)
	for name, c := range map[string]struct {
		k, d int
		make func(x []float32, k, d int)
	}{
		"random":  {20, 300, func([]float32, int, int) {}},
		"one":     {1, 1, func([]float32, int, int) {}},
		"square":  {40, 40, func([]float32, int, int) {}},
		"zero":    {30, 100, func(x []float32, _, _ int) { clear(x) }},
		"allZero": {16, 16, func(x []float32, _, _ int) { clear(x) }},
		"equal": {12, 200, func(x []float32, k, d int) {
			for i := range k {
				copy(x[i*d:], x[:d])
			}
		}},
		"graded": {40, 500, func(x []float32, k, d int) {
			for i := range k { // each row is the first with a little of its own
				for j := range d {
					x[i*d+j] = x[j] + float32(math.Pow(10, -float64(i)/5))*x[i*d+j]
				}
			}
		}},
		"rank3": {25, 400, func(x []float32, k, d int) {
			for i := 3; i < k; i++ {
				for j := range d {
					x[i*d+j] = x[j] + float32(i)*x[d+j] - x[2*d+j]
				}
			}
		}},
		"large": {5, 50, func(x []float32, _, _ int) {
			for i := range x {
				x[i] *= 1e18
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			x := normal(c.k*c.d, 3)
			c.make(x, c.k, c.d)
			first := slices.Clone(x[:c.d])
			e.Orthonormalize(x, c.k, c.d, 7)
			for i := range c.k {
				for j := range i + 1 {
					want := 0.0
					if i == j {
						want = 1
					}
					if got := dot(x[i*c.d:(i+1)*c.d], x[j*c.d:(j+1)*c.d]); math.Abs(got-want) > 1e-5 {
						t.Fatalf("rows %d and %d have the product %v", i, j, got)
					}
				}
			}
			if norm := math.Sqrt(dot(first, first)); norm > 0 {
				if cos := dot(first, x[:c.d]) / norm; math.Abs(cos-1) > 1e-4 {
					t.Errorf("the first row has turned: cosine %v", cos)
				}
			}
		})
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	const k, d = 33, 700
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		e := engine(t, threads)
		x := normal(k*d, 5)
		e.Orthonormalize(x, k, d, 1)
		if want == nil {
			want = x
		} else if !slices.Equal(x, want) {
			t.Fatalf("%d threads give other bits than 1", threads)
		}
	}
}

func TestUnknownLevel(t *testing.T) {
	if _, err := New(nil, "sse9"); err == nil {
		t.Error("an unknown level was taken")
	}
}
