package train_test

import (
	"context"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
	"hourglass/train"
)

// staged is toy with four times the loss in the first three epochs.
func staged() train.Problem {
	p := toy()
	p.Early = []train.Form{{Before: 3, Trace: func(c *nn.Context) *graph.Node { return c.Builder().Scale(toy().Trace(c), 4) }}}
	return p
}

func TestEarlyForm(t *testing.T) {
	losses := func(p train.Problem) (all []float64) {
		o := options("")
		o.LR = 1e-30 // the parameters stay
		o.OnStep = func(p train.Progress) { all = append(all, p.Loss) }
		tr, _ := newTrainer(t, enginetest.New(t, 2), p, o)
		if _, err := tr.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return all
	}
	plain, early := losses(toy()), losses(staged())
	for i, want := range plain {
		if i < 3*steps {
			want *= 4
		}
		if early[i] != want {
			t.Errorf("loss %v in step %d, want %v", early[i], i, want)
		}
	}
}

func TestEarlyFormMustFit(t *testing.T) {
	for want, trace := range map[string]func(c *nn.Context) *graph.Node{
		"other inputs": func(c *nn.Context) *graph.Node {
			y := toy().Trace(c)
			c.Builder().Input("z", tensor.Float32)
			return y
		},
		"other parameters": func(c *nn.Context) *graph.Node {
			b := c.Builder()
			x, y := b.Input("x", tensor.Float32, batch, 6), b.Input("y", tensor.Float32, batch, 3)
			return loss.SquaredError(c.Layer("net", nn.Dense{Out: 3}, x), y, loss.MeanAll)
		},
	} {
		p := toy()
		p.Early = []train.Form{{Before: 1, Trace: trace}}
		if _, err := train.New(enginetest.New(t, 1), backend.NewStore(), p, options("")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %s", err, want)
		}
	}
	p := staged()
	p.Early = append(p.Early, p.Early[0])
	if _, err := train.New(enginetest.New(t, 1), backend.NewStore(), p, options("")); err == nil || !strings.Contains(err.Error(), "before it begins") {
		t.Errorf("two forms for the same epochs: %v", err)
	}
}

// Patience does not count epochs of an early form.
func TestPatienceWaitsForTheLastForm(t *testing.T) {
	p := staged()
	judged := 0.0
	p.Validate = func() (float64, error) { judged++; return judged, nil } // the first is the best
	o := options("")
	o.Patience = 2
	tr, _ := newTrainer(t, enginetest.New(t, 1), p, o)
	r, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Stopped != "patience" || len(r.Epochs) != 5 {
		t.Errorf("stopped by %q after %d epochs, want patience and 5", r.Stopped, len(r.Epochs))
	}
}
