package train_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
	"hourglass/train"
)

// A run that is interrupted goes on in another process from its last checkpoint, and
// ends as if nothing had happened.
func ExampleTrainer_Restore() {
	dir, err := os.MkdirTemp("", "checkpoints")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	problem := train.Problem{
		Trace: func(c *nn.Context) *graph.Node {
			x := c.Builder().Input("x", tensor.Float32, 8, 1)
			return loss.SquaredError(c.Layer("net", nn.Dense{}, x), x, loss.MeanAll)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) {
			for i := range in[0].Float32() {
				in[0].Float32()[i] = float32(i + step)
			}
		},
		Steps: 10,
	}
	ctx, interrupt := context.WithCancel(context.Background())
	options := train.Options{Epochs: 3, Seed: 1, LR: 0.01, Checkpoint: dir}
	for {
		options.OnEpoch = func(done train.Epoch) error {
			fmt.Println("epoch", done.Epoch)
			if done.Epoch == 2 {
				interrupt()
			}
			return nil
		}
		t, err := train.New(e, backend.NewStore(), problem, options)
		if err != nil {
			fmt.Println(err)
			return
		}
		before, err := t.Restore()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("begins after", len(before), "epochs")
		if _, err = t.Run(ctx); err == nil {
			return
		}
		fmt.Println(errors.Is(err, train.ErrInterrupted))
		ctx = context.Background()
	}
	// Output:
	// begins after 0 epochs
	// epoch 1
	// epoch 2
	// true
	// begins after 2 epochs
	// epoch 3
}
