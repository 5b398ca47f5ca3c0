package compile_test

import (
	"fmt"

	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

func ExampleOptimize() {
	b := graph.NewBuilder("example")
	x := b.Input("x", tensor.Float32, 8, 4)
	w, bias := b.Variable("w", tensor.Float32, 4, 2), b.Variable("bias", tensor.Float32, 2)
	y := b.Relu(b.Add(b.MatMul(x, w, false, false), bias))
	b.Output("y", b.AddScalar(b.Scale(y, 2), -1))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	if g, err = compile.Optimize(g); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	// Output:
	// graph example
	// %0 = input {"x"} : f32[8 4]
	// %1 = variable {"w"} : f32[4 2]
	// %2 = variable {"bias"} : f32[2]
	// %3 = matmul {TransA:false TransB:false Act:1} %0, %1, %2 : f32[8 2]
	// %4 = fused {scale[0] 2; add_scalar[1] -1} %3 : f32[8 2]
	// output "y" %4
}
