package distribution_test

import (
	"fmt"

	"hourglass/quality/distribution"
)

// Compare two sets of points on a line.
func Example() {
	real := []float32{0, 1, 2, 3, 4}
	made := []float32{1.5, 1.6, 1.7, 1.8, 9}
	a, err := distribution.Measure(real, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := distribution.Measure(made, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := distribution.Frechet(a, b)
	if err != nil {
		fmt.Println(err)
		return
	}
	precision, recall, err := distribution.PrecisionRecall(real, made, 1, distribution.Options{K: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("distance %.2f, precision %.1f, recall %.1f\n", d, precision, recall)
	// Output: distance 4.17, precision 0.8, recall 0.6
}
