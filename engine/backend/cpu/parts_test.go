package cpu

import (
	"math"
	"slices"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/internal/isa"
	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// inUse is a network in use with one of each operation that may be divided: images
// and a number for each, what is the same for all, and outputs of three types.
func inUse(t *testing.T, rows int) *graph.Graph {
	b := graph.NewBuilder("in use")
	variable := func(name string, shape ...int) *graph.Node { return b.Variable(name, tensor.Float32, shape...) }
	pad := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	half, near := graph.Window{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}, pad
	near.Kernel = [2]int{3, 3}
	strided := pad
	strided.Stride = [2]int{2, 2}
	pixels := b.Input("pixels", tensor.Uint8, rows, 12, 10, 3)
	labels := b.Input("labels", tensor.Int32, rows)
	gain := b.Input("gain", tensor.Float32, 8) // the same for all rows

	x := b.Scale(b.Cast(pixels), 1./255)
	x = b.Conv2D(b.Pad(x, []int{0, 1, 1, 0}, []int{0, 1, 1, 0}), variable("w", 3, 3, 3, 8), graph.Window{}, 1)
	x = b.MulAdd(b.Sub(x, variable("mean", 8)), b.Rsqrt(b.AddScalar(variable("variance", 8), 1e-3)), variable("beta", 8))
	x = b.Relu(b.Mul(x, gain))
	small := b.AvgPool(b.MaxPool(x, half), near, false)
	y := b.Concat(3, b.UpsampleNearest(small, 2), b.ResizeBilinear(small, 12, 10), x)
	y = b.Slice(y, []int{0, 0, 2, 1}, []int{rows, 12, 10, 24})
	y = b.ConvTranspose2D(b.Transpose(y, 0, 2, 1, 3), variable("up", 3, 3, 5, 23), strided, 1, 16, 24)
	b.Output("image", y)
	flat := b.MatMul(b.Reshape(y, rows, y.Shape().Elements()/rows), variable("dense", y.Shape().Elements()/rows, 7), false, false)
	flat = b.Add(flat, b.OneHot(labels, 7))
	flat = b.Sub(flat, b.BroadcastTo(b.ReduceMax(flat, 1), rows, 7))
	b.Output("logits", b.Sub(b.Softmax(flat), b.Mean(b.LogSoftmax(flat), 1)))
	b.Output("best", b.ArgMax(flat))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestParts compares programs that take their rows in turn with one that takes all
// at once, and counts the rows that each takes.
func TestParts(t *testing.T) {
	defer func(before int) { nearBytes = before }(nearBytes)
	const rows = 6
	g := inUse(t, rows)
	largest := 0 // bytes of a row
	for _, n := range g.Nodes {
		if shape := n.Shape(); len(shape) == 4 && shape[0] == rows {
			largest = max(largest, 4*shape.Elements()/rows)
		}
	}
	for _, level := range isa.Available() {
		pool := par.New(2)
		store := backend.NewStore()
		values, err := store.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			random.Uniform(v.Float32(), 7, uint64(i), 0)
		}
		pixels, labels, gain := tensor.New(tensor.Uint8, rows, 12, 10, 3), tensor.New(tensor.Int32, rows), tensor.New(tensor.Float32, 8)
		for i := range pixels.Uint8() {
			pixels.Uint8()[i] = uint8(i * 37 % 251)
		}
		for i := range rows {
			labels.Int32()[i] = int32(i)
		}
		random.Uniform(gain.Float32(), 9, 9, 9)
		inputs := []*tensor.Tensor{pixels, labels, gain}
		var want []*tensor.Tensor
		for _, c := range []struct{ near, at int }{{rows * largest, 6}, {rows*largest - 1, 3}, {2 * largest, 2}, {1, 1}} {
			nearBytes = c.near
			program, err := New(Options{Pool: pool, Level: level}).Compile(g, store)
			if err != nil {
				t.Fatal(err)
			}
			p := program.(*Program)
			if at := p.outputs[0].Shape()[0]; at != c.at {
				t.Fatalf("%d bytes: %d rows at once, want %d", c.near, at, c.at)
			}
			for range 2 {
				if err := p.Run(inputs); err != nil {
					t.Fatal(err)
				}
			}
			if allocs := testing.AllocsPerRun(3, func() { _ = p.Run(inputs) }); allocs > 0 {
				t.Errorf("a run of %d rows at once allocates %v times", c.at, allocs)
			}
			for i, o := range g.Outputs {
				got := p.Output(i)
				if c.at == rows {
					want = append(want, got.Clone())
					continue
				}
				if !got.Shape().Equal(o.Node.Shape()) || !slices.Equal(got.Int32(), want[i].Int32()) {
					t.Errorf("%v, %d rows at once: %s differs", level, c.at, o.Name)
				}
				for j, v := range got.Float32() {
					if w := want[i].Float32()[j]; math.Abs(float64(v-w)) > 1e-4*(1+math.Abs(float64(w))) {
						t.Fatalf("%v, %d rows at once: element %d of %s is %v, want %v", level, c.at, j, o.Name, v, w)
					}
				}
			}
			if err := p.Run(inputs[:2]); err == nil {
				t.Error("a program ran without its last input")
			}
		}
		pool.Close()
	}
}

// TestIndivisible has graphs whose rows are not independent, or not known to be.
func TestIndivisible(t *testing.T) {
	const n = 4
	for name, output := range map[string]func(b *graph.Builder, x *graph.Node) *graph.Node{
		"sum of rows": func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Add(x, b.Sum(x, 0)) },
		"own moments": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Add(x, b.Slice(b.Moments(x), []int{0, 0}, []int{1, n}))
		},
		"across":    func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Transpose(x, 1, 0) },
		"by itself": func(b *graph.Builder, x *graph.Node) *graph.Node { return b.MatMul(x, x, false, true) },
		"transposed": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.MatMul(x, b.Variable("w", tensor.Float32, n, n), true, false)
		},
		"joined": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Slice(b.Concat(0, x, x), []int{1, 0}, []int{1 + n, n})
		},
		"moved": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Slice(b.Pad(x, []int{1, 0}, []int{0, 0}), []int{0, 0}, []int{n, n})
		},
		"of another rank": func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Add(x, b.ToScalar(b.Sum(x, 0, 1))) },
		"a row for each": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Add(x, b.Variable("w", tensor.Float32, n, n))
		},
		"along the columns": func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Add(x, b.Input("y", tensor.Float32, n)) },
		"noise": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Add(x, b.RandomUniform(b.Input("step", tensor.Int32), 1, 1, n, n))
		},
		"no input":              func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Variable("w", tensor.Float32, n, n) },
		"softmax over the rows": func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Softmax(b.Input("y", tensor.Float32, n)) },
	} {
		b := graph.NewBuilder(name)
		b.Output("y", output(b, b.Input("x", tensor.Float32, n, n)))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := compile.Divide(g, 2); ok {
			t.Errorf("%s was divided:\n%v", name, g)
		}
	}
	b := graph.NewBuilder("counter")
	x := b.Input("x", tensor.Float32, n, n)
	v := b.Variable("v", tensor.Float32, n)
	b.Update(v, b.AddScalar(v, 1))
	b.Output("y", b.Relu(x))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := compile.Divide(g, 2); ok {
		t.Error("a program with updates was divided")
	}
}
