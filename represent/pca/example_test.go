package pca_test

import (
	"fmt"

	"hourglass/represent/pca"
)

func Example() {
	// Points along the line y = x/2, with a little beside it.
	rows, err := pca.Matrix([]float32{0, 0, 2, 1, 4, 2, 6, 3, 3, 1.6, 3, 1.4}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := pca.Fit(rows, 1, pca.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	errs, err := m.ReconstructionErrors(rows, pca.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("direction %.2f\n", m.Components)
	fmt.Printf("share of the variance %.3f\n", m.Variances[0]/m.TotalVariance)
	fmt.Printf("mean squared error %.3f with the mean alone, %.3f with one component\n", errs[0], errs[1])
	// Output:
	// direction [0.89 0.45]
	// share of the variance 0.999
	// mean squared error 2.085 with the mean alone, 0.001 with one component
}
