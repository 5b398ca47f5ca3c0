package model_test

import (
	"fmt"

	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train/model"
)

// How many images pass through a network together, by its largest layer, and
// what is done with those that are left over.
func Example() {
	rows := []nn.Row{{Output: tensor.Shape{1, 64, 64, 128}}, {Output: tensor.Shape{1, 10}}}
	most, err := model.Batch(64*64*3, rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = model.InBatches(18, most, func(at, count, batch int) error {
		fmt.Println("images", at, "to", at+count-1, "in a batch of", batch)
		return nil
	})
	fmt.Println(err)
	// Output:
	// images 0 to 7 in a batch of 8
	// images 8 to 15 in a batch of 8
	// images 16 to 17 in a batch of 8
	// <nil>
}
