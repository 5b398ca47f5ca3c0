package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"hourglass/task/generate"
	"hourglass/train"
	"hourglass/train/run"
)

// meter shows how work goes on. A run is a sequence of pieces of work, each
// with a title. Its methods are called by one goroutine.
type meter interface {
	// begin ends the piece of work before, if any, and begins another.
	begin(title string)
	// advance says that done of total parts are done; total is 0 as long as
	// it is not known. detail is called only if it is to be shown.
	advance(done, total int, detail func() string)
	// note tells something worth a line of its own.
	note(text string)
	// end ends the last piece of work; finished tells whether it was done.
	end(finished bool)
}

// newMeter returns a live bar if w is a terminal, else a writer of lines.
func newMeter(w io.Writer, quiet bool) meter {
	if quiet {
		return silent{}
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return newBars(w)
	}
	return &lines{w: w, every: lineEvery}
}

// silent shows nothing.
type silent struct{}

func (silent) begin(string)                    {}
func (silent) advance(int, int, func() string) {}
func (silent) note(string)                     {}
func (silent) end(bool)                        {}

// lineEvery is the time between two lines about one piece of work.
const lineEvery = 3 * time.Second

// lines writes a line every so often, for logs.
type lines struct {
	w     io.Writer
	every time.Duration
	title string
	last  time.Time // of a line
}

func (l *lines) begin(title string) {
	l.title, l.last = title, time.Now()
	fmt.Fprintln(l.w, title)
}

func (l *lines) advance(done, total int, detail func() string) {
	if time.Since(l.last) < l.every && (total == 0 || done < total) {
		return
	}
	l.last = time.Now()
	if total > 0 {
		fmt.Fprintf(l.w, "%s: %d%%, %s\n", l.title, 100*done/total, detail())
	} else {
		fmt.Fprintf(l.w, "%s: %s\n", l.title, detail())
	}
}

func (l *lines) note(text string) { fmt.Fprintln(l.w, text) }

func (l *lines) end(bool) {}

// tracker turns what a run tells into what a meter shows.
type tracker struct {
	meter
	app    *app
	batch  int
	loss   float64 // running mean over some steps
	judged float64 // validation after the last epoch
	score  *float64
	ended  bool
}

func (a *app) tracker() *tracker {
	return &tracker{meter: newMeter(a.stderr, a.quiet), app: a}
}

// close ends what is shown; calls after the first do nothing.
func (t *tracker) close() { t.conclude(false) }

func (t *tracker) conclude(finished bool) {
	if !t.ended {
		t.ended = true
		t.end(finished)
	}
}

var titles = map[run.Phase]string{
	run.PhaseRead:   "reading",
	run.PhaseTrain:  "training",
	run.PhaseJudge:  "judging",
	run.PhasePCA:    "fitting PCA",
	run.PhaseReport: "reporting",

	generate.PhaseSecond:   "training the second stage",
	generate.PhasePlain:    "training an autoencoder to compare with",
	generate.PhaseFeatures: "training a classifier to judge by",
}

func (t *tracker) hooks() run.Hooks {
	return run.Hooks{
		Phase: func(p run.Phase) {
			t.loss, t.judged, t.score = 0, 0, nil // of the stage before
			t.begin(titles[p])
		},
		Read:  t.read,
		Begun: t.began,
		Step:  t.step,
		Epoch: func(e train.Epoch) { t.judged, t.score = e.Validation, e.Score },
	}
}

func (t *tracker) read(done, total int, bytes int64) {
	t.advance(done, total, func() string {
		if total == 0 {
			return count(done, "file") + " looked at"
		}
		return fmt.Sprintf("%s of %s, %s", number(done), count(total, "image"), megabytes(bytes))
	})
}

func (t *tracker) began(s run.Start) {
	t.app.runDir, t.batch = s.Dir, s.Batch
	t.note(fmt.Sprintf("%s of %s to learn from, %s held out; %s, %s, seed %d; in %s",
		count(s.Train, "image"), shape(s.Height, s.Width, s.Channels), number(s.HeldOut),
		s.Network, count(s.Epochs, "epoch"), s.Seed, s.Dir))
	t.warn(s.Warnings)
}

// warn shows warnings about images, and keeps them for the result.
func (t *tracker) warn(warnings []string) {
	for _, w := range warnings {
		if !slices.Contains(t.app.warnings, w) {
			t.app.warnings = append(t.app.warnings, w)
		}
		t.note("warning: " + oneLine(w))
	}
}

// smoothing is the share of the past in the running mean of the loss.
const smoothing = 0.95

func (t *tracker) step(p train.Progress) {
	if t.loss == 0 {
		t.loss = p.Loss
	}
	t.loss = smoothing*t.loss + (1-smoothing)*p.Loss
	t.advance(p.Step, p.Steps, func() string {
		text := fmt.Sprintf("epoch %d of %d, loss %.5f", p.Epoch+1, p.Epochs, t.loss)
		if t.judged > 0 {
			text += fmt.Sprintf(", validation %.5f", t.judged)
		}
		if t.score != nil {
			text += " (" + share(t.score) + " right)"
		}
		steps := p.Step - p.Started
		if seconds := p.Elapsed.Seconds(); steps > 0 && seconds > 0 {
			perSecond := float64(steps) / seconds
			text += fmt.Sprintf(", %s images/s, %s left", number(int(perSecond*float64(t.batch))), duration(p.Left))
		}
		return text
	})
}
