package model_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
)

// How many images pass through a network together, by its largest layer, and
// what is done with those that are left over.
func Example() {
	rows := []nn.Row{{Output: tensor.Shape{1, 64, 64, 128}}, {Output: tensor.Shape{1, 10}}}
	most, err := model.Batch(64*64*3, rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = model.InBatches(18, most, func(at, count, batch int) error {
		fmt.Println("images", at, "to", at+count-1, "in a batch of", batch)
		return nil
	})
	fmt.Println(err)
	// Output:
	// images 0 to 7 in a batch of 8
	// images 8 to 15 in a batch of 8
	// images 16 to 17 in a batch of 8
	// <nil>
}

// must is for examples: programs handle errors.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A network of one's own is trained and saved; load, in another program, needs
// the file alone.
func Example_save() {
	dir := must(os.MkdirTemp("", "model"))
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "sums.safetensors")
	e := must(engine.New(engine.Options{}))
	defer e.Close()

	net := nn.Sequential{nn.Dense{Out: 16}, nn.Tanh{}, nn.Dense{Out: 1}}
	store := backend.NewStore()
	t := must(train.New(e, store, train.Problem{
		Trace: func(c *nn.Context) *graph.Node {
			x, sum := c.Builder().Input("x", tensor.Float32, 32, 2), c.Builder().Input("sum", tensor.Float32, 32, 1)
			return loss.SquaredError(c.Layer("net", net, x), sum, loss.MeanAll)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) {
			r := rand.New(rand.NewPCG(uint64(epoch), uint64(step)))
			for i := range 32 {
				a, b := r.Float32(), r.Float32()
				in[0].Float32()[2*i], in[0].Float32()[2*i+1], in[1].Float32()[i] = a, b, a+b
			}
		},
		Steps: 50,
	}, train.Options{Epochs: 20, Seed: 1, LR: 0.01}))
	record := must(t.Run(context.Background()))
	if err := model.Save(path, model.Envelope{Task: "sums", Architecture: net, Record: record}, t.Params(), store); err != nil {
		fmt.Println(err)
		return
	}

	add := must(load(e, path))
	x := tensor.Of([]float32{0.2, 0.4}, 1, 2)
	fmt.Printf("0.2 + 0.4 = %.1f\n", must(add.Run(1, x)).Output(0).Float32()[0])
	// Output: 0.2 + 0.4 = 0.6
}

// load makes a function of the network in a file.
func load(e *engine.Engine, path string) (*engine.Function, error) {
	f, err := model.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text json.RawMessage
	if err := f.Decode("sums", &text, nil, nil); err != nil {
		return nil, err
	}
	net, err := f.Layer("network", text)
	if err != nil {
		return nil, err
	}
	trace := func(b *graph.Builder, n int) *nn.Context {
		c := nn.NewContext(b, nn.Options{})
		b.Output("sum", c.Layer("net", net, b.Input("x", tensor.Float32, n, 2)))
		return c
	}
	b, store := graph.NewBuilder("what it declares"), backend.NewStore()
	c := trace(b, 1)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := f.Fill(c.Params(), store); err != nil {
		return nil, err
	}
	return e.NewFunction("add", store, func(b *graph.Builder, n int) { trace(b, n) }), nil
}
