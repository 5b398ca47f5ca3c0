package segment

import (
	"context"
	"runtime"

	"hourglass/data"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

// learner is a run in progress.
type learner struct {
	*run.Run
	pairs   *data.Pairs
	config  Config
	parts   run.Parts
	weights []float64 // of the classes; nil for alike
	model   *Model
	trainer *train.Trainer
}

// complete trains from where the run stands and judges the result.
func (r *learner) complete(ctx context.Context, resume bool) (*Outcome, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	r.Warnings = append(r.Warnings, r.Set.Warnings...)
	r.Warnings = append(r.Warnings, r.config.missing(r.pairs, r.parts.Train)...)
	r.Tell(r.config.describe(), r.config.Common)
	record, err := r.Train(ctx, r.trainer, resume)
	if err != nil {
		return nil, err
	}
	r.model.record = record
	// The training program's arena is the largest block of memory that a run
	// has, and what follows needs some.
	r.trainer = nil
	runtime.GC()
	if err := r.model.Save(r.Path(run.ModelFile)); err != nil {
		return nil, err
	}
	return r.judge(ctx)
}

// prepare builds the model and the trainer.
func (r *learner) prepare() error {
	if r.trainer != nil {
		return nil
	}
	c := r.config
	net, err := c.network()
	if err != nil {
		return err
	}
	r.parts = run.Divide(r.Set)
	r.weights = c.weights(r.pairs, r.parts.Train)
	store := backend.NewStore()
	if r.model, err = newModel(r.Engine, c, net, store); err != nil {
		return err
	}
	options, err := r.TrainOptions(c.Course)
	if err != nil {
		return err
	}
	options.EMA = c.EMA
	problem, err := r.problem()
	if err != nil {
		return err
	}
	e, err := c.Engine(r.Engine)
	if err != nil {
		return err
	}
	r.trainer, err = train.New(e, store, problem, options)
	return err
}

// problem describes the training to the loop.
func (r *learner) problem() (train.Problem, error) {
	c := r.config
	b, err := newBatches(r.pairs, r.parts.Train, c.Course)
	if err != nil {
		return train.Problem{}, err
	}
	p := train.Problem{
		Name: "segmenter",
		Trace: func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			images := b.Input("images", tensor.Uint8, c.Batch, c.Height, c.Width, c.Channels)
			labels := b.Input("labels", tensor.Int32, c.Batch, c.Height, c.Width)
			return c.lossOf(ctx.Layer("net", r.model.net, model.Pixels(b, images)), labels, r.weights)
		},
		Batch: func(epoch, step int, inputs []*tensor.Tensor) {
			b.fill(epoch, step, inputs[0].Uint8(), inputs[1].Int32())
		},
		Steps: b.loader.Batches(),
	}
	if len(r.parts.Validation) > 0 {
		p.Validate = r.validate
	}
	if c.From != "" {
		p.Prepare = func(store *backend.Store) error { return c.begin(r.model.params, store) }
	}
	return p, nil
}

// lossOf returns the loss of logits.
func (c Config) lossOf(logits, labels *graph.Node, weights []float64) *graph.Node {
	switch c.Loss {
	case lossCE:
		return loss.WeightedCrossEntropy(logits, labels, weights)
	case lossDice:
		return loss.SoftDice(logits, labels)
	}
	return logits.Builder().Add(loss.WeightedCrossEntropy(logits, labels, weights), loss.SoftDice(logits, labels))
}

// validate returns 1 − the mean IoU on the validation images: the figure that
// the run is for decides which epoch is kept.
func (r *learner) validate() (float64, error) {
	confusion := NewConfusion(len(r.config.Labels.Classes))
	err := r.answers(r.parts.Validation, func(image int, answer []uint8) error {
		confusion.Add(r.pairs.Mask(image), answer)
		return nil
	})
	return 1 - confusion.MIoU(), err
}

// answers calls use with what the model answers to each of some images.
func (r *learner) answers(images []int, use func(image int, answer []uint8) error) error {
	n, area := r.Set.ImageBytes(), r.Set.Height*r.Set.Width
	block := make([]uint8, 0, r.model.batch*n)
	for at := 0; at < len(images); at += r.model.batch {
		some := images[at:min(at+r.model.batch, len(images))]
		block = block[:0]
		for _, i := range some {
			block = append(block, r.Set.Image(i)...)
		}
		for len(block) < r.model.batch*n && at > 0 {
			block = append(block, block[:n]...) // one program for all
		}
		classes, err := r.model.Classes(block)
		if err != nil {
			return err
		}
		for j, i := range some {
			if err := use(i, classes[j*area:(j+1)*area]); err != nil {
				return err
			}
		}
	}
	return nil
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
