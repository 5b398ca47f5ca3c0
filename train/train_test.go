package train_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
)

const (
	batch = 8
	steps = 5
)

// network is small but has what state a run can have: running statistics,
// dropout, moments of the optimiser.
var network = nn.Sequential{
	nn.Dense{Out: 16, NoBias: true}, nn.BatchNorm{}, nn.SiLU{}, nn.Dropout{Rate: 0.1}, nn.Dense{Out: 3},
}

// toy is the problem of rebuilding three sums of random vectors.
func toy() train.Problem {
	return train.Problem{
		Name: "toy",
		Trace: func(c *nn.Context) *graph.Node {
			b := c.Builder()
			x := b.Input("x", tensor.Float32, batch, 6)
			y := b.Input("y", tensor.Float32, batch, 3)
			return loss.SquaredError(c.Layer("net", network, x), y, loss.MeanAll)
		},
		Batch: func(epoch, step int, inputs []*tensor.Tensor) {
			x, y := inputs[0].Float32(), inputs[1].Float32()
			random.Normal(x, 7, 0, uint64(epoch*steps+step))
			for i := range batch {
				for j := range 3 {
					y[i*3+j] = x[i*6+j] + 2*x[i*6+j+3]
				}
			}
		},
		Steps: steps,
	}
}

func options(dir string) train.Options {
	return train.Options{
		Epochs: 6, Seed: 3, LR: 0.02, Schedule: optim.Cosine{},
		Checkpoint: dir, CheckpointEvery: -1,
	}
}

func newTrainer(t testing.TB, e *engine.Engine, p train.Problem, o train.Options) (*train.Trainer, *backend.Store) {
	store := backend.NewStore()
	tr, err := train.New(e, store, p, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr, store
}

func values(s *backend.Store) map[string][]float32 {
	all := make(map[string][]float32)
	for _, name := range s.Names() {
		all[name] = append([]float32(nil), s.Get(name).Float32()...)
	}
	return all
}

func TestTrainingLearns(t *testing.T) {
	o := options("")
	o.Epochs = 200
	tr, _ := newTrainer(t, enginetest.New(t, 2), toy(), o)
	r, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	first, last := r.Epochs[0].Loss, r.Epochs[len(r.Epochs)-1].Loss
	if last > first/4 {
		t.Errorf("loss went from %v to %v in 200 epochs", first, last)
	}
	if want := 6*16 + 16*2 + 16*3 + 3; r.Parameters != want {
		t.Errorf("%d parameters, want %d", r.Parameters, want)
	}
}

// TestResumeIsExact interrupts a run after each number of steps and goes on in
// a new trainer, as a new process would.
func TestResumeIsExact(t *testing.T) {
	t.Run("one form", func(t *testing.T) { testResume(t, toy(), 0) })
	t.Run("two forms", func(t *testing.T) { testResume(t, staged(), 0.9) })
}

func testResume(t *testing.T, p train.Problem, ema float64) {
	e := enginetest.New(t, 2)
	options := func(dir string) train.Options {
		o := options(dir)
		o.EMA = ema
		return o
	}
	whole, store := newTrainer(t, e, p, options(t.TempDir()))
	want, err := whole.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, stop := range []int{1, 4, 5, 6, 13, 15, 25, 29} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		o := options(dir)
		o.OnStep = func(p train.Progress) {
			if p.Step == stop {
				cancel()
			}
		}
		tr, _ := newTrainer(t, e, p, o)
		if _, err := tr.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("stopped after step %d: %v", stop, err)
		}
		tr, again := newTrainer(t, e, p, options(dir))
		history, err := tr.Restore()
		if err != nil {
			t.Fatal(err)
		}
		if len(history) != stop/steps {
			t.Errorf("after step %d the checkpoint has %d epochs", stop, len(history))
		}
		got, err := tr.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(values(store), values(again)); d != "" {
			t.Errorf("stopped after step %d: variables differ:\n%s", stop, d)
		}
		if d := cmp.Diff(want.WithoutTimes(), got.WithoutTimes()); d != "" {
			t.Errorf("stopped after step %d: records differ:\n%s", stop, d)
		}
	}
}

func TestPatienceKeepsTheBest(t *testing.T) {
	p := toy()
	judgements := []float64{3, 2, 2.5, 2.2, 4, 1}
	var atBest float32
	var store *backend.Store
	epoch := 0
	p.Validate = func() (float64, error) {
		if epoch == 1 {
			atBest = store.Get("net.0.weight").Float32()[0]
		}
		epoch++
		return judgements[epoch-1], nil
	}
	o := options("")
	o.Patience = 3
	var tr *train.Trainer
	tr, store = newTrainer(t, enginetest.New(t, 2), p, o)
	r, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Stopped != "patience" || r.BestEpoch != 2 || len(r.Epochs) != 5 {
		t.Errorf("stopped by %q after %d epochs, best %d; want patience, 5, 2", r.Stopped, len(r.Epochs), r.BestEpoch)
	}
	if got := store.Get("net.0.weight").Float32()[0]; got != atBest {
		t.Errorf("a weight is %v after the run and was %v at the best epoch", got, atBest)
	}
}

func TestNonFiniteLossStops(t *testing.T) {
	p := toy()
	fill := p.Batch
	p.Batch = func(epoch, step int, inputs []*tensor.Tensor) {
		fill(epoch, step, inputs)
		if epoch == 1 && step == 2 {
			inputs[0].Float32()[0] = float32(math.Inf(1))
		}
	}
	tr, _ := newTrainer(t, enginetest.New(t, 2), p, options(t.TempDir()))
	_, err := tr.Run(context.Background())
	var e *train.NonFiniteError
	if !errors.As(err, &e) || e.Step != 7 || !e.Saved || !strings.Contains(err.Error(), "at step 8 (epoch 2)") || !strings.Contains(err.Error(), "lower learning rate") {
		t.Errorf("got %v, want a NonFiniteError at step 7 with a checkpoint", err)
	}
}

// A gradient that is no number ruins the parameters in a step whose loss is
// one: the checkpoint from before must stay.
func TestBrokenParametersAreNotSaved(t *testing.T) {
	dir := t.TempDir()
	p := toy()
	trace, fill := p.Trace, p.Batch
	p.Trace = func(c *nn.Context) *graph.Node {
		loss := trace(c)
		b := c.Builder()
		flag := b.Input("flag", tensor.Float32)
		w := c.Params()[0].Node
		return b.Add(loss, b.Scale(b.Sqrt(b.Mul(b.ToScalar(b.Sum(b.Square(w))), flag)), 1e-6)) // the slope of √ at 0 is none
	}
	p.Batch = func(epoch, step int, inputs []*tensor.Tensor) {
		fill(epoch, step, inputs[:2])
		inputs[2].Float32()[0] = 1
		if epoch == 1 && step == 2 {
			inputs[2].Float32()[0] = 0
		}
	}
	o := options(dir)
	o.CheckpointEvery = time.Nanosecond
	e := enginetest.New(t, 2)
	tr, _ := newTrainer(t, e, p, o)
	_, err := tr.Run(context.Background())
	var broken *train.NonFiniteError
	if !errors.As(err, &broken) || !broken.Saved || !strings.HasPrefix(broken.Layer, "parameter ") {
		t.Fatalf("got %v, want a NonFiniteError that names a parameter", err)
	}
	tr, store := newTrainer(t, e, p, o)
	if _, err := tr.Restore(); err != nil {
		t.Fatal(err)
	}
	for name, v := range values(store) {
		for _, x := range v {
			if math.IsNaN(float64(x)) {
				t.Fatalf("the checkpoint holds a %s that is no number", name)
			}
		}
	}
}

// A store may serve one training after another.
func TestStoreServesTwice(t *testing.T) {
	e, store := enginetest.New(t, 2), backend.NewStore()
	var first map[string][]float32
	for range 2 {
		o := options("")
		o.Schedule = nil // constant
		tr, err := train.New(e, store, toy(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Restore(); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = values(store)
		} else if diff := cmp.Diff(first, values(store)); diff != "" {
			t.Errorf("the second training ends elsewhere:\n%s", diff)
		}
	}
}

func TestRestoreRefusesAnotherArchitecture(t *testing.T) {
	e, dir := enginetest.New(t, 2), t.TempDir()
	tr, _ := newTrainer(t, e, toy(), options(dir))
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	saved := network
	network = nn.Sequential{nn.Dense{Out: 3}}
	defer func() { network = saved }()
	tr, _ = newTrainer(t, e, toy(), options(dir))
	if _, err := tr.Restore(); err == nil || !strings.Contains(err.Error(), "another architecture") {
		t.Errorf("got %v", err)
	}
}

// A run of other epochs or steps is told apart from a damaged one.
func TestRestoreSaysWhatDiffers(t *testing.T) {
	e, dir := enginetest.New(t, 2), t.TempDir()
	tr, _ := newTrainer(t, e, toy(), options(dir))
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	longer, p := options(dir), toy()
	longer.Epochs = 9
	tr, _ = newTrainer(t, e, p, longer)
	if _, err := tr.Restore(); err == nil || !strings.Contains(err.Error(), "ended after 6 epochs, and this one has 9") {
		t.Errorf("more epochs: %v", err)
	}
	p.Steps = 6
	tr, _ = newTrainer(t, e, p, longer)
	if _, err := tr.Restore(); err == nil || !strings.Contains(err.Error(), "6 steps in an epoch") {
		t.Errorf("more steps: %v", err)
	}
}

// What a problem lacks, and options that learn nothing, are refused before the first step.
func TestNewRefuses(t *testing.T) {
	e := enginetest.New(t, 2)
	for name, change := range map[string]func(p *train.Problem, o *train.Options){
		"positive":              func(p *train.Problem, o *train.Options) { o.LR = 0 },
		"it must be positive":   func(p *train.Problem, o *train.Options) { o.LR = math.NaN() },
		"learning rate is -1":   func(p *train.Problem, o *train.Options) { o.LR = -1 },
		"needs Trace and Batch": func(p *train.Problem, o *train.Options) { p.Batch = nil },
		"returned no loss":      func(p *train.Problem, o *train.Options) { p.Trace = func(*nn.Context) *graph.Node { return nil } },
		"no parameters": func(p *train.Problem, o *train.Options) {
			p.Trace = func(c *nn.Context) *graph.Node { return c.Builder().Mean(c.Builder().Input("x", tensor.Float32, 3)) }
		},
	} {
		p, o := toy(), options("")
		change(&p, &o)
		if _, err := train.New(e, backend.NewStore(), p, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want an error that says %q", err, name)
		}
	}
}

// Whoever calls Run may recover from a panic of Batch, whichever goroutine it was in.
func TestPanicOfBatchIsRaisedByRun(t *testing.T) {
	p := toy()
	fill := p.Batch
	p.Batch = func(epoch, step int, inputs []*tensor.Tensor) {
		if epoch == 1 && step == 2 {
			panic("no more batches")
		}
		fill(epoch, step, inputs)
	}
	tr, _ := newTrainer(t, enginetest.New(t, 2), p, options(""))
	defer func() {
		if r := recover(); r != "no more batches" {
			t.Errorf("recovered %v", r)
		}
	}()
	_, err := tr.Run(context.Background())
	t.Errorf("Run returned %v", err)
}

func TestRestoreRefusesDamage(t *testing.T) {
	e, dir := enginetest.New(t, 2), t.TempDir()
	tr, _ := newTrainer(t, e, toy(), options(dir))
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "last.safetensors")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 5, 100, len(whole) - 1} {
		if err := os.WriteFile(file, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		tr, _ = newTrainer(t, e, toy(), options(dir))
		if _, err := tr.Restore(); err == nil || !strings.Contains(err.Error(), "last.safetensors") {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestUnwritableFolderIsNamed(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	tr, _ := newTrainer(t, enginetest.New(t, 2), toy(), options(filepath.Join(blocked, "checkpoint")))
	if _, err := tr.Run(context.Background()); err == nil || !strings.Contains(err.Error(), blocked) {
		t.Errorf("got %v, want an error that names %s", err, blocked)
	}
}

func TestTimeLeavesNoTrace(t *testing.T) {
	e := enginetest.New(t, 2)
	tr, store := newTrainer(t, e, toy(), options(""))
	before := values(store)
	d, err := tr.Time(3)
	if err != nil || d <= 0 || d > time.Minute {
		t.Errorf("Time returned %v, %v", d, err)
	}
	if diff := cmp.Diff(before, values(store)); diff != "" {
		t.Errorf("timing changed variables:\n%s", diff)
	}
}

func TestTimeOfNoSteps(t *testing.T) {
	tr, _ := newTrainer(t, enginetest.New(t, 1), toy(), options(""))
	if d, err := tr.Time(0); err == nil {
		t.Errorf("no steps take %v", d)
	}
}

// A checkpoint that is refused leaves the variables as they are.
func TestRefusedCheckpointLeavesTheStore(t *testing.T) {
	e, dir := enginetest.New(t, 1), t.TempDir()
	tr, _ := newTrainer(t, e, toy(), options(dir))
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	short := options(dir)
	short.Epochs = 1 // the checkpoint stands behind its end
	tr, store := newTrainer(t, e, toy(), short)
	before := values(store)
	if _, err := tr.Restore(); err == nil {
		t.Fatal("a checkpoint behind the end of a run is taken")
	}
	if diff := cmp.Diff(before, values(store)); diff != "" {
		t.Errorf("a refused checkpoint changed variables:\n%s", diff)
	}
}

func TestNonFiniteJudgementStops(t *testing.T) {
	for _, judgement := range []float64{math.NaN(), math.Inf(1)} {
		p := toy()
		p.Validate = func() (float64, error) { return judgement, nil }
		tr, _ := newTrainer(t, enginetest.New(t, 2), p, options(t.TempDir()))
		_, err := tr.Run(context.Background())
		var e *train.NonFiniteError
		if !errors.As(err, &e) || e.Epoch != 0 || !strings.Contains(err.Error(), "validation") {
			t.Errorf("got %v, want a NonFiniteError about the validation of epoch 1", err)
		}
	}
}
