package graph_test

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func Example() {
	b := graph.NewBuilder("layer")
	x := b.Input("x", tensor.Float32, 2, 3)
	w := b.Variable("w", tensor.Float32, 3, 4)
	b.Output("y", b.Relu(b.MatMul(x, w, false, false)))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	// Output:
	// graph layer
	// %0 = input {"x"} : f32[2 3]
	// %1 = variable {"w"} : f32[3 4]
	// %2 = matmul {TransA:false TransB:false Act:0} %0, %1 : f32[2 4]
	// %3 = relu %2 : f32[2 4]
	// output "y" %3
}

// The first error is kept with the operation, the operands' shapes and the
// place of the call.
func ExampleBuilder_Err() {
	b := graph.NewBuilder("wrong")
	x := b.Input("x", tensor.Float32, 2, 3)
	b.MatMul(x, x, false, false)
	fmt.Println(b.Err())
	// Output: graph: matmul([2 3], [2 3]) at example_test.go:35: inner lengths 3 and 2 differ
}
