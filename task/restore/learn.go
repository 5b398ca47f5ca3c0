package restore

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/run"
)

// learner is a run in progress.
type learner struct {
	*run.Run
	config  Config
	parts   run.Parts
	times   run.Times
	model   *Model
	trainer *train.Trainer
	failure func() error // what went wrong in filling a batch
}

// Learn reads photographs, trains a network to restore what it harms of them,
// or what harmed them, and judges it on photographs that it held out. It leaves
// everything but the report and the summary in the run's folder. If ctx ends
// during training it returns a *run.Interrupted error.
func Learn(ctx context.Context, e *engine.Engine, o Options, ro run.Options, h run.Hooks) (*Outcome, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	begun, err := run.BeginPhotos(ctx, e, o.Source, ro, h)
	if err != nil {
		return nil, err
	}
	r := &learner{Run: begun}
	if r.config, err = Resolve(o, r.Photos); err != nil {
		return nil, err
	}
	r.config.ISA = r.config.Instructions(e)
	if err := r.Found(o.Task, &r.config, r.config.Minutes, r.chooseEpochs); err != nil {
		return nil, err
	}
	return r.complete(ctx, false)
}

// Resume goes on with the run of a task in dir from its last checkpoint, or
// from the beginning if it has none. The outcome is the same, bit by bit, as
// that of an uninterrupted run at the same instruction-set level. A finished
// run is judged again.
func Resume(ctx context.Context, e *engine.Engine, dir, task string, ro run.Options, h run.Hooks) (*Outcome, error) {
	r := &learner{}
	var err error
	if r.Run, err = run.ContinuePhotos(ctx, e, dir, task, &r.config, ro, h); err != nil {
		return nil, err
	}
	if err := r.config.fits(task); err != nil {
		return nil, r.Misfit(err)
	}
	return r.complete(ctx, true)
}

// complete trains from where the run stands and judges the result.
func (r *learner) complete(ctx context.Context, resume bool) (*Outcome, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	r.Warnings = append(r.Warnings, r.Photos.Warnings...)
	r.Tell(r.config.Words(), r.config.Common)
	record, err := r.Train(ctx, r.trainer, resume)
	if err == nil {
		err = r.failure()
	}
	if err != nil {
		return nil, err
	}
	r.model.record = record
	r.times.Read, r.times.Train = r.ReadSeconds(), record.Seconds
	r.trainer = nil // its memory is the largest block that a run has
	r.model.program = nil
	runtime.GC()
	r.model.round()
	if err := r.sound(); err != nil {
		return nil, err
	}
	if err := r.model.Save(r.Path(run.ModelFile)); err != nil {
		return nil, err
	}
	return r.judge(ctx)
}

// Words names what the network learns, and the network.
func (c Config) Words() string {
	what := "holes"
	if c.Task == Denoise {
		what = string(c.Noise) + " noise"
	}
	if c.SelfSupervised {
		what = "noisy images alone"
	}
	return fmt.Sprintf("%s, %d scales of %v channels", what, len(c.Widths), c.Widths)
}

// prepare builds the model and the trainer.
func (r *learner) prepare() error {
	if r.trainer != nil {
		return nil
	}
	c := r.config
	if r.parts = run.DividePhotos(r.Photos); c.Validation == 0 {
		r.parts = r.parts.WithoutChoosing()
	}
	store := backend.NewStore()
	var err error
	if r.model, err = newModel(r.Engine, c, c.network(), store); err != nil {
		return err
	}
	options, err := r.TrainOptions(c.Course)
	if err != nil {
		return err
	}
	options.Optimizer.ClipNorm = clipNorm
	e, err := c.Engine(r.Engine)
	if err != nil {
		return err
	}
	r.trainer, err = train.New(e, store, r.problem(), options)
	return err
}

// clipNorm bounds the length of the gradient. Without normalisation one step
// too long can ruin a network for good: at a rate of 0.004 one did. The rules
// that are scaled by past gradients lose nothing by the bound.
const clipNorm = 0.05

// problem describes the training to the loop.
func (r *learner) problem() train.Problem {
	c := r.config
	crops := data.NewCrops(r.Photos, r.parts.Train, data.CropOptions{Size: c.Height, Batch: c.Batch, PerPhoto: perPhoto, Seed: c.Seed})
	p := train.Problem{Name: c.Task, Steps: crops.Steps()}
	if c.SelfSupervised {
		s := newNeighbours(c, r.model, crops)
		var failed error
		p.Trace, p.Serial = s.trace, true
		p.Batch = func(epoch, step int, inputs []*tensor.Tensor) {
			if err := s.fill(epoch, step, inputs); err != nil {
				failed = err
			}
		}
		r.failure = func() error { return failed }
		// Without clean images there is nothing to choose an epoch by: the
		// weight of the loss's second part grows, and the loss with it.
		p.KeepLast = true
		return p
	}
	h := newHarm(c, crops)
	p.Trace = r.trace
	p.Batch = h.fill
	r.failure = func() error { return h.failure }
	if len(r.parts.Validation) > 0 {
		p.Validate = r.validate
	}
	return p
}

// trace compares what the network makes of harmed crops with the clean ones.
func (r *learner) trace(ctx *nn.Context) *graph.Node {
	c, b := r.config, ctx.Builder()
	clean := b.Scale(b.Cast(b.Input("clean", tensor.Uint8, c.Batch, c.Height, c.Width, 3)), 1.0/255)
	y := r.model.restore(ctx, b, c.Height, c.Width, c.Batch)
	switch c.Loss {
	case "psnr":
		return loss.LogSquaredError(y, clean)
	case "mse":
		return loss.SquaredError(y, clean, loss.MeanAll)
	}
	return loss.L1(y, clean, loss.MeanAll)
}

// chooseEpochs turns a time into a number of epochs.
func (r *learner) chooseEpochs() error {
	if err := r.prepare(); err != nil {
		return err
	}
	err := r.Fit(r.trainer, &r.config.Course)
	r.trainer, r.model = nil, nil // their schedule was for another length
	return err
}

// since returns the seconds that have passed.
func since(begun time.Time) float64 { return time.Since(begun).Seconds() }
