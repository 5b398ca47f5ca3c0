package autoencode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
)

// run is a run in progress.
type run struct {
	e        *engine.Engine
	dir      string
	set      *data.Set
	ro       RunOptions
	h        Hooks
	file     runFile
	begun    time.Time
	times    Times
	warnings []string

	train, validation, heldOut []int
	model                      *Model
	trainer                    *train.Trainer
	metrics                    *os.File
}

// complete trains from where the run stands and judges the result.
func (r *run) complete(ctx context.Context, resume bool) (*Outcome, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	c := r.file.Config
	r.warnings = append(r.warnings, r.set.Warnings...)
	copyable := r.model.CodeLength() >= c.Height*c.Width*c.Channels
	if copyable {
		r.warnings = append(r.warnings, fmt.Sprintf(
			"there is no bottleneck: the code has %d numbers and the image %d, so the network can copy its input and need not learn anything",
			r.model.CodeLength(), c.Height*c.Width*c.Channels))
	}
	if r.h.Begun != nil {
		r.h.Begun(r.dir, c, r.warnings)
	}
	record, err := r.teach(ctx, resume)
	if err != nil {
		if errors.Is(err, train.ErrInterrupted) {
			return nil, &Interrupted{r.dir}
		}
		return nil, err
	}
	r.model.record = record
	r.times.Train = record.Seconds
	r.release()
	if err := r.sound(); err != nil {
		return nil, err
	}
	if err := r.model.Save(filepath.Join(r.dir, ModelFile)); err != nil {
		return nil, err
	}
	out, err := r.judge(ctx)
	if err != nil {
		return nil, err
	}
	out.Summary.Copyable = copyable
	out.Summary.Warnings = r.warnings
	return out, nil
}

// prepare builds the model and the trainer.
func (r *run) prepare() error {
	if r.trainer != nil {
		return nil
	}
	c := r.file.Config
	net, err := c.network()
	if err != nil {
		return err
	}
	r.train, r.validation, r.heldOut = divide(r.set)
	store := backend.NewStore()
	if r.model, err = newModel(r.e, c, net.Encoder, net.Decoder, store); err != nil {
		return err
	}
	o, err := optim.Named(c.Optimizer)
	if err != nil {
		return err
	}
	schedule, err := optim.ParseSchedule(c.Schedule)
	if err != nil {
		return err
	}
	options := train.Options{
		Epochs: c.Epochs, Seed: c.Seed, Optimizer: o, LR: c.LR, Schedule: schedule, Patience: max(0, c.Patience),
		Checkpoint: filepath.Join(r.dir, CheckpointDir), CheckpointEvery: r.ro.CheckpointEvery,
		OnStep: r.h.Step, OnEpoch: r.onEpoch,
	}
	problem, err := r.problem()
	if err != nil {
		return err
	}
	r.trainer, err = train.New(r.e, store, problem, options)
	return err
}

// problem describes the training to the loop.
func (r *run) problem() (train.Problem, error) {
	c := r.file.Config
	loader := data.NewLoader(r.set, r.train, c.Batch, c.Seed)
	decoder := r.model.decoder
	compare, logits, err := c.lossOf()
	if err != nil {
		return train.Problem{}, err
	}
	if logits {
		decoder = withoutSigmoid(decoder)
	}
	coins := make([]float32, c.Batch)
	p := train.Problem{
		Name: "autoencoder",
		Trace: func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			x := pixels(b, b.Input("images", tensor.Uint8, c.Batch, c.Height, c.Width, c.Channels))
			z := ctx.Layer("encoder", r.model.encoder, x)
			return compare(ctx.Layer("decoder", decoder, z), x, loss.MeanAll)
		},
		Batch: func(epoch, step int, inputs []*tensor.Tensor) {
			images := inputs[0].Uint8()
			loader.Fill(epoch, step, images, nil, nil)
			if c.Augment == augmentFlip {
				random.Uniform(coins, c.Seed, flipStream, uint64(epoch)<<32|uint64(step))
				mirror(images, coins, c.Width, c.Channels)
			}
		},
		Steps: loader.Batches(0),
	}
	if len(r.validation) > 0 {
		p.Validate = func() (float64, error) {
			_, _, mse, err := r.reconstruct(r.validation)
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

const (
	lossBCE     = "bce"
	augmentFlip = "flip"
	flipStream  = 0x666c6970 << 16 // keeps the coins apart from other draws
)

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

// mirror turns the images whose coin is below a half left to right.
func mirror(images []uint8, coins []float32, width, channels int) {
	size := len(images) / len(coins)
	row := width * channels
	for i, coin := range coins {
		if coin >= 0.5 {
			continue
		}
		image := images[i*size : (i+1)*size]
		for at := 0; at < size; at += row {
			line := image[at : at+row]
			for a, b := 0, row-channels; a < b; a, b = a+channels, b-channels {
				for k := range channels {
					line[a+k], line[b+k] = line[b+k], line[a+k]
				}
			}
		}
	}
}

// chooseEpochs turns a time into a number of epochs.
func (r *run) chooseEpochs() error {
	if err := r.prepare(); err != nil {
		return err
	}
	step, err := r.trainer.Time(12)
	if err != nil {
		return err
	}
	c := &r.file.Config
	perEpoch := step.Seconds() * float64(max(1, len(r.train)/c.Batch))
	c.Epochs = epochsWithin(c.Minutes, perEpoch)
	r.trainer, r.model = nil, nil // their schedule was for another length
	return nil
}

// teach runs the training loop.
func (r *run) teach(ctx context.Context, resume bool) (record train.Record, err error) {
	var history []train.Epoch
	if resume {
		if history, err = r.trainer.Restore(); err != nil {
			return record, fmt.Errorf("cannot resume the run in %s: %w", r.dir, err)
		}
	}
	// The file of metrics is written anew up to the checkpoint: a killed
	// process may have left lines from after it, or half of one.
	path := filepath.Join(r.dir, MetricsFile)
	if r.metrics, err = os.Create(path); err != nil {
		return record, fmt.Errorf("cannot write the metrics: %w", err)
	}
	defer func() {
		if cerr := r.metrics.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("cannot write the metrics: %w", cerr)
		}
	}()
	for _, e := range history {
		if err := r.writeMetrics(e); err != nil {
			return record, err
		}
	}
	r.h.phase(PhaseTrain)
	return r.trainer.Run(ctx)
}

func (r *run) onEpoch(e train.Epoch) error {
	if r.h.Epoch != nil {
		r.h.Epoch(e)
	}
	return r.writeMetrics(e)
}

func (r *run) writeMetrics(e train.Epoch) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := r.metrics.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("cannot write the metrics; the last checkpoint is intact: %w", err)
	}
	return nil
}
