package train_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/tensor"
	"hourglass/train"
)

// The run ends with the moving average of the variables, which starts short.
func TestAverageOfWeights(t *testing.T) {
	o := options("")
	o.Epochs, o.EMA = 2, 0.8
	const name = "net.0.weight"
	var store *backend.Store
	var want []float64
	o.OnStep = func(p train.Progress) {
		share := min(0.8, float64(p.Step)/float64(p.Step+9))
		for i, v := range store.Get(name).Float32() {
			want[i] = share*want[i] + (1-share)*float64(v)
		}
	}
	p := toy()
	judged := 0.0
	p.Validate = func() (float64, error) { judged--; return judged, nil } // the last is the best
	tr, s := newTrainer(t, enginetest.New(t, 2), p, o)
	store = s
	for _, v := range store.Get(name).Float32() {
		want = append(want, float64(v))
	}
	r, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.BestEpoch != 2 {
		t.Fatalf("the best epoch is %d, and not the last", r.BestEpoch)
	}
	for i, v := range store.Get(name).Float32() {
		if math.Abs(float64(v)-want[i]) > 1e-5 {
			t.Fatalf("number %d is %v, want %v", i, v, want[i])
		}
	}
	o.EMA = 1
	if _, err := train.New(enginetest.New(t, 2), backend.NewStore(), toy(), o); err == nil {
		t.Error("an average of nothing but the past was taken")
	}
}

func TestAverageSurvivesAResume(t *testing.T) {
	o := options("")
	o.EMA = 0.9
	tr, want := newTrainer(t, enginetest.New(t, 2), toy(), o)
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	o.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	ctx, cancel := context.WithCancel(context.Background())
	o.OnStep = func(p train.Progress) {
		if p.Step == 13 {
			cancel()
		}
	}
	tr, _ = newTrainer(t, enginetest.New(t, 2), toy(), o)
	if _, err := tr.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
		t.Fatal(err)
	}
	tr, got := newTrainer(t, enginetest.New(t, 2), toy(), o)
	if _, err := tr.Restore(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.Params() {
		if !slices.Equal(got.Get(p.Name).Float32(), want.Get(p.Name).Float32()) {
			t.Errorf("%s differs after a resume", p.Name)
		}
	}
}

// A batch that is no number stops the run, leaves the variables as they were,
// and is traced to the first layer that saw it.
func TestNonFiniteNamesTheLayer(t *testing.T) {
	for what, spoil := range map[string]func(p *train.Problem){
		"layer net.0": func(p *train.Problem) {
			batch := p.Batch
			p.Batch = func(epoch, step int, in []*tensor.Tensor) {
				if batch(epoch, step, in); epoch == 1 && step == 2 {
					in[0].Float32()[5] = float32(math.NaN())
				}
			}
		},
		"the loss itself": func(p *train.Problem) {
			batch := p.Batch
			p.Batch = func(epoch, step int, in []*tensor.Tensor) {
				if batch(epoch, step, in); epoch == 1 && step == 2 {
					in[1].Float32()[0] = float32(math.Inf(1))
				}
			}
		},
	} {
		o, p := options(filepath.Join(t.TempDir(), "checkpoint")), toy()
		spoil(&p)
		var store *backend.Store
		before := map[string][]float32{}
		o.OnStep = func(train.Progress) {
			for _, name := range store.Names() {
				before[name] = slices.Clone(store.Get(name).Float32())
			}
		}
		tr, s := newTrainer(t, enginetest.New(t, 2), p, o)
		store = s
		_, err := tr.Run(context.Background())
		var n *train.NonFiniteError
		if !errors.As(err, &n) || n.Layer != what || n.Epoch != 1 || n.Step != steps+2 || !n.Saved {
			t.Fatalf("got %v, want an error in %s at step %d", err, what, steps+2)
		}
		if !strings.Contains(err.Error(), "first in "+what) || !strings.Contains(err.Error(), "lower learning rate") {
			t.Errorf("the message is %q", err)
		}
		for name, v := range before {
			if !slices.Equal(store.Get(name).Float32(), v) {
				t.Errorf("%s: %s was changed by the step that failed", what, name)
			}
		}
	}
}

// A problem may set variables before the first step, and a second figure goes
// into the record.
func TestPrepareAndScore(t *testing.T) {
	p, o := toy(), options("")
	o.Epochs, o.LR = 1, 1e-30
	p.Prepare = func(store *backend.Store) error {
		store.Get("net.0.weight").Float32()[0] = 42
		return nil
	}
	p.Validate = func() (float64, error) { return 3, nil }
	p.Score = func() float64 { return 0.75 }
	tr, store := newTrainer(t, enginetest.New(t, 2), p, o)
	r, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := store.Get("net.0.weight").Float32()[0]; got != 42 {
		t.Errorf("the variable is %v, want 42", got)
	}
	if s := r.Epochs[0].Score; s == nil || *s != 0.75 {
		t.Errorf("the score is %v", s)
	}
	failed := errors.New("not prepared")
	p.Prepare = func(*backend.Store) error { return failed }
	if _, err := train.New(enginetest.New(t, 2), backend.NewStore(), p, o); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}

// Batches are asked for one at a time and in order, each once.
func TestBatchesComeInOrder(t *testing.T) {
	p, o := toy(), options("")
	o.Epochs = 3
	var asked []int
	batch := p.Batch
	p.Batch = func(epoch, step int, in []*tensor.Tensor) {
		asked = append(asked, epoch*steps+step)
		batch(epoch, step, in)
	}
	tr, _ := newTrainer(t, enginetest.New(t, 2), p, o)
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, at := range asked {
		if i != at {
			t.Fatalf("the batches came as %v", asked)
		}
	}
	if len(asked) != 3*steps {
		t.Errorf("%d batches were prepared for %d steps", len(asked), 3*steps)
	}
}
