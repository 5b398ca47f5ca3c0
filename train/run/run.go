// Package run holds what the runs of every task share: the folder with its
// files, the images and their division, the choices of training, progress,
// and how an interrupted run is taken up again.
//
// A task calls [Begin], makes its choices for the images, calls [Run.Found]
// and [Run.Train], and judges what came of it. To go on with a run it calls
// [Continue] in place of the first two.
package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/train"
)

// Options say where a run lives and how its data are read.
type Options struct {
	// Dir is the run's folder, which must not hold a run yet; "" means the
	// first free of runs/NAME, runs/NAME-2, …
	Dir string
	// Name is NAME; "" means it is made from the source.
	Name string
	// Data are the options of reading; Size and Gray are taken from the task's
	// own options.
	Data data.Options
	// Open reads the source; nil means [data.Open]. A task that reads more
	// than images sets it.
	Open func(ctx context.Context, source string, o data.Options) (*data.Set, error)
	// CheckpointEvery is the least time between checkpoints; see
	// [train.Options].
	CheckpointEvery time.Duration
	// Command makes the run again; it is kept in the summary.
	Command string
}

// Hooks are told how a run goes on; any may be nil.
type Hooks struct {
	Phase func(Phase)
	Read  func(done, total int, bytes int64)
	// Begun is told the choices made and what was noticed, before training.
	Begun func(Start)
	Step  func(train.Progress)
	Epoch func(train.Epoch)
}

// Start describes a run that is about to train.
type Start struct {
	Dir     string
	Network string // in a few words, such as "conv, k = 16"
	Common
	Warnings []string
}

// Phase is a part of a run.
type Phase string

const (
	PhaseRead   Phase = "read"
	PhaseTrain  Phase = "train"
	PhaseJudge  Phase = "judge"
	PhasePCA    Phase = "pca"
	PhaseReport Phase = "report"
)

// Run is a run in progress.
type Run struct {
	Engine   *engine.Engine
	Dir      string       // its folder, "" before Found
	Set      *data.Set    // what is learnt from: images of one size,
	Photos   *data.Photos // or of their own sizes, of which crops are learnt from
	Command  string       // makes the run again
	Warnings []string     // what was noticed without harm

	stage   Phase  // of training, "" the first; see Stage
	source  string // as it was given
	options Options
	hooks   Hooks
	begun   time.Time
	read    float64 // seconds
	metrics *os.File
}

// Begin reads the images of a new run. Its errors about the options wrap
// [ErrChoice].
func Begin(ctx context.Context, e *engine.Engine, source string, size int, gray bool, o Options, h Hooks) (*Run, error) {
	r, err := newRun(e, source, o, h)
	if err != nil {
		return nil, err
	}
	return r, r.open(ctx, size, gray)
}

// newRun returns a run whose images are still to be read.
func newRun(e *engine.Engine, source string, o Options, h Hooks) (*Run, error) {
	r := &Run{Engine: e, Command: o.Command, source: source, options: o, hooks: h, begun: time.Now()}
	return r, checkDir(o.Dir)
}

// Continue takes up the run of a task in the folder dir: it reads the run's
// choices into config, a pointer to the task's own struct which embeds
// [Common], and the images, which must be those that the run began with.
func Continue(ctx context.Context, e *engine.Engine, dir, task string, config any, o Options, h Hooks) (*Run, error) {
	r, c, err := takeUp(e, dir, task, config, o, h)
	if err != nil {
		return nil, err
	}
	if err := r.open(ctx, c.Size, c.Gray); err != nil {
		return nil, err
	}
	return r, r.check(c, r.Set.Fingerprint, c.fits(r.Set))
}

// takeUp reads the choices of the run of a task.
func takeUp(e *engine.Engine, dir, task string, config any, o Options, h Hooks) (*Run, Common, error) {
	r := &Run{Engine: e, Dir: dir, options: o, hooks: h, begun: time.Now()}
	var c Common
	f, err := readFile(dir)
	if err != nil {
		return nil, c, err
	}
	if got := f.task(); got != task {
		return nil, c, fmt.Errorf("the run in %s is of the task %q, not %q", dir, got, task)
	}
	for _, into := range []any{&c, config} {
		if err := f.decode(dir, into); err != nil {
			return nil, c, err
		}
	}
	r.Command, r.source = f.Command, f.SourcePath
	return r, c, nil
}

// check reports images that are not those that a run began with, and a
// configuration that does not fit them.
func (r *Run) check(c Common, fingerprint string, misfit error) error {
	if fingerprint != c.Fingerprint {
		return fmt.Errorf("the images in %s are not those that the run in %s began with; begin a new run", r.source, r.Dir)
	}
	if misfit != nil {
		return r.Misfit(misfit)
	}
	if now := c.Instructions(r.Engine); now != c.ISA {
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"the run began on %s instructions and goes on with %s: its bits will differ from an uninterrupted run's", c.ISA, now))
	}
	return nil
}

// Misfit makes of what is wrong with the configuration of a run that was
// taken up an error that says so. It does not wrap err: what is wrong is not
// how the command was called.
func (r *Run) Misfit(err error) error {
	return fmt.Errorf("%s does not fit the images of %s: %v; begin a new run", r.Path(ConfigFile), r.source, err)
}

func (r *Run) open(ctx context.Context, size int, gray bool) error {
	return r.reading(func(o data.Options) (err error) {
		o.Size, o.Gray = size, gray
		read := r.options.Open
		if read == nil {
			read = data.Open
		}
		r.Set, err = read(ctx, r.source, o)
		return err
	})
}

// reading calls open with the options of reading and notes how long it takes.
func (r *Run) reading(open func(o data.Options) error) error {
	r.Phase(PhaseRead)
	o := r.options.Data
	o.Progress = r.hooks.Read
	err := open(o)
	r.read = time.Since(r.begun).Seconds()
	return err
}

// Phase tells that a part of the run begins.
func (r *Run) Phase(p Phase) {
	if r.hooks.Phase != nil {
		r.hooks.Phase(p)
	}
}

// Tell tells the choices made and what was noticed.
func (r *Run) Tell(network string, c Common) {
	if r.hooks.Begun != nil {
		r.hooks.Begun(Start{r.Dir, network, c, r.Warnings})
	}
}

// Path returns the path of a file of the run.
func (r *Run) Path(name string) string { return filepath.Join(r.Dir, name) }

// Elapsed returns the seconds since the run, or its resumption, began.
func (r *Run) Elapsed() float64 { return time.Since(r.begun).Seconds() }

// ReadSeconds returns how long reading the images took.
func (r *Run) ReadSeconds() float64 { return r.read }

// Skipped names the files that were left out.
func (r *Run) Skipped() []Skipped {
	if r.Photos != nil {
		return skippedOf(r.Photos.Skipped)
	}
	return SkippedOf(r.Set)
}

// Skipped names a file that was left out.
type Skipped struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// SkippedOf names the files that a set left out.
func SkippedOf(set *data.Set) []Skipped { return skippedOf(set.Skipped) }

func skippedOf(left []data.Skip) []Skipped {
	var all []Skipped
	for _, s := range left {
		all = append(all, Skipped{s.Name, s.Reason})
	}
	return all
}

// Interrupted reports that a run was stopped from outside after its state was
// saved. It wraps [train.ErrInterrupted].
type Interrupted struct{ Dir string }

func (e *Interrupted) Error() string { return "interrupted; the run in " + e.Dir + " can be resumed" }

func (e *Interrupted) Unwrap() error { return train.ErrInterrupted }

// Halt returns an *Interrupted error if ctx has ended.
func (r *Run) Halt(ctx context.Context) error {
	if ctx.Err() != nil {
		return &Interrupted{r.Dir}
	}
	return nil
}
