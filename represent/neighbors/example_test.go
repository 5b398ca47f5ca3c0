package neighbors_test

import (
	"fmt"

	"hourglass/represent/neighbors"
)

func Example() {
	base := []float32{0, 0, 0, 1, 5, 5, 5, 6, 6, 5}
	labels := []int32{0, 0, 1, 1, 1}
	queries := []float32{0.4, 0.1, 4, 4}

	indices, distances, err := neighbors.Search(queries, base, 2, 3, neighbors.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	votes, err := neighbors.Vote(indices, labels, 3, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(indices)
	fmt.Printf("%.2f\n", distances)
	fmt.Println(votes)
	// Output:
	// [0 1 2 2 3 4]
	// [0.41 0.98 6.72 1.41 2.24 2.24]
	// [0 1]
}
