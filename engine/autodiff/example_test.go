package autodiff_test

import (
	"fmt"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

func ExampleGradients() {
	b := graph.NewBuilder("example")
	x := b.Input("x", tensor.Float32, 3)
	w := b.Variable("w", tensor.Float32, 3)
	loss := b.Sum(b.Square(b.Mul(w, x)))
	grads, err := autodiff.Gradients(loss, []*graph.Node{w})
	if err != nil {
		fmt.Println(err)
		return
	}
	b.Output("gradient", grads[0]) // 2·w·x²
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	outputs, _, err := ref.Evaluate(g, ref.Values{"x": {1, 2, 3}, "w": {1, 1, -1}})
	fmt.Println(outputs["gradient"], err)
	// Output: [2 8 -18] <nil>
}
