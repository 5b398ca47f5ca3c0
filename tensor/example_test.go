package tensor_test

import (
	"fmt"

	"hourglass/tensor"
)

func ExampleOf() {
	t := tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	fmt.Println(t.DType(), t.Shape(), t.Shape().Strides())
	// Output: f32 [2 3] [3 1]
}
