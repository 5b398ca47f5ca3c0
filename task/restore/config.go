// Package restore learns to undo what harmed photographs: noise (denoise) and
// missing parts (inpaint). Both jobs train one kind of network on crops of
// photographs; they differ in what is done to the crops.
package restore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"hourglass/data"
	"hourglass/train/run"
)

// The names of what this package learns, in runs and models.
const (
	Denoise = "denoise"
	Inpaint = "inpaint"
)

// Options are a user's choices for a run. The zero value of each field leaves
// the choice to [Resolve]; what it chose stands in the run's config.json.
type Options struct {
	Source string // folder, archive, file or built-in set
	Task   string // Denoise or Inpaint
	Noise  Noise  // what is learnt to be undone: one of [Noises]; for Denoise only
	// SelfSupervised learns from images that are noisy themselves, where there
	// are no clean ones. No noise is added to them.
	SelfSupervised bool
	Loss           string // one of [Losses]
	Widths         []int  // channels at 1/2, 1/4, … of the size
	Blocks         int    // residual blocks at each
	Crop           int    // side in pixels of what is learnt from
	// Autoencoder is the file of an autoencoder whose projection is shown beside
	// the result; for Inpaint only. It has no influence on the model.
	Autoencoder string
	run.Course
}

// Config is a run with every choice made. Together with the data it
// determines the model bit by bit at one instruction-set level.
type Config struct {
	run.Common // its images are crops

	Task           string `json:"task"`
	Noise          Noise  `json:"noise,omitempty"`
	SelfSupervised bool   `json:"self_supervised,omitempty"`
	Loss           string `json:"loss"`
	Shape
	Autoencoder string `json:"autoencoder,omitempty"` // shown beside the result
}

// Losses lists what training can make small: the mean absolute error, the mean
// squared error, and the mean over the crops of the logarithm of each one's
// squared error, which is its PSNR but for sign and scale.
func Losses() []string { return []string{"l1", "mse", "psnr"} }

// Limits of crops. A crop must hold a few pixels at the coarsest scale.
const (
	minCrop = 16
	maxCrop = 1024
)

// Check reports a choice that no set of images can make right. Its errors wrap
// [run.ErrChoice].
func (o Options) Check() error {
	if o.Task != Denoise && o.Task != Inpaint {
		return fmt.Errorf("%w: task %q: choose %s or %s", run.ErrChoice, o.Task, Denoise, Inpaint)
	}
	var kinds []string
	for _, k := range Noises() {
		kinds = append(kinds, string(k))
	}
	if err := run.OneOf("noise", string(o.Noise), kinds); err != nil {
		return err
	}
	if err := run.OneOf("loss", o.Loss, Losses()); err != nil {
		return err
	}
	switch {
	case o.Task == Inpaint && (o.Noise != "" || o.SelfSupervised):
		return fmt.Errorf("%w: --noise and --self-supervised are about denoising", run.ErrChoice)
	case o.Task != Inpaint && o.Autoencoder != "":
		return fmt.Errorf("%w: --autoencoder is about inpainting", run.ErrChoice)
	case o.SelfSupervised && o.Noise != "":
		return fmt.Errorf("%w: --self-supervised learns from images that are noisy already: leave out --noise", run.ErrChoice)
	case o.SelfSupervised && o.Patience > 0:
		return fmt.Errorf("%w: --self-supervised --patience: without clean images there is no error that could stop improving; leave out --patience", run.ErrChoice)
	case o.SelfSupervised && o.Loss != "" && o.Loss != "mse":
		return fmt.Errorf("%w: --self-supervised --loss %s: only the squared error of a noisy image leads to the clean one; leave out --loss", run.ErrChoice, o.Loss)
	case o.Crop != 0 && (o.Crop < minCrop || o.Crop > maxCrop):
		return fmt.Errorf("%w: --crop %d: choose %d to %d pixels", run.ErrChoice, o.Crop, minCrop, maxCrop)
	case o.Augment != "":
		return fmt.Errorf("%w: --augment: crops are turned and mirrored in every way, and nothing else is done to them", run.ErrChoice)
	}
	if o.Widths != nil || o.Blocks != 0 {
		if err := o.shape().check(); err != nil {
			return fmt.Errorf("%w: --widths and --blocks: %w", run.ErrChoice, err)
		}
	}
	return o.Course.Check()
}

// shape is the network asked for.
func (o Options) shape() Shape {
	s := Shape{o.Widths, cmp.Or(o.Blocks, 2)}
	if s.Widths == nil {
		s.Widths = []int{48, 64, 96}
	}
	return s
}

const (
	// perPhoto is the number of crops that an epoch takes of each photo.
	perPhoto = 16
	// defaultSteps is how many steps a run has at least, as near as whole epochs
	// come.
	defaultSteps = 12_000
)

// Resolve makes every choice for photographs. Its errors about options wrap
// [run.ErrChoice].
func Resolve(o Options, p *data.Photos) (c Config, err error) {
	if err := o.Check(); err != nil {
		return c, err
	}
	c = Config{Task: o.Task, Noise: o.Noise, SelfSupervised: o.SelfSupervised, Shape: o.shape(), Autoencoder: o.Autoencoder}
	c.Images = run.ImagesOfPhotos(o.Source, p, cmp.Or(o.Crop, 96))
	parts := run.DividePhotos(p)
	if o.SelfSupervised { // without clean ones, there is nothing to choose an epoch by
		parts = parts.WithoutChoosing()
	}
	c.Division = parts.Division()
	if p.Len() < 2 {
		return c, fmt.Errorf("%s has %d usable images: learning takes at least 2, one to learn from and one to judge by", o.Source, p.Len())
	}
	c.Loss = cmp.Or(o.Loss, "l1")
	switch {
	case o.SelfSupervised:
		c.Loss = "mse"
	case o.Task == Denoise:
		c.Noise = cmp.Or(o.Noise, Gaussian)
	}
	c.Course = o.Course.Or(run.Course{Optimizer: "adam", LR: 1.5e-3, Schedule: "onecycle:rise=0.1", Patience: -1, Batch: 8, Augment: "none"})
	if c.Epochs == 0 {
		c.Epochs = max(2, defaultSteps*c.Batch/(c.Train*perPhoto))
	}
	const maxStep = 1 << 24 // pixels
	if most := maxStep / (c.Height * c.Height); c.Batch > most {
		return c, fmt.Errorf("%w: --batch %d: choose at most %d crops of %d pixels for a step", run.ErrChoice, c.Batch, most, c.Height)
	}
	if err := c.checkCrop(); err != nil {
		return c, fmt.Errorf("%w: --crop and --widths: %w", run.ErrChoice, err)
	}
	return c, nil
}

// checkCrop reports crops that the network cannot halve as often as it does.
func (c Config) checkCrop() error {
	of := c.stride()
	if c.SelfSupervised {
		of *= 2 // they are halved once more before
	}
	if c.Height < 2*of || c.Height%of != 0 {
		return fmt.Errorf("crops of %d pixels do not suit a network of %d scales: there must be a multiple of %d, at least %d", c.Height, len(c.Widths), of, 2*of)
	}
	return nil
}

// fits reports a configuration that cannot be that of a run of the task: its
// file has been changed.
func (c Config) fits(task string) error {
	o := Options{Task: c.Task, Noise: c.Noise, SelfSupervised: c.SelfSupervised, Loss: c.Loss, Widths: slices.Clone(c.Widths), Blocks: c.Blocks, Crop: c.Height}
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case c.Task != task:
		return fmt.Errorf("it is of the task %q, not %q", c.Task, task)
	case c.Loss == "":
		return errors.New("it lacks the loss")
	case c.Task == Denoise && c.Noise == "" && !c.SelfSupervised:
		return errors.New("it lacks the noise")
	}
	if err := c.Shape.check(); err != nil {
		return err
	}
	return c.checkCrop()
}

// inputs returns the number of channels that the network sees.
func (c Config) inputs() int {
	if c.Task == Inpaint {
		return 4 // the last says what is missing
	}
	return 3
}
