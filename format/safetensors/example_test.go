package safetensors_test

import (
	"bytes"
	"fmt"

	"hourglass/format/safetensors"
)

func Example() {
	var file bytes.Buffer
	err := safetensors.Write(&file, []safetensors.Tensor{
		safetensors.New("encoder.weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}),
		safetensors.New("step", nil, []int64{1200}),
	}, map[string]string{"task": "autoencode"})
	if err != nil {
		fmt.Println(err)
		return
	}

	f, err := safetensors.NewFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range f.Tensors {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	weight := make([]float32, 6)
	if err := f.Float32s("encoder.weight", weight); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(weight, f.Metadata["task"])
	// Output:
	// step I64 []
	// encoder.weight F32 [2 3]
	// [1 2 3 4 5 6] autoencode
}
