// Package lab tests claims about training by experiment: each experiment
// trains small networks on labelled images with and without some trick,
// measures them on images that were held out, and says whether what was
// claimed is what came out.
//
// An experiment is one file: a function that returns an [Experiment] and
// stands in the list of [Experiments]. The frame opens the images, keeps each
// finished experiment so that an interrupted session goes on with the next,
// and hands everything on as data, which a report lays out.
//
// Figures depend on the images, the seed, the scale and the instruction-set
// level alone; those that are times are marked as such.
package lab

import (
	"fmt"
	"slices"
	"strings"
)

// Experiment is one claim with what tests it.
type Experiment struct {
	Name  string
	Title string
	Claim string // in a sentence; the data may say otherwise
	// Recipe says what is trained on what, at the bench's scale.
	Recipe func(b *Bench) []Fact
	// Run trains and measures, and adds figures, plots, tables and pictures to
	// the result.
	Run func(b *Bench, r *Result) error
	// Verdict says in a sentence, from the figures alone, what came out and
	// whether the claim holds.
	Verdict func(r *Result) (text string, holds bool)
	// Minutes is about how long a quick session spends on it on two cores; the
	// first guess of the time left rests on it.
	Minutes float64
}

// Experiments returns all there are, in the order in which they are run and
// shown.
func Experiments() []Experiment {
	return []Experiment{batchnorm(), dropout(), augmentation(), optimizers(), bottleneck(), projection(), generation()}
}

// Names returns the names of all experiments.
func Names() []string {
	var names []string
	for _, e := range Experiments() {
		names = append(names, e.Name)
	}
	return names
}

// UnknownError reports a name that no experiment has.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no experiment %q; choose from %s", e.Name, strings.Join(Names(), ", "))
}

// choose returns the experiments of the given names, in the order of
// Experiments; all for none.
func choose(names []string) ([]Experiment, error) {
	all := Experiments()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(e Experiment) bool { return e.Name == name }) {
			return nil, &UnknownError{name}
		}
	}
	return slices.DeleteFunc(all, func(e Experiment) bool { return !slices.Contains(names, e.Name) }), nil
}

// Scale is how large experiments are.
type Scale uint8

const (
	Quick Scale = iota // minutes on two cores
	Full               // the sizes that a paper would use, for an hour or more
	Tiny               // a second: tries all that is computed, and finds nothing
)

// String returns "quick", "full" or "tiny".
func (s Scale) String() string {
	switch s {
	case Full:
		return "full"
	case Tiny:
		return "tiny"
	}
	return "quick"
}

// pick returns the size for a scale.
func pick[T any](s Scale, quick, full, small T) T {
	switch s {
	case Full:
		return full
	case Tiny:
		return small
	}
	return quick
}
