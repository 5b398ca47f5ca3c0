package autoencode

import (
	"context"
	"fmt"
	"time"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/train/run"
)

// Task is the name of what this package learns, in runs and models.
const Task = "autoencode"

// Learn reads a source, trains an autoencoder on it and judges it beside PCA.
// It leaves everything but the report and the summary in the run's folder.
// If ctx ends during training it returns a *run.Interrupted error.
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
	if o.Latent > 0 && r.config.Latent != o.Latent {
		r.Warnings = append(r.Warnings, fmt.Sprintf("k is %d and not %d: the waist of %s is a grid, which holds a multiple of its places", r.config.Latent, o.Latent, r.config.Arch))
	}
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
	net, err := r.config.network()
	if err != nil {
		return err
	}
	if _, err := newModel(r.Engine, r.config, net.Encoder, net.Decoder, backend.NewStore()); err != nil {
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

// since returns the seconds that have passed.
func since(begun time.Time) float64 { return time.Since(begun).Seconds() }
