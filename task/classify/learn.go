package classify

import (
	"context"
	"fmt"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/train/run"
)

// Learn reads a source, trains a classifier on it and judges it. It leaves
// everything but the report and the summary in the run's folder. If ctx ends
// during training it returns a *run.Interrupted error.
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
	if err := r.suits(); err != nil {
		return nil, err
	}
	if err := r.Found(Task, &r.config, r.config.Minutes, r.chooseEpochs); err != nil {
		return nil, err
	}
	return r.complete(ctx, false)
}

// suits reports a network that cannot be had for the images, before the run takes a
// folder.
func (r *learner) suits() error {
	net, err := r.config.network(r.Set, nil)
	if err != nil {
		return err
	}
	if _, err := newModel(r.Engine, r.config, net, backend.NewStore()); err != nil {
		return fmt.Errorf("%w: --size: images of %d×%d are too large for the network: %w", run.ErrChoice, r.config.Height, r.config.Width, err)
	}
	return nil
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
	if err := r.config.fits(r.Set); err != nil {
		return nil, r.Misfit(err)
	}
	return r.complete(ctx, true)
}

// Outcome is a run that has been trained and judged.
type Outcome struct {
	run.Judged
	Summary  *Summary
	Evidence *Evidence
}

// Result returns what `hourglass train classify --json` prints.
func (o *Outcome) Result() Result {
	s := o.Summary
	return Result{
		Source: s.Config.Source, Classes: len(s.Config.Classes), Images: s.Found - len(s.Skipped), Skipped: len(s.Skipped),
		HeldOut: s.HeldOut.Scores, Epochs: len(s.Training.Epochs), Parameters: s.Parameters, Seconds: s.Seconds,
		Run: o.Dir, Model: o.Path(run.ModelFile), Report: o.Path(run.ReportFile),
	}
}
