package cifar_test

import (
	"bytes"
	"fmt"

	"hourglass/format/cifar"
)

func ExampleRead() {
	file := make([]byte, 1+cifar.Pixels)
	file[0] = 6     // the label
	file[1] = 255   // red of the first pixel
	file[1025] = 17 // green of the first pixel
	m, err := cifar.Read(bytes.NewReader(file), cifar.Limits{})
	fmt.Println(m.Labels, m.Pixels[:3], err)
	// Output: [6] [255 17 0] <nil>
}
