package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/kernel/emulate/avx512"
	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// TestBlocksInPlace compares residual blocks, whose convolutions add to a value
// where it lies, with the reference, and sees that they take no more memory than
// their operands. A value that the convolution itself reads must not be added to.
func TestBlocksInPlace(t *testing.T) {
	pad := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	const size = 2 * 12 * 12 * 16
	build := func(blocks int, own bool) *graph.Graph {
		b := graph.NewBuilder("blocks")
		n := 0
		weights := func(kernel int) *graph.Node {
			n++
			return b.Variable(fmt.Sprintf("w%d", n), tensor.Float32, kernel, kernel, 16, 16)
		}
		x := b.Input("x", tensor.Float32, 2, 12, 12, 16)
		x = b.Conv2D(x, weights(3), pad, 1)
		for i := range blocks {
			inner := b.Relu(b.Conv2D(x, weights(3), pad, 1))
			x = b.Add(b.Conv2D(inner, weights(2*(i%2)+1), []graph.Window{{}, pad}[i%2], 1), x)
			if i%3 == 2 {
				x = b.Relu(x)
			}
		}
		if own {
			x = b.Add(b.Conv2D(x, weights(3), pad, 1), x) // its own operand: not in place
		}
		b.Output("y", b.MaxPool(x, graph.Window{Kernel: [2]int{2, 2}}))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	pool := par.New(2)
	defer pool.Close()
	for _, level := range avx512.Levels() {
		memory := make(map[int]int) // by blocks
		for _, blocks := range []int{0, 1, 6, -6} {
			g := build(max(blocks, -blocks), blocks < 0)
			store := backend.NewStore()
			values, err := store.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			feeds := ref.Values{}
			feed := func(name string, v []float32, seed int) {
				random.Uniform(v, 7, uint64(seed), 0)
				for i := range v {
					v[i] = (v[i] - 0.5) / 4
					feeds[name] = append(feeds[name], float64(v[i]))
				}
			}
			for i, v := range values {
				feed(g.Variables()[i].Name(), v.Float32(), i)
			}
			p, err := cpu.New(cpu.Options{Pool: pool, Level: level}).Compile(g, store)
			if err != nil {
				t.Fatal(err)
			}
			memory[blocks] = p.(backend.Sizer).Memory()
			x := tensor.New(tensor.Float32, 2, 12, 12, 16)
			feed("x", x.Float32(), 99)
			want, _, err := ref.Evaluate(g, feeds)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second run finds what the first has left
				if err := p.Run([]*tensor.Tensor{x}); err != nil {
					t.Fatal(err)
				}
				for i, v := range p.Output(0).Float32() {
					if w := want["y"][i]; math.Abs(float64(v)-w) > 1e-5*max(1, math.Abs(w)) {
						t.Fatalf("%v: %d blocks: element %d is %v, want %v", level, blocks, i, v, w)
					}
				}
			}
		}
		// One value without blocks, two with any number of them.
		if memory[1] > memory[0]+4*size || memory[6] != memory[1] {
			t.Errorf("%v: the programs take %v bytes", level, memory)
		}
	}
}
