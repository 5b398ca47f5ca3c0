package run

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/data"
	"hourglass/data/augment"
	"hourglass/engine"
	"hourglass/optim"
)

// Common is what the configuration of a run has whatever its task. The
// configuration of a task embeds it, or its parts in another order.
type Common struct {
	Images
	Course
	Division
	ISA string `json:"isa"` // as Course.Instructions names them
}

// Images says what a run learns from.
type Images struct {
	Source      string `json:"source"`
	Fingerprint string `json:"fingerprint"` // of the data

	Height   int  `json:"height"`
	Width    int  `json:"width"`
	Channels int  `json:"channels"`
	Size     int  `json:"size,omitempty"` // as asked for
	Gray     bool `json:"gray,omitempty"` // as asked for
}

// ImagesOf describes the images of a set that was opened from source.
func ImagesOf(source string, set *data.Set, size int, gray bool) Images {
	return Images{source, set.Fingerprint, set.Height, set.Width, set.Channels, size, gray}
}

// Course says how a run trains. As a part of a task's options its zero values
// leave the choice to the task.
type Course struct {
	Epochs    int     `json:"epochs"`
	Minutes   float64 `json:"minutes,omitempty"` // train for about this long: why Epochs is what it is
	Batch     int     `json:"batch"`
	Optimizer string  `json:"optimizer"` // as [optim.Parse] reads it
	LR        float64 `json:"lr"`        // greatest learning rate
	Schedule  string  `json:"schedule"`  // course of the rate, as [optim.ParseSchedule] reads it
	Patience  int     `json:"patience"`  // epochs without improvement before the run stops; -1 never
	Seed      uint64  `json:"seed"`
	Augment   string  `json:"augment"` // what is done to training images, as [augment.Parse] reads it
	// Precision is how exactly products are computed in training, as
	// [engine.ParsePrecision] reads it; "" is float32. A model in use always
	// computes in float32.
	Precision string `json:"precision,omitempty"`
}

// Precisions lists the names of [Course].Precision.
func Precisions() []string { return []string{engine.Float32.String(), engine.BF16.String()} }

// Engine returns an engine that trains at the course's precision, which Check
// has accepted.
func (c Course) Engine(e *engine.Engine) (*engine.Engine, error) {
	p, err := engine.ParsePrecision(c.Precision)
	if err != nil {
		return nil, err
	}
	return e.At(p), nil
}

// Instructions names the instructions that the course's bits depend on.
func (c Course) Instructions(e *engine.Engine) string {
	p, err := engine.ParsePrecision(c.Precision)
	if err != nil {
		p = engine.Float32
	}
	return e.Instructions(p)
}

// Division counts the images by their purpose.
type Division struct {
	Train      int `json:"train"`      // images learnt from
	Validation int `json:"validation"` // images that choose the best epoch
	HeldOut    int `json:"heldout"`    // images that judge
}

// ErrChoice is in the chain of errors about an option's value: wrong usage.
var ErrChoice = errors.New("wrong option")

// OneOf reports a value of a flag that is neither empty nor one of a list.
// Its error wraps [ErrChoice].
func OneOf(flag, value string, from []string) error {
	if value == "" || slices.Contains(from, value) {
		return nil
	}
	return fmt.Errorf("%w: --%s %s: choose one of %s", ErrChoice, flag, value, strings.Join(from, ", "))
}

// maxEpochs bounds the length of a run.
const maxEpochs = 1_000_000

// maxBatch bounds what a step learns from.
const maxBatch = 1 << 20

// Check reports a choice that no set of images can make right. Its errors wrap
// [ErrChoice].
func (c Course) Check() error {
	if c.Optimizer != "" {
		name, _, _ := strings.Cut(c.Optimizer, ":")
		if err := OneOf("optimizer", name, optim.Names()); err != nil {
			return err
		}
		if _, err := optim.Parse(c.Optimizer); err != nil {
			return fmt.Errorf("%w: --optimizer %s: %w", ErrChoice, c.Optimizer, err)
		}
	}
	if c.Schedule != "" {
		if _, err := optim.ParseSchedule(c.Schedule); err != nil {
			return fmt.Errorf("%w: --schedule: %w", ErrChoice, err)
		}
	}
	if c.Augment != "" {
		if _, err := augment.Parse(c.Augment); err != nil {
			return fmt.Errorf("%w: --augment: %w", ErrChoice, err)
		}
	}
	if err := OneOf("precision", c.Precision, Precisions()); err != nil {
		return err
	}
	switch {
	case c.Epochs < 0 || c.Epochs > maxEpochs:
		return fmt.Errorf("%w: --epochs %d: choose 1 to %d", ErrChoice, c.Epochs, maxEpochs)
	case c.Batch < 0 || c.Batch > maxBatch:
		return fmt.Errorf("%w: --batch %d: choose 1 to %d", ErrChoice, c.Batch, maxBatch)
	case !(c.LR >= 0) || math.IsInf(c.LR, 0):
		return fmt.Errorf("%w: --lr %v: choose a positive number", ErrChoice, c.LR)
	case !(c.Minutes >= 0) || math.IsInf(c.Minutes, 0):
		return fmt.Errorf("%w: --minutes %v: choose a positive number", ErrChoice, c.Minutes)
	}
	return nil
}

// Or fills in what c leaves open with d's choice. The seed is always c's.
func (c Course) Or(d Course) Course {
	return Course{
		Epochs: cmp.Or(c.Epochs, d.Epochs), Minutes: c.Minutes, Batch: cmp.Or(c.Batch, d.Batch),
		Optimizer: cmp.Or(c.Optimizer, d.Optimizer), LR: cmp.Or(c.LR, d.LR), Schedule: cmp.Or(c.Schedule, d.Schedule),
		Patience: cmp.Or(c.Patience, d.Patience), Seed: c.Seed, Augment: cmp.Or(c.Augment, d.Augment),
		Precision: c.Precision,
	}
}

// sound reports a course that a run cannot have chosen.
func (c Course) sound() error {
	if c.Optimizer == "" || c.Schedule == "" {
		return errors.New("it lacks the optimizer or the schedule")
	}
	return c.Check()
}

// fits reports a configuration that cannot be that of a run on set: its file
// has been changed, or is of something else.
func (c Common) fits(set *data.Set) error {
	if err := c.Course.sound(); err != nil {
		return err
	}
	division := Divide(set).Division()
	switch {
	case c.Height != set.Height || c.Width != set.Width || c.Channels != set.Channels:
		return fmt.Errorf("its images have %d×%d×%d pixels, those of the source %d×%d×%d",
			c.Height, c.Width, c.Channels, set.Height, set.Width, set.Channels)
	case c.Division != division:
		return fmt.Errorf("it divides the images into %d, %d and %d, and they divide into %d, %d and %d",
			c.Train, c.Validation, c.HeldOut, division.Train, division.Validation, division.HeldOut)
	case c.Batch < 1 || c.Batch > c.Train:
		return fmt.Errorf("it has batches of %d of %d images", c.Batch, c.Train)
	}
	return nil
}

// Parts are the images of a set by their purpose, as indices.
type Parts struct {
	Train      []int // to learn from
	Validation []int // to choose the best epoch by
	HeldOut    []int // to judge by, once, when all is chosen
}

// Division counts the images of each part.
func (p Parts) Division() Division { return Division{len(p.Train), len(p.Validation), len(p.HeldOut)} }

// WithoutChoosing returns the parts of a run in which nothing is chosen: those
// images are learnt from too.
func (p Parts) WithoutChoosing() Parts {
	p.Train = append(slices.Clone(p.Train), p.Validation...)
	p.Validation = nil
	return p
}

// Divide splits a set into the images to learn from, those that choose the
// best epoch, and those that only judge. A set with parts to learn from, to
// choose with and to measure on is divided so; otherwise those that choose are
// taken from those to learn from.
func Divide(set *data.Set) (p Parts) {
	p.Train, p.HeldOut = set.Split(data.SplitOptions{})
	if p.Validation = chosen(set.Parts); len(p.Validation) > 0 {
		return p
	}
	if len(p.Train) < 200 {
		return p // too few to judge by: the training loss decides
	}
	return p.choose(min(len(p.Train)/20, 1000), set.Labels)
}

// chosen returns the images of a part to choose with, where there are also parts
// to learn from and to measure on; otherwise none.
func chosen(parts []data.Part) []int {
	var count [data.PartTest + 1]int
	var some []int
	for i, part := range parts {
		if count[part]++; part == data.PartVal {
			some = append(some, i)
		}
	}
	if count[data.PartTest] == 0 || count[data.PartTrain]+count[data.PartNone] == 0 {
		return nil
	}
	return some
}

// choose puts n of the images to learn from aside for validation, and with
// labels, if there are any, never the last of its class.
func (p Parts) choose(n int, labels []int32) Parts {
	if n == 0 {
		return p
	}
	left := make(map[int32]int) // images to learn from of each class
	for _, image := range p.Train {
		if labels != nil {
			left[labels[image]]++
		}
	}
	// Every so many images, so that a set sorted by class gives some of each.
	var learn []int
	every := len(p.Train) / n
	due := 0
	for i, image := range p.Train {
		if i%every == every/2 && len(p.Validation)+due < n {
			due++
		}
		switch {
		case due == 0 || labels != nil && left[labels[image]] == 1:
			learn = append(learn, image)
			continue
		case labels != nil:
			left[labels[image]]--
		}
		due--
		p.Validation = append(p.Validation, image)
	}
	p.Train = learn
	return p
}

// EpochsWithin returns how many epochs of perEpoch seconds fit into a time, at
// least one.
func EpochsWithin(minutes, perEpoch float64) int {
	return int(max(1, min(maxEpochs, minutes*60/perEpoch)))
}

// Evenly returns at most most places of a list of n, evenly spaced.
func Evenly(n, most int) []int {
	few := make([]int, min(n, most))
	for i := range few {
		few[i] = i * n / len(few)
	}
	return few
}

// Spread returns at most most of the indices, evenly spaced.
func Spread(indices []int, most int) []int {
	few := Evenly(len(indices), most)
	for i, at := range few {
		few[i] = indices[at]
	}
	return few
}
