package run_test

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/train/run"
)

// Every task divides a set in the same way.
func ExampleDivide() {
	set, err := data.Open(context.Background(), "fashion", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts := run.Divide(set)
	fmt.Println("to learn from:", len(parts.Train))
	fmt.Println("to choose the best epoch by:", len(parts.Validation))
	fmt.Println("to judge by:", len(parts.HeldOut))
	// Output:
	// to learn from: 7600
	// to choose the best epoch by: 400
	// to judge by: 2000
}
