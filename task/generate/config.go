// Package generate learns what images of a kind are like, so that it can make
// others: a variational autoencoder, whose codes are few numbers, and a second
// stage that learns how the codes of images are distributed, so that random
// codes give likely images.
package generate

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"hourglass/data"
	"hourglass/nn/arch"
	"hourglass/train/latent"
	"hourglass/train/run"
)

// Options are a user's choices for a run. The zero value of each field leaves
// the choice to [Resolve]; what it chose stands in the run's config.json.
type Options struct {
	Source     string  // folder, archive, file or built-in set
	Arch       string  // one of [latent.Kinds]
	Latent     int     // k, the length of the code
	Beta       float64 // weight of the divergence of codes from N(0, 1)
	Prior      string  // one of [latent.Priors]
	PriorSteps int     // training steps of the second stage
	// Features is the file of a classifier in whose space images are judged;
	// without one a small classifier is trained on labels, if there are any.
	Features string
	run.Course
	Size int // side of the images in pixels
	Gray bool
}

// Config is a run with every choice made. Together with the data it
// determines the model bit by bit at one instruction-set level.
type Config struct {
	run.Common

	Arch       string  `json:"arch"`
	Latent     int     `json:"latent"`
	Beta       float64 `json:"beta"`
	Prior      string  `json:"prior"`
	PriorSteps int     `json:"prior_steps"`
	Features   string  `json:"features,omitempty"`
	// FeaturesSum is the SHA-256 of that file; runs of earlier versions lack it.
	FeaturesSum string `json:"features_sha256,omitempty"`
}

// LearnsPrior reports whether the second stage takes steps: the other kind is
// computed from the codes.
func (c Config) LearnsPrior() bool { return c.Prior != latent.PriorNormal }

// size is that of the images.
func (c Config) size() latent.Size {
	return latent.Size{Height: c.Height, Width: c.Width, Channels: c.Channels}
}

// Limits of choices.
const (
	maxLatent = 4096
	maxSteps  = 10_000_000
)

// Check reports a choice that no set of images can make right. Its errors wrap
// [run.ErrChoice].
func (o Options) Check() error {
	if err := run.OneOf("arch", o.Arch, latent.Kinds()); err != nil {
		return err
	}
	if err := run.OneOf("prior", o.Prior, latent.Priors()); err != nil {
		return err
	}
	switch {
	case o.Latent < 0 || o.Latent > maxLatent:
		return fmt.Errorf("%w: --latent %d: choose 1 to %d", run.ErrChoice, o.Latent, maxLatent)
	case !(o.Beta >= 0) || math.IsInf(o.Beta, 0):
		return fmt.Errorf("%w: --beta %v: choose a positive number", run.ErrChoice, o.Beta)
	case o.PriorSteps < 0 || o.PriorSteps > maxSteps:
		return fmt.Errorf("%w: --prior-steps %d: choose 1 to %d", run.ErrChoice, o.PriorSteps, maxSteps)
	}
	return o.Course.Check()
}

// Resolve makes every choice for a set. Its errors about options wrap
// [run.ErrChoice].
func Resolve(o Options, set *data.Set) (c Config, err error) {
	if err := o.Check(); err != nil {
		return c, err
	}
	if o.PriorSteps != 0 && !(Config{Prior: o.Prior}).LearnsPrior() {
		return c, fmt.Errorf("%w: --prior %s is computed and not learnt: leave out --prior-steps", run.ErrChoice, o.Prior)
	}
	c = Config{
		Common: run.Common{Images: run.ImagesOf(o.Source, set, o.Size, o.Gray), Division: run.Divide(set).Division()},
		Arch:   cmp.Or(o.Arch, latent.Kinds()[0]), Latent: cmp.Or(o.Latent, defaultLatent(set.ImageBytes())), Beta: cmp.Or(o.Beta, 1),
		Prior: cmp.Or(o.Prior, latent.PriorFlow), PriorSteps: cmp.Or(o.PriorSteps, defaultPriorSteps), Features: o.Features,
	}
	rounds, each := c.rounds()
	c.PriorSteps = rounds * each
	if c.Train < 2 {
		return c, fmt.Errorf("%s has %d usable images: learning takes at least 3, two to learn from and one to judge by", o.Source, set.Len())
	}
	course := run.Course{Optimizer: "adamw", Schedule: "onecycle", Patience: -1, Batch: 64, Augment: "none"}
	if min(c.Height, c.Width) >= largeSide {
		course.Augment, course.Batch = "flip", 32
	}
	c.Course = o.Course.Or(course)
	c.Batch = min(c.Batch, c.Train)
	if c.LR == 0 {
		c.LR = defaultRate * float64(c.Batch) / 64
	}
	if c.Epochs == 0 {
		c.Epochs = min(max(8, shownImages/max(1, c.Train)), 200)
	}
	_, err = c.network(true)
	return c, err
}

const (
	// largeSide is the side from which on images are mirrored at random.
	largeSide = 64
	// defaultRate is that of batches of 64; it falls with the batch.
	defaultRate = 0.005
	// shownImages is about how many images the first stage is shown.
	shownImages = 300_000
	// defaultPriorSteps are the steps of the second stage.
	defaultPriorSteps = 8_000
)

// defaultLatent is 32 for images of up to 32×32 grey pixels, and grows with
// the image: a ninety-sixth of its numbers.
func defaultLatent(d int) int { return min(max(32, d/96), 512, d) }

// fits reports a configuration that cannot be that of a run on a set, beyond
// what [run.Continue] has looked at.
func (c Config) fits() error {
	if c.Arch == "" || c.Prior == "" {
		return errors.New("it lacks the network or the second stage")
	}
	if err := (Options{Arch: c.Arch, Latent: c.Latent, Beta: c.Beta, Prior: c.Prior, PriorSteps: c.PriorSteps}).Check(); err != nil {
		return err
	}
	if c.Latent < 1 || c.Beta == 0 || c.PriorSteps == 0 {
		return errors.New("it has codes of no numbers, no weight of the divergence or a second stage of no steps")
	}
	_, err := c.network(true)
	return err
}

// network builds the layers of an autoencoder.
func (c Config) network(variational bool) (arch.Autoencoder, error) {
	a, err := latent.Network(c.Arch, c.size(), c.Latent, variational, arch.Options{Activation: "silu"})
	if err != nil {
		return a, fmt.Errorf("%w: %w", run.ErrChoice, err)
	}
	return a, nil
}
