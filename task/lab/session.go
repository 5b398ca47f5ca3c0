package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/nn/arch"
	"hourglass/train/run"
)

// Options say what a session runs on what.
type Options struct {
	Names  []string // of experiments; none means all
	Scale  Scale
	Seed   uint64
	Source string       // images with labels, as [data.Open] takes it
	Data   data.Options // how they are read
	// Dir is the folder in which finished experiments are kept. Those that it
	// holds from a session with the same choices are not run again.
	Dir string
	// Fresh runs the experiments even if Dir holds them.
	Fresh bool
}

// Hooks are told how a session goes on; any may be nil.
type Hooks struct {
	Read     func(done, total int, bytes int64)
	Warn     func(warnings []string)        // about the images
	Begin    func(e Experiment, at, of int) // at counts from 1
	Progress func(Progress)
	Kept     func(r *Result) // was finished by an earlier session
	Done     func(r *Result)
}

// Progress is where the running experiment stands.
type Progress struct {
	Share float64 // 0–1 of its work
	Doing string
	Left  time.Duration // of the whole session, as far as can be told
}

// Setting is what figures depend on.
type Setting struct {
	Fingerprint string `json:"fingerprint"` // of the images
	Scale       string `json:"scale"`
	Seed        uint64 `json:"seed"`
	ISA         string `json:"isa"` // instruction-set level
}

// Summary holds every figure of the experiments that a folder holds, and is
// its summary.json.
type Summary struct {
	Source   string   `json:"source"`
	Images   int      `json:"images"`
	Height   int      `json:"height"`
	Width    int      `json:"width"`
	Channels int      `json:"channels"`
	Classes  []string `json:"classes"`
	run.Division
	Setting
	Command     string    `json:"command"`     // makes the session again; for the caller to fill in
	Experiments []*Result `json:"experiments"` // without pictures
	Missing     []string  `json:"missing"`     // that were not run
	Seconds     float64   `json:"seconds"`     // of all experiments together
}

// Outcome is a session that is over. Its report is still to be written.
type Outcome struct {
	Summary *Summary
	Results []*Result // with pictures
}

// The files of a session's folder.
const (
	ExperimentDir = run.ExperimentDir // NAME.json of each that is finished
	SummaryFile   = run.SummaryFile
	ReportFile    = run.ReportFile
)

// kept is the file of a finished experiment.
type kept struct {
	Setting Setting `json:"setting"`
	Result  *Result `json:"result"`
}

// maxKept caps the size of such a file.
const maxKept = 256 << 20

// SettingError reports a folder that holds experiments of other choices.
type SettingError struct {
	Dir  string
	What string // the choice that differs
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s holds experiments of another session: %s", e.Dir, e.What)
}

// Bounds of what experiments are made for.
const (
	leastTrain   = 200
	leastHeldOut = 20
	largestSide  = 64
)

// Run opens the images, runs the experiments that the folder lacks, keeps
// each as it ends, and sums up all that the folder then holds. It returns
// ctx's error if that ends first; what was finished is kept. Errors about
// names are *UnknownError, those about a folder's choices *SettingError.
func Run(ctx context.Context, e *engine.Engine, o Options, h Hooks) (*Outcome, error) {
	wanted, err := choose(o.Names)
	if err != nil {
		return nil, err
	}
	o.Data.Progress = h.Read
	set, err := data.Open(ctx, o.Source, o.Data)
	if err != nil {
		return nil, err
	}
	if h.Warn != nil {
		h.Warn(set.Warnings)
	}
	b, err := prepare(ctx, e, set, o)
	if err != nil {
		return nil, err
	}
	s := &session{bench: b, hooks: h, dir: o.Dir,
		setting: Setting{set.Fingerprint, o.Scale.String(), o.Seed, e.Level().String()}}
	if err := s.open(wanted, o.Fresh); err != nil {
		return nil, err
	}
	for i, x := range wanted {
		if r := s.finished[x.Name]; r != nil {
			if h.Kept != nil {
				h.Kept(r)
			}
			continue
		}
		r, err := s.run(x, i+1, wanted)
		if err != nil {
			return nil, err
		}
		s.finished[x.Name] = r
		if h.Done != nil {
			h.Done(r)
		}
	}
	return s.outcome(o), nil
}

// prepare checks that the images are such as experiments can be made with.
func prepare(ctx context.Context, e *engine.Engine, set *data.Set, o Options) (*Bench, error) {
	if set.Labels == nil || len(set.Classes) < 2 {
		return nil, fmt.Errorf("the images in %s have no labels of two classes or more: sort them into a sub-folder for each, or choose another source", o.Source)
	}
	if max(set.Height, set.Width) > largestSide || min(set.Height, set.Width) < arch.MinSide {
		return nil, fmt.Errorf("the images in %s have %d×%d pixels, and experiments are made for sides of %d to %d: add --size 32",
			o.Source, set.Height, set.Width, arch.MinSide, largestSide)
	}
	b := newBench(ctx, e, set, o.Scale, o.Seed)
	if p := b.Parts; len(p.Train) < leastTrain || len(p.HeldOut) < leastHeldOut || len(p.Validation) == 0 {
		return nil, fmt.Errorf("%s has %d images to learn from and %d held out: experiments need at least %d and %d",
			o.Source, len(p.Train), len(p.HeldOut), leastTrain, leastHeldOut)
	}
	return b, nil
}

// session is a session in progress.
type session struct {
	bench    *Bench
	hooks    Hooks
	dir      string
	setting  Setting
	finished map[string]*Result
}

func (s *session) path(name string) string {
	return filepath.Join(s.dir, ExperimentDir, name+".json")
}

// open reads what the folder holds; if fresh, without the wanted experiments,
// which it removes.
func (s *session) open(wanted []Experiment, fresh bool) error {
	if _, err := os.Stat(filepath.Join(s.dir, run.ConfigFile)); err == nil {
		return fmt.Errorf("%s holds a run of training, whose report and summary would be overwritten: choose another folder", s.dir)
	}
	if err := os.MkdirAll(filepath.Join(s.dir, ExperimentDir), 0o777); err != nil {
		return fmt.Errorf("cannot make the folder of experiments: %w", err)
	}
	s.finished = make(map[string]*Result)
	var anew []Experiment
	if fresh {
		anew = wanted
	}
	for _, x := range Experiments() {
		if slices.ContainsFunc(anew, func(a Experiment) bool { return a.Name == x.Name }) {
			continue
		}
		k, err := readKept(s.path(x.Name))
		if err != nil {
			return err
		}
		if k == nil {
			continue
		}
		if what := s.setting.differs(k.Setting); what != "" {
			return &SettingError{s.dir, what}
		}
		// One of an earlier version of the program is run again.
		if k.Result.Name == x.Name && k.Result.Claim == x.Claim && reflect.DeepEqual(k.Result.Recipe, x.Recipe(s.bench)) {
			s.finished[x.Name] = k.Result
		}
	}
	for _, x := range anew {
		if err := os.Remove(s.path(x.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove an experiment: %w", err)
		}
	}
	return nil
}

// readKept reads a finished experiment, nil if there is none.
func readKept(path string) (*kept, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read an experiment: %w", err)
	}
	defer f.Close()
	var k kept
	if err := json.NewDecoder(io.LimitReader(f, maxKept)).Decode(&k); err != nil || k.Result == nil {
		return nil, fmt.Errorf("%s is not what a finished experiment leaves: remove it, or run all anew with --fresh and without a NAME", path)
	}
	return &k, nil
}

// differs says in what a setting is another, "" if it is the same.
func (s Setting) differs(t Setting) string {
	switch {
	case s.Scale != t.Scale:
		return fmt.Sprintf("theirs are %s and not %s", t.Scale, s.Scale)
	case s.Seed != t.Seed:
		return fmt.Sprintf("their seed is %d and not %d", t.Seed, s.Seed)
	case s.Fingerprint != t.Fingerprint:
		return "they were made with other images"
	case s.ISA != t.ISA:
		return fmt.Sprintf("they were made on %s instructions and not on %s", t.ISA, s.ISA)
	}
	return ""
}

// run runs one experiment and keeps it.
func (s *session) run(x Experiment, at int, wanted []Experiment) (*Result, error) {
	if s.hooks.Begin != nil {
		s.hooks.Begin(x, at, len(wanted))
	}
	later := 0.0 // minutes, by their own account
	for _, y := range wanted[at:] {
		if s.finished[y.Name] == nil {
			later += y.Minutes
		}
	}
	begun := time.Now()
	b := *s.bench
	b.progress = func(share float64, doing string) {
		if s.hooks.Progress != nil {
			s.hooks.Progress(Progress{share, doing, left(x.Minutes, later, share, time.Since(begun))})
		}
	}
	r := &Result{Name: x.Name, Title: x.Title, Claim: x.Claim, Recipe: x.Recipe(&b)}
	err := x.Run(&b, r)
	if ctxErr := b.ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	if err != nil {
		return nil, fmt.Errorf("experiment %s: %w", x.Name, err)
	}
	r.conclude(x.Verdict(r))
	r.Seconds = time.Since(begun).Seconds()
	return r, run.WriteJSON(s.path(x.Name), kept{s.setting, r})
}

// left estimates the time to go: an experiment's own from how far it has come,
// and that of later ones from what they are said to take, by how this one
// compares with what it was said to take.
func left(minutes, later, share float64, elapsed time.Duration) time.Duration {
	const trusted = 0.05 // the share from which on the pace is known
	if share < trusted {
		return time.Duration((minutes + later) * float64(time.Minute))
	}
	whole := float64(elapsed) / share
	pace := whole / (minutes * float64(time.Minute))
	return time.Duration(whole*(1-share) + pace*later*float64(time.Minute))
}

// outcome sums up what the folder holds.
func (s *session) outcome(o Options) *Outcome {
	set := s.bench.Set
	out := &Outcome{Summary: &Summary{
		Source: o.Source, Images: set.Len(), Height: set.Height, Width: set.Width, Channels: set.Channels, Classes: set.Classes,
		Division: s.bench.Parts.Division(), Setting: s.setting,
		Experiments: []*Result{}, Missing: []string{},
	}}
	for _, x := range Experiments() {
		r := s.finished[x.Name]
		if r == nil {
			out.Summary.Missing = append(out.Summary.Missing, x.Name)
			continue
		}
		out.Results = append(out.Results, r)
		plain := *r
		plain.Pictures = nil
		out.Summary.Experiments = append(out.Summary.Experiments, &plain)
		out.Summary.Seconds += r.Seconds
	}
	return out
}

// Brief returns the results with figures and verdicts only, as `hourglass lab
// --json` prints them.
func (s *Summary) Brief() *Summary {
	brief := *s
	brief.Experiments = slices.Clone(s.Experiments)
	for i, r := range brief.Experiments {
		few := *r
		few.Plots, few.Tables = nil, nil
		brief.Experiments[i] = &few
	}
	return &brief
}

// Claimed counts the experiments whose claims hold.
func (s *Summary) Claimed() (holding, all int) {
	for _, r := range s.Experiments {
		if r.Holds {
			holding++
		}
	}
	return holding, len(s.Experiments)
}
