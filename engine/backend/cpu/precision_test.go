package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/isa"
	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// products has each operation with factors, and each with an input of its own,
// so that both backends round the same numbers.
func products(t *testing.T) *graph.Graph {
	b := graph.NewBuilder("products")
	in := func(name string, shape ...int) *graph.Node { return b.Input(name, tensor.Float32, shape...) }
	for trans := range 4 {
		left, right := []int{37, 70}, []int{70, 45}
		if trans&1 != 0 {
			left = []int{70, 37}
		}
		if trans&2 != 0 {
			right = []int{45, 70}
		}
		name := fmt.Sprint("matmul", trans)
		b.Output(name, b.MatMul(in(name+"a", left...), in(name+"b", right...), trans&1 != 0, trans&2 != 0))
	}
	pad := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	strided := pad
	strided.Stride = [2]int{2, 2}
	for _, c := range []struct {
		name     string
		w        graph.Window
		groups   int
		channels int
		kernel   int
	}{
		{"3x3", pad, 1, 24, 3}, {"strided", strided, 1, 8, 3}, {"depthwise", pad, 24, 24, 3}, {"1x1", graph.Window{}, 1, 16, 1},
	} {
		x := in(c.name+" x", 2, 12, 13, c.channels)
		w := in(c.name+" w", c.kernel, c.kernel, c.channels/c.groups, 24)
		y := b.Conv2D(x, w, c.w, c.groups)
		dy := in(c.name+" dy", y.Shape()...)
		b.Output(c.name, y)
		b.Output(c.name+" dx", b.Node(graph.OpConv2DGradInput, y.Attrs(), dy, w))
		b.Output(c.name+" dw", b.Node(graph.OpConv2DGradWeight, y.Attrs(), x, dy))
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// run returns the outputs of a graph on seeded inputs.
func run(t *testing.T, be backend.Backend, g *graph.Graph) [][]float32 {
	p, err := be.Compile(g, backend.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	var inputs []*tensor.Tensor
	for i, n := range g.Inputs() {
		x := tensor.New(tensor.Float32, n.Shape()...)
		random.Uniform(x.Float32(), 1, uint64(i), 0)
		for j := range x.Float32() {
			x.Float32()[j] -= 0.5
		}
		inputs = append(inputs, x)
	}
	var outputs [][]float32
	for range 2 { // the second run finds other scratch memory
		if err := p.Run(inputs); err != nil {
			t.Fatal(err)
		}
	}
	for i := range g.Outputs {
		outputs = append(outputs, p.Output(i).Float32())
	}
	return outputs
}

// TestPrecision compares products of factors rounded to bfloat16 with the
// reference's, and shows that exact factors give something else.
func TestPrecision(t *testing.T) {
	g := products(t)
	want, exact := run(t, ref.NewAt(backend.BF16), g), run(t, ref.New(), g)
	for _, level := range isa.Available() {
		for _, threads := range []int{1, 2} {
			pool := par.New(threads)
			got := run(t, cpu.New(cpu.Options{Pool: pool, Level: level, Precision: backend.BF16}), g)
			pool.Close()
			for i, o := range g.Outputs {
				apart := 0.0
				for j, v := range got[i] {
					if diff := math.Abs(float64(v - want[i][j])); !(diff <= 1e-4) {
						t.Fatalf("%v, %s: element %d is %v, want %v", level, o.Name, j, v, want[i][j])
					}
					apart = max(apart, math.Abs(float64(v-exact[i][j])))
				}
				if apart < 1e-3 {
					t.Errorf("%v, %s: within %v of the product of exact factors", level, o.Name, apart)
				}
			}
		}
	}
}

func TestBF16DoesNotAllocate(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	be := cpu.New(cpu.Options{Pool: pool, Level: levels[len(levels)-1], Precision: backend.BF16})
	g := products(t)
	p, err := be.Compile(g, backend.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	var inputs []*tensor.Tensor
	for _, n := range g.Inputs() {
		inputs = append(inputs, tensor.New(tensor.Float32, n.Shape()...))
	}
	step := func() {
		if err := p.Run(inputs); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(5, step); n != 0 {
		t.Errorf("a run allocates %v times", n)
	}
}
