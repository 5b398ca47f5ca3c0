package augment_test

import (
	"fmt"

	"hourglass/data/augment"
)

// The same seed, epoch and index give the same image again.
func Example() {
	p, err := augment.Parse("flip=1,darken=0.5")
	if err != nil {
		fmt.Println(err)
		return
	}
	image := []uint8{10, 20, 30, 40, 50, 60} // two rows of three grey pixels
	first, again := make([]uint8, 6), make([]uint8, 6)
	var worker augment.Worker
	worker.Apply(&p, first, image, 2, 3, 1, 1, 0, 7)
	worker.Apply(&p, again, image, 2, 3, 1, 1, 0, 7)
	fmt.Println(p.String(), string(first) == string(again), first[0] > first[2])
	// Output: flip=1,darken=0.5 true true
}
