package features_test

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/quality/distribution"
	"hourglass/train/features"
	"hourglass/train/run"
)

// How far two halves of a set lie apart, and how far from their negatives, in
// the space of principal components.
func Example() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	set, err := data.Open(context.Background(), "fashion", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	space, err := features.Components(e, set, run.Divide(set).Train[:1000], 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	moments := func(images []uint8) *distribution.Moments {
		v, err := space.Vectors(images)
		if err != nil {
			panic(err)
		}
		m, err := distribution.Measure(v, space.Dim)
		if err != nil {
			panic(err)
		}
		return m
	}
	half := set.Pixels[:2000*set.ImageBytes()]
	other := set.Pixels[2000*set.ImageBytes():][:2000*set.ImageBytes()]
	negative := make([]uint8, len(other))
	for i, v := range other {
		negative[i] = 255 - v
	}
	near, err := distribution.Frechet(moments(half), moments(other))
	if err != nil {
		fmt.Println(err)
		return
	}
	far, err := distribution.Frechet(moments(half), moments(negative))
	fmt.Println(space.Dim, "numbers; negatives are much farther:", far > 20*near, err)
	// Output: 64 numbers; negatives are much farther: true <nil>
}
