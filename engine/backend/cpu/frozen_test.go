package cpu_test

import (
	"slices"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/graph"
	"hourglass/internal/isa"
	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// folded is a network in use: weights with a factor for each channel, as batch
// normalisation leaves them, in each operation that lays them out, and a value
// that depends on variables alone.
func folded(t *testing.T) *graph.Graph {
	b := graph.NewBuilder("folded")
	variable := func(name string, shape ...int) *graph.Node { return b.Variable(name, tensor.Float32, shape...) }
	pad := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	strided := pad
	strided.Stride = [2]int{2, 2}
	x := b.Input("x", tensor.Float32, 2, 20, 18, 8)
	for _, c := range []struct {
		name   string
		w      graph.Window
		kernel int
		groups int
		out    int
	}{
		{"3x3", pad, 3, 1, 24}, {"1x1", graph.Window{}, 1, 1, 40}, {"depthwise", pad, 3, 40, 40}, {"strided", strided, 3, 1, 24}, {"grouped", pad, 3, 2, 24},
	} {
		in := x.Shape()[3]
		x = b.Conv2D(x, variable(c.name+".w", c.kernel, c.kernel, in/c.groups, c.out), c.w, c.groups)
		x = b.Relu(b.Add(b.Mul(x, b.Rsqrt(b.AddScalar(b.Square(variable(c.name+".scale", c.out)), 0.5))), variable(c.name+".bias", c.out)))
	}
	x = b.ConvTranspose2D(x, variable("up.w", 3, 3, 16, 24), strided, 1, 20, 18)
	rows := b.Reshape(x, 2, x.Shape().Elements()/2)
	y := b.MatMul(rows, variable("dense.w", rows.Shape()[1], 30), false, false)
	b.Output("y", b.Add(y, variable("dense.bias", 30)))
	tall := variable("tall.w", 50, 16)
	b.Output("tall", b.MatMul(b.Reshape(x, x.Shape().Elements()/16, 16), tall, false, true))
	b.Output("product", b.MatMul(tall, variable("other.w", 16, 30), false, false))
	b.Output("norm", b.Sum(b.Square(tall), 0, 1))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestFrozenStore compares a program on a frozen store bit by bit with one on a
// store that may change.
func TestFrozenStore(t *testing.T) {
	g := folded(t)
	for _, level := range isa.Available() {
		pool := par.New(2)
		be := cpu.New(cpu.Options{Pool: pool, Level: level})
		store := backend.NewStore()
		values, err := store.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			random.Uniform(v.Float32(), 7, uint64(i), 0)
			for j := range v.Float32() {
				v.Float32()[j] -= 0.5
			}
		}
		x := tensor.New(tensor.Float32, 2, 20, 18, 8)
		var want [][]float32
		for frozen := range 2 {
			if frozen == 1 {
				store.Freeze()
			}
			p, err := be.Compile(g, store)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 { // the second run finds other scratch memory and another image
				random.Uniform(x.Float32(), uint64(i), 0, 0)
				if err := p.Run([]*tensor.Tensor{x}); err != nil {
					t.Fatal(err)
				}
			}
			for i, o := range g.Outputs {
				switch got := p.Output(i).Float32(); {
				case frozen == 0:
					want = append(want, slices.Clone(got))
				case !slices.Equal(got, want[i]):
					t.Errorf("%v: %s has other bits on a frozen store", level, o.Name)
				}
			}
		}
		pool.Close()
	}
}

func TestFrozenStoreErrors(t *testing.T) {
	b := graph.NewBuilder("counter")
	n := b.Variable("n", tensor.Float32, 1)
	b.Update(n, b.AddScalar(n, 1))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	be := cpu.New(cpu.Options{Level: isa.Available()[0]})
	store := backend.NewStore()
	if _, err := be.Compile(g, store); err != nil {
		t.Fatal(err)
	}
	store.Freeze()
	if _, err := be.Compile(g, store); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a program that updates a variable: error %v", err)
	}
	if _, err := be.Compile(folded(t), store); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a program with another variable: error %v", err)
	}
}
