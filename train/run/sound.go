package run

import (
	"fmt"
	"math"
)

// greatest bounds numbers that are of use: the squares of larger ones, and so
// the distances between codes, would leave the range of float32.
const greatest = 1e15

// Sound reports values that are no usable numbers, which come of a training at
// the given rate that diverged. what says whose they are, as in "the model
// answers held-out images".
func Sound(values []float32, what string, rate float64) error {
	for _, v := range values {
		if !(math.Abs(float64(v)) < greatest) {
			return fmt.Errorf("training diverged: %s with %v; begin a new run with a lower --lr than %v", what, v, rate)
		}
	}
	return nil
}
