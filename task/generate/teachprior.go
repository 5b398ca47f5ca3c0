package generate

import (
	"context"

	"hourglass/train"
	"hourglass/train/latent"
	"hourglass/train/run"
)

const (
	priorBatch  = 256
	priorRate   = 2e-3
	priorRound  = 200   // steps between two looks at the codes of validation images
	priorMemory = 0.999 // share of the past in the average of the weights
)

// learnPrior learns how codes are distributed.
func (r *learner) learnPrior(ctx context.Context, codes *latent.Posterior, resume bool) error {
	c := r.config
	p, err := latent.NewPrior(r.Engine, c.Prior, c.Latent)
	if err != nil {
		return err
	}
	p.Measure(codes)
	r.model.prior = p
	var judged *latent.Posterior
	if len(r.parts.Validation) > 0 {
		if judged, err = r.posteriors(r.parts.Validation); err != nil {
			return err
		}
	}
	batch := min(priorBatch, codes.Len())
	rounds, round := c.rounds()
	problem, ok, err := p.Problem(codes, judged, batch, round, c.Seed)
	if err != nil || !ok {
		return err
	}
	stage := r.Stage(PhaseSecond)
	options, err := stage.TrainOptions(run.Course{
		Epochs: rounds, Batch: batch, Optimizer: "adam", LR: priorRate, Schedule: "onecycle:rise=0.1", Seed: c.Seed,
	})
	if err != nil {
		return err
	}
	options.EMA, options.Optimizer.ClipNorm = priorMemory, 1
	t, err := train.New(r.Engine, p.Store(), problem, options)
	if err != nil {
		return err
	}
	if r.second, err = stage.Train(ctx, t, resume); err != nil {
		return err
	}
	r.stages.Second = r.second.Seconds
	if judged == nil {
		judged = codes
	}
	return p.Settle(judged)
}

// rounds divides the steps of the second stage, rounded up to equal rounds.
func (c Config) rounds() (rounds, each int) {
	rounds = (c.PriorSteps + priorRound - 1) / priorRound
	return rounds, (c.PriorSteps + rounds - 1) / rounds
}
