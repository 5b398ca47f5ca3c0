package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

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

// finish writes the report of a run that has been judged and completes its
// folder: complete is told how long the report took.
func (a *app) finish(dir string, page *report.Page, complete func(reportSeconds float64) error, t *tracker) error {
	begun := time.Now()
	if err := page.WriteFile(filepath.Join(dir, run.ReportFile)); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	if err := complete(time.Since(begun).Seconds()); err != nil {
		return err
	}
	t.conclude(true)
	return nil
}
