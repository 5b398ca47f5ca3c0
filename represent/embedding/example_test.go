package embedding_test

import (
	"fmt"

	"hourglass/represent/embedding"
)

func Example() {
	// Twenty vectors of five elements, around two points.
	var x []float32
	for i := range 20 {
		for j := range 5 {
			x = append(x, float32(i%2*10)+float32(i*j%7)/7)
		}
	}
	y, err := embedding.TSNE(x, 5, embedding.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The groups lie on different sides.
	fmt.Println(len(y)/2, "points;", "apart:", y[0]*y[2] < 0)
	// Output:
	// 20 points; apart: true
}
