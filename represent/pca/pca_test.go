package pca

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"hourglass/internal/par"
	"hourglass/internal/random"
)

// sample returns n rows of d elements around a mean of 3: directions of
// falling variance, mixed by random weights, and a little noise.
func sample(n, d int, seed uint64) []float32 {
	const rank = 12
	factors, weights := make([]float32, n*rank), make([]float32, rank*d)
	random.Normal(factors, seed, 1, 0)
	random.Normal(weights, seed, 2, 0)
	x := make([]float32, n*d)
	random.Normal(x, seed, 3, 0)
	for i := range n {
		for j := range d {
			s := 3 + 0.01*x[i*d+j]
			for r := range rank {
				s += factors[i*rank+r] * weights[r*d+j] * float32(math.Pow(0.6, float64(r)))
			}
			x[i*d+j] = s
		}
	}
	return x
}

func fit(t testing.TB, x []float32, d, k int, o Options) *Model {
	t.Helper()
	rows, err := Matrix(x, d)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Fit(rows, k, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// oracle returns variances and components of gonum, which takes them from a
// singular value decomposition in float64.
func oracle(t testing.TB, x []float32, d int) ([]float64, *mat.Dense) {
	t.Helper()
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	var pc stat.PC
	if !pc.PrincipalComponents(mat.NewDense(len(x)/d, d, wide), nil) {
		t.Fatal("the oracle failed")
	}
	var vectors mat.Dense
	pc.VectorsTo(&vectors)
	return pc.VarsTo(nil), &vectors
}

func TestAgainstSVD(t *testing.T) {
	for _, size := range []struct{ n, d int }{{150, 40}, {40, 150}, {60, 60}, {2, 5}, {5, 2}, {700, 7}} {
		x := sample(size.n, size.d, 1)
		variances, vectors := oracle(t, x, size.d)
		k := min(size.n-1, size.d, 8)
		total := 0.0
		for _, v := range variances {
			total += v
		}
		for _, method := range []Method{Auto, Covariance, Gram, Randomized} {
			m := fit(t, x, size.d, k, Options{Method: method, Seed: 9})
			if math.Abs(m.TotalVariance-total) > 1e-5*total {
				t.Errorf("%v %v: total variance is %v, want %v", size, method, m.TotalVariance, total)
			}
			for i := range k {
				if math.Abs(m.Variances[i]-variances[i]) > 1e-4*variances[i]+1e-6*variances[0] {
					t.Errorf("%v %v: variance %d is %v, want %v", size, method, i, m.Variances[i], variances[i])
				}
				cos := 0.0
				for j, v := range m.Components[i*size.d : (i+1)*size.d] {
					cos += float64(v) * vectors.At(j, i)
				}
				if math.Abs(cos) < 0.999 {
					t.Errorf("%v %v: component %d has a cosine of %v with the right one", size, method, i, cos)
				}
			}
			checkOrthonormal(t, m)
		}
	}
}

func checkOrthonormal(t testing.TB, m *Model) {
	t.Helper()
	d := m.Dim()
	for i := range m.K() {
		a := m.Components[i*d : (i+1)*d]
		for j := range i + 1 {
			want, got := 0.0, 0.0
			if i == j {
				want = 1
			}
			for c, v := range m.Components[j*d : (j+1)*d] {
				got += float64(v) * float64(a[c])
			}
			if math.Abs(got-want) > 1e-5 {
				t.Fatalf("%s: components %d and %d have the product %v", m.Method, i, j, got)
			}
		}
		largest := slices.MaxFunc(a, func(x, y float32) int {
			return int(math.Copysign(1, math.Abs(float64(x))-math.Abs(float64(y))))
		})
		if largest < 0 {
			t.Fatalf("%s: component %d points to the negative side", m.Method, i)
		}
	}
}

// TestRoundTrip checks that all components together lose nothing.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, d := rapid.IntRange(2, 30).Draw(t, "n"), rapid.IntRange(1, 30).Draw(t, "d")
		o := Options{Method: Method(rapid.IntRange(0, 3).Draw(t, "method"))}
		x := sample(n, d, rapid.Uint64().Draw(t, "seed"))
		rows, err := Matrix(x, d)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Fit(rows, min(n, d), o)
		if err != nil {
			t.Fatal(err)
		}
		z, err := m.Transform(x, o)
		if err != nil {
			t.Fatal(err)
		}
		back, err := m.Inverse(z, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range back {
			if math.Abs(float64(v-x[i])) > 1e-3 {
				t.Fatalf("%s: element %d came back as %v, was %v", m.Method, i, v, x[i])
			}
		}
	})
}

func TestReconstructionErrors(t *testing.T) {
	const n, d, k = 300, 50, 10
	m := fit(t, sample(n, d, 1), d, k, Options{})
	held := sample(40, d, 1)[20*d:]
	rows, err := Matrix(held, d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.ReconstructionErrors(rows, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != k+1 {
		t.Fatalf("%d errors for %d components", len(got), k)
	}
	for i := 1; i <= k; i++ {
		short, err := m.Truncate(i)
		if err != nil {
			t.Fatal(err)
		}
		z, err := short.Transform(held, Options{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := short.Inverse(z, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for j, v := range back {
			want += float64(v-held[j]) * float64(v-held[j])
		}
		want /= float64(len(held))
		if math.Abs(got[i]-want) > 1e-5*got[0] {
			t.Errorf("error with %d components is %v, want %v", i, got[i], want)
		}
	}
}

// TestBlocks reads rows whose number is no multiple of the block.
func TestBlocks(t *testing.T) {
	const d = 3
	n := 2*blockRows(1<<30, d) + 5
	x := make([]float32, n*d)
	random.Normal(x, 1, 2, 3)
	for i := range n {
		x[i*d] *= 5
		x[i*d+1] *= 2
	}
	variances, _ := oracle(t, x, d)
	for _, method := range []Method{Covariance, Randomized} {
		m := fit(t, x, d, 3, Options{Method: method})
		for i, v := range m.Variances {
			if math.Abs(v-variances[i]) > 1e-4*variances[i] {
				t.Errorf("%v: variance %d is %v, want %v", method, i, v, variances[i])
			}
		}
	}
}

// TestGramBlocks makes rows so long that they do not fit into one block.
func TestGramBlocks(t *testing.T) {
	const d = blockElements / minBlockRows
	const n = 2*minBlockRows + 3
	m := fit(t, wave(n, d), d, 4, Options{Method: Gram})
	want := []float64{16, 9, 4, 1} // times d/2: see wave
	for i, v := range m.Variances {
		if w := want[i] * d / 2 * n / (n - 1) / 2; math.Abs(v-w) > 1e-3*w {
			t.Errorf("variance %d is %v, want %v", i, v, w)
		}
	}
}

// wave returns rows that are sums of orthogonal waves with amplitudes 4, 3, 2
// and 1 and uncorrelated phases over the rows.
func wave(n, d int) []float32 {
	x := make([]float32, n*d)
	columns := make([]float32, 4*d)
	for c := range 4 {
		for j := range d {
			columns[c*d+j] = float32(math.Cos(2 * math.Pi * float64((c+1)*j) / float64(d)))
		}
	}
	for i := range n {
		for c := range 4 {
			a := float32(float64(4-c) * math.Cos(2*math.Pi*float64((c+1)*i)/float64(n)))
			for j := range d {
				x[i*d+j] += a * columns[c*d+j]
			}
		}
	}
	return x
}

func TestThreadsDoNotMatter(t *testing.T) {
	const n, d, k = 500, 90, 20
	x := sample(n, d, 4)
	for _, method := range []Method{Covariance, Gram, Randomized} {
		var want *Model
		for _, threads := range []int{1, 2, 3} {
			pool := par.New(threads)
			m := fit(t, x, d, k, Options{Method: method, Pool: pool})
			pool.Close()
			if want == nil {
				want = m
				continue
			}
			if !slices.Equal(m.Components, want.Components) || !slices.Equal(m.Variances, want.Variances) || m.TotalVariance != want.TotalVariance {
				t.Errorf("%v: %d threads give other bits than 1", method, threads)
			}
		}
	}
}

// TestDegenerate fits rows that have fewer directions than are asked for.
func TestDegenerate(t *testing.T) {
	const n, d = 12, 20
	inputs := map[string][]float32{"constant": make([]float32, n*d), "two kinds": make([]float32, n*d), "zero": make([]float32, n*d)}
	for i := range n * d {
		inputs["constant"][i] = 7
		if i/d%2 == 1 && i%d == 3 {
			inputs["two kinds"][i] = 1
		}
	}
	for name, x := range inputs {
		for _, method := range []Method{Covariance, Gram, Randomized} {
			m := fit(t, x, d, n, Options{Method: method})
			checkOrthonormal(t, m)
			for i, v := range m.Variances {
				want := 0.0
				if name == "two kinds" && i == 0 {
					want = 0.25 * n / (n - 1)
				}
				if math.Abs(v-want) > 1e-6 {
					t.Errorf("%s, %v: variance %d is %v, want %v", name, method, i, v, want)
				}
			}
		}
	}
}

// TestExtremeScale fits numbers whose squares are beyond float32.
func TestExtremeScale(t *testing.T) {
	const n, d, k = 60, 20, 3
	x := sample(n, d, 1)
	want := fit(t, x, d, k, Options{})
	errorsOf := func(m *Model, x []float32) []float64 {
		rows, err := Matrix(x, d)
		if err != nil {
			t.Fatal(err)
		}
		errs, err := m.ReconstructionErrors(rows, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return errs
	}
	wantErrors := errorsOf(want, x)
	for _, exponent := range []int{-100, 90} {
		y := slices.Clone(x)
		for i := range y {
			y[i] = float32(math.Ldexp(float64(y[i]), exponent))
		}
		for _, method := range []Method{Covariance, Gram, Randomized} {
			m := fit(t, y, d, k, Options{Method: method})
			for i, v := range m.Variances {
				if w := math.Ldexp(want.Variances[i], 2*exponent); math.Abs(v-w) > 1e-3*w {
					t.Errorf("%v times 2^%d: variance %d is %v, want %v", method, exponent, i, v, w)
				}
			}
			for i, v := range errorsOf(m, y) {
				if w := math.Ldexp(wantErrors[i], 2*exponent); math.Abs(v-w) > 1e-3*w {
					t.Errorf("%v times 2^%d: the error with %d components is %v, want %v", method, exponent, i, v, w)
				}
			}
		}
	}
	// The differences of these are beyond float32 too.
	m := fit(t, []float32{3e38, 1, -3e38, 2, -3e38, 3, -3e38, 4}, 2, 1, Options{})
	if v := m.Variances[0]; math.Abs(v-9e76) > 1e71 {
		t.Errorf("the variance of 3e38 and three times -3e38 is %v", v)
	}
}

func TestErrors(t *testing.T) {
	x := sample(10, 4, 1)
	nan := slices.Clone(x)
	nan[4*6+1] = float32(math.NaN())
	inf := slices.Clone(x)
	inf[4*2+3] = float32(math.Inf(-1))
	for _, c := range []struct {
		name string
		x    []float32
		d, k int
		o    Options
		want string
	}{
		{"k above d", x, 4, 5, Options{}, "5 components asked for, and 10 rows of 4 elements have 4 at most"},
		{"k above n", x, 20, 3, Options{}, "2 at most"},
		{"k zero", x, 4, 0, Options{}, "at least 1"},
		{"one row", x[:4], 4, 1, Options{}, "at least 2"},
		{"no rows", nil, 4, 1, Options{}, "at least 2"},
		{"NaN", nan, 4, 2, Options{}, "row 6 holds NaN at column 1"},
		{"infinity", inf, 4, 2, Options{}, "row 2 holds -Inf at column 3"},
		{"unknown method", x, 4, 2, Options{Method: 9}, "pca.Method(9)"},
		{"negative passes", x, 4, 2, Options{Passes: -1}, "-1 passes"},
		{"unknown level", x, 4, 2, Options{ISA: "sse9"}, "sse9"},
		{"too many rows for Gram", make([]float32, maxExact+1), 1, 1, Options{Method: Gram}, "choose randomized"},
		{"too many columns for Covariance", make([]float32, 2*(maxExact+1)), maxExact + 1, 1, Options{Method: Covariance}, "choose randomized"},
	} {
		rows, err := Matrix(c.x, c.d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Fit(rows, c.k, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.want)
		}
	}
	m := fit(t, x, 4, 2, Options{})
	if _, err := m.Transform(x[:7], Options{}); err == nil {
		t.Error("7 elements were taken for rows of 4")
	}
	if _, err := m.Inverse(x[:3], Options{}); err == nil {
		t.Error("3 elements were taken for codes of 2")
	}
	if _, err := m.Truncate(3); err == nil {
		t.Error("2 components were truncated to 3")
	}
	if _, err := Matrix(x, 0); err == nil {
		t.Error("rows of nothing were taken")
	}
	narrow, err := Matrix(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReconstructionErrors(narrow, Options{}); err == nil {
		t.Error("rows of 2 elements were measured by a model of 4")
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		n, d, k int
		want    Method
	}{
		{8000, 784, 16, Covariance},
		{800, 49152, 799, Gram},
		{60000, 49152, 1024, Randomized},
		{60000, 3072, 128, Randomized},
		{100, 100000, 5, Gram},
	} {
		if got := Choose(c.n, c.d, c.k); got != c.want {
			t.Errorf("%d×%d, k=%d: %v, want %v", c.n, c.d, c.k, got, c.want)
		}
	}
}

func BenchmarkFit784(b *testing.B) {
	x := sample(8000, 784, 1)
	for b.Loop() {
		fit(b, x, 784, 16, Options{})
	}
}
