package run

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/engine"
)

// BeginPhotos reads the photographs of a new run that learns from their crops,
// in the manner of [Begin].
func BeginPhotos(ctx context.Context, e *engine.Engine, source string, o Options, h Hooks) (*Run, error) {
	r, err := newRun(e, source, o, h)
	if err != nil {
		return nil, err
	}
	return r, r.openPhotos(ctx)
}

// ContinuePhotos takes up a run that learns from crops of photographs, in the
// manner of [Continue].
func ContinuePhotos(ctx context.Context, e *engine.Engine, dir, task string, config any, o Options, h Hooks) (*Run, error) {
	r, c, err := takeUp(e, dir, task, config, o, h)
	if err != nil {
		return nil, err
	}
	if err := r.openPhotos(ctx); err != nil {
		return nil, err
	}
	return r, r.check(c, r.Photos.Fingerprint, c.fitsPhotos(r.Photos))
}

func (r *Run) openPhotos(ctx context.Context) error {
	return r.reading(func(o data.Options) (err error) {
		r.Photos, err = data.OpenPhotos(ctx, r.source, o)
		return err
	})
}

// ImagesOfPhotos describes the crops of photographs that were opened from
// source: they are what is learnt from.
func ImagesOfPhotos(source string, p *data.Photos, side int) Images {
	return Images{Source: source, Fingerprint: p.Fingerprint, Height: side, Width: side, Channels: 3}
}

// fitsPhotos reports a configuration that cannot be that of a run on crops of
// photos.
func (c Common) fitsPhotos(p *data.Photos) error {
	if err := c.Course.sound(); err != nil {
		return err
	}
	parts := DividePhotos(p)
	division := parts.Division()
	if c.Validation == 0 {
		division = parts.WithoutChoosing().Division()
	}
	switch {
	case c.Height < 1 || c.Height != c.Width || c.Channels != 3:
		return fmt.Errorf("its crops have %d×%d×%d pixels", c.Height, c.Width, c.Channels)
	case c.Division != division:
		return fmt.Errorf("it divides the images into %d, %d and %d, and they divide into %d, %d and %d",
			c.Train, c.Validation, c.HeldOut, division.Train, division.Validation, division.HeldOut)
	case c.Batch < 1:
		return fmt.Errorf("it has batches of %d crops", c.Batch)
	}
	return nil
}

// maxHeldOutPhotos and maxChoosing bound the photographs that judge and those
// that choose: each has many thousand pixels, and a few dozen tell two
// networks apart.
const (
	maxHeldOutPhotos = 24
	maxChoosing      = 12
)

// DividePhotos splits photographs in the manner of [Divide].
func DividePhotos(p *data.Photos) Parts {
	var parts Parts
	parts.Train, parts.HeldOut = p.Split(data.SplitOptions{HeldOut: 0.1, MaxHeldOut: maxHeldOutPhotos})
	parts.HeldOut = Spread(parts.HeldOut, maxHeldOutPhotos)
	if parts.Validation = Spread(chosen(p.Parts), maxChoosing); len(parts.Validation) > 0 {
		return parts
	}
	return parts.choose(min(len(parts.Train)/20, maxChoosing), nil)
}
