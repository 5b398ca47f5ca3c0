package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"hourglass/optim"
	"hourglass/train"
)

// TrainOptions turns a course into what the training loop takes.
func (r *Run) TrainOptions(c Course) (train.Options, error) {
	o, err := optim.Parse(c.Optimizer)
	if err != nil {
		return train.Options{}, err
	}
	schedule, err := optim.ParseSchedule(c.Schedule)
	if err != nil {
		return train.Options{}, err
	}
	return train.Options{
		Epochs: c.Epochs, Seed: c.Seed, Optimizer: o, LR: c.LR, Schedule: schedule, Patience: max(0, c.Patience),
		Checkpoint: r.checkpointDir(), CheckpointEvery: r.options.CheckpointEvery,
		OnStep: r.hooks.Step, OnEpoch: r.onEpoch,
	}, nil
}

// Fit sets the number of epochs of a course to what fits into its time, by
// timing a few steps.
func (r *Run) Fit(t *train.Trainer, c *Course) error {
	step, err := t.Time(12)
	if err != nil {
		return err
	}
	c.Epochs = EpochsWithin(c.Minutes, step.Seconds()*float64(t.Steps()))
	return nil
}

// Train runs the training loop, from the last checkpoint if resume is set and
// there is one. If ctx ends it returns an *Interrupted error.
func (r *Run) Train(ctx context.Context, t *train.Trainer, resume bool) (record train.Record, err error) {
	var history []train.Epoch
	if resume {
		if history, err = t.Restore(); err != nil {
			return record, fmt.Errorf("cannot resume the run in %s: %w", r.Dir, err)
		}
	}
	// The file of metrics is written anew up to the checkpoint: a killed
	// process may have left lines from after it, or half of one.
	if r.metrics, err = os.Create(r.metricsFile()); err != nil {
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
	r.Phase(r.phase())
	record, err = t.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		err = &Interrupted{r.Dir}
	}
	return record, err
}

func (r *Run) onEpoch(e train.Epoch) error {
	if r.hooks.Epoch != nil {
		r.hooks.Epoch(e)
	}
	return r.writeMetrics(e)
}

func (r *Run) writeMetrics(e train.Epoch) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := r.metrics.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("cannot write the metrics; the last checkpoint is intact: %w", err)
	}
	return nil
}
