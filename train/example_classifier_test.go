package train_test

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/represent/neighbors"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
)

// must is for examples: programs handle errors.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A small network is defined, learns to tell the built-in set's classes apart
// and is judged on images that it has not seen.
func Example_classifier() {
	e := must(engine.New(engine.Options{}))
	defer e.Close()
	set := must(data.Open(context.Background(), "fashion", data.Options{}))
	learn, judge := set.Split(data.SplitOptions{})
	loader, store := data.NewLoader(set, learn, 64, 1), backend.NewStore()
	net := nn.Sequential{nn.Conv{Out: 8, Stride: 2}, nn.BatchNorm{}, nn.ReLU{}, nn.Conv{Out: 16, Stride: 2}, nn.BatchNorm{}, nn.ReLU{}, nn.Flatten{}, nn.Dense{Out: 10}}
	logits := func(c *nn.Context, n int) *graph.Node {
		return c.Layer("net", net, model.Pixels(c.Builder(), c.Builder().Input("images", tensor.Uint8, n, 28, 28, 1)))
	}
	t := must(train.New(e, store, train.Problem{
		Trace: func(c *nn.Context) *graph.Node {
			return loss.SoftmaxCrossEntropy(logits(c, 64), c.Builder().Input("labels", tensor.Int32, 64), 0, loss.MeanAll)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) {
			loader.Fill(epoch, step, in[0].Uint8(), in[1].Int32(), nil)
		},
		Steps: loader.Batches(),
	}, train.Options{Epochs: 2, Seed: 1, LR: 0.01, Schedule: optim.OneCycle{}}))
	must(t.Run(context.Background()))
	answer := e.NewFunction("answer", store, func(b *graph.Builder, n int) {
		b.Output("class", b.ArgMax(logits(nn.NewContext(b, nn.Options{}), n)))
	})
	images, truth := tensor.New(tensor.Uint8, len(judge), 28, 28, 1), make([]int32, len(judge))
	data.NewLoader(set, judge, len(judge), 1).FillInOrder(0, images.Uint8(), truth, nil)
	answers := must(answer.Run(len(judge), images)).Output(0).Int32()
	fmt.Println("three in four are recognised:", must(neighbors.Accuracy(answers, truth)) > 0.75)
	// Output: three in four are recognised: true
}
