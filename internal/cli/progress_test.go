package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"hourglass/train"
	"hourglass/train/run"
)

// shared is a buffer that another goroutine writes to.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestBars(t *testing.T) {
	var w shared
	b := newBars(&w, mpb.WithAutoRefresh(), mpb.WithWidth(120))
	b.begin("reading")
	b.advance(3, 0, func() string { return "3 files looked at" })
	b.begin("training")
	b.note("warning: it rains")
	b.advance(5, 5, func() string { return "loss 0.5" })
	b.end(true)
	for _, part := range []string{"reading", "training", "loss 0.5", "warning: it rains"} {
		if !strings.Contains(w.String(), part) {
			t.Errorf("the bars lack %q: %q", part, w.String())
		}
	}
}

// What is interrupted must not hang, nor pretend to be done.
func TestBarsInterrupted(t *testing.T) {
	var w shared
	b := newBars(&w, mpb.WithAutoRefresh(), mpb.WithWidth(120))
	b.begin("training")
	b.advance(1, 4, func() string { return "early" })
	b.end(false)
	if !strings.Contains(w.String(), "early") {
		t.Errorf("the bar is gone: %q", w.String())
	}
	newBars(&w).end(false) // nothing was ever begun
}

func TestTrackerTellsRateAndTime(t *testing.T) {
	var w bytes.Buffer
	tr := &tracker{meter: &lines{w: &w}, app: &app{}}
	h := tr.hooks()
	h.Phase(run.PhaseTrain)
	h.Begun(run.Start{
		Dir: "runs/x", Network: "conv, k = 4",
		Common: run.Common{
			Images:   run.Images{Height: 8, Width: 8, Channels: 3},
			Course:   run.Course{Epochs: 2, Batch: 10, Seed: 3},
			Division: run.Division{Train: 1000, HeldOut: 200},
		},
		Warnings: []string{"two\nlines"},
	})
	h.Step(train.Progress{Epoch: 0, Epochs: 2, Step: 100, Steps: 200, Loss: 0.5, Started: 50, Elapsed: time.Second, Left: 2 * time.Second})
	h.Epoch(train.Epoch{Validation: 0.25})
	h.Step(train.Progress{Epoch: 1, Epochs: 2, Step: 150, Steps: 200, Loss: 0.5, Started: 50, Elapsed: 2 * time.Second, Left: time.Second})
	h.Read(7, 0, 0)
	h.Read(1, 2, 3_000_000)
	want := `training
1,000 images of 8×8×3 to learn from, 200 held out; conv, k = 4, 2 epochs, seed 3; in runs/x
warning: two lines
training: 50%, epoch 1 of 2, loss 0.50000, 500 images/s, 2s left
training: 75%, epoch 2 of 2, loss 0.50000, validation 0.25000, 500 images/s, 1s left
training: 7 files looked at
training: 50%, 1 of 2 images, 3.0 MB
`
	if w.String() != want {
		t.Errorf("the lines are\n%s, want\n%s", w.String(), want)
	}
	if tr.app.runDir != "runs/x" {
		t.Errorf("the run's folder is %q", tr.app.runDir)
	}
}

func TestLinesAreSparse(t *testing.T) {
	var w bytes.Buffer
	l := &lines{w: &w, every: time.Hour}
	l.begin("reading")
	for i := range 1000 {
		l.advance(i, 1000, func() string { return "x" })
	}
	l.advance(1000, 1000, func() string { return "done" })
	if got, want := w.String(), "reading\nreading: 100%, done\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
