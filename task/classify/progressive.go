package classify

import (
	"fmt"
	"math"
	"slices"

	"hourglass/nn/arch"
	"hourglass/train/run"
)

// smaller returns the size of the images in the first epochs of a run that goes
// from small to large ones (progressive resizing; Howard 2018, fast.ai's entry
// to DAWNBench). It fails for networks that take one size only, and where no
// smaller size suits.
func (c Config) smaller() (height, width int, err error) {
	switch {
	case c.Recipe == recipeFast:
		height, width = fastSmaller(c.Height), fastSmaller(c.Width)
	case slices.Contains(arch.Classifiers(), c.Recipe):
		height, width = (3*c.Height+3)/4, (3*c.Width+3)/4
	default:
		return 0, 0, fmt.Errorf("%w: --progressive: the network %s takes images of one size", run.ErrChoice, c.Recipe)
	}
	if height == c.Height && width == c.Width {
		return 0, 0, fmt.Errorf("%w: --progressive: images of %d×%d cannot be a little smaller for the network %s", run.ErrChoice, c.Height, c.Width, c.Recipe)
	}
	return height, width, nil
}

// fastSmaller returns the least side that leaves as many places to the dense layer
// of the recipe fast as the given one; the given one if that is far too small.
func fastSmaller(side int) int {
	const leastShare = 0.7
	last := (side - 1) >> stages
	if last < 1 {
		return side
	}
	pool := min(last, lastPool)
	if least := last/pool*pool<<stages + 1; float64(least) >= leastShare*float64(side) {
		return least
	}
	return side
}

// earlyEpochs returns how many epochs see smaller images: the last never does.
func (c Config) earlyEpochs() int {
	return min(int(math.Round(c.Progressive*float64(c.Epochs))), c.Epochs-1)
}
