// Package classify learns to tell classes apart from labelled images, judges
// the result on images that it held out, and puts it to use.
package classify

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hourglass/data"
	"hourglass/data/augment"
	"hourglass/train/run"
)

// Task is the name of what this package learns, in runs and models.
const Task = "classify"

// Options are a user's choices for a run. The zero value of each field leaves
// the choice to the recipe; what it chose stands in the run's config.json.
type Options struct {
	Source string // folder, archive, file or built-in set; see package data
	Recipe string // one of [Recipes]; "" means "lecture"
	run.Course
	Size int // side of the images in pixels
	Gray bool

	Widths         []int    // channels of the three stages of lecture and fast
	NoBatchNorm    bool     // take batch normalisation out of the network
	Dropout        *float64 // probability before the last dense layer
	LabelSmoothing *float64
	Mixup          float64  // α of the shares of blended images, 0 none
	Cutmix         float64  // α of the shares of pasted images, 0 none
	EMA            *float64 // share of the past in the average of the weights, 0 none
	Progressive    *float64 // share of the epochs that come first and see smaller images, 0 none
	TTA            string   // one of [TTAs]: what is averaged over in use
	ClassWeights   string   // "none", "balanced", or a number for each class, with commas
}

// Config is a run with every choice made. Together with the data it
// determines the model bit by bit at one instruction-set level.
type Config struct {
	run.Common
	Classes []string `json:"classes"`
	Recipe  string   `json:"recipe"`
	Widths  []int    `json:"widths,omitempty"`

	NoBatchNorm    bool    `json:"no_batchnorm,omitempty"`
	Dropout        float64 `json:"dropout"`
	LabelSmoothing float64 `json:"label_smoothing"`
	Mixup          float64 `json:"mixup"`
	Cutmix         float64 `json:"cutmix"`
	EMA            float64 `json:"ema"`
	Progressive    float64 `json:"progressive,omitempty"`
	TTA            string  `json:"tta"`
	ClassWeights   string  `json:"class_weights"`
}

// TTAs lists what an answer may be averaged over: the image alone; it and its
// mirror image; both, and both moved by a pixel in two directions, which weigh
// half as much.
func TTAs() []string { return []string{"none", "mirror", "shift"} }

const (
	noWeights       = "none"
	balancedWeights = "balanced"
)

// Check reports a choice that no set of images can make right. Its errors wrap
// [run.ErrChoice].
func (o Options) Check() error {
	for _, c := range []struct {
		flag, value string
		from        []string
	}{
		{"recipe", o.Recipe, Recipes()},
		{"tta", o.TTA, TTAs()},
	} {
		if err := run.OneOf(c.flag, c.value, c.from); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		flag  string
		value *float64
	}{{"dropout", o.Dropout}, {"label-smoothing", o.LabelSmoothing}, {"ema", o.EMA}, {"progressive", o.Progressive}} {
		if c.value != nil && !(*c.value >= 0 && *c.value < 1) {
			return fmt.Errorf("%w: --%s %v: choose at least 0 and less than 1", run.ErrChoice, c.flag, *c.value)
		}
	}
	for _, c := range []struct {
		flag  string
		value float64
	}{{"mixup", o.Mixup}, {"cutmix", o.Cutmix}} {
		if !(c.value >= 0 && c.value <= augment.MaxMix) {
			return fmt.Errorf("%w: --%s %v: choose 0 to %d", run.ErrChoice, c.flag, c.value, augment.MaxMix)
		}
	}
	if _, err := parseWeights(o.ClassWeights); err != nil {
		return err
	}
	if err := checkWidths(o.Recipe, o.Widths); err != nil {
		return err
	}
	return o.Course.Check()
}

// maxWidth bounds the channels of a stage.
const maxWidth = 4096

func checkWidths(recipe string, widths []int) error {
	if widths == nil {
		return nil
	}
	if recipe != "" && recipe != recipeLecture && recipe != recipeFast {
		return fmt.Errorf("%w: --widths: the network %s has none to choose", run.ErrChoice, recipe)
	}
	if len(widths) != stages {
		return fmt.Errorf("%w: --widths: give %d numbers, it has %d", run.ErrChoice, stages, len(widths))
	}
	for _, w := range widths {
		if w < 1 || w > maxWidth {
			return fmt.Errorf("%w: --widths %d: choose 1 to %d", run.ErrChoice, w, maxWidth)
		}
	}
	return nil
}

// parseWeights reads the weights of classes, nil where they are not listed.
func parseWeights(text string) ([]float64, error) {
	if text == "" || text == noWeights || text == balancedWeights {
		return nil, nil
	}
	var weights []float64
	for part := range strings.SplitSeq(text, ",") {
		w, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(w > 0) || w > 1e6 {
			return nil, fmt.Errorf("%w: --class-weights %s: choose none, balanced, or a positive number for each class, with commas between", run.ErrChoice, text)
		}
		weights = append(weights, w)
	}
	return weights, nil
}

// weights returns the weight of each class, with a mean of 1 over the images
// to learn from; nil where all are 1.
func (c Config) weights(set *data.Set, train []int) ([]float64, error) {
	if c.ClassWeights == noWeights {
		return nil, nil
	}
	weights, err := parseWeights(c.ClassWeights)
	if err != nil {
		return nil, err
	}
	count := make([]float64, len(c.Classes))
	for _, i := range train {
		count[set.Labels[i]]++
	}
	if weights == nil {
		for _, n := range count {
			weights = append(weights, 1/max(1, n)) // labels may leave out a number
		}
	}
	if len(weights) != len(count) {
		return nil, fmt.Errorf("%w: --class-weights: it has %d numbers for %d classes", run.ErrChoice, len(weights), len(count))
	}
	total := 0.0
	for i, w := range weights {
		total += w * count[i]
	}
	for i := range weights {
		weights[i] *= float64(len(train)) / total
	}
	return weights, nil
}

// Resolve makes every choice for a set. Its errors about options wrap
// [run.ErrChoice].
func Resolve(o Options, set *data.Set) (c Config, err error) {
	if err := o.Check(); err != nil {
		return c, err
	}
	parts := run.Divide(set)
	if err := checkClasses(o.Source, set, parts); err != nil {
		return c, err
	}
	c = Config{
		Common:  run.Common{Images: run.ImagesOf(o.Source, set, o.Size, o.Gray), Division: parts.Division()},
		Classes: set.Classes,
		Recipe:  o.Recipe, Widths: o.Widths, NoBatchNorm: o.NoBatchNorm, Mixup: o.Mixup, Cutmix: o.Cutmix,
		TTA: o.TTA, ClassWeights: o.ClassWeights,
	}
	if c.Recipe == "" {
		c.Recipe = recipeLecture
	}
	d := defaults(c, o.Course)
	c.Course = o.Course.Or(d.Course)
	c.Batch = min(c.Batch, c.Train)
	c.Dropout, c.LabelSmoothing, c.EMA = pick(o.Dropout, d.Dropout), pick(o.LabelSmoothing, d.LabelSmoothing), pick(o.EMA, d.EMA)
	if c.Widths == nil {
		c.Widths = d.Widths
	}
	for _, f := range []struct {
		value     *string
		otherwise string
	}{{&c.TTA, d.TTA}, {&c.ClassWeights, noWeights}} {
		if *f.value == "" {
			*f.value = f.otherwise
		}
	}
	if c.LR == 0 {
		c.LR = d.rate(c)
	}
	if _, err := c.weights(set, parts.Train); err != nil {
		return c, err
	}
	if _, err := c.network(set, nil); err != nil {
		return c, err
	}
	if c.Progressive = pick(o.Progressive, d.Progressive); c.Progressive > 0 {
		if _, _, err := c.smaller(); err != nil {
			if o.Progressive != nil {
				return c, err
			}
			c.Progressive = 0
		}
	}
	return c, nil
}

func pick(v *float64, otherwise float64) float64 {
	if v != nil {
		return *v
	}
	return otherwise
}

// fits reports a configuration that cannot be that of a run on set, beyond
// what [run.Continue] has looked at.
func (c Config) fits(set *data.Set) error {
	if !slices.Equal(c.Classes, set.Classes) {
		return fmt.Errorf("it has the classes %s, and the source %s", someOf(c.Classes), someOf(set.Classes))
	}
	o := Options{
		Recipe: c.Recipe, Widths: c.Widths, Dropout: &c.Dropout, LabelSmoothing: &c.LabelSmoothing, Mixup: c.Mixup,
		Cutmix: c.Cutmix, EMA: &c.EMA, Progressive: &c.Progressive, TTA: c.TTA, ClassWeights: c.ClassWeights,
	}
	if c.Recipe == "" || c.TTA == "" || c.ClassWeights == "" || c.Augment == "" {
		return errors.New("it lacks the recipe or one of its tricks")
	}
	if math.IsNaN(c.LR) || c.LR == 0 {
		return errors.New("it lacks the learning rate")
	}
	if err := checkClasses(c.Source, set, run.Divide(set)); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	if (c.Recipe == recipeLecture || c.Recipe == recipeFast) && c.Widths == nil {
		return errors.New("it lacks the widths")
	}
	if c.Progressive > 0 {
		if _, _, err := c.smaller(); err != nil {
			return err
		}
	}
	return nil
}
