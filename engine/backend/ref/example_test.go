package ref_test

import (
	"fmt"

	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

func ExampleEvaluate() {
	b := graph.NewBuilder("example")
	x := b.Input("x", tensor.Float32, 2, 2)
	count := b.Variable("count", tensor.Float32)
	b.Output("softmax", b.Softmax(x))
	b.Update(count, b.AddScalar(count, 1))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	outputs, updates, err := ref.Evaluate(g, ref.Values{"x": {0, 0, 1000, 0}, "count": {6}})
	fmt.Println(outputs["softmax"], updates["count"], err)
	// Output: [0.5 0.5 1 0] [7] <nil>
}
