// Package autoencode learns a network with a narrow waist from images without
// labels, judges it beside PCA, and puts it to use: encode, decode,
// reconstruct.
package autoencode

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/data"
	"hourglass/nn/arch"
	"hourglass/nn/loss"
	"hourglass/optim"
)

// Options are a user's choices for a run. The zero value of each field leaves
// the choice to [Resolve]; what it chose stands in the run's config.json.
type Options struct {
	Source    string  // folder, archive, file or built-in set
	Arch      string  // one of [arch.Kinds]; "" chooses by the image size
	Latent    int     // k, the length of the code
	Decoder   string  // one of [arch.Decoders], if it is not to mirror the encoder
	Loss      string  // one of [Losses]
	Epochs    int     //
	Minutes   float64 // train for about this long instead of a number of epochs
	Batch     int
	Optimizer string  // one of [optim.Names]
	LR        float64 // greatest learning rate
	Schedule  string  // course of the learning rate, as [optim.ParseSchedule] reads it
	Patience  int     // epochs without improvement before the run stops; -1 never
	Seed      uint64
	Size      int // side of the images in pixels
	Gray      bool
	Augment   string // one of [Augments]
}

// Config is a run with every choice made. Together with the data it
// determines the model bit by bit at one instruction-set level.
type Config struct {
	Source      string `json:"source"`
	Fingerprint string `json:"fingerprint"` // of the data

	Height   int  `json:"height"`
	Width    int  `json:"width"`
	Channels int  `json:"channels"`
	Size     int  `json:"size,omitempty"` // as asked for
	Gray     bool `json:"gray,omitempty"` // as asked for

	Arch      string  `json:"arch"`
	Decoder   string  `json:"decoder,omitempty"`
	Latent    int     `json:"latent"`
	Loss      string  `json:"loss"`
	Epochs    int     `json:"epochs"`
	Minutes   float64 `json:"minutes,omitempty"` // why Epochs is what it is
	Batch     int     `json:"batch"`
	Optimizer string  `json:"optimizer"`
	LR        float64 `json:"lr"`
	Schedule  string  `json:"schedule"`
	Patience  int     `json:"patience"`
	Seed      uint64  `json:"seed"`
	Augment   string  `json:"augment"`

	Train      int `json:"train"`      // images learnt from
	Validation int `json:"validation"` // images that choose the best epoch
	HeldOut    int `json:"heldout"`    // images that judge

	ISA string `json:"isa"`
}

// Losses lists the reconstruction losses: mean squared error, mean absolute
// error, Huber's (1 beyond which it is linear: 0.1 of the pixel range) and
// binary cross-entropy.
func Losses() []string { return loss.Names() }

// Augments lists what may be done to training images: nothing, or mirroring
// them left to right at random.
func Augments() []string { return []string{"none", "flip"} }

// ErrChoice is in the chain of errors about an option's value: wrong usage.
var ErrChoice = errors.New("wrong option")

// Check reports a choice that no set of images can make right. Its errors wrap
// [ErrChoice].
func (o Options) Check() error {
	for _, c := range []struct {
		flag, value string
		from        []string
	}{
		{"arch", o.Arch, arch.Kinds()},
		{"decoder", o.Decoder, arch.Decoders()},
		{"loss", o.Loss, Losses()},
		{"optimizer", o.Optimizer, optim.Names()},
		{"augment", o.Augment, Augments()},
	} {
		if c.value != "" && !slices.Contains(c.from, c.value) {
			return fmt.Errorf("%w: --%s %s: choose one of %s", ErrChoice, c.flag, c.value, strings.Join(c.from, ", "))
		}
	}
	if o.Schedule != "" {
		if _, err := optim.ParseSchedule(o.Schedule); err != nil {
			return fmt.Errorf("%w: --schedule: %w", ErrChoice, err)
		}
	}
	switch {
	case o.Latent < 0:
		return fmt.Errorf("%w: --latent %d: the code needs at least 1 number", ErrChoice, o.Latent)
	case o.Epochs < 0 || o.Epochs > maxEpochs:
		return fmt.Errorf("%w: --epochs %d: choose 1 to %d", ErrChoice, o.Epochs, maxEpochs)
	case o.Batch < 0:
		return fmt.Errorf("%w: --batch %d: choose at least 1", ErrChoice, o.Batch)
	case !(o.LR >= 0) || math.IsInf(o.LR, 0):
		return fmt.Errorf("%w: --lr %v: choose a positive number", ErrChoice, o.LR)
	case !(o.Minutes >= 0) || math.IsInf(o.Minutes, 0):
		return fmt.Errorf("%w: --minutes %v: choose a positive number", ErrChoice, o.Minutes)
	}
	return nil
}

// largeSide is the side from which on images are learnt with a waist that
// keeps a grid: a dense waist would have more weights than a collection of
// such images can teach.
const largeSide = 64

// Resolve makes every choice for a set. Its errors about options wrap
// [ErrChoice].
func Resolve(o Options, set *data.Set) (c Config, err error) {
	if err := o.Check(); err != nil {
		return c, err
	}
	d := set.ImageBytes()
	c = Config{
		Source: o.Source, Fingerprint: set.Fingerprint,
		Height: set.Height, Width: set.Width, Channels: set.Channels, Size: o.Size, Gray: o.Gray,
		Decoder: o.Decoder, Latent: o.Latent, Epochs: o.Epochs, Minutes: o.Minutes, Batch: o.Batch,
		LR: o.LR, Patience: o.Patience, Seed: o.Seed,
	}
	large := min(c.Height, c.Width) >= largeSide
	defaultArch, defaultAugment := "conv", "none"
	if large {
		defaultArch, defaultAugment = "spatial", augmentFlip
	}
	c.Arch = cmp.Or(o.Arch, defaultArch)
	// Cross-entropy leads to a lower squared error than squared error does:
	// its gradient does not fade where the sigmoid at the end saturates.
	c.Loss = cmp.Or(o.Loss, lossBCE)
	c.Optimizer = cmp.Or(o.Optimizer, "adamw")
	c.Schedule = cmp.Or(o.Schedule, "onecycle")
	c.Augment = cmp.Or(o.Augment, defaultAugment)
	train, validation, heldOut := divide(set)
	c.Train, c.Validation, c.HeldOut = len(train), len(validation), len(heldOut)
	if c.Train < 2 {
		return c, fmt.Errorf("%s has %d usable images: learning takes at least 3, two to learn from and one to judge by", o.Source, set.Len())
	}
	if c.Latent == 0 && c.Arch != archWide {
		c.Latent = defaultLatent(d)
	}
	if c.Batch == 0 {
		c.Batch = 64
		if large {
			c.Batch = 16
		}
	}
	c.Batch = min(c.Batch, c.Train)
	if c.LR == 0 {
		c.LR = defaultRate(c.Optimizer, c.Batch)
	}
	if c.Patience == 0 {
		c.Patience = 10
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
			ErrChoice, c.Latent, c.Height, c.Width, c.Channels, d)
	}
	return nil
}

// network builds the layers.
func (c Config) network() (arch.Autoencoder, error) {
	a, err := arch.New(c.Arch, c.Height, c.Width, c.Channels, c.Latent, arch.Options{
		Decoder: c.Decoder, Activation: "silu", Output: "sigmoid",
	})
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrChoice, err)
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
	switch optimizer {
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

// divide splits a set into the images to learn from, those that choose the
// best epoch, taken from the former, and those that only judge.
func divide(set *data.Set) (train, validation, heldOut []int) {
	train, heldOut = set.Split(data.SplitOptions{})
	n := min(len(train)/20, 1000)
	if len(train) < 200 {
		n = 0 // too few to judge by: the training loss decides
	}
	// Every so many images, so that a set sorted by class gives some of each.
	if n == 0 {
		return train, nil, heldOut
	}
	var learn []int
	every := len(train) / n
	for i, image := range train {
		if i%every == every/2 && len(validation) < n {
			validation = append(validation, image)
		} else {
			learn = append(learn, image)
		}
	}
	return learn, validation, heldOut
}
