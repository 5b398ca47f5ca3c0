package autoencode

import (
	"errors"

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
	const what = "the model answers held-out images"
	if err := run.Sound(codes, what, r.config.LR); err != nil {
		return err
	}
	return run.Sound(images, what, r.config.LR)
}
