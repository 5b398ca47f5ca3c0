package autoencode

import (
	"context"
	"fmt"

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
	config  Config
	parts   run.Parts
	times   run.Times
	model   *Model
	trainer *train.Trainer
}

// complete trains from where the run stands and judges the result.
func (r *learner) complete(ctx context.Context, resume bool) (*Outcome, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	c := r.config
	r.Warnings = append(r.Warnings, r.Set.Warnings...)
	copyable := r.model.CodeLength() >= c.Height*c.Width*c.Channels
	if copyable {
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"there is no bottleneck: the code has %d numbers and the image %d, so the network can copy its input and need not learn anything",
			r.model.CodeLength(), c.Height*c.Width*c.Channels))
	}
	r.Tell(fmt.Sprintf("%s, k = %d", c.Arch, c.Latent), c.Common)
	record, err := r.Train(ctx, r.trainer, resume)
	if err != nil {
		return nil, err
	}
	r.model.record = record
	r.times.Read, r.times.Train = r.ReadSeconds(), record.Seconds
	r.release()
	if err := r.sound(); err != nil {
		return nil, err
	}
	if err := r.model.Save(r.Path(run.ModelFile)); err != nil {
		return nil, err
	}
	out, err := r.judge(ctx)
	if err != nil {
		return nil, err
	}
	out.Summary.Copyable = copyable
	out.Summary.Warnings = r.Warnings
	return out, nil
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
	store := backend.NewStore()
	if r.model, err = newModel(r.Engine, c, net.Encoder, net.Decoder, store); err != nil {
		return err
	}
	options, err := r.TrainOptions(c.Course)
	if err != nil {
		return err
	}
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
	batches, err := run.NewBatches(r.Set, r.parts.Train, c.Course)
	if err != nil {
		return train.Problem{}, err
	}
	decoder := r.model.decoder
	compare, logits, err := c.lossOf()
	if err != nil {
		return train.Problem{}, err
	}
	if logits {
		decoder = withoutSigmoid(decoder)
	}
	p := train.Problem{
		Name: "autoencoder",
		Trace: func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			x := model.Pixels(b, b.Input("images", tensor.Uint8, c.Batch, c.Height, c.Width, c.Channels))
			z := ctx.Layer("encoder", r.model.encoder, x)
			return compare(ctx.Layer("decoder", decoder, z), x, loss.MeanAll)
		},
		Batch: func(epoch, step int, inputs []*tensor.Tensor) { batches.Fill(epoch, step, inputs[0].Uint8(), nil) },
		Steps: batches.Steps(),
	}
	if len(r.parts.Validation) > 0 {
		p.Validate = func() (float64, error) {
			_, _, mse, err := r.reconstruct(r.parts.Validation)
			return mse, err
		}
	}
	return p, nil
}

// withoutSigmoid returns a decoder without the sigmoid that it ends in. The
// names of its parameters stay as they are.
func withoutSigmoid(decoder nn.Layer) nn.Layer {
	if layers, ok := decoder.(nn.Sequential); ok && len(layers) > 0 {
		if _, ok := layers[len(layers)-1].(nn.Sigmoid); ok {
			return layers[:len(layers)-1]
		}
	}
	return decoder
}

const lossBCE = "bce"

// pixelHuber is the difference beyond which Huber's loss is linear: a tenth of
// the pixels' range, since a difference never exceeds 1.
const pixelHuber = 0.1

// lossOf returns what compares a reconstruction with its original in 0–1, and
// whether it takes the reconstruction's logits.
func (c Config) lossOf() (compare loss.Pairwise, logits bool, err error) {
	if c.Loss == "huber" {
		return func(y, x *graph.Node, r loss.Reduction) *graph.Node { return loss.Huber(y, x, pixelHuber, r) }, false, nil
	}
	return loss.Named(c.Loss)
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
