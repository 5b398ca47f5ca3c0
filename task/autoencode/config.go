// Package autoencode learns a network with a narrow waist from images without
// labels, judges it beside PCA, and puts it to use: encode, decode,
// reconstruct.
package autoencode

import (
	"cmp"
	"fmt"
	"strings"

	"hourglass/data"
	"hourglass/nn/arch"
	"hourglass/nn/loss"
	"hourglass/train/run"
)

// Options are a user's choices for a run. The zero value of each field leaves
// the choice to [Resolve]; what it chose stands in the run's config.json.
type Options struct {
	Source  string // folder, archive, file or built-in set
	Arch    string // one of [arch.Kinds]; "" chooses by the image size
	Latent  int    // k, the length of the code
	Decoder string // one of [arch.Decoders], if it is not to mirror the encoder
	Loss    string // one of [Losses]
	run.Course
	Size int // side of the images in pixels
	Gray bool
}

// Config is a run with every choice made. Together with the data it
// determines the model bit by bit at one instruction-set level.
type Config struct {
	run.Common

	Arch    string `json:"arch"`
	Decoder string `json:"decoder,omitempty"`
	Latent  int    `json:"latent"`
	Loss    string `json:"loss"`
}

// Losses lists the reconstruction losses: mean squared error, mean absolute
// error, Huber's (1 beyond which it is linear: 0.1 of the pixel range) and
// binary cross-entropy.
func Losses() []string { return loss.Names() }

// Check reports a choice that no set of images can make right. Its errors wrap
// [run.ErrChoice].
func (o Options) Check() error {
	for _, c := range []struct {
		flag, value string
		from        []string
	}{
		{"arch", o.Arch, arch.Kinds()},
		{"decoder", o.Decoder, arch.Decoders()},
		{"loss", o.Loss, Losses()},
	} {
		if err := run.OneOf(c.flag, c.value, c.from); err != nil {
			return err
		}
	}
	if o.Latent < 0 {
		return fmt.Errorf("%w: --latent %d: the code needs at least 1 number", run.ErrChoice, o.Latent)
	}
	return o.Course.Check()
}

// largeSide is the side from which on images are learnt with a waist that
// keeps a grid: a dense waist would have more weights than a collection of
// such images can teach.
const largeSide = 64

// Resolve makes every choice for a set. Its errors about options wrap
// [run.ErrChoice].
func Resolve(o Options, set *data.Set) (c Config, err error) {
	if err := o.Check(); err != nil {
		return c, err
	}
	d := set.ImageBytes()
	c = Config{
		Common:  run.Common{Images: run.ImagesOf(o.Source, set, o.Size, o.Gray), Division: run.Divide(set).Division()},
		Decoder: o.Decoder, Latent: o.Latent,
	}
	large := min(c.Height, c.Width) >= largeSide
	// Cross-entropy leads to a lower squared error than squared error does:
	// its gradient does not fade where the sigmoid at the end saturates.
	c.Loss = cmp.Or(o.Loss, lossBCE)
	if c.Train < 2 {
		return c, fmt.Errorf("%s has %d usable images: learning takes at least 3, two to learn from and one to judge by", o.Source, set.Len())
	}
	if min(c.Height, c.Width) < arch.MinSide {
		err := fmt.Errorf("the images have %d×%d pixels, and an autoencoder takes %d×%d and more: give --size %d",
			c.Height, c.Width, arch.MinSide, arch.MinSide, 4*arch.MinSide)
		if c.Size > 0 {
			err = fmt.Errorf("%w: %w", run.ErrChoice, err)
		}
		return c, err
	}
	defaultArch := "conv"
	course := run.Course{Optimizer: "adamw", Schedule: "onecycle", Patience: 10, Batch: 64, Augment: "none"}
	if large {
		defaultArch, course.Augment, course.Batch = "spatial", "flip", 16
	}
	c.Arch = cmp.Or(o.Arch, defaultArch)
	if c.Latent == 0 && c.Arch != archWide {
		c.Latent = defaultLatent(d)
	}
	c.Course = o.Course.Or(course)
	c.Batch = min(c.Batch, c.Train)
	if c.LR == 0 {
		c.LR = defaultRate(c.Optimizer, c.Batch)
	}
	if c.Epochs == 0 {
		c.Epochs = defaultEpochs(c)
	}
	if err := c.check(d); err != nil {
		return c, err
	}
	net, err := c.network()
	if err == nil {
		c.Latent = net.Latent // a grid may not hold quite as many as were asked for
	}
	return c, err
}

const archWide = "wide"

// check reports a code that is as long as the image.
func (c Config) check(d int) error {
	if c.Latent > d && c.Arch != archWide {
		return fmt.Errorf("%w: --latent %d is larger than the image, which has d = %d×%d×%d = %d numbers: choose a smaller k, or --arch wide to see why not to",
			run.ErrChoice, c.Latent, c.Height, c.Width, c.Channels, d)
	}
	return nil
}

// network builds the layers.
func (c Config) network() (arch.Autoencoder, error) {
	a, err := arch.New(c.Arch, c.Height, c.Width, c.Channels, c.Latent, arch.Options{
		Decoder: c.Decoder, Activation: "silu", Output: "sigmoid",
	})
	if err != nil {
		return a, fmt.Errorf("%w: %w", run.ErrChoice, err)
	}
	return a, nil
}

// defaultLatent is 16 for images of up to 32×32 grey pixels, and grows with
// the image: a forty-eighth of its numbers.
func defaultLatent(d int) int {
	return min(max(16, d/48), 4096)
}

// defaultRate is high for batches of 64, which batch normalisation bears: fewer
// epochs reach the same error. It falls with the batch (Goyal et al. 2017,
// section 2.1).
func defaultRate(optimizer string, batch int) float64 {
	rate := 0.02 // the adaptive rules
	switch name, _, _ := strings.Cut(optimizer, ":"); name {
	case "sgd":
		rate = 0.5
	case "momentum", "nesterov":
		rate = 0.1
	}
	return rate * float64(batch) / 64
}

// defaultEpochs shows about as many images to the network whatever their
// number: a small collection is seen more often, within reason.
func defaultEpochs(c Config) int {
	return min(max(8, 190_000/max(1, c.Train)), 60)
}
