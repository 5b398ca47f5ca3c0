package run

import (
	"path/filepath"
	"strings"
)

// Stage returns the run as it is while a network is trained that comes after
// the first one, or beside it: with checkpoints and metrics of its own, and
// progress under its own name. A run that is resumed trains every stage in
// turn; those that were finished end at once.
func (r *Run) Stage(p Phase) *Run {
	s := *r
	s.stage = p
	return &s
}

// checkpointDir is where the stage's checkpoints lie.
func (r *Run) checkpointDir() string { return filepath.Join(r.Path(CheckpointDir), string(r.stage)) }

// metricsFile is where the stage's epochs are noted: metrics.jsonl, or
// metrics-STAGE.jsonl.
func (r *Run) metricsFile() string {
	if r.stage == "" {
		return r.Path(MetricsFile)
	}
	name, ext, _ := strings.Cut(MetricsFile, ".")
	return r.Path(name + "-" + string(r.stage) + "." + ext)
}

// phase is what training is announced as.
func (r *Run) phase() Phase {
	if r.stage == "" {
		return PhaseTrain
	}
	return r.stage
}
