package neighbors

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hourglass/internal/isa"
	"hourglass/internal/par"
	"hourglass/internal/random"
)

// naive is the definition: all distances in float64, sorted.
func naive(queries, base []float32, dim, k int, o Options) (indices []int32, distances []float32) {
	for q := range len(queries) / dim {
		type pair struct {
			d float64
			i int32
		}
		var all []pair
		a := queries[q*dim : (q+1)*dim]
		for i := range len(base) / dim {
			if o.ExcludeSelf && i == q {
				continue
			}
			b := base[i*dim : (i+1)*dim]
			var ab, aa, bb, dd float64
			for j := range dim {
				x, y := float64(a[j]), float64(b[j])
				ab, aa, bb, dd = ab+x*y, aa+x*x, bb+y*y, dd+(x-y)*(x-y)
			}
			d := math.Sqrt(dd)
			if o.Metric == Cosine {
				d = 1
				if aa > 0 && bb > 0 {
					d = 1 - ab/math.Sqrt(aa*bb)
				}
			}
			all = append(all, pair{d, int32(i)})
		}
		slices.SortFunc(all, func(x, y pair) int { return cmp.Or(cmp.Compare(x.d, y.d), cmp.Compare(x.i, y.i)) })
		for _, p := range all[:k] {
			indices, distances = append(indices, p.i), append(distances, float32(p.d))
		}
	}
	return indices, distances
}

// TestAgainstNaive draws small whole numbers, whose distances are often equal
// and exact in float64, so that the order must be right to the last tie.
func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 20).Draw(t, "dim")
		n := rapid.IntRange(2, 200).Draw(t, "n")
		offset := rapid.SampledFrom([]float32{0, 1, 1000}).Draw(t, "offset")
		src := random.NewSource(rapid.Uint64().Draw(t, "seed"), 0, 0)
		draw := func(rows int) []float32 {
			x := make([]float32, rows*dim)
			for i := range x {
				x[i] = float32(src.IntN(4)) + offset
			}
			return x
		}
		base := draw(n)
		o := Options{ExcludeSelf: rapid.Bool().Draw(t, "exclude")}
		queries := base
		if !o.ExcludeSelf {
			queries = draw(rapid.IntRange(1, 30).Draw(t, "m"))
		}
		k := rapid.IntRange(1, n-1).Draw(t, "k")
		wantI, wantD := naive(queries, base, dim, k, o)
		gotI, gotD, err := Search(queries, base, dim, k, o)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(gotI, wantI) || !slices.Equal(gotD, wantD) {
			t.Fatalf("got %v %v,\nwant %v %v", gotI, gotD, wantI, wantD)
		}
	})
}

// TestBlocks needs several blocks of queries and of base vectors, at every
// level and for both metrics.
func TestBlocks(t *testing.T) {
	const m, n, dim, k = blockQueries + 20, 2*blockBase + 50, 13, 7
	queries, base := make([]float32, m*dim), make([]float32, n*dim)
	random.Normal(queries, 1, 0, 0)
	random.Normal(base, 1, 1, 0)
	copy(base[1500*dim:1600*dim], base[100*dim:200*dim]) // ties across blocks
	clear(base[50*dim : 52*dim])
	clear(queries[5*dim : 6*dim])
	for _, level := range isa.Available() {
		for _, o := range []Options{{}, {Metric: Cosine}} {
			o.ISA = level.String()
			wantI, wantD := naive(queries, base, dim, k, o)
			gotI, gotD, err := Search(queries, base, dim, k, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range wantI {
				if gotI[i] != want {
					t.Fatalf("%v %v: neighbour %d of query %d is %d at %v, want %d at %v", level, o.Metric, i%k, i/k, gotI[i], gotD[i], want, wantD[i])
				}
				if math.Abs(float64(gotD[i]-wantD[i])) > 1e-6 {
					t.Fatalf("%v %v: distance %d of query %d is %v, want %v", level, o.Metric, i%k, i/k, gotD[i], wantD[i])
				}
			}
		}
	}
}

// TestNearlyEqual has distances that differ by less than float32 products can
// tell: vectors far from the origin and each other, with a small difference.
func TestNearlyEqual(t *testing.T) {
	const n, dim, k = 300, 64, 5
	base := make([]float32, n*dim)
	random.Normal(base, 3, 0, 0)
	for i := range n / 2 { // pairs that differ in one element by one unit in the last place
		copy(base[(2*i+1)*dim:(2*i+2)*dim], base[2*i*dim:(2*i+1)*dim])
		base[(2*i+1)*dim] = math.Nextafter32(base[(2*i+1)*dim], 100)
	}
	o := Options{ExcludeSelf: true}
	wantI, _ := naive(base, base, dim, k, o)
	gotI, _, err := Search(base, base, dim, k, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(gotI, wantI) {
		t.Error("neighbours that nearly tie are out of order")
	}
}

// TestEqual has far more vectors at one distance than are asked for: those that come
// first count, and lists stay short.
func TestEqual(t *testing.T) {
	const n, dim, k = 3_000, 3, 4
	base := make([]float32, n*dim)
	for _, metric := range []Metric{Euclidean, Cosine} {
		o := Options{Metric: metric, ExcludeSelf: true}
		got, _, err := Search(base, base, dim, k, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []int{0, 2, n - 1} {
			want := []int32{0, 1, 2, 3, 4}
			want = slices.DeleteFunc(want, func(i int32) bool { return int(i) == q })[:k]
			if !slices.Equal(got[q*k:(q+1)*k], want) {
				t.Errorf("%v: the neighbours of %d are %v, want %v", metric, q, got[q*k:(q+1)*k], want)
			}
		}
	}
	l := shortlist{}
	l.reset(k, func(int32) float64 { return 0 })
	l.add(make([]float32, n), make([]float32, n), 0, 0, 0, -1)
	if most := 2 * (8*k + 1024); cap(l.entries) > 2*most {
		t.Errorf("a list of %d neighbours has grown to %d candidates", k, cap(l.entries))
	}
}

func TestTinyAndLarge(t *testing.T) {
	const n, dim, k = 50, 6, 3
	for _, scale := range []float32{1e-38, 1e-24, 1e-20, 1e14} {
		base := make([]float32, n*dim)
		random.Uniform(base, 3, 0, 0)
		for i := range base {
			base[i] *= scale
		}
		o := Options{ExcludeSelf: true}
		wantI, _ := naive(base, base, dim, k, o)
		gotI, _, err := Search(base, base, dim, k, o)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(gotI, wantI) {
			t.Errorf("times %v the neighbours are others", scale)
		}
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	const n, dim, k = 700, 30, 4
	x := make([]float32, n*dim)
	random.Normal(x, 1, 0, 0)
	var wantI []int32
	var wantD []float32
	for threads := 1; threads <= 3; threads++ {
		pool := par.New(threads)
		gotI, gotD, err := Search(x, x, dim, k, Options{Pool: pool})
		pool.Close()
		if err != nil {
			t.Fatal(err)
		}
		if wantI == nil {
			wantI, wantD = gotI, gotD
		} else if !slices.Equal(gotI, wantI) || !slices.Equal(gotD, wantD) {
			t.Errorf("%d threads give another result than 1", threads)
		}
	}
}

func TestErrors(t *testing.T) {
	x := make([]float32, 12)
	nan := slices.Clone(x)
	nan[7] = float32(math.NaN())
	large := slices.Clone(x)
	large[4] = 1e16
	for _, c := range []struct {
		name    string
		q, b    []float32
		dim, k  int
		o       Options
		mention string
	}{
		{"ragged", x[:11], x, 3, 1, Options{}, "no whole numbers"},
		{"no dim", x, x, 0, 1, Options{}, "no whole numbers"},
		{"k zero", x, x, 3, 0, Options{}, "at least 1"},
		{"k above n", x, x, 3, 5, Options{}, "among 4"},
		{"k is n without itself", x, x, 3, 4, Options{ExcludeSelf: true}, "among 3"},
		{"empty base", nil, nil, 3, 1, Options{ExcludeSelf: true}, "among 0"},
		{"other queries", x[:3], x, 3, 1, Options{ExcludeSelf: true}, "same vectors"},
		{"NaN", nan, x, 3, 1, Options{}, "query 2 holds NaN at element 1"},
		{"large", x, large, 3, 1, Options{}, "base vector 1 holds 1e+16 at element 1"},
		{"metric", x, x, 3, 1, Options{Metric: 7}, "neighbors.Metric(7)"},
		{"level", x, x, 3, 1, Options{ISA: "sse9"}, "sse9"},
	} {
		if _, _, err := Search(c.q, c.b, c.dim, c.k, c.o); err == nil || !strings.Contains(err.Error(), c.mention) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.mention)
		}
	}
}

func TestVote(t *testing.T) {
	labels := []int32{0, 1, 2, 1, 0, 2}
	for _, c := range []struct {
		neighbours []int32
		want       int32
	}{
		{[]int32{0, 1, 3}, 1},          // two against one
		{[]int32{2, 1, 0}, 2},          // a tie of three: the nearest
		{[]int32{2, 0, 1, 3, 4}, 0},    // 0 and 1 tie with two; 0 comes first
		{[]int32{5}, 2},                // one neighbour
		{[]int32{1, 0, 4, 2, 5, 3}, 1}, // a tie of pairs: the nearest
	} {
		got, err := Vote(c.neighbours, labels, len(c.neighbours), 3)
		if err != nil || got[0] != c.want {
			t.Errorf("neighbours %v elect %v, %v; want %d", c.neighbours, got, err, c.want)
		}
	}
	for name, vote := range map[string]func() ([]int32, error){
		"ragged lists":       func() ([]int32, error) { return Vote([]int32{1, 2, 3}, labels, 2, 3) },
		"label out of range": func() ([]int32, error) { return Vote([]int32{1}, labels, 1, 2) },
		"negative label":     func() ([]int32, error) { return Vote([]int32{0}, []int32{-1}, 1, 2) },
		"index out of range": func() ([]int32, error) { return Vote([]int32{6}, labels, 1, 3) },
		"no neighbours":      func() ([]int32, error) { return Vote(nil, labels, 0, 3) },
	} {
		if _, err := vote(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAccuracy(t *testing.T) {
	if got, err := Accuracy([]int32{1, 2, 3, 4}, []int32{1, 0, 3, 4}); err != nil || got != 0.75 {
		t.Errorf("accuracy is %v, %v; want 0.75", got, err)
	}
	if _, err := Accuracy(nil, nil); err == nil {
		t.Error("nothing has an accuracy")
	}
	if _, err := Accuracy([]int32{1}, []int32{1, 2}); err == nil {
		t.Error("lengths differ without an error")
	}
}

func BenchmarkSearch(b *testing.B) {
	const m, n, dim, k = 2000, 8000, 784, 5
	queries, base := make([]float32, m*dim), make([]float32, n*dim)
	random.Uniform(queries, 1, 0, 0)
	random.Uniform(base, 1, 1, 0)
	for b.Loop() {
		if _, _, err := Search(queries, base, dim, k, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
