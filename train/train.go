// Package train runs the training loop that every task shares: one compiled
// program for forward, loss, backward and update; epochs, schedules, metrics,
// early stopping; checkpoints that a killed run goes on from bit by bit.
package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"hourglass/engine"
	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/optim"
	"hourglass/tensor"
)

// Problem is what is to be learnt.
type Problem struct {
	// Name is the program's name in messages.
	Name string
	// Trace declares the inputs of one batch and returns the loss, one number
	// that is averaged over the batch. Inputs named step and lr are the trainer's
	// own.
	Trace func(c *nn.Context) *graph.Node
	// Early are forms that the step has before that of Trace, in their order. Their
	// epochs are judged like others, but Options.Patience waits until they are over.
	Early []Form
	// Batch fills the inputs, in the order in which Trace declared them, for
	// a step of an epoch. It must be a pure function of epoch and step.
	// Another goroutine calls it for the next step while one runs, and while an
	// epoch is judged (Validate, Score, [Options].OnEpoch); its calls never
	// overlap.
	Batch func(epoch, step int, inputs []*tensor.Tensor)
	// Serial says that Batch reads the variables or runs programs of the
	// engine: it is then called between steps, never while one runs. Any other
	// Batch must leave the engine and its workers alone.
	Serial bool
	// Steps is the number of batches of an epoch.
	Steps int
	// Validate judges the variables after an epoch; lower is better. Nil means
	// that the mean training loss of the epoch is judged instead.
	Validate func() (float64, error)
	// KeepLast says that a lower judgement of an earlier epoch means nothing, as
	// where the loss is made harder on the way: the last epoch is kept, and
	// [Options].Patience is not heeded.
	KeepLast bool
	// Score, if not nil, is called after Validate and returns a second figure
	// of the same judgement for the record, such as an accuracy.
	Score func() float64
	// Prepare, if not nil, is called once the parameters have their first
	// values, and may change them.
	Prepare func(store *backend.Store) error
}

// Options configure a run.
type Options struct {
	// Epochs is how often all images are seen; it must be positive.
	Epochs int
	// Seed selects the initial weights and the masks of dropout.
	Seed uint64
	// Optimizer is the update rule, LR its greatest learning rate, which must be
	// positive, and Schedule the course of the rate, nil for a constant one.
	Optimizer optim.Options
	LR        float64
	Schedule  optim.Schedule
	// Patience is the number of epochs without a lower judgement after which
	// the run ends; 0 means it never ends early.
	Patience int
	// EMA, if positive, is the share of the past in an exponential moving
	// average of the variables, less than 1: that average is what is validated
	// and what the run ends with. It is shorter at first: the share in step t,
	// counted from 0, is at most (1+t)/(10+t).
	EMA float64
	// Checkpoint is the folder of the checkpoints; "" means none are written.
	Checkpoint string
	// CheckpointEvery is the least time between two checkpoints. It has no
	// influence on results. 0 means 10 s; negative, one after every step.
	CheckpointEvery time.Duration
	// OnStep and OnEpoch are told of progress; either may be nil. OnEpoch's
	// error ends the run.
	OnStep  func(Progress)
	OnEpoch func(Epoch) error
}

// Progress is where a run stands.
type Progress struct {
	Epoch, Epochs int // Epoch counts from 0
	Step, Steps   int // over all epochs
	Loss          float64
	Started       int // Step when this process began
	Elapsed       time.Duration
	Left          time.Duration // if the steps to come take their shares of what those done took
}

// ErrInterrupted is returned when the context ended the run, after a
// checkpoint was written.
var ErrInterrupted = errors.New("train: interrupted")

// Trainer is a problem made ready: its program, its variables and where it
// stands.
type Trainer struct {
	problem Problem
	options Options
	engine  *engine.Engine
	store   *backend.Store
	program backend.Program // of form
	form    int
	inputs  []*graph.Node
	params  []nn.Param
	slots   []*graph.Node // what the update rule remembers

	best        map[string]*tensor.Tensor // parameters of the best epoch
	bestUnsaved bool

	lr    *tensor.Tensor
	step  *tensor.Tensor
	feed  *feed
	state state
}

// state is what a checkpoint holds besides the variables. Floats survive JSON
// exactly.
type state struct {
	Step    int     `json:"step"`     // steps done
	LossSum float64 `json:"loss_sum"` // over the current epoch
	Best    float64 `json:"best"`
	BestAt  int     `json:"best_at"` // epoch, from 1; 0 before the first
	History []Epoch `json:"history"`
	Seconds float64 `json:"seconds"`
	Ended   string  `json:"ended"`
}

// New traces, differentiates and compiles the problem and sets the initial
// weights in store. It fails if options are out of range, the problem lacks a part
// that is not optional, or its graph cannot be built or learnt from.
func New(e *engine.Engine, store *backend.Store, p Problem, o Options) (*Trainer, error) {
	if o.Epochs < 1 || p.Steps < 1 {
		return nil, fmt.Errorf("train: %d epochs of %d steps; there must be at least one of each", o.Epochs, p.Steps)
	}
	if p.Trace == nil || p.Batch == nil || store == nil {
		return nil, errors.New("train: a problem needs Trace and Batch, and a store for its variables")
	}
	if !(o.LR > 0) || math.IsInf(o.LR, 1) {
		return nil, fmt.Errorf("train: the learning rate is %v; it must be positive", o.LR)
	}
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = 10 * time.Second
	}
	if !(o.EMA >= 0 && o.EMA < 1) {
		return nil, fmt.Errorf("train: the share of the past in the average of the weights is %v; it must be at least 0 and less than 1", o.EMA)
	}
	if o.Schedule == nil {
		o.Schedule = optim.Constant{}
	}
	t := &Trainer{problem: p, options: o, engine: e, store: store}
	if err := t.begin(); err != nil {
		return nil, err
	}
	if err := nn.Initialize(t.params, store, o.Seed); err != nil {
		return nil, err
	}
	for _, n := range t.slots { // a training before this one may have left some
		if err := store.Get(n.Name()).CopyFrom(tensor.New(n.DType(), n.Shape()...)); err != nil {
			return nil, err
		}
	}
	if p.Prepare != nil {
		if err := p.Prepare(store); err != nil {
			return nil, err
		}
	}
	if err := t.beginAverage(); err != nil {
		return nil, err
	}
	t.feed = newFeed(p.Batch, p.Steps, t.inputs)
	t.step, t.lr = t.feed.step, t.feed.lr
	return t, nil
}

// trace builds the whole training step as one graph.
func (t *Trainer) trace(form int) (*graph.Graph, error) {
	b := graph.NewBuilder(t.problem.Name)
	step := b.Input("step", tensor.Int32)
	lr := b.Input("lr", tensor.Float32)
	c := nn.NewContext(b, nn.Options{Training: true, Step: step, Seed: t.options.Seed})
	loss := t.problem.traceOf(form)(c)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if loss == nil {
		return nil, errors.New("train: the problem's Trace returned no loss")
	}
	if t.params == nil {
		t.params = c.Params()
	} else if err := t.sameParams(form, c.Params()); err != nil {
		return nil, err
	}
	trainable := c.Trainable()
	if len(trainable) == 0 {
		return nil, errors.New("train: the problem has no parameters to learn")
	}
	weights := make([]*graph.Node, len(trainable))
	for i, p := range trainable {
		weights[i] = p.Node
	}
	grads, err := autodiff.Gradients(loss, weights)
	if err != nil {
		return nil, err
	}
	if t.slots, err = optim.Build(b, t.options.Optimizer, trainable, grads, lr, step); err != nil {
		return nil, err
	}
	t.average(b, c.Params(), step)
	// A step whose loss is no number leaves everything as it was, so that its
	// cause can be looked for.
	b.Guard(b.GreaterEqual(b.Scalar(math.MaxFloat32), b.Abs(loss)))
	b.Output("loss", loss)
	return b.Graph()
}

// Steps returns the number of steps of an epoch.
func (t *Trainer) Steps() int { return t.problem.Steps }

// Params returns the parameters and states that the problem declared.
func (t *Trainer) Params() []nn.Param { return t.params }

// Run trains until the epochs are over, the judgement no longer improves, or
// ctx ends, and leaves the best variables in the store. It begins where the
// trainer stands: without a call of Restore before it that is the first step, and
// a checkpoint that the folder holds is written over. After its end another call
// trains nothing and returns the same record.
func (t *Trainer) Run(ctx context.Context) (Record, error) {
	t.feed.start()
	defer t.feed.stop()
	total := t.options.Epochs * t.problem.Steps
	started, begin, saved := t.state.Step, time.Now(), time.Now()
	before := t.state.Seconds
	elapsed := func() float64 { return before + time.Since(begin).Seconds() }
	for t.state.Step < total && t.state.Ended == "" {
		if ctx.Err() != nil {
			t.state.Seconds = elapsed()
			if err := t.save(); err != nil {
				return Record{}, err
			}
			return Record{}, ErrInterrupted
		}
		epoch, step := t.state.Step/t.problem.Steps, t.state.Step%t.problem.Steps
		if err := t.enter(t.problem.form(epoch)); err != nil {
			return Record{}, err
		}
		loss, err := t.runStep(epoch, step, total, t.state.Step+1 < total)
		if err != nil {
			return Record{}, err
		}
		t.state.LossSum += loss
		t.state.Step++
		if t.options.OnStep != nil {
			since := time.Since(begin)
			left := float64(since) * t.problem.work(t.state.Step, total) / t.problem.work(started, t.state.Step)
			t.options.OnStep(Progress{epoch, t.options.Epochs, t.state.Step, total, loss, started, since, time.Duration(left)})
		}
		if step == t.problem.Steps-1 {
			if err := t.endEpoch(epoch, elapsed); err != nil {
				return Record{}, err
			}
		}
		if time.Since(saved) >= t.options.CheckpointEvery && t.state.Step < total {
			t.state.Seconds = elapsed()
			if err := t.save(); err != nil {
				return Record{}, err
			}
			saved = time.Now()
		}
	}
	if t.state.Ended == "" {
		t.state.Ended = "epochs"
	}
	t.state.Seconds = elapsed()
	if err := t.save(); err != nil {
		return Record{}, err
	}
	if err := t.restoreBest(); err != nil {
		return Record{}, err
	}
	return t.record(), nil
}

// runStep does a step. With ahead, the batch of the one after it is prepared
// meanwhile.
func (t *Trainer) runStep(epoch, step, total int, ahead bool) (float64, error) {
	inputs := t.feed.take(epoch, step, ahead && !t.problem.Serial)
	t.step.Int32()[0] = int32(t.state.Step)
	t.lr.Float32()[0] = float32(t.options.LR * t.options.Schedule.Factor(t.state.Step, total))
	if err := t.program.Run(inputs); err != nil {
		return 0, err
	}
	loss := float64(t.program.Output(0).Float32()[0])
	if !finite(loss) {
		layer, err := t.suspect(inputs) // where that fails, what matters is that the loss is no number
		if err == nil && layer == "" {
			layer = "the loss itself"
		}
		return 0, &NonFiniteError{Epoch: epoch, Step: t.state.Step, Loss: loss, Saved: t.hasCheckpoint(), Layer: layer}
	}
	return loss, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// endEpoch judges the epoch, keeps the best variables and decides whether to
// go on.
func (t *Trainer) endEpoch(epoch int, elapsed func() float64) error {
	s := &t.state
	e := Epoch{Epoch: epoch + 1, Step: s.Step, Loss: s.LossSum / float64(t.problem.Steps), LR: float64(t.lr.Float32()[0])}
	s.LossSum = 0
	e.Validation = e.Loss
	if err := t.swapAverage(); err != nil {
		return err
	}
	err := t.judge(&e)
	if err == nil {
		e.Seconds = elapsed()
		err = t.note(e)
	}
	if back := t.swapAverage(); err == nil {
		err = back
	}
	if err != nil {
		return err
	}
	if t.options.OnEpoch != nil {
		return t.options.OnEpoch(e)
	}
	return nil
}

// judge validates the variables in the store.
func (t *Trainer) judge(e *Epoch) (err error) {
	if t.problem.Validate != nil {
		if e.Validation, err = t.problem.Validate(); err != nil {
			return err
		}
	}
	if !finite(e.Validation) {
		// No later epoch would be found better than a first one of NaN, and
		// the state could not be written as JSON.
		layer, _ := t.suspect(t.feed.last()) // "" if the images of the last step do not show it
		return &NonFiniteError{Epoch: e.Epoch - 1, Step: e.Step - 1, Loss: e.Validation, Validation: true, Saved: t.hasCheckpoint(), Layer: layer}
	}
	if t.problem.Score != nil {
		score := t.problem.Score()
		e.Score = &score
	}
	return nil
}

// note records a judged epoch, keeps the variables if they are the best so
// far, and decides whether to go on.
func (t *Trainer) note(e Epoch) error {
	s := &t.state
	s.History = append(s.History, e)
	if s.BestAt == 0 || t.problem.KeepLast || e.Validation < s.Best {
		s.Best, s.BestAt = e.Validation, e.Epoch
		if err := t.keepBest(); err != nil {
			return err
		}
	} else if t.options.Patience > 0 && e.Epoch-max(s.BestAt, t.problem.early()) >= t.options.Patience {
		s.Ended = "patience"
	}
	return nil
}
