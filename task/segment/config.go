// Package segment learns to cut images into their parts: a class for every
// pixel, from images with labels. It judges the result on images that it has
// not seen, and puts it to use on images of any size.
package segment

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/data"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/train/run"
)

// Task is the name of what this package learns, in runs and models.
const Task = "segment"

// Options are a user's choices for a run. The zero value of each field leaves
// the choice to [Resolve]; what it chose stands in the run's config.json.
type Options struct {
	Source string // folder with images/ and labels/, as [data.OpenPairs] reads it
	Size   int    // shorter side of the images in pixels
	Gray   bool
	Labels data.ClassList // what the values of the labels mean; without classes they are found

	Net     string   // one of [Nets]
	Width   int      // channels, as in [arch.Segmenter]
	Loss    string   // one of [Losses]
	Balance string   // one of [Balances]
	EMA     *float64 // share of the past in an average of the weights, 0 for none
	TTA     string   // one of [TTAs]
	From    string   // model whose weights the run begins with, as far as they fit
	run.Course
}

// Config is a run with every choice made. Together with the data it
// determines the model bit by bit at one instruction-set level.
type Config struct {
	run.Common
	Labels data.ClassList `json:"labels"`
	Scale  float64        `json:"scale"` // size of the pixels learnt from as a share of the source's

	Net      string  `json:"net"`
	NetWidth int     `json:"net_width,omitempty"` // as asked for
	Loss     string  `json:"loss"`
	Balance  string  `json:"balance"`
	EMA      float64 `json:"ema"`
	TTA      string  `json:"tta"`
	From     string  `json:"from,omitempty"`        // as in [Options]
	FromSum  string  `json:"from_sha256,omitempty"` // of the model's file
}

// Nets lists the networks, which [arch.Segmenter] describes.
func Nets() []string { return arch.Segmenters() }

// The losses.
const (
	lossCE   = "ce"
	lossDice = "dice"
	lossBoth = "both"
)

// Losses lists the losses: cross-entropy, soft Dice, and their sum.
func Losses() []string { return []string{lossCE, lossDice, lossBoth} }

// The ways to weigh classes.
const (
	balanceNone   = "none"
	balanceMedian = "median"
	balanceLog    = "log"
	balanceRoot   = "root"
)

// Balances lists how cross-entropy weighs the classes:
//
//   - none: all pixels alike;
//   - median: the median frequency over that of the class (Eigen and Fergus
//     2015, section 6.3), the frequency being its share of the pixels of those
//     images in which it occurs;
//   - root: the square root of that;
//   - log: 1/ln(1.02 + share of all pixels) (Paszke et al. 2016, section 5.2).
func Balances() []string { return []string{balanceNone, balanceMedian, balanceRoot, balanceLog} }

// The ways to look at an image in use.
const (
	ttaNone  = "none"
	ttaScale = "scale"
)

// TTAs lists what is averaged over in use: the image as it is alone, or that
// and the image at four fifths of its size, which takes 1.6 times as long.
func TTAs() []string { return []string{ttaNone, ttaScale} }

// smaller is the size of the second view of an image.
const smaller = 0.8

// Check reports a choice that no set of images can make right. Its errors wrap
// [run.ErrChoice].
func (o Options) Check() error {
	for _, c := range []struct {
		flag, value string
		from        []string
	}{
		{"net", o.Net, Nets()},
		{"loss", o.Loss, Losses()},
		{"balance", o.Balance, Balances()},
		{"tta", o.TTA, TTAs()},
	} {
		if err := run.OneOf(c.flag, c.value, c.from); err != nil {
			return err
		}
	}
	if o.Width < 0 {
		return fmt.Errorf("%w: --width %d: choose a positive number", run.ErrChoice, o.Width)
	}
	if e := o.EMA; e != nil && !(*e >= 0 && *e < 1) {
		return fmt.Errorf("%w: --ema %v: choose at least 0 and less than 1", run.ErrChoice, *e)
	}
	if err := o.Labels.Check(); err != nil {
		return fmt.Errorf("%w: %w", run.ErrChoice, err)
	}
	return o.Course.Check()
}

// The default augmentation: what a camera does when it looks elsewhere, in
// another light.
const defaultAugment = "flip,scale=0.5,shift=32,rotate=5,brightness=0.3,contrast=0.3,saturation=0.3,colour=0.05"

// defaultEMA averages over about 250 steps: the noise of single batches goes,
// and what the network learns in an epoch or two hardly lags.
const defaultEMA = 0.996

// Resolve makes every choice for a set of pairs. Its errors about options wrap
// [run.ErrChoice].
func Resolve(o Options, pairs *data.Pairs) (c Config, err error) {
	if err := o.Check(); err != nil {
		return c, err
	}
	c = Config{
		Common: run.Common{Images: run.ImagesOf(o.Source, pairs.Set, o.Size, o.Gray), Division: run.Divide(pairs.Set).Division()},
		Labels: pairs.List, Scale: pairs.Scale,
		Net: cmp.Or(o.Net, "fast"), NetWidth: o.Width, Loss: cmp.Or(o.Loss, lossBoth), Balance: o.Balance,
		EMA: defaultEMA, TTA: cmp.Or(o.TTA, ttaScale),
	}
	switch {
	case c.Loss != lossDice:
		c.Balance = cmp.Or(c.Balance, balanceRoot)
	case cmp.Or(c.Balance, balanceNone) != balanceNone:
		return c, fmt.Errorf("%w: --loss %s --balance %s: dice counts each class alike, whatever its pixels; leave out --balance", run.ErrChoice, c.Loss, c.Balance)
	default:
		c.Balance = balanceNone
	}
	if o.EMA != nil {
		c.EMA = *o.EMA
	}
	if o.From != "" {
		if c.From, c.FromSum, err = origin(o.From); err != nil {
			return c, fmt.Errorf("%w: --from: %w", run.ErrChoice, err)
		}
	}
	if c.Train < 1 || c.HeldOut < 1 || pairs.Len() < 2 {
		return c, fmt.Errorf("%s has %d usable pairs: learning takes at least 2, one to learn from and one to judge by", o.Source, pairs.Len())
	}
	c.Course = o.Course.Or(run.Course{
		Optimizer: "adamw", Schedule: "onecycle", Augment: defaultAugment, Patience: -1,
		Batch: min(8, max(1, c.Train/4)),
	})
	c.Batch = min(c.Batch, c.Train)
	if c.Epochs == 0 {
		c.Epochs = min(max(20, 55_000/c.Train), 200)
	}
	if c.LR == 0 {
		c.LR = defaultRate(c.Optimizer) * math.Sqrt(float64(c.Batch)/8)
		if c.From != "" {
			c.LR /= 3 // it has something to lose
		}
	}
	if err := c.check(pairs); err != nil {
		return c, err
	}
	_, err = c.network()
	return c, err
}

// defaultRate is the greatest rate for batches of 8 images.
func defaultRate(optimizer string) float64 {
	name, _, _ := strings.Cut(optimizer, ":")
	switch name {
	case "sgd":
		return 0.1
	case "momentum", "nesterov":
		return 0.02
	}
	return 0.003 // the adaptive rules
}

// check reports pairs of which nothing can be learnt.
func (c Config) check(pairs *data.Pairs) error {
	if !(c.Scale > 0 && c.Scale <= MaxScale) {
		return fmt.Errorf("%w: --size: the images would be %.3g times as large as they are; the most is %d", run.ErrChoice, c.Scale, MaxScale)
	}
	if n := len(c.Labels.Classes); n < 2 {
		return fmt.Errorf("%w: there is %d class: name at least two, one of which may be the background", run.ErrChoice, n)
	}
	if len(c.Labels.Classes) > 2 {
		return nil // a rare class may be missing, which is a warning
	}
	for k, n := range c.pixels(pairs, run.Divide(pairs.Set).Train) {
		if n == 0 {
			return fmt.Errorf("the images to learn from in %s have no pixel of %q: its area is zero, so that there is nothing to tell apart; add images that show it",
				c.Source, c.Labels.Classes[k].Name)
		}
	}
	return nil
}

// missing warns of classes without a pixel to learn from.
func (c Config) missing(pairs *data.Pairs, train []int) (warnings []string) {
	for k, n := range c.pixels(pairs, train) {
		if n == 0 {
			warnings = append(warnings, fmt.Sprintf("no pixel to learn from is of the class %q", c.Labels.Classes[k].Name))
		}
	}
	return warnings
}

// fits reports a configuration that cannot be that of a run on a set.
func (c Config) fits(pairs *data.Pairs) error {
	if c.Net == "" || c.Loss == "" || c.Balance == "" {
		return errors.New("it lacks the network, the loss or the balance of classes")
	}
	if err := (Options{Labels: c.Labels, Net: c.Net, Width: c.NetWidth, Loss: c.Loss, Balance: c.Balance, EMA: &c.EMA, TTA: c.TTA}).Check(); err != nil {
		return err
	}
	return c.check(pairs)
}

// network builds the layers.
func (c Config) network() (nn.Layer, error) {
	net, err := arch.Segmenter(c.Net, len(c.Labels.Classes), c.NetWidth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", run.ErrChoice, err)
	}
	return net, nil
}

// describe says what the network is.
func (c Config) describe() string {
	return fmt.Sprintf("%s network, %d classes", c.Net, len(c.Labels.Classes))
}

// pixels counts the pixels of each class in some images.
func (c Config) pixels(pairs *data.Pairs, images []int) []int64 {
	counts := make([]int64, len(c.Labels.Classes))
	for _, i := range images {
		for _, v := range pairs.Mask(i) {
			if v != data.Ignored {
				counts[v]++
			}
		}
	}
	return counts
}

// weights returns what cross-entropy weighs the classes by, nil for alike. A
// class without a pixel weighs as much as the rarest that has one.
func (c Config) weights(pairs *data.Pairs, images []int) []float64 {
	if c.Balance == balanceNone || c.Loss == lossDice { // older configs have one with dice too
		return nil
	}
	k := len(c.Labels.Classes)
	counts, near := make([]float64, k), make([]float64, k) // its pixels, and those of the images that have some
	total := 0.0
	for _, i := range images {
		own := c.pixels(pairs, []int{i})
		sum := 0.0
		for _, n := range own {
			sum += float64(n)
		}
		total += sum
		for j, n := range own {
			if n > 0 {
				counts[j] += float64(n)
				near[j] += sum
			}
		}
	}
	var frequencies []float64
	for j := range counts {
		if counts[j] > 0 {
			frequencies = append(frequencies, counts[j]/near[j])
		}
	}
	slices.Sort(frequencies)
	w := make([]float64, k)
	most := 0.0
	for j := range w {
		if counts[j] == 0 {
			continue
		}
		switch median := frequencies[len(frequencies)/2] / (counts[j] / near[j]); c.Balance {
		case balanceMedian:
			w[j] = median
		case balanceRoot:
			w[j] = math.Sqrt(median)
		case balanceLog:
			w[j] = 1 / math.Log(1.02+counts[j]/total)
		}
		most = max(most, w[j])
	}
	for j := range w {
		if w[j] == 0 {
			w[j] = max(most, 1)
		}
	}
	return w
}
