package generate

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/features"
	"hourglass/train/latent"
	"hourglass/train/model"
	"hourglass/train/run"
)

// learner is a run in progress.
type learner struct {
	*run.Run
	config  Config
	parts   run.Parts
	coder   *latent.Coder  // the first stage
	trainer *train.Trainer // of it
	model   *Model
	second  train.Record  // of the second stage
	plain   *latent.Coder // the autoencoder that is compared with
	space   *features.Space
	stages  Stages
}

// complete trains every stage from where the run stands and judges the result.
func (r *learner) complete(ctx context.Context, resume bool) (*Outcome, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	r.Warnings = append(r.Warnings, r.Set.Warnings...)
	c := r.config
	r.Tell(fmt.Sprintf("%s, k = %d, %s", c.Arch, c.Latent, c.Prior), c.Common)
	record, err := r.Train(ctx, r.trainer, resume)
	if err != nil {
		return nil, err
	}
	r.trainer = nil // its arena is the largest block of memory that a run has
	runtime.GC()
	r.stages.First = record.Seconds
	r.model = &Model{config: c, coder: r.coder, record: record}
	if err := r.measureSigma(); err != nil {
		return nil, err
	}
	codes, err := r.posteriors(run.Spread(r.parts.Train, maxCodes))
	if err != nil {
		return nil, err
	}
	if err := r.learnPrior(ctx, codes, resume); err != nil {
		return nil, err
	}
	if err := r.sound(); err != nil {
		return nil, err
	}
	if err := r.model.Save(r.Path(run.ModelFile)); err != nil {
		return nil, err
	}
	if err := r.learnPlain(ctx, resume); err != nil {
		return nil, err
	}
	if err := r.learnFeatures(ctx, resume); err != nil {
		return nil, err
	}
	return r.judge(ctx)
}

// prepare builds the first stage and its trainer.
func (r *learner) prepare() error {
	if r.trainer != nil {
		return nil
	}
	r.parts = run.Divide(r.Set)
	var err error
	r.coder, r.trainer, err = r.newCoding(r.Run, r.config.Course, true)
	return err
}

// newCoding builds a coder and what trains it: a variational one by the
// evidence lower bound, a plain one by the squared error.
func (r *learner) newCoding(stage *run.Run, course run.Course, variational bool) (*latent.Coder, *train.Trainer, error) {
	c := r.config
	net, err := c.network(variational)
	if err != nil {
		return nil, nil, err
	}
	store := backend.NewStore()
	m, err := latent.NewCoder(r.Engine, c.size(), c.Latent, variational, net.Encoder, net.Decoder, store)
	if err != nil {
		return nil, nil, err
	}
	batches, err := run.NewBatches(r.Set, r.parts.Train, course)
	if err != nil {
		return nil, nil, err
	}
	options, err := stage.TrainOptions(course)
	if err != nil {
		return nil, nil, err
	}
	options.Optimizer.ClipNorm = clipNorm
	p := train.Problem{
		Name: "coder",
		Trace: func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			x := model.Pixels(b, b.Input("images", tensor.Uint8, c.Batch, c.Height, c.Width, c.Channels))
			return m.Loss(ctx, x, c.Beta)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) { batches.Fill(epoch, step, in[0].Uint8(), nil) },
		Steps: batches.Steps(),
	}
	if len(r.parts.Validation) > 0 {
		p.Validate = func() (float64, error) { return m.Validate(r.Set.Gather(r.parts.Validation), c.Beta) }
	}
	e, err := course.Engine(r.Engine)
	if err != nil {
		return nil, nil, err
	}
	t, err := train.New(e, store, p, options)
	return m, t, err
}

// clipNorm bounds the length of the gradient of the loss in bits a dimension:
// an encoder whose variances grow for a step can lose what it had.
const clipNorm = 0.5

// Streams of random numbers that nothing learns from.
const (
	sigmaStream = 0x4d414b45<<32 + iota
	judgeStream
)

const (
	// sigmaImages is how many images the deviation is measured on.
	sigmaImages = 2_000
	// maxCodes bounds the images whose codes the second stage learns from.
	maxCodes = 50_000
)

// measureSigma sets the deviation of images around what codes drawn for them
// are decoded to.
func (r *learner) measureSigma() error {
	images := run.Spread(r.parts.Train, sigmaImages)
	p, err := r.posteriors(images)
	if err != nil {
		return err
	}
	noise := make([]float32, len(p.Mean))
	random.Normal(noise, r.config.Seed, sigmaStream, 0)
	mse, err := r.coder.SquaredError(r.Set.Gather(images), p.Sample(noise))
	if err != nil {
		return err
	}
	r.model.sigma = math.Sqrt(mse + 1e-6)
	return nil
}

// posteriors returns how the codes of images are distributed.
func (r *learner) posteriors(images []int) (*latent.Posterior, error) {
	all := &latent.Posterior{K: r.config.Latent}
	for images := range slices.Chunk(images, model.Block(r.Set.ImageBytes())) {
		p, err := r.coder.Posterior(r.Set.Gather(images))
		if err != nil {
			return nil, err
		}
		all.Append(p)
	}
	return all, nil
}

// sound reports a model that training has ruined. The loss does not tell if
// that came with the last steps.
func (r *learner) sound() error {
	const few = 64
	images, err := r.model.Sample(few, r.config.Seed, 0)
	if err != nil {
		return err
	}
	if err := run.Sound(images, "the model makes images", r.config.LR); err != nil {
		return err
	}
	means, _, err := r.model.Encode(r.Set.Gather(run.Spread(r.parts.HeldOut, few)))
	if err != nil {
		return err
	}
	return run.Sound(means, "the model answers held-out images", r.config.LR)
}

// learnPlain trains the autoencoder that is compared with: the same network
// without noise, for half as long.
func (r *learner) learnPlain(ctx context.Context, resume bool) error {
	course := r.config.Course
	course.Epochs = max(1, course.Epochs/2)
	stage := r.Stage(PhasePlain)
	m, t, err := r.newCoding(stage, course, false)
	if err != nil {
		return err
	}
	record, err := stage.Train(ctx, t, resume)
	if err != nil {
		return err
	}
	r.plain, r.stages.Autoencoder = m, record.Seconds
	return nil
}

// openFeatures reads the classifier in whose space images are judged, if one
// was named.
func (r *learner) openFeatures() (err error) {
	c := &r.config
	if c.Features == "" {
		return nil
	}
	if r.space, err = features.Open(r.Engine, c.Features, c.Images); err != nil {
		return fmt.Errorf("--features: %w", err)
	}
	sum, err := model.Sum(c.Features)
	if err != nil {
		return err
	}
	if c.FeaturesSum != "" && c.FeaturesSum != sum {
		return fmt.Errorf("%s is not the classifier that the run began with: put that back, or begin a new run", c.Features)
	}
	c.FeaturesSum = sum
	return nil
}

// learnFeatures finds the space in which images are judged, where none was
// named.
func (r *learner) learnFeatures(ctx context.Context, resume bool) (err error) {
	if r.space != nil {
		return nil
	}
	if r.Set.Labels == nil || len(r.Set.Classes) < 2 {
		r.space, err = features.Components(r.Engine, r.Set, r.parts.Train, r.config.Seed)
		return err
	}
	var record train.Record
	r.space, record, err = features.Learn(ctx, r.Stage(PhaseFeatures), r.parts, r.config.Seed, resume)
	r.stages.Features = record.Seconds
	return err
}

// chooseEpochs turns a time into a number of epochs of the first stage, which gets
// half of it; the steps of the second, the comparison and the features, whose
// lengths do not follow from it, take about the rest.
func (r *learner) chooseEpochs() error {
	if err := r.prepare(); err != nil {
		return err
	}
	course := r.config.Course
	course.Minutes *= 0.5
	if err := r.Fit(r.trainer, &course); err != nil {
		return err
	}
	r.config.Epochs = course.Epochs
	r.trainer, r.coder = nil, nil // their schedule was for another length
	return nil
}
