package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/internal/report"
	"hourglass/train/run"
)

// runFlags are the flags of commands that begin a run or go on with one.
type runFlags struct {
	run.Options
	checkpointSeconds float64
}

// addResumeFlags adds what goes for runs that are begun and that are resumed.
func addResumeFlags(c *cobra.Command) *runFlags {
	r := &runFlags{}
	flags := c.Flags()
	flags.BoolVar(&r.Data.NoCache, "no-cache", false, "neither read nor keep decoded images in the user's cache folder")
	flags.Float64Var(&r.checkpointSeconds, "checkpoint-seconds", 0, "least time between two checkpoints (negative: after every step)")
	if err := flags.MarkHidden("checkpoint-seconds"); err != nil {
		panic(err) // the flag is defined one line above
	}
	return r
}

// addRunFlags adds what goes for runs that are begun.
func addRunFlags(c *cobra.Command) *runFlags {
	r := addResumeFlags(c)
	c.Flags().StringVar(&r.Name, "name", "", "name of the run's folder inside runs/ (default: after the source)")
	c.Flags().StringVar(&r.Dir, "out", "", "the run's folder, instead of one inside runs/")
	return r
}

// begin checks the flags of a run that is to begin, those about the model
// included, and notes the command that makes it again.
func (r *runFlags) begin(c *cobra.Command, command, source string, determining []string) error {
	if err := checkChoices(c.Flags(), determining); err != nil {
		return err
	}
	if r.Name != "" && (r.Name != filepath.Base(r.Name) || strings.Trim(r.Name, ".") == "") {
		return usageError{fmt.Errorf("--name %s: choose a name without slashes, or a whole path with --out", r.Name)}
	}
	for _, pair := range [][2]string{{"name", "out"}, {flagEpochs, flagMinutes}} {
		if c.Flags().Changed(pair[0]) && c.Flags().Changed(pair[1]) {
			return usageError{fmt.Errorf("--%s and --%s: give one of them", pair[0], pair[1])}
		}
	}
	r.Command = commandLine(command, source, c.Flags(), determining)
	return nil
}

// options returns what the flags say.
func (r *runFlags) options(a *app) run.Options {
	r.CheckpointEvery = time.Duration(r.checkpointSeconds * float64(time.Second))
	r.Data.Threads = a.threads
	return r.Options
}

// carryOut learns a task in a run that begins, showing how it goes on, and
// finishes what came of it.
func carryOut[Outcome any](a *app, c *cobra.Command, ro *runFlags,
	learn func(context.Context, *engine.Engine, run.Options, run.Hooks) (Outcome, error),
	finish func(Outcome, *tracker) error) error {
	e, err := a.engine()
	if err != nil {
		return err
	}
	defer e.Close()
	t := a.tracker()
	defer t.close()
	out, err := learn(c.Context(), e, ro.options(a), t.hooks())
	if err != nil {
		return unwritable(err)
	}
	return finish(out, t)
}

// finish writes the report of a run that has been judged and completes its
// folder.
func (a *app) finish(j *run.Judged, page *report.Page, t *tracker) error {
	begun := time.Now()
	if err := page.WriteFile(j.Path(run.ReportFile)); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	if err := j.Finish(time.Since(begun).Seconds()); err != nil {
		return err
	}
	t.conclude(true)
	return nil
}

// writePlaces says where a run's report and model are, and how to make it
// again.
func writePlaces(w io.Writer, j *run.Judged, command string) {
	columns(w, [][]string{
		{"report", j.Path(run.ReportFile)},
		{"model", j.Path(run.ModelFile)},
		{"again", command},
	})
}
