package distribution

import (
	"math"
	"strings"
	"testing"

	"hourglass/internal/par"
	"hourglass/internal/random"
)

func frechet(t *testing.T, a, b []float32, dim int) float64 {
	t.Helper()
	ma, err := Measure(a, dim)
	if err != nil {
		t.Fatal(err)
	}
	mb, err := Measure(b, dim)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Frechet(ma, mb)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Frechet(mb, ma)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(d-back) > 1e-9*(1+d) {
		t.Errorf("the distance is %v there and %v back", d, back)
	}
	return d
}

// In one dimension the distance is (μ₁−μ₂)² + (σ₁−σ₂)², and with covariances
// that have the same axes it is the sum over these.
func TestFrechetByHand(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []float32
		dim  int
		want float64
	}{
		// Means 1 and 4, variances 2 and 8: 9 + (√8−√2)² = 9 + 2.
		{"one dimension", []float32{0, 2}, []float32{2, 6}, 1, 11},
		{"a set and itself", []float32{1, 2, 3, 5, 8, 13}, []float32{1, 2, 3, 5, 8, 13}, 2, 0},
		// Crosses with arms of s = 3 and 1 have variances of 2s²/3 along both
		// axes; the second one's centre lies at 1, 2.
		{"two axes", []float32{3, 0, -3, 0, 0, 3, 0, -3}, []float32{2, 2, 0, 2, 1, 3, 1, 1}, 2, 5 + 2*math.Pow(math.Sqrt(6)-math.Sqrt(2.0/3), 2)},
		// No spread at all: the distance of the points.
		{"points", []float32{1, 1, 1, 1}, []float32{4, 5, 4, 5}, 2, 25},
	} {
		if got := frechet(t, c.a, c.b, c.dim); math.Abs(got-c.want) > 1e-9*(1+c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The distance does not change when both sets are turned.
func TestFrechetOfTurnedSets(t *testing.T) {
	const n, dim = 200, 5
	a, b := make([]float32, n*dim), make([]float32, n*dim)
	random.Normal(a, 1, 1, 0)
	random.Normal(b, 1, 2, 0)
	for i := range b {
		b[i] = b[i]*float32(1+i%dim) + float32(i%dim)
	}
	turn := func(x []float32) []float32 {
		y := append([]float32(nil), x...)
		sin, cos := math.Sincos(0.7)
		for at := 0; at < len(y); at += dim {
			for k := range dim - 1 {
				u, v := float64(y[at+k]), float64(y[at+k+1])
				y[at+k], y[at+k+1] = float32(cos*u-sin*v), float32(sin*u+cos*v)
			}
		}
		return y
	}
	plain, turned := frechet(t, a, b, dim), frechet(t, turn(a), turn(b), dim)
	if math.Abs(plain-turned) > 1e-4*plain || plain < 10 {
		t.Errorf("%v before and %v after", plain, turned)
	}
}

// Vectors on a line, k = 1: the balls can be drawn by hand.
func TestPrecisionAndRecallByHand(t *testing.T) {
	real := []float32{0, 1, 3, 7}    // radii 1, 1, 2, 4: they cover [-1,5] and [3,11]
	made := []float32{-0.5, 11, 12}  // radii 11.5, 1, 1: they cover [-12,11], [10,12], [11,13]
	apart := []float32{100, 101, 90} // 100 and 101 are each other's nearest; 90 reaches to 80
	for _, c := range []struct {
		made              []float32
		precision, recall float64
	}{
		{made, 2.0 / 3, 1},
		{real, 1, 1},
		{apart, 0, 0},
		{[]float32{0.5, 0.5, 0.5}, 1, 0}, // all alike: no ball has any size
	} {
		for _, threads := range []int{1, 3} {
			pool := par.New(threads)
			precision, recall, err := PrecisionRecall(real, c.made, 1, Options{K: 1, Pool: pool})
			pool.Close()
			if err != nil || math.Abs(precision-c.precision) > 1e-12 || math.Abs(recall-c.recall) > 1e-12 {
				t.Errorf("%v: precision %v, recall %v (%v), want %v and %v", c.made, precision, recall, err, c.precision, c.recall)
			}
		}
	}
}

// TestManifoldsPlainly compares with loops that take no short cut.
func TestManifoldsPlainly(t *testing.T) {
	const n, m, dim, k = 60, 45, 37, 3
	real, made := make([]float32, n*dim), make([]float32, m*dim)
	random.Normal(real, 2, 1, 0)
	random.Normal(made, 2, 2, 0)
	for i := range made {
		made[i] = 0.9*made[i] + 0.1
	}
	squared := func(a, b []float32) float64 {
		sum := 0.0
		for i, v := range a {
			sum += (float64(v) - float64(b[i])) * (float64(v) - float64(b[i]))
		}
		return sum
	}
	row := func(x []float32, i int) []float32 { return x[i*dim : (i+1)*dim] }
	covered := func(queries, set []float32) float64 {
		count := 0.0
		for q := range len(queries) / dim {
			for i := range len(set) / dim {
				closer, d := 0, squared(row(queries, q), row(set, i))
				for j := range len(set) / dim {
					if j != i && squared(row(set, i), row(set, j)) < d {
						closer++
					}
				}
				if closer < k {
					count++
					break
				}
			}
		}
		return count / float64(len(queries)/dim)
	}
	precision, recall, err := PrecisionRecall(real, made, dim, Options{})
	if want, other := covered(made, real), covered(real, made); err != nil || precision != want || recall != other || want == 0 || want == 1 {
		t.Errorf("precision %v, recall %v (%v), want %v and %v", precision, recall, err, want, other)
	}
}

func TestWrongSets(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		x    []float32
		dim  int
		want string
	}{
		{[]float32{1, 2, 3}, 2, "no whole number"}, {nil, 0, "no whole number"}, {nil, 1 << 20, "no whole number"},
		{[]float32{1, 2}, 2, "has 1 vectors"}, {[]float32{1, 2, nan, 4}, 2, "vector 1 holds NaN"},
	} {
		if _, err := Measure(c.x, c.dim); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v as vectors of %d: %v, want %q", c.x, c.dim, err, c.want)
		}
	}
	few := []float32{1, 2, 3}
	if _, _, err := PrecisionRecall(few, few, 1, Options{}); err == nil || !strings.Contains(err.Error(), "at least 4") {
		t.Errorf("three vectors and k = 3: %v", err)
	}
	if _, _, err := PrecisionRecall(few, few, 1, Options{K: -1}); err == nil {
		t.Error("k = -1 is taken")
	}
	a, _ := Measure([]float32{1, 2}, 1)
	b, _ := Measure([]float32{1, 2, 3, 4}, 2)
	if _, err := Frechet(a, b); err == nil || !strings.Contains(err.Error(), "cannot be compared") {
		t.Errorf("vectors of other lengths: %v", err)
	}
}

// FuzzManifolds looks for sets that break the shares' range.
func FuzzManifolds(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, raw []byte, dim, k uint8) {
		x := make([]float32, len(raw))
		for i, v := range raw {
			x[i] = float32(int(v) - 128)
		}
		half := len(x) / 2
		precision, recall, err := PrecisionRecall(x[:half], x[half:], int(dim), Options{K: int(k)})
		if err == nil && (precision < 0 || precision > 1 || recall < 0 || recall > 1) {
			t.Errorf("precision %v, recall %v", precision, recall)
		}
	})
}
