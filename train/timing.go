package train

import (
	"errors"
	"fmt"
	"math"
	"time"

	"hourglass/tensor"
)

// Time measures the duration of a step, the mean over the forms that the run's
// epochs have: it runs a few of each and puts everything back as it was.
func (t *Trainer) Time(steps int) (mean time.Duration, err error) {
	if steps < 1 {
		return 0, fmt.Errorf("train: %d steps cannot be timed", steps)
	}
	saved := make(map[string]*tensor.Tensor)
	for _, name := range t.store.Names() {
		saved[name] = t.store.Get(name).Clone()
	}
	defer func() {
		for name, v := range saved {
			err = errors.Join(err, t.store.Get(name).CopyFrom(v))
		}
	}()
	var total, step time.Duration // of a step of each epoch
	for epoch := range t.options.Epochs {
		if form := t.problem.form(epoch); epoch == 0 || form != t.form {
			if err := t.enter(form); err != nil {
				return 0, err
			}
			if step, err = t.fastest(steps); err != nil {
				return 0, err
			}
		}
		total += step
	}
	return total / time.Duration(t.options.Epochs), nil
}

// fastest returns the duration of the fastest of some steps.
func (t *Trainer) fastest(steps int) (time.Duration, error) {
	var best time.Duration = math.MaxInt64
	for i := range steps {
		begin := time.Now()
		if _, err := t.runStep(0, i%t.problem.Steps, t.options.Epochs*t.problem.Steps, false); err != nil {
			return 0, err
		}
		best = min(best, time.Since(begin))
	}
	return best, nil
}
