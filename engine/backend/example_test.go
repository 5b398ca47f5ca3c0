package backend_test

import (
	"fmt"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// A program that counts its runs in a store.
func Example() {
	b := graph.NewBuilder("counter")
	x := b.Input("x", tensor.Float32, 3)
	runs := b.Variable("runs", tensor.Float32)
	b.Output("scaled", b.Mul(x, runs))
	b.Update(runs, b.AddScalar(runs, 1))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	store := backend.NewStore()
	p, err := cpu.New(cpu.Options{}).Compile(g, store)
	if err != nil {
		fmt.Println(err)
		return
	}
	in := tensor.New(tensor.Float32, 3)
	copy(in.Float32(), []float32{1, 2, 3})
	for range 3 {
		if err := p.Run([]*tensor.Tensor{in}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(p.Output(0).Float32(), store.Get("runs").Float32())
	// Output: [2 4 6] [3]
}
