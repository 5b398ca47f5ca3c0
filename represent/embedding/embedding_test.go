package embedding

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/represent/internal/dense"
	"hourglass/represent/neighbors"
)

// blobs returns n vectors in three groups far apart, vector i in group i%3.
func blobs(n, dim int) []float32 {
	x := make([]float32, n*dim)
	random.Normal(x, 1, 0, 0)
	for i := range n {
		x[i*dim+i%3] += 12
	}
	return x
}

// purity returns the share of the k nearest neighbours in the map that are of
// the point's own group.
func purity(t *testing.T, y []float32, k int) float64 {
	t.Helper()
	indices, _, err := neighbors.Search(y, y, 2, k, neighbors.Options{ExcludeSelf: true})
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for i, j := range indices {
		if (i/k)%3 == int(j)%3 {
			same++
		}
	}
	return float64(same) / float64(len(indices))
}

// trustworthiness is 1 less a penalty for points that are neighbours in the
// map only, by their rank among the neighbours in truth (J. Venna and S. Kaski
// 2001, equation 1).
func trustworthiness(t *testing.T, x []float32, dim int, y []float32, k int) float64 {
	t.Helper()
	n := len(y) / 2
	ranks, _, err := neighbors.Search(x, x, dim, n-1, neighbors.Options{ExcludeSelf: true})
	if err != nil {
		t.Fatal(err)
	}
	close, _, err := neighbors.Search(y, y, 2, k, neighbors.Options{ExcludeSelf: true})
	if err != nil {
		t.Fatal(err)
	}
	penalty := 0
	for i := range n {
		for _, j := range close[i*k : (i+1)*k] {
			penalty += max(0, slices.Index(ranks[i*(n-1):(i+1)*(n-1)], j)+1-k)
		}
	}
	return 1 - 2*float64(penalty)/float64(n*k*(2*n-3*k-1))
}

func TestTSNEKeepsGroupsApart(t *testing.T) {
	const n, dim = 240, 20
	x := blobs(n, dim)
	y, err := TSNE(x, dim, Options{Iterations: 400})
	if err != nil {
		t.Fatal(err)
	}
	if got := purity(t, y, 10); got < 1 {
		t.Errorf("%v of the neighbours in the map are of the same group, want all", got)
	}
	if got := trustworthiness(t, x, dim, y, 10); got < 0.9 {
		t.Errorf("trustworthiness is %v, want at least 0.9", got)
	}
	flat, err := PCA(x, dim, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if mapped, plane := trustworthiness(t, x, dim, y, 10), trustworthiness(t, x, dim, flat, 10); mapped <= plane {
		t.Errorf("trustworthiness is %v, and that of the PCA plane %v", mapped, plane)
	}
}

// TestUnrollsCircle maps a closed curve in 30 dimensions; each point's two
// neighbours on it must stay its nearest ones.
func TestUnrollsCircle(t *testing.T) {
	const n, dim = 120, 30
	x := make([]float32, n*dim)
	for i := range n {
		for j := range dim / 2 {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / n * float64(j%3+1))
			x[i*dim+2*j], x[i*dim+2*j+1] = float32(cos), float32(sin)
		}
	}
	y, err := TSNE(x, dim, Options{Perplexity: 8})
	if err != nil {
		t.Fatal(err)
	}
	if got := trustworthiness(t, x, dim, y, 4); got < 0.98 {
		t.Errorf("trustworthiness is %v, want at least 0.98", got)
	}
}

// TestSettles asks that further steps hardly move a map: they do for ever if
// the step is too long for its number of points.
func TestSettles(t *testing.T) {
	const dim = 6
	for _, n := range []int{12, 20, 60} {
		x := make([]float32, n*dim)
		random.Normal(x, 2, 0, 0)
		y, err := TSNE(x, dim, Options{})
		if err != nil {
			t.Fatal(err)
		}
		later, err := TSNE(x, dim, Options{Iterations: defaultIterations + 3})
		if err != nil {
			t.Fatal(err)
		}
		moved, spread := 0.0, 0.0
		for i, v := range y {
			moved = max(moved, math.Abs(float64(later[i]-v)))
			spread = max(spread, math.Abs(float64(v)))
		}
		if moved > 0.01*spread {
			t.Errorf("three steps more move %d points by %.3f of the map's radius", n, moved/spread)
		}
	}
}

func TestEqualVectorsStay(t *testing.T) {
	y, err := TSNE(slices.Repeat([]float32{0.1, -7}, 50), 2, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y, make([]float32, 100)) {
		t.Errorf("equal vectors lie at %v", y[:4])
	}
}

func TestRepeatable(t *testing.T) {
	const n, dim = 150, 8
	x := blobs(n, dim)
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		pool := par.New(threads)
		y, err := TSNE(x, dim, Options{Iterations: 60, Seed: 4, Pool: pool})
		pool.Close()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = y
		} else if !slices.Equal(y, want) {
			t.Fatalf("%d threads give another map than 1", threads)
		}
	}
	other, err := TSNE(x, dim, Options{Iterations: 60, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(other, want) {
		t.Error("another seed gives the same map")
	}
}

// TestForces compares the gradient at every level with its definition.
func TestForces(t *testing.T) {
	const n = 300
	p := affinities([]int32{1, 2, 0, 2, 0, 1}, []float32{1, 2, 1, 3, 2, 3}, 3, 2, 1.5)
	for len(p.first) < n+1 {
		p.first = append(p.first, len(p.edges))
	}
	coordinates := make([]float32, 2*n)
	random.Normal(coordinates, 1, 0, 0)
	for _, level := range isa.Available() {
		e, err := dense.New(nil, level.String())
		if err != nil {
			t.Fatal(err)
		}
		f := newForces(e, n)
		copy(f.x, coordinates)
		copy(f.y, coordinates[n:])
		f.compute(p)
		normal := 0.0
		for i := range n {
			var want [4]float64 // attract and repel
			for j := range n {
				dx, dy := float64(f.x[i])-float64(f.x[j]), float64(f.y[i])-float64(f.y[j])
				w := 1 / (1 + dx*dx + dy*dy)
				if i != j {
					normal += w
				}
				want[2] += w * w * dx
				want[3] += w * w * dy
				for _, edge := range p.edges[p.first[i]:p.first[i+1]] {
					if int(edge.to) == j {
						want[0] += float64(edge.p) * w * dx
						want[1] += float64(edge.p) * w * dy
					}
				}
			}
			for c, got := range []float64{f.attract[2*i], f.attract[2*i+1], f.repel[2*i], f.repel[2*i+1]} {
				if math.Abs(got-want[c]) > 1e-4 {
					t.Fatalf("%v: part %d of the force on %d is %v, want %v", level, c, i, got, want[c])
				}
			}
		}
		if math.Abs(f.normal-normal) > 1e-5*normal {
			t.Errorf("%v: the sum of affinities is %v, want %v", level, f.normal, normal)
		}
		e.Close()
	}
}

func TestAffinities(t *testing.T) {
	const n, dim, k, perplexity = 60, 5, 30, 10
	x := blobs(n, dim)
	indices, distances, err := neighbors.Search(x, x, dim, k, neighbors.Options{ExcludeSelf: true})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]float64, k)
	for i := range n {
		conditional(p, distances[i*k:(i+1)*k], perplexity)
		entropy := 0.0
		for _, v := range p {
			if v > 0 {
				entropy -= v * math.Log(v)
			}
		}
		if math.Abs(math.Exp(entropy)-perplexity) > 1e-3 {
			t.Fatalf("the perplexity of point %d is %v", i, math.Exp(entropy))
		}
	}
	g := affinities(indices, distances, n, k, perplexity)
	weight := map[[2]int32]float32{}
	total := 0.0
	for i := range n {
		for _, e := range g.edges[g.first[i]:g.first[i+1]] {
			if _, twice := weight[[2]int32{int32(i), e.to}]; twice || int(e.to) == i {
				t.Fatalf("edge from %d to %d is a loop or occurs twice", i, e.to)
			}
			weight[[2]int32{int32(i), e.to}] = e.p
			total += float64(e.p)
		}
	}
	for ends, p := range weight {
		if weight[[2]int32{ends[1], ends[0]}] != p {
			t.Fatalf("attraction of %v is %v, and back %v", ends, p, weight[[2]int32{ends[1], ends[0]}])
		}
	}
	if math.Abs(total-1) > 1e-5 {
		t.Errorf("attractions sum to %v", total)
	}
}

func TestDegenerate(t *testing.T) {
	for name, c := range map[string]struct {
		x   []float32
		dim int
	}{
		"nothing":    {nil, 3},
		"one":        {[]float32{1, 2, 3}, 3},
		"two":        {[]float32{1, 2, 3, 4, 5, 6}, 3},
		"six":        {blobs(6, 4), 4},
		"seven":      {blobs(7, 4), 4},
		"nine":       {blobs(9, 4), 4},
		"one column": {blobs(30, 3)[:30], 1},
		"constant":   {slices.Repeat([]float32{3}, 40), 2},
		"duplicates": {slices.Repeat([]float32{0, 0, 1, 1, 5, 7}, 20), 2},
		"huge":       {slices.Repeat([]float32{1e14, -1e14, 0, 3e13}, 10), 2},
		"tiny":       {slices.Repeat([]float32{1e-30, -1e-30, 0, 3e-30}, 10), 2},
	} {
		for kind, embed := range map[string]func([]float32, int, Options) ([]float32, error){"t-SNE": TSNE, "PCA": PCA} {
			y, err := embed(c.x, c.dim, Options{Iterations: 100})
			if err != nil {
				t.Errorf("%s of %s: %v", kind, name, err)
				continue
			}
			if len(y) != 2*len(c.x)/c.dim || !finite(y) {
				t.Errorf("%s of %s: %v", kind, name, y)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	x := blobs(12, 4)
	nan := slices.Clone(x)
	nan[9] = float32(math.NaN())
	for _, c := range []struct {
		name string
		x    []float32
		dim  int
		o    Options
		want string
	}{
		{"ragged", x[:7], 4, Options{}, "whole number"},
		{"NaN", nan, 4, Options{}, "row 2 holds NaN at column 1"},
		{"perplexity", x, 4, Options{Perplexity: 0.5}, "perplexity of 0.5"},
		{"perplexity NaN", x, 4, Options{Perplexity: math.NaN()}, "perplexity of NaN"},
		{"iterations", x, 4, Options{Iterations: -1}, "-1 iterations"},
		{"level", x, 4, Options{ISA: "sse9"}, "sse9"},
		{"too many", make([]float32, MaxPoints+1), 1, Options{}, "map a sample"},
	} {
		if _, err := TSNE(c.x, c.dim, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.want)
		}
	}
}

func BenchmarkTSNE2500(b *testing.B) {
	const n, dim = 2500, 16
	x := blobs(n, dim)
	for b.Loop() {
		if _, err := TSNE(x, dim, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// finite says whether all coordinates are numbers.
func finite(y []float32) bool {
	for _, v := range y {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
