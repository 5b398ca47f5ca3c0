package loss_test

import (
	"fmt"

	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/nn/loss"
	"hourglass/tensor"
)

// The three reductions of one error.
func ExampleSquaredError() {
	b := graph.NewBuilder("loss")
	x := b.Input("x", tensor.Float32, 2, 3)
	t := b.Input("t", tensor.Float32, 2, 3)
	b.Output("mean", loss.SquaredError(x, t, loss.MeanAll))
	b.Output("image", loss.SquaredError(x, t, loss.SumPerImageMeanBatch))
	b.Output("sum", loss.SquaredError(x, t, loss.SumAll))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	out, _, err := ref.Evaluate(g, ref.Values{"x": {1, 2, 3, 4, 5, 6}, "t": {0, 2, 3, 4, 5, 4}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f %.3f %.3f\n", out["mean"][0], out["image"][0], out["sum"][0])
	// Output: 0.833 2.500 5.000
}
