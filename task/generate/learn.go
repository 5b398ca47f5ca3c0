package generate

import (
	"context"

	"hourglass/engine"
	"hourglass/train/run"
)

// Task is the name of what this package learns, in runs and models.
const Task = "generate"

// Stages of a run after the first.
const (
	PhaseSecond   run.Phase = "second"
	PhasePlain    run.Phase = "plain"
	PhaseFeatures run.Phase = "features"
)

// Learn reads a source, trains both stages on it and judges what they make. It
// leaves everything but the report and the summary in the run's folder. If ctx
// ends during training it returns a *run.Interrupted error.
func Learn(ctx context.Context, e *engine.Engine, o Options, ro run.Options, h run.Hooks) (*Outcome, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	begun, err := run.Begin(ctx, e, o.Source, o.Size, o.Gray, ro, h)
	if err != nil {
		return nil, err
	}
	r := &learner{Run: begun}
	if r.config, err = Resolve(o, r.Set); err != nil {
		return nil, err
	}
	r.config.ISA = r.config.Instructions(e)
	if err := r.openFeatures(); err != nil { // before minutes are spent
		return nil, err
	}
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
	var err error
	if r.Run, err = run.Continue(ctx, e, dir, Task, &r.config, ro, h); err != nil {
		return nil, err
	}
	if err := r.config.fits(); err != nil {
		return nil, r.Misfit(err)
	}
	if err := r.openFeatures(); err != nil {
		return nil, err
	}
	return r.complete(ctx, true)
}

// Outcome is a run that has been trained and judged.
type Outcome struct {
	run.Judged
	Summary  *Summary
	Evidence *Evidence
}

// Result returns what `hourglass train generate --json` prints.
func (o *Outcome) Result() Result {
	s := o.Summary
	c := s.Config
	return Result{
		Source: c.Source, Images: s.Found - len(s.Skipped), Skipped: len(s.Skipped),
		Height: c.Height, Width: c.Width, Channels: c.Channels, Latent: c.Latent, Prior: c.Prior, Parameters: s.Parameters,
		HeldOut: s.HeldOut, Space: s.Space, Judged: s.Judged, Seconds: s.Seconds, PeakBytes: s.PeakBytes,
		Run: o.Dir, Model: o.Path(run.ModelFile), Report: o.Path(run.ReportFile),
	}
}
