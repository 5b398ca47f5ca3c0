package segment_test

import (
	"fmt"

	"hourglass/data"
	"hourglass/task/segment"
)

// Score answers against a mask, one pixel of which is not judged.
func ExampleConfusion() {
	truth := []uint8{0, 0, 0, 1, 1, data.Ignored}
	answer := []uint8{0, 0, 1, 1, 1, 0}
	c := segment.NewConfusion(2)
	c.Add(truth, answer)
	fmt.Printf("%.3f of the pixels are right, mIoU %.3f\n", c.Accuracy(), c.MIoU())
	for _, s := range c.Classes([]string{"road", "car"}) {
		fmt.Printf("%s %.3f\n", s.Class, *s.IoU)
	}
	// Output:
	// 0.800 of the pixels are right, mIoU 0.667
	// road 0.667
	// car 0.667
}
