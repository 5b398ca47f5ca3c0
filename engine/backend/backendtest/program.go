package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// vector returns an f32 tensor of one axis.
func vector(v ...float32) *tensor.Tensor { return tensor.Of(v, len(v)) }

// compiled traces and compiles a program on a store.
func compiled(t *testing.T, be backend.Backend, store *backend.Store, trace func(b *graph.Builder)) backend.Program {
	t.Helper()
	b := graph.NewBuilder("test")
	trace(b)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	p, err := be.Compile(g, store)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustRun(t *testing.T, p backend.Program, inputs ...*tensor.Tensor) {
	t.Helper()
	if err := p.Run(inputs); err != nil {
		t.Fatal(err)
	}
}

func wantValues(t *testing.T, what string, got *tensor.Tensor, want ...float64) {
	t.Helper()
	if values := widen(got); !slices.Equal(values, want) {
		t.Errorf("%s: %v, want %v", what, values, want)
	}
}

// testUpdates: every read of a variable in a run sees the value from before
// it, whatever the order of operations and updates.
func testUpdates(t *testing.T, be backend.Backend) {
	two := func(b *graph.Builder) (x, y *graph.Node) {
		return b.Variable("a", tensor.Float32, 3), b.Variable("b", tensor.Float32, 3)
	}
	for _, c := range []struct {
		name  string
		trace func(b *graph.Builder)
		// a and b after one and after two runs that begin with 1 2 3 and 4 5 6
		a1, b1, a2, b2 []float64
		outputs        [][]float64 // of the first run
	}{
		{"swap", func(b *graph.Builder) {
			x, y := two(b)
			b.Update(x, y)
			b.Update(y, x)
		}, []float64{4, 5, 6}, []float64{1, 2, 3}, []float64{1, 2, 3}, []float64{4, 5, 6}, nil},
		{"a takes b, b takes a+1", func(b *graph.Builder) {
			x, y := two(b)
			b.Update(x, y)
			b.Update(y, b.AddScalar(x, 1))
		}, []float64{4, 5, 6}, []float64{2, 3, 4}, []float64{2, 3, 4}, []float64{5, 6, 7}, nil},
		{"a takes b+1, b takes a", func(b *graph.Builder) {
			x, y := two(b)
			next := b.AddScalar(y, 1)
			b.Update(y, x)
			b.Update(x, next)
		}, []float64{5, 6, 7}, []float64{1, 2, 3}, []float64{2, 3, 4}, []float64{5, 6, 7}, nil},
		{"both take their sum", func(b *graph.Builder) {
			x, y := two(b)
			sum := b.Add(x, y)
			b.Update(x, sum)
			b.Update(y, sum)
			b.Output("sum", sum)
		}, []float64{5, 7, 9}, []float64{5, 7, 9}, []float64{10, 14, 18}, []float64{10, 14, 18}, [][]float64{{5, 7, 9}}},
		{"an output of the old value", func(b *graph.Builder) {
			x, y := two(b)
			b.Update(x, b.Add(x, y))
			b.Output("old", x)
			b.Output("twice", b.Scale(x, 2))
		}, []float64{5, 7, 9}, []float64{4, 5, 6}, []float64{9, 12, 15}, []float64{4, 5, 6}, [][]float64{{1, 2, 3}, {2, 4, 6}}},
		{"a late reader of the old value", func(b *graph.Builder) {
			x, y := two(b)
			next := b.Add(x, y)
			b.Update(x, next)
			b.Output("next", next)
			b.Output("mixed", b.Mul(b.Sum(next), x))
		}, []float64{5, 7, 9}, []float64{4, 5, 6}, []float64{9, 12, 15}, []float64{4, 5, 6}, [][]float64{{5, 7, 9}, {21, 42, 63}}},
		{"a rotation of itself", func(b *graph.Builder) {
			x, _ := two(b)
			b.Update(x, b.Concat(0, b.Slice(x, []int{1}, []int{3}), b.Slice(x, []int{0}, []int{1})))
		}, []float64{2, 3, 1}, nil, []float64{3, 1, 2}, nil, nil},
		{"its own transpose", func(b *graph.Builder) {
			x, y := two(b)
			stack := b.Reshape(b.Concat(0, x, y), 2, 3)
			turned := b.Reshape(b.Transpose(stack, 1, 0), 6)
			b.Update(x, b.Slice(turned, []int{0}, []int{3}))
			b.Update(y, b.Slice(turned, []int{3}, []int{6}))
		}, []float64{1, 4, 2}, []float64{5, 3, 6}, []float64{1, 5, 4}, []float64{3, 2, 6}, nil},
		{"a view of another variable", func(b *graph.Builder) {
			x, y := two(b)
			b.Update(x, b.Reshape(b.Reshape(y, 3, 1), 3))
			b.Update(y, b.Reshape(x, 3))
		}, []float64{4, 5, 6}, []float64{1, 2, 3}, []float64{1, 2, 3}, []float64{4, 5, 6}, nil},
		{"its mean everywhere", func(b *graph.Builder) {
			x, _ := two(b)
			b.Update(x, b.BroadcastTo(b.Sum(x), 3))
		}, []float64{6, 6, 6}, nil, []float64{18, 18, 18}, nil, nil},
		{"itself", func(b *graph.Builder) {
			x, y := two(b)
			b.Update(x, x)
			b.Update(y, b.Add(y, x))
		}, []float64{1, 2, 3}, []float64{5, 7, 9}, []float64{1, 2, 3}, []float64{6, 9, 12}, nil},
		{"a literal", func(b *graph.Builder) {
			x, y := two(b)
			b.Update(x, b.Constant(vector(7, 8, 9)))
			b.Update(y, b.Add(y, x))
		}, []float64{7, 8, 9}, []float64{5, 7, 9}, []float64{7, 8, 9}, []float64{12, 15, 18}, nil},
		{"a product with itself", func(b *graph.Builder) {
			x, _ := two(b)
			column := b.Reshape(x, 3, 1)
			b.Update(x, b.Reshape(b.MatMul(b.MatMul(column, column, false, true), column, false, false), 3))
		}, []float64{14, 28, 42}, nil, nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := backend.NewStore()
			p := compiled(t, be, store, c.trace)
			set := func(name string, v *tensor.Tensor) {
				if to := store.Get(name); to != nil {
					if err := to.CopyFrom(v); err != nil {
						t.Fatal(err)
					}
				}
			}
			set("a", vector(1, 2, 3))
			set("b", vector(4, 5, 6))
			check := func(when, name string, want []float64) {
				t.Helper()
				if want != nil {
					wantValues(t, name+" after the "+when+" run", store.Get(name), want...)
				}
			}
			mustRun(t, p)
			check("first", "a", c.a1)
			check("first", "b", c.b1)
			for i, want := range c.outputs {
				wantValues(t, fmt.Sprintf("output %d", i), p.Output(i), want...)
			}
			mustRun(t, p)
			check("second", "a", c.a2)
			check("second", "b", c.b2)
		})
	}
}

// testOutputs: outputs are the program's own, whatever they are outputs of.
func testOutputs(t *testing.T, be backend.Backend) {
	store := backend.NewStore()
	p := compiled(t, be, store, func(b *graph.Builder) {
		x, v := b.Input("x", tensor.Float32, 3), b.Variable("v", tensor.Float32, 3)
		y := b.Add(x, v)
		b.Output("input", x)
		b.Output("variable", v)
		b.Output("y", y)
		b.Output("y again", y)
		b.Output("reshaped", b.Reshape(y, 1, 3))
		b.Output("relu", b.Relu(b.Neg(y)))
		b.Output("sum", b.ToScalar(b.Sum(y)))
		b.Output("which", b.ArgMax(y))
		b.Output("literal", b.Constant(vector(2.5)))
	})
	copy(store.Get("v").Float32(), []float32{10, 20, 30})
	x := vector(1, -22, 3)
	mustRun(t, p, x)
	checkAll := func() {
		t.Helper()
		for i, want := range [][]float64{
			{1, -22, 3}, {10, 20, 30}, {11, -2, 33}, {11, -2, 33}, {11, -2, 33}, {0, 2, 0}, {42}, {2}, {2.5},
		} {
			wantValues(t, fmt.Sprintf("output %d", i), p.Output(i), want...)
		}
	}
	checkAll()
	if got := p.Output(4).Shape(); !got.Equal(tensor.Shape{1, 3}) {
		t.Errorf("the reshaped output is %v, want [1 3]", got)
	}
	if got := p.Output(7).DType(); got != tensor.Int32 {
		t.Errorf("arg_max is %v, want i32", got)
	}
	// What happens to inputs and variables after a run does not reach its
	// outputs.
	copy(x.Float32(), []float32{7, 7, 7})
	copy(store.Get("v").Float32(), []float32{8, 8, 8})
	checkAll()
	// The other way round, neither do outputs change what they were taken from.
	p.Output(0).Float32()[0] = 99
	p.Output(1).Float32()[0] = 99
	wantValues(t, "the input", x, 7, 7, 7)
	wantValues(t, "the variable", store.Get("v"), 8, 8, 8)
	mustRun(t, p, x)
	wantValues(t, "the next run's sum", p.Output(6), 45)
}

// testLeaves: a program takes every input that it declares, in order, used or
// not; an input may become a variable, of any type.
func testLeaves(t *testing.T, be backend.Backend) {
	p := compiled(t, be, backend.NewStore(), func(b *graph.Builder) {
		second, first := b.Input("second", tensor.Float32, 2), b.Input("first", tensor.Float32, 2)
		b.Input("unused", tensor.Int32, 5)
		b.Output("difference", b.Sub(first, second))
	})
	unused := tensor.New(tensor.Int32, 5)
	mustRun(t, p, vector(1, 2), vector(10, 20), unused)
	wantValues(t, "difference", p.Output(0), 9, 18)
	same := vector(3, 4)
	mustRun(t, p, same, same, unused) // one tensor for two inputs
	wantValues(t, "difference", p.Output(0), 0, 0)

	store := backend.NewStore()
	p = compiled(t, be, store, func(b *graph.Builder) {
		labels, pixels := b.Input("labels", tensor.Int32, 3), b.Input("pixels", tensor.Uint8, 1, 2)
		kept, turned := b.Variable("kept", tensor.Int32, 3), b.Variable("turned", tensor.Uint8, 2, 1)
		b.Output("before", kept)
		b.Update(kept, labels)
		b.Update(turned, b.Reshape(pixels, 2, 1))
	})
	labels, pixels := tensor.Of([]int32{5, -6, 7}, 3), tensor.Of([]uint8{200, 255}, 1, 2)
	mustRun(t, p, labels, pixels)
	wantValues(t, "kept labels", store.Get("kept"), 5, -6, 7)
	wantValues(t, "turned pixels", store.Get("turned"), 200, 255)
	labels.Int32()[0] = 9 // the variable holds a copy
	wantValues(t, "kept labels", store.Get("kept"), 5, -6, 7)
	mustRun(t, p, labels, pixels)
	wantValues(t, "labels before the second run", p.Output(0), 5, -6, 7)
	wantValues(t, "kept labels", store.Get("kept"), 9, -6, 7)
}

// testStores: programs on one store share its variables.
func testStores(t *testing.T, be backend.Backend) {
	store := backend.NewStore()
	train := compiled(t, be, store, func(b *graph.Builder) {
		w := b.Variable("w", tensor.Float32, 2, 2)
		b.Update(w, b.Add(w, b.Input("step", tensor.Float32, 2)))
	})
	use := compiled(t, be, store, func(b *graph.Builder) {
		w := b.Variable("w", tensor.Float32, 2, 2)
		b.Output("y", b.MatMul(b.Input("x", tensor.Float32, 1, 2), w, false, false))
	})
	if names := store.Names(); !slices.Equal(names, []string{"w"}) {
		t.Fatalf("the store holds %v, want w", names)
	}
	x := tensor.Of([]float32{1, 2}, 1, 2)
	mustRun(t, use, x)
	wantValues(t, "product with a new variable", use.Output(0), 0, 0)
	mustRun(t, train, vector(1, 10))
	mustRun(t, use, x)
	wantValues(t, "product after a step", use.Output(0), 3, 30)
	copy(store.Get("w").Float32(), []float32{0, 1, 1, 0})
	mustRun(t, use, x)
	wantValues(t, "product after setting the variable", use.Output(0), 2, 1)

	b := graph.NewBuilder("other")
	b.Output("w", b.Variable("w", tensor.Float32, 4))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := be.Compile(g, store); err == nil || !strings.Contains(err.Error(), `"w"`) {
		t.Errorf("a variable of another shape: error %v, want one that names it", err)
	}
}

// testWrongInputs: a wrong input is an error, and leaves all as it was.
func testWrongInputs(t *testing.T, be backend.Backend) {
	store := backend.NewStore()
	p := compiled(t, be, store, func(b *graph.Builder) {
		x, v := b.Input("x", tensor.Float32, 2, 3), b.Variable("v", tensor.Float32, 2, 3)
		b.Update(v, b.Add(v, x))
	})
	good := tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	mustRun(t, p, good)
	for name, inputs := range map[string][]*tensor.Tensor{
		"none":          {},
		"two":           {good, good},
		"another shape": {tensor.New(tensor.Float32, 3, 2)},
		"another rank":  {tensor.New(tensor.Float32, 6)},
		"another type":  {tensor.New(tensor.Int32, 2, 3)},
	} {
		if err := p.Run(inputs); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	wantValues(t, "the variable after errors", store.Get("v"), 1, 2, 3, 4, 5, 6)
	mustRun(t, p, good)
	wantValues(t, "the variable after another run", store.Get("v"), 2, 4, 6, 8, 10, 12)
}
