package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/internal/report"
	"hourglass/task/autoencode"
	"hourglass/train/run"
)

// defaultSource is what is learnt from when nothing is named.
const defaultSource = "fashion"

func (a *app) learn() *cobra.Command {
	var o autoencode.Options
	c := &cobra.Command{
		Use:   "learn [SOURCE]",
		Short: "train an autoencoder on images and report what it has learnt",
		Long: `Learn reads images, trains an autoencoder on them and judges it, beside PCA of
the same size, on a part that it held out. SOURCE is a folder, an archive (.zip,
.tar, .tar.gz, .tgz, .tar.zst), an IDX, CIFAR or .npy file, a CSV file of
path,label, or the name of a built-in set (` + strings.Join(data.Builtins(), ", ") + `, which is also the default).
Labels, where there are any, are used to judge and never to learn.

The run's folder, runs/NAME unless --out says otherwise, receives the model, the
report, and every figure of the report as summary.json.`,
		Example: `  hourglass learn
  hourglass learn photos/ --size 128 --latent 1024
  hourglass learn cifar-10-binary.tar.gz --latent 128 --minutes 10
  hourglass learn photos.zip --arch dense --decoder linear --loss l1 --out linear/`,
		Args: takes(0, 1),
	}
	c.Flags().SortFlags = false
	addLearnFlags(c.Flags(), &o)
	ro := addRunFlags(c)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		o.Source = defaultSource
		if len(args) > 0 {
			o.Source = args[0]
		}
		if err := ro.begin(c, "hourglass learn", o.Source, learnFlags); err != nil {
			return err
		}
		return carryOut(a, c, ro, func(ctx context.Context, e *engine.Engine, ro run.Options, h run.Hooks) (*autoencode.Outcome, error) {
			return autoencode.Learn(ctx, e, o, ro, h)
		}, a.finishLearn)
	})
	return c
}

// finishLearn writes the report of a run that has been judged, completes its
// folder and prints the result.
func (a *app) finishLearn(out *autoencode.Outcome, t *tracker) error {
	s := out.Summary
	s.Command = exactCommand(s.Command, s.Config.Course)
	if err := a.finish(&out.Judged, report.Autoencoder(s, out.Evidence), t); err != nil {
		return err
	}
	return a.result(out.Result(), outcomeText(out))
}
