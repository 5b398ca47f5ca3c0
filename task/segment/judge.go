package segment

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"hourglass/internal/peakmem"
	"hourglass/train/run"
)

const (
	sampleCount = 8
	worstCount  = 8
)

// judge measures what the model is worth on images that it has not seen.
func (r *learner) judge(ctx context.Context) (*Outcome, error) {
	r.Phase(run.PhaseJudge)
	begun := time.Now()
	if err := r.sound(); err != nil {
		return nil, err
	}
	c := r.config
	classes, heldOut := len(c.Labels.Classes), r.parts.HeldOut
	answers := make([][]uint8, 0, len(heldOut))
	confusion := NewConfusion(classes)
	used := time.Now()
	err := r.answers(heldOut, func(image int, answer []uint8) error {
		answers = append(answers, answer)
		return r.Halt(ctx)
	})
	if err != nil {
		return nil, err
	}
	use := time.Since(used).Seconds()
	each := make([]float64, len(heldOut)) // mean IoU
	for i, image := range heldOut {
		confusion.Add(r.pairs.Mask(image), answers[i])
		own := NewConfusion(classes)
		own.Add(r.pairs.Mask(image), answers[i])
		each[i] = own.MIoU()
	}
	record := r.model.record
	s := &Summary{
		Config: c, Command: r.Command, Found: r.Set.Found, Skipped: r.Skipped(), Warnings: r.Warnings,
		Parameters: record.Parameters, MACs: r.model.MACs(), Weights: r.weights, Training: record,
		HeldOut: Scores{
			MIoU: confusion.MIoU(), PixelAccuracy: confusion.Accuracy(), BoundaryF: r.outlines(answers),
			Tolerance: Tolerance(c.Height, c.Width), Classes: confusion.Classes(c.Labels.Names()),
		},
		UseImagesPerS: float64(len(heldOut)) / use,
	}
	for truth := range classes {
		row := make([]int64, classes)
		for answer := range row {
			row[answer] = confusion.Count(truth, answer)
		}
		s.Confusion = append(s.Confusion, row)
	}
	s.ImagesPerS = record.PerSecond(c.Batch)
	s.Seconds = run.Times{Read: r.ReadSeconds(), Train: record.Seconds, Judge: time.Since(begun).Seconds()}
	s.PeakBytes = peakmem.Bytes()
	r.Phase(run.PhaseReport)
	return &Outcome{r.Judged(s, &s.Seconds), s, r.evidence(answers, each)}, nil
}

// outlines returns the mean boundary score of the held-out images.
func (r *learner) outlines(answers [][]uint8) float64 {
	c := r.config
	pool := r.Engine.Pool()
	scorers := make([]*boundaryScorer, pool.Threads())
	scores := make([]float64, len(answers))
	pool.Run(len(answers), func(worker, i int) {
		if scorers[worker] == nil {
			scorers[worker] = newBoundaryScorer(c.Height, c.Width, len(c.Labels.Classes))
		}
		var ok bool
		if scores[i], ok = scorers[worker].score(r.pairs.Mask(r.parts.HeldOut[i]), answers[i]); !ok {
			scores[i] = math.NaN()
		}
	})
	sum, n := 0.0, 0
	for _, v := range scores {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// evidence chooses what is shown: images at even steps, and the worst.
func (r *learner) evidence(answers [][]uint8, each []float64) *Evidence {
	sample := func(i int) Sample {
		image := r.parts.HeldOut[i]
		return Sample{Name: r.Set.Names[image], MIoU: each[i], Image: r.Set.Image(image), Truth: r.pairs.Mask(image), Answer: answers[i]}
	}
	ev := &Evidence{}
	n := len(answers)
	for i := range min(n, sampleCount) {
		ev.Samples = append(ev.Samples, sample(i*n/min(n, sampleCount)))
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(each[a], each[b]) })
	for _, i := range order[:min(n, worstCount)] {
		ev.Worst = append(ev.Worst, sample(i))
	}
	return ev
}

// sound reports a model that training has ruined: one whose answers are no
// numbers. Neither the loss of the steps before nor the classes tell.
func (r *learner) sound() error {
	var bad error
	err := r.model.sharesOf(r.Set.Image(r.parts.HeldOut[0]), func(_ int, shares []float32) {
		for _, v := range shares {
			if !(v >= 0 && v <= 1) {
				bad = fmt.Errorf("training diverged: the model answers a held-out image with %v; begin a new run with a lower --lr than %v", v, r.config.LR)
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return bad
}
