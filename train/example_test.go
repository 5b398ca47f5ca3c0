package train_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
)

// A network with a waist of 2 learns vectors of 8 numbers that have only two
// degrees of freedom.
func Example() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	net := nn.Sequential{nn.Dense{Out: 16}, nn.Tanh{}, nn.Dense{Out: 2}, nn.Dense{Out: 16}, nn.Tanh{}, nn.Dense{Out: 8}}
	t, err := train.New(e, backend.NewStore(), train.Problem{
		Name: "waist",
		Trace: func(c *nn.Context) *graph.Node {
			x := c.Builder().Input("x", tensor.Float32, 32, 8)
			return loss.SquaredError(c.Layer("net", net, x), x, loss.MeanAll)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) {
			r := rand.New(rand.NewPCG(uint64(epoch), uint64(step))) // a function of epoch and step alone
			for x := in[0].Float32(); len(x) > 0; x = x[8:] {
				a, b := r.Float32(), r.Float32()
				for i := range 8 {
					x[i] = a*float32(i)/8 + b*float32(7-i)/8
				}
			}
		},
		Steps: 10,
	}, train.Options{Epochs: 60, Seed: 1, LR: 0.01, Schedule: optim.OneCycle{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := t.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	first, last := r.Epochs[0].Loss, r.Epochs[len(r.Epochs)-1].Loss
	fmt.Println("error fell below a hundredth:", last < first/100)
	// Output: error fell below a hundredth: true
}
