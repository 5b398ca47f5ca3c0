package builtin_test

import (
	"fmt"

	"hourglass/data/builtin"
)

func ExampleFashion() {
	pixels, labels, err := builtin.Fashion()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(pixels), builtin.FashionClasses()[labels[0]])
	// Output: 7840000 Ankle boot
}
