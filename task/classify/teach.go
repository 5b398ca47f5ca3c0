package classify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"hourglass/data/augment"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/peakmem"
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
	model   *Model
	trainer *train.Trainer
	score   float64 // accuracy on the validation images
}

// complete trains from where the run stands and judges the result.
func (r *learner) complete(ctx context.Context, resume bool) (*Outcome, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	r.Warnings = append(r.Warnings, r.Set.Warnings...)
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
	return r.judge(ctx)
}

// looked is how many images a model is tried on before it is saved.
const looked = 256

// judge calibrates the model, saves it, and measures what it is worth on
// images that it has not seen.
func (r *learner) judge(ctx context.Context) (*Outcome, error) {
	r.Phase(run.PhaseJudge)
	begun := time.Now()
	if err := r.model.calibrate(r.Set, r.parts.Validation); err != nil {
		return nil, err
	}
	// The loss does not tell if the last steps have ruined the model.
	if _, err := r.model.logitsOf(r.Set, run.Spread(r.parts.Train, looked), viewsOf(TTAs()[0])); err != nil {
		return nil, err
	}
	if err := r.model.Save(r.Path(run.ModelFile)); err != nil {
		return nil, err
	}
	evaluation, ev, err := r.model.Evaluate(ctx, r.Set, r.parts.HeldOut, nil)
	if err != nil {
		if halted := r.Halt(ctx); halted != nil {
			return nil, halted
		}
		return nil, err
	}
	ev.Filters = r.model.filters()
	c, record := r.config, r.model.record
	s := &Summary{
		Config: c, Command: r.Command, Found: r.Set.Found, Skipped: r.Skipped(), Warnings: r.Warnings,
		Parameters: record.Parameters, MACs: r.model.MACs(), Views: len(viewsOf(c.TTA)), Training: record, HeldOut: *evaluation,
		Seconds:   run.Times{Read: r.ReadSeconds(), Train: record.Seconds, Judge: time.Since(begun).Seconds()},
		PeakBytes: peakmem.Bytes(),
	}
	s.ImagesPerS = record.PerSecond(c.Batch)
	r.Phase(run.PhaseReport)
	return &Outcome{r.Judged(s, &s.Seconds), s, ev}, nil
}

// prepare builds the model and the trainer.
func (r *learner) prepare() error {
	if r.trainer != nil {
		return nil
	}
	c := r.config
	r.parts = run.Divide(r.Set)
	net, err := c.network(r.Set, r.parts.Train)
	if err != nil {
		return err
	}
	store := backend.NewStore()
	if r.model, err = newModel(r.Engine, c, net, store); err != nil {
		return err
	}
	options, err := r.TrainOptions(c.Course)
	if err != nil {
		return err
	}
	options.EMA = c.EMA
	options.Optimizer.Groups = slices.Concat(c.groups(), options.Optimizer.Groups)
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
func (r *learner) problem() (p train.Problem, err error) {
	c := r.config
	batches, err := run.NewBatches(r.Set, r.parts.Train, c.Course)
	if err != nil {
		return p, err
	}
	weights, err := c.weights(r.Set, r.parts.Train)
	if err != nil {
		return p, err
	}
	mixer := augment.Mixer{Mixup: c.Mixup, Cutmix: c.Cutmix}
	partners := make([]int32, c.Batch)
	trace := func(height, width int) func(ctx *nn.Context) *graph.Node {
		return func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			images := b.Input("images", tensor.Uint8, c.Batch, c.Height, c.Width, c.Channels)
			q := b.OneHot(b.Input("labels", tensor.Int32, c.Batch), len(c.Classes))
			if !mixer.Empty() {
				other := b.OneHot(b.Input("partners", tensor.Int32, c.Batch), len(c.Classes))
				q = b.Add(other, b.Mul(b.Sub(q, other), b.Input("share", tensor.Float32)))
			}
			q = loss.Smooth(q, c.LabelSmoothing)
			if weights != nil {
				q = b.Mul(q, b.Constant(vector(weights)))
			}
			x := model.Pixels(b, images)
			if height != c.Height || width != c.Width {
				x = b.ResizeBilinear(x, height, width)
			}
			return loss.CrossEntropy(ctx.Layer("net", r.model.net, x), q, loss.MeanAll)
		}
	}
	p = train.Problem{
		Name:  "classifier",
		Trace: trace(c.Height, c.Width),
		Batch: func(epoch, step int, inputs []*tensor.Tensor) {
			images, labels := inputs[0].Uint8(), inputs[1].Int32()
			batches.Fill(epoch, step, images, labels)
			if mixer.Empty() {
				return
			}
			share := mixer.Apply(images, partners, c.Height, c.Width, c.Channels, c.Seed, uint64(epoch), uint64(step))
			for i, p := range partners {
				inputs[2].Int32()[i] = labels[p]
			}
			inputs[3].Float32()[0] = float32(share)
		},
		Steps: batches.Steps(),
	}
	if early := c.earlyEpochs(); early > 0 {
		height, width, err := c.smaller()
		if err != nil {
			return p, err
		}
		share := float64(height*width) / float64(c.Height*c.Width)
		p.Early = []train.Form{{Before: early, Share: share, Trace: trace(height, width)}}
	}
	if c.Recipe == recipeFast {
		p.Prepare = func(store *backend.Store) error {
			weights, err := whitening(r.Set, r.parts.Train)
			if err == nil {
				copy(store.Get(whiteningWeight).Float32(), weights)
			}
			return err
		}
	}
	if len(r.parts.Validation) > 0 {
		p.Validate = r.validate
		p.Score = func() float64 { return r.score }
	}
	return p, nil
}

// validate returns the cross-entropy on the validation images, each looked at
// once, and notes the accuracy.
func (r *learner) validate() (float64, error) {
	logits, err := r.model.logitsOf(r.Set, r.parts.Validation, viewsOf(TTAs()[0]))
	if errors.Is(err, errDiverged) {
		return math.NaN(), nil // the trainer finds out where that began
	}
	if err != nil {
		return 0, err
	}
	k := len(r.config.Classes)
	sum, right := 0.0, 0
	for i, image := range r.parts.Validation {
		row, label := logits[i*k:(i+1)*k], int(r.Set.Labels[image])
		sum -= logProbability(row, label, 1)
		if argmax(row) == label {
			right++
		}
	}
	n := float64(len(r.parts.Validation))
	r.score = float64(right) / n
	return sum / n, nil
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

// vector holds numbers as a tensor.
func vector(v []float64) *tensor.Tensor {
	t := tensor.New(tensor.Float32, len(v))
	for i, f := range v {
		t.Float32()[i] = float32(f)
	}
	return t
}

var errDiverged = errors.New("diverged")

// diverged is the error about a model that answers with no numbers.
func (c Config) diverged(v float32) error {
	return fmt.Errorf("training %w: the model answers with %v; begin a new run with a lower --lr than %v", errDiverged, v, c.LR)
}
