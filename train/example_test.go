package train_test

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
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
			free := make([]float32, 32*2)
			random.Uniform(free, 1, 0, uint64(epoch*10+step))
			for i, x := 0, in[0].Float32(); i < len(x); i++ {
				x[i] = free[i/8*2]*float32(i%8)/8 + free[i/8*2+1]*float32(7-i%8)/8
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

// A small network is defined, learns to tell the built-in set's classes apart
// and is judged on images that it has not seen.
func Example_classifier() {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	e, err := engine.New(engine.Options{})
	check(err)
	defer e.Close()
	set, err := data.Open(context.Background(), "fashion", data.Options{})
	check(err)
	learn, judge := set.Split(data.SplitOptions{})
	loader, store := data.NewLoader(set, learn, 64, 1), backend.NewStore()
	net := nn.Sequential{nn.Conv{Out: 8, Stride: 2}, nn.BatchNorm{}, nn.ReLU{}, nn.Conv{Out: 16, Stride: 2}, nn.BatchNorm{}, nn.ReLU{}, nn.Flatten{}, nn.Dense{Out: 10}}
	images := func(b *graph.Builder, n int) *graph.Node {
		return b.Scale(b.Cast(b.Input("images", tensor.Uint8, n, 28, 28, 1)), 1.0/255)
	}
	t, err := train.New(e, store, train.Problem{
		Trace: func(c *nn.Context) *graph.Node {
			logits := c.Layer("net", net, images(c.Builder(), 64))
			return loss.SoftmaxCrossEntropy(logits, c.Builder().Input("labels", tensor.Int32, 64), 0, loss.MeanAll)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) {
			loader.Fill(epoch, step, in[0].Uint8(), in[1].Int32(), nil)
		},
		Steps: loader.Batches(0),
	}, train.Options{Epochs: 2, Seed: 1, LR: 0.01, Schedule: optim.OneCycle{}})
	check(err)
	_, err = t.Run(context.Background())
	check(err)
	answer := e.NewFunction("answer", store, func(b *graph.Builder, n int) {
		b.Output("class", b.ArgMax(nn.NewContext(b, nn.Options{}).Layer("net", net, images(b, n))))
	})
	in, right := tensor.New(tensor.Uint8, 1, 28, 28, 1), 0
	for _, i := range judge {
		copy(in.Uint8(), set.Image(i))
		p, err := answer.Run(1, in)
		check(err)
		if p.Output(0).Int32()[0] == set.Labels[i] {
			right++
		}
	}
	fmt.Println("three in four are recognised:", 4*right > 3*len(judge))
	// Output: three in four are recognised: true
}
