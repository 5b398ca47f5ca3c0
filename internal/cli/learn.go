package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/internal/report"
	"hourglass/task/autoencode"
)

// defaultSource is what is learnt from when nothing is named.
const defaultSource = "fashion"

func (a *app) learn() *cobra.Command {
	var o autoencode.Options
	var ro autoencode.RunOptions
	var checkpointSeconds float64
	c := &cobra.Command{
		Use:   "learn [SOURCE]",
		Short: "train an autoencoder on images and report what it has learnt",
		Long: `Learn reads images, trains an autoencoder on them and judges it, beside PCA of
the same size, on a part that it held out. SOURCE is a folder, an archive (.zip,
.tar, .tar.gz, .tar.zst), an IDX, CIFAR or .npy file, or the name of a built-in
set (` + strings.Join(data.Builtins(), ", ") + `, which is also the default). Labels, where there are
any, are used to judge and never to learn.

The run's folder, runs/NAME unless --out says otherwise, receives the model, the
report, and every figure of the report as summary.json.`,
		Example: `  hourglass learn
  hourglass learn photos/ --size 128 --latent 1024
  hourglass learn cifar-10-binary.tar.gz --latent 128 --minutes 10
  hourglass learn photos.zip --arch dense --decoder linear --loss l1 --out linear/`,
		Args: takes(0, 1),
	}
	c.Flags().SortFlags = false
	addChoices(c.Flags(), &o)
	c.Flags().StringVar(&ro.Name, "name", "", "name of the run's folder inside runs/ (default: after the source)")
	c.Flags().StringVar(&ro.Dir, "out", "", "the run's folder, instead of one inside runs/")
	addRunFlags(c, &ro, &checkpointSeconds)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if err := checkChoices(c.Flags()); err != nil {
			return err
		}
		if ro.Name != "" && (ro.Name != filepath.Base(ro.Name) || strings.Trim(ro.Name, ".") == "") {
			return usageError{fmt.Errorf("--name %s: choose a name without slashes, or a whole path with --out", ro.Name)}
		}
		for _, pair := range [][2]string{{"name", "out"}, {flagEpochs, flagMinutes}} {
			if c.Flags().Changed(pair[0]) && c.Flags().Changed(pair[1]) {
				return usageError{fmt.Errorf("--%s and --%s: give one of them", pair[0], pair[1])}
			}
		}
		o.Source = defaultSource
		if len(args) > 0 {
			o.Source = args[0]
		}
		ro.CheckpointEvery = time.Duration(checkpointSeconds * float64(time.Second))
		ro.Data.Threads = a.threads
		ro.Command = commandLine(o.Source, c.Flags())

		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		t := a.tracker()
		defer t.close()
		out, err := autoencode.Learn(c.Context(), e, o, ro, t.hooks())
		if err != nil {
			return unwritable(err)
		}
		return a.finish(out, t)
	})
	return c
}

// addRunFlags adds what learn and resume share.
func addRunFlags(c *cobra.Command, ro *autoencode.RunOptions, checkpointSeconds *float64) {
	flags := c.Flags()
	flags.BoolVar(&ro.Data.NoCache, "no-cache", false, "neither read nor keep decoded images in the user's cache folder")
	flags.Float64Var(checkpointSeconds, "checkpoint-seconds", 0, "least time between two checkpoints (negative: after every step)")
	if err := flags.MarkHidden("checkpoint-seconds"); err != nil {
		panic(err) // the flag is defined one line above
	}
}

// finish writes the report of a run that has been judged, completes its folder
// and prints the result.
func (a *app) finish(out *autoencode.Outcome, t *tracker) error {
	s := out.Summary
	s.Command = exactCommand(s.Command, s.Config)
	begun := time.Now()
	path := filepath.Join(out.Dir, autoencode.ReportFile)
	if err := report.Autoencoder(s, out.Evidence).WriteFile(path); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	if err := out.Finish(time.Since(begun).Seconds()); err != nil {
		return err
	}
	t.conclude(true)
	return a.result(out.Result(), outcomeText(out))
}
