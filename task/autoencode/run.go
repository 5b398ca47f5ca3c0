package autoencode

import (
	"time"

	"hourglass/data"
	"hourglass/train"
)

// RunOptions say where a run lives and how its data are read.
type RunOptions struct {
	// Dir is the run's folder, which must not hold a run yet; "" means the
	// first free of runs/NAME, runs/NAME-2, …
	Dir string
	// Name is NAME; "" means it is made from the source.
	Name string
	// Data are the options of reading; Size and Gray are taken from Options.
	Data data.Options
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
	Begun func(dir string, c Config, warnings []string)
	Step  func(train.Progress)
	Epoch func(train.Epoch)
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

// Outcome is a run that has been trained and judged. Its report is still to
// be written, after which Finish completes the run's folder.
type Outcome struct {
	Dir      string
	Summary  *Summary
	Evidence *Evidence

	begun time.Time
}

// The files of a run's folder.
const (
	ConfigFile    = "config.json"
	MetricsFile   = "metrics.jsonl"
	CheckpointDir = "checkpoint"
	ModelFile     = "model.safetensors"
	SummaryFile   = "summary.json"
	ReportFile    = "report.html"
)
