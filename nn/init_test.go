package nn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/tensor"
)

func TestInitMoments(t *testing.T) {
	shape := tensor.Shape{3, 3, 64, 96} // fan-in 576, fan-out 864
	for _, c := range []struct {
		init     Init
		variance float64
		bound    float64 // greatest magnitude, 0 for normal numbers
	}{
		{Init{}, 1.0 / (3 * 576), 1 / math.Sqrt(576)},
		{Init{Kind: InitHeNormal}, 2.0 / 576, 0},
		{Init{Kind: InitHeUniform}, 2.0 / 576, math.Sqrt(6.0 / 576)},
		{Init{Kind: InitGlorotNormal}, 2.0 / (576 + 864), 0},
		{Init{Kind: InitGlorotUniform}, 2.0 / (576 + 864), math.Sqrt(6.0 / (576 + 864))},
		{Init{Kind: InitHeNormal, FanIn: 8, Value: 0.5}, 2.0 / 8 / 4, 0},
	} {
		v := make([]float32, shape.Elements())
		if err := c.init.fill(v, shape, 1, 2); err != nil {
			t.Fatal(err)
		}
		sum, squares, largest := 0.0, 0.0, 0.0
		for _, x := range v {
			sum += float64(x)
			squares += float64(x) * float64(x)
			largest = max(largest, math.Abs(float64(x)))
		}
		n := float64(len(v))
		if got := squares / n; math.Abs(got/c.variance-1) > 0.02 {
			t.Errorf("%+v: variance %v, want %v", c.init, got, c.variance)
		}
		if mean := sum / n; math.Abs(mean) > 5*math.Sqrt(c.variance/n) {
			t.Errorf("%+v: mean %v", c.init, mean)
		}
		if c.bound != 0 && (largest > c.bound*1.000001 || largest < c.bound*0.999) {
			t.Errorf("%+v: greatest magnitude %v, want %v", c.init, largest, c.bound)
		}
	}
}

func TestOrthogonal(t *testing.T) {
	for _, shape := range []tensor.Shape{{5, 5}, {7, 3}, {3, 7}, {1, 4}, {4, 1}, {3, 3, 4, 8}, {1, 1, 4, 9}} {
		cols := shape[len(shape)-1]
		rows := shape.Elements() / cols
		v := make([]float32, rows*cols)
		if err := (Init{Kind: InitOrthogonal, Value: 2}).fill(v, shape, 3, 4); err != nil {
			t.Fatal(err)
		}
		// The fewer of rows and columns must be orthogonal vectors of length 2.
		at := func(vector, i int) float64 { return float64(v[i*cols+vector]) }
		vectors, length := cols, rows
		if rows < cols {
			at = func(vector, i int) float64 { return float64(v[vector*cols+i]) }
			vectors, length = rows, cols
		}
		for a := range vectors {
			for b := range vectors {
				dot, want := 0.0, 0.0
				if a == b {
					want = 4
				}
				for i := range length {
					dot += at(a, i) * at(b, i)
				}
				if math.Abs(dot-want) > 1e-5 {
					t.Fatalf("%v: vectors %d and %d have the product %v, want %v", shape, a, b, dot, want)
				}
			}
		}
	}
}

// TestGDNStart looks at the first values of a normalisation by squares.
func TestGDNStart(t *testing.T) {
	c, _, _, err := trace(GDN{}, Options{}, 1, 2, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	store := backend.NewStore()
	if err := Initialize(c.Params(), store, 1); err != nil {
		t.Fatal(err)
	}
	for i, root := range store.Get("net.gamma").Float32() {
		gamma, want := float64(root)*float64(root), 0.0
		if i%4 == 0 {
			want = 0.1
		}
		if math.Abs(gamma-want) > 1e-5 || root == 0 {
			t.Errorf("gamma %d is the square of %v, want about %v", i, root, want)
		}
	}
	for _, p := range c.Params() {
		if p.Decay {
			t.Errorf("%s decays", p.Name)
		}
	}
}

func TestInitErrors(t *testing.T) {
	for _, c := range []struct {
		init  Init
		shape tensor.Shape
		want  string
	}{
		{Init{Kind: "magic"}, tensor.Shape{2, 3}, `unknown initialiser "magic"`},
		{Init{}, tensor.Shape{4}, "needs a fan-in"},
		{Init{Kind: InitOrthogonal}, tensor.Shape{4}, "two axes"},
		{Init{Kind: initDiagonal}, tensor.Shape{2, 3}, "square matrix"},
		{Init{Kind: InitOrthogonal}, tensor.Shape{1 << 14, 1 << 14}, "takes too long"},
	} {
		// All are refused before anything is written.
		err := c.init.fill(nil, c.shape, 0, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v of %v: %v, want an error about %q", c.init, c.shape, err, c.want)
		}
	}
}

func TestInitialize(t *testing.T) {
	values := func(net Sequential, seed uint64) *backend.Store {
		c, _, _, err := trace(net, Options{}, 2, 4, 4, 3)
		if err != nil {
			t.Fatal(err)
		}
		store := backend.NewStore()
		if err := Initialize(c.Params(), store, seed); err != nil {
			t.Fatal(err)
		}
		return store
	}
	net := Sequential{Conv{Out: 8}, BatchNorm{}, Conv{Out: 8, Init: InitHeNormal}}
	a, again := values(net, 1), values(net, 1)
	longer := values(append(slices.Clone(net), Conv{Out: 2}), 1)
	other := values(net, 2)
	for _, name := range a.Names() {
		v := a.Get(name).Float32()
		if !slices.Equal(v, again.Get(name).Float32()) || !slices.Equal(v, longer.Get(name).Float32()) {
			t.Errorf("%s is not a function of seed and name", name)
		}
	}
	for _, name := range []string{"net.0.weight", "net.0.bias", "net.2.weight"} {
		if slices.Equal(a.Get(name).Float32(), other.Get(name).Float32()) {
			t.Errorf("%s does not depend on the seed", name)
		}
	}
	for name, want := range map[string]float32{
		"net.1.weight": 1, "net.1.bias": 0, "net.1.running_mean": 0, "net.1.running_var": 1, "net.2.bias": 0,
	} {
		for _, v := range a.Get(name).Float32() {
			if v != want {
				t.Errorf("%s holds %v, want %v", name, v, want)
				break
			}
		}
	}
}
