package augment

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"hourglass/internal/random"
)

// maxSteps caps the length of a list.
const maxSteps = 64

// step is a transformation at a strength.
type step struct {
	kind
	strength float64
	turn     uint64 // how often the same transformation stands before it
}

// Pipeline is a list of transformations. Its zero value does nothing. It is
// not changed once made, and may be used by many goroutines.
type Pipeline struct {
	steps []step
	zero  bool // outside the image is black, and not its reflection
}

// ErrList is in the chain of every error of [Parse].
var ErrList = errors.New("wrong list of transformations")

// Parse reads a list of transformations, separated by commas: NAME, or
// NAME=STRENGTH, with names, ranges and default strengths as
// [Transformations] says. A strength of 0 does nothing. Four words are no
// transformations of their own:
//
//   - none, alone, is the empty list;
//   - color and gray are colour and grey;
//   - jitter=s (default 0.4) stands for brightness, contrast and saturation at
//     s, and hue at s/4 (Chen et al. 2020, SimCLR, appendix A);
//   - border=reflect (the default) or border=zero says what geometry finds
//     outside the image: its reflection, or black.
//
// Its errors wrap [ErrList].
func Parse(list string) (Pipeline, error) {
	var p Pipeline
	if strings.TrimSpace(list) == "none" {
		return p, nil
	}
	parts := strings.SplitN(list, ",", maxSteps+1)
	if len(parts) > maxSteps {
		return Pipeline{}, fmt.Errorf("%w: it has more than %d parts", ErrList, maxSteps)
	}
	table := kinds()
	for _, part := range parts {
		if err := p.add(table, strings.TrimSpace(part)); err != nil {
			return Pipeline{}, err
		}
	}
	if len(p.steps) > maxSteps {
		return Pipeline{}, fmt.Errorf("%w: it stands for more than %d transformations", ErrList, maxSteps)
	}
	return p, nil
}

// add appends what one part of a list says.
func (p *Pipeline) add(table []kind, part string) error {
	name, text, given := strings.Cut(part, "=")
	switch name = strings.TrimSpace(name); name {
	case "border":
		if text != "zero" && text != "reflect" {
			return fmt.Errorf("%w: border=%s: choose border=reflect or border=zero", ErrList, clip(text))
		}
		p.zero = text == "zero"
		return nil
	case "jitter":
		s, err := strengthOf(Info{"jitter", 0.4, 1, ""}, text, given)
		if err != nil {
			return err
		}
		for _, each := range []string{"brightness", "contrast", "saturation"} {
			p.append(find(table, each), s)
		}
		p.append(find(table, "hue"), s/4)
		return nil
	case "":
		return fmt.Errorf("%w: a name is missing: %s", ErrList, choices(table))
	case "none":
		return fmt.Errorf("%w: none stands beside others: give it alone", ErrList)
	case "mixup", "cutmix":
		return fmt.Errorf("%w: %s mixes the images and the labels of a batch, and cannot be done to one image: %s", ErrList, name, choices(table))
	case "color":
		name = "colour"
	case "gray":
		name = "grey"
	}
	k := find(table, name)
	if k == nil {
		return fmt.Errorf("%w: %s: %s", ErrList, clip(name), choices(table))
	}
	s, err := strengthOf(k.Info, text, given)
	if err != nil {
		return err
	}
	p.append(k, s)
	return nil
}

func find(table []kind, name string) *kind {
	for i := range table {
		if table[i].Name == name {
			return &table[i]
		}
	}
	return nil
}

// append adds a transformation, unless it does nothing.
func (p *Pipeline) append(k *kind, strength float64) {
	if strength == 0 || k.Name == "shift" && strength < 1 {
		return
	}
	s := step{kind: *k, strength: strength}
	for i := range p.steps {
		if p.steps[i].id == k.id {
			s.turn++
		}
	}
	p.steps = append(p.steps, s)
}

func strengthOf(k Info, text string, given bool) (float64, error) {
	if !given {
		return k.Default, nil
	}
	s, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(s >= 0 && s <= k.Max) {
		return 0, fmt.Errorf("%w: %s=%s: choose a strength of 0 to %v", ErrList, k.Name, clip(text), k.Max)
	}
	return math.Abs(s), nil // no negative zero
}

func choices(table []kind) string {
	names := make([]string, len(table))
	for i := range table {
		names[i] = table[i].Name
	}
	return "choose from " + strings.Join(names, ", ") + ", jitter and border, or none"
}

// clip shortens what a message repeats.
func clip(text string) string {
	const longest = 40
	if r := []rune(text); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return text
}

// String returns the list, which [Parse] reads back to the same pipeline: each
// transformation with its strength, and what does nothing left out.
func (p Pipeline) String() string {
	var parts []string
	for i := range p.steps {
		parts = append(parts, p.steps[i].Name+"="+strconv.FormatFloat(p.steps[i].strength, 'g', -1, 64))
	}
	if p.zero && len(parts) > 0 {
		parts = append(parts, "border=zero")
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ",")
}

// Empty tells whether the pipeline does nothing.
func (p *Pipeline) Empty() bool { return len(p.steps) == 0 }

// Each returns a pipeline for each transformation of p, in order, which does
// that one alone and draws for it what p draws.
func (p *Pipeline) Each() []Pipeline {
	each := make([]Pipeline, len(p.steps))
	for i := range each {
		each[i] = Pipeline{steps: p.steps[i : i+1 : i+1], zero: p.zero}
	}
	return each
}

// stream keeps the draws of this package apart from others of the same seed;
// the epoch is added to it.
const stream = 0x41554758 << 32

// counter returns the counter of one use of randomness: 48 bits of index, 8 of
// repetition, 8 of purpose.
func counter(index int, turn uint64, purpose uint8) uint64 {
	return uint64(index)<<16 | turn<<8 | uint64(purpose)
}

// draw returns what the step draws for an image.
func (s *step) draw(r *random.Source, h, w int, seed, epoch uint64, index int) values {
	if !s.steady {
		r.Reset(seed, stream+epoch, counter(index, s.turn, s.id))
		return s.kind.draw(r, s.strength, h, w)
	}
	r.Reset(seed, stream, counter(index, s.turn, s.id))
	v := s.kind.draw(r, s.strength, h, w)
	switch {
	case v[0] < 0:
		v[0] = 0
	case epoch&1 == 1:
		v[0] = 1 - v[0]
	}
	return v
}

// Drawn is what one transformation has drawn for one image.
type Drawn struct {
	Name   string  `json:"name"`
	Values []Value `json:"values"`
}

// Value is one number drawn. Places and sizes are in pixels, but those of
// perspective, which are shares of half a side; the other units are those of
// the transformation's strength. Choices are 0 (no) or 1 (yes).
type Value struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Draw returns what the transformations do to an image [h,w,C] of an epoch.
func (p *Pipeline) Draw(h, w int, seed, epoch uint64, index int) []Drawn {
	var r random.Source
	drawn := make([]Drawn, len(p.steps))
	for i := range p.steps {
		s := &p.steps[i]
		v := s.draw(&r, h, w, seed, epoch, index)
		drawn[i].Name = s.Name
		for j, name := range s.values {
			drawn[i].Values = append(drawn[i].Values, Value{name, v[j]})
		}
	}
	return drawn
}
