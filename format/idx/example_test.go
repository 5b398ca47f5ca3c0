package idx_test

import (
	"bytes"
	"fmt"

	"hourglass/format/idx"
)

func ExampleRead() {
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4}
	a, err := idx.Read(bytes.NewReader(labels), idx.Limits{})
	fmt.Println(a.Shape, a.Data, err)
	_, err = idx.Read(bytes.NewReader(labels[:9]), idx.Limits{})
	fmt.Println(err)
	// Output:
	// [3] [5 0 4] <nil>
	// idx: offset 9: corrupt data: the array of shape [3] is cut short: unexpected EOF
}
