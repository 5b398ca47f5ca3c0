package autoencode

import (
	"errors"
	"fmt"
	"math"

	"hourglass/data"
	"hourglass/train/run"
)

// fits reports a configuration that cannot be that of a run on set, beyond
// what [run.Continue] has looked at: its file has been changed, or is of
// something else. What Resolve returns always fits.
func (c Config) fits(set *data.Set) error {
	if c.Arch == "" || c.Loss == "" {
		return errors.New("it lacks the network or the loss")
	}
	if err := (Options{Arch: c.Arch, Latent: c.Latent, Decoder: c.Decoder, Loss: c.Loss}).Check(); err != nil {
		return err
	}
	if c.Latent < 1 {
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
func (r *learner) sound() error {
	const few = 64
	codes, err := r.model.Encode(r.Set.Gather(run.Spread(r.parts.HeldOut, few)))
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
				return fmt.Errorf("training diverged: the model answers held-out images with %v; begin a new run with a lower --lr than %v", v, r.config.LR)
			}
		}
	}
	return nil
}
