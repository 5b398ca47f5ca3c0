package segment

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/train/run"
)

// Learn reads a source of images and labels, trains a network on it and judges
// it. It leaves everything but the report and the summary in the run's folder.
// If ctx ends during training it returns a *run.Interrupted error.
func Learn(ctx context.Context, e *engine.Engine, o Options, ro run.Options, h run.Hooks) (*Outcome, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	r := &learner{}
	ro.Open = r.open(&o.Labels)
	var err error
	if r.Run, err = run.Begin(ctx, e, o.Source, o.Size, o.Gray, ro, h); err != nil {
		return nil, err
	}
	if r.config, err = Resolve(o, r.pairs); err != nil {
		return nil, err
	}
	r.config.ISA = r.config.Instructions(e)
	if err := r.Found(Task, &r.config, r.config.Minutes, r.chooseEpochs); err != nil {
		return nil, err
	}
	return r.complete(ctx, false)
}

// Resume goes on with the run in dir from its last checkpoint, or from the
// beginning if it has none. The outcome is the same, bit by bit, as that of an
// uninterrupted run at the same instruction-set level. A finished run is
// judged again.
func Resume(ctx context.Context, e *engine.Engine, dir string, ro run.Options, h run.Hooks) (*Outcome, error) {
	r := &learner{}
	ro.Open = r.open(&r.config.Labels) // which is read before the source is
	var err error
	if r.Run, err = run.Continue(ctx, e, dir, Task, &r.config, ro, h); err != nil {
		return nil, err
	}
	r.config.TTA = cmp.Or(r.config.TTA, ttaNone) // what runs said nothing of at first
	if err := r.config.fits(r.pairs); err != nil {
		return nil, r.Misfit(err)
	}
	return r.complete(ctx, true)
}

// open returns what reads pairs and keeps them.
func (r *learner) open(labels *data.ClassList) func(context.Context, string, data.Options) (*data.Set, error) {
	return func(ctx context.Context, source string, o data.Options) (set *data.Set, err error) {
		if r.pairs, err = data.OpenPairs(ctx, source, o, *labels); err != nil {
			if large := (*data.EnlargedError)(nil); errors.As(err, &large) {
				err = fmt.Errorf("%w: --size: %w", run.ErrChoice, err)
			}
			return nil, err
		}
		return r.pairs.Set, nil
	}
}

// Outcome is a run that has been trained and judged.
type Outcome struct {
	run.Judged
	Summary  *Summary
	Evidence *Evidence
}

// Result returns what `hourglass train segment --json` prints.
func (o *Outcome) Result() Result {
	s := o.Summary
	return Result{
		Source: s.Config.Source, Images: s.Found - len(s.Skipped), Skipped: len(s.Skipped),
		Height: s.Config.Height, Width: s.Config.Width, Channels: s.Config.Channels, Classes: len(s.Config.Labels.Classes),
		Parameters: s.Parameters, HeldOut: s.HeldOut, Seconds: s.Seconds, ImagesPerS: s.ImagesPerS, UseImagesPerS: s.UseImagesPerS,
		PeakBytes: s.PeakBytes, Run: o.Dir, Model: o.Path(run.ModelFile), Report: o.Path(run.ReportFile),
	}
}
