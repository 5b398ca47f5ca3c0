package npy_test

import (
	"bytes"
	"fmt"

	"hourglass/format/npy"
)

func ExampleWrite() {
	var b bytes.Buffer
	if err := npy.Write(&b, []int{2, 2}, []float32{0, 0.25, 0.5, 1}); err != nil {
		fmt.Println(err)
	}
	a, err := npy.Read(&b, npy.Limits{})
	fmt.Println(a.Shape, a.DType, a.Float32(), err)
	// Output: [2 2] float32 [0 0.25 0.5 1] <nil>
}
