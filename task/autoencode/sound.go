package autoencode

import (
	"errors"
	"fmt"
	"math"

	"hourglass/data"
)

// maxEpochs bounds the length of a run.
const maxEpochs = 1_000_000

// epochsWithin returns how many epochs of perEpoch seconds fit into a time, at
// least one.
func epochsWithin(minutes, perEpoch float64) int {
	return int(max(1, min(maxEpochs, minutes*60/perEpoch)))
}

// fits reports a configuration that cannot be that of a run on set: its file
// has been changed, or is of something else. What Resolve returns always fits.
func (c Config) fits(set *data.Set) error {
	if c.Arch == "" || c.Loss == "" || c.Optimizer == "" || c.Schedule == "" {
		return errors.New("it lacks the network, the loss, the optimizer or the schedule")
	}
	err := Options{
		Arch: c.Arch, Latent: c.Latent, Decoder: c.Decoder, Loss: c.Loss, Epochs: c.Epochs, Minutes: c.Minutes,
		Batch: c.Batch, Optimizer: c.Optimizer, LR: c.LR, Schedule: c.Schedule,
	}.Check()
	if err != nil {
		return err
	}
	train, validation, heldOut := divide(set)
	switch {
	case c.Height != set.Height || c.Width != set.Width || c.Channels != set.Channels:
		return fmt.Errorf("its images have %d×%d×%d pixels, those of the source %d×%d×%d",
			c.Height, c.Width, c.Channels, set.Height, set.Width, set.Channels)
	case c.Train != len(train) || c.Validation != len(validation) || c.HeldOut != len(heldOut):
		return fmt.Errorf("it divides the images into %d, %d and %d, and they divide into %d, %d and %d",
			c.Train, c.Validation, c.HeldOut, len(train), len(validation), len(heldOut))
	case c.Batch < 1 || c.Batch > c.Train:
		return fmt.Errorf("it has batches of %d of %d images", c.Batch, c.Train)
	case c.Latent < 1:
		return errors.New("it has codes of no numbers")
	}
	return c.check(set.ImageBytes())
}

// maxCode bounds the numbers of a code: the squares of larger ones, and so the
// distances between codes, would leave the range of float32.
const maxCode = 1e15

// sound reports a model that training has ruined: one whose codes or images
// are no usable numbers. The loss does not tell if that came with the last
// steps.
func (r *run) sound() error {
	const few = 64
	codes, err := r.model.Encode(gather(r.set, spread(r.heldOut, few)))
	if err != nil {
		return err
	}
	images, err := r.model.Decode(codes)
	if err != nil {
		return err
	}
	for _, values := range [][]float32{codes, images} {
		for _, v := range values {
			if !(math.Abs(float64(v)) < maxCode) {
				return fmt.Errorf("training diverged: the model answers held-out images with %v; begin a new run with a lower --lr than %v", v, r.file.Config.LR)
			}
		}
	}
	return nil
}
