package engine_test

import (
	"fmt"
	"sync"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// must is for examples: programs handle errors.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Several goroutines compute at once: each has an engine of one thread and a
// function of its own, and all read the variables of one frozen store.
func Example_severalAtOnce() {
	store := backend.NewStore()
	weights := must(store.Variable("w", tensor.Float32, tensor.Shape{2, 1}))
	copy(weights.Float32(), []float32{10, 1})
	store.Freeze()

	answers := make([]float32, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			e := must(engine.New(engine.Options{Threads: 1}))
			defer e.Close()
			f := e.NewFunction("weigh", store, func(b *graph.Builder, n int) {
				x := b.Input("x", tensor.Float32, n, 2)
				b.Output("y", b.MatMul(x, b.Variable("w", tensor.Float32, 2, 1), false, false))
			})
			p := must(f.Run(1, tensor.Of([]float32{float32(i), 5}, 1, 2)))
			answers[i] = p.Output(0).Float32()[0]
		})
	}
	all.Wait()
	fmt.Println(answers)
	// Output: [5 15 25 35]
}
