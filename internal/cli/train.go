package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hourglass/engine"
	"hourglass/internal/report"
	"hourglass/task/classify"
	"hourglass/train/run"
)

func (a *app) train() *cobra.Command {
	c := &cobra.Command{
		Use:   "train TASK SOURCE",
		Short: "train a network for a task",
		Long:  `Train learns a task from images. The tasks are the commands below.`,
		Example: `  hourglass train classify photos/
  hourglass train segment scenes/
  hourglass train denoise photos/
  hourglass train generate photos/`,
		RunE: a.run(func(c *cobra.Command, _ []string) error { return c.Help() }),
		Args: oneOfItsCommands,
	}
	c.AddCommand(a.trainClassify(), a.trainSegment(), a.trainDenoise(), a.trainInpaint(), a.trainGenerate())
	return c
}

// oneOfItsCommands refuses the name of a command that a group of them lacks.
func oneOfItsCommands(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return usageError{fmt.Errorf("%s knows no %s: choose from %s", c.CommandPath(), quote(args[0]), strings.Join(names, ", "))}
}

// classifyFlags are the flags of train classify that determine the model.
var classifyFlags = slices.Concat(shapeFlags, []string{"recipe", "widths", "no-batchnorm", "dropout", "label-smoothing",
	"mixup", "cutmix", "ema", "progressive", "tta", "class-weights"}, courseFlags)

// zeroFlags are those whose zero means none, and not "the recipe's choice".
var zeroFlags = []string{"dropout", "label-smoothing", "mixup", "cutmix", "ema", "progressive"}

func (a *app) trainClassify() *cobra.Command {
	var o classify.Options
	c := &cobra.Command{
		Use:   "classify SOURCE",
		Short: "train a classifier, judge it on held-out images, write its report",
		Long: `Train classify learns to tell classes apart and judges the result on a part that
it held out: the test part of a source that has one, or else its val part,
otherwise a fifth, at most 10,000. SOURCE is
a folder whose sub-folders are the classes (below train/ and test/, if there are
those), an archive of one, IDX or CIFAR files, a CSV file of path,label (and
perhaps part: train, val or test), or a built-in set (fashion).

The recipes:
  lecture  six convolutions of 3×3 with batch normalisation and rectifiers, pooling
           after each pair, dropout, Adam with one cycle
  fast     the CIFAR-10 speed runs: whitening, partial identities, much momentum,
           label smoothing, alternating mirror images; from 20,000 images of up to
           64×64 on wider, by Muon, and on smaller images first
  ` + strings.Join(classify.Recipes()[2:], ", ") + `
Every trick of a recipe can be set or switched off by a flag.`,
		Example: `  hourglass train classify fashion --name clothes
  hourglass train classify photos/ --size 64 --recipe resnet18 --minutes 30
  hourglass train classify cifar10.tar.gz --recipe fast --seed 2
  hourglass train classify labels.csv --no-batchnorm --dropout 0 --augment none`,
		Args: takes(1, 1, "SOURCE"),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.Recipe, "recipe", "", list(classify.Recipes())+" (default lecture)")
	f.IntSliceVar(&o.Widths, "widths", nil, "channels of the three stages of lecture and fast (default 32,64,128 for lecture, 32,96,256 from 20,000 images on; 64,128,128 for fast, 128,384,384 from 20,000 small images on)")
	f.BoolVar(&o.NoBatchNorm, "no-batchnorm", false, "take batch normalisation out of the network")
	optionalVar(f, &o.Dropout, "dropout", "probability of dropout before the last dense layer (default 0.5 for lecture, 0.2 for mobilenetv2 and efficientnet-lite0, else 0)")
	optionalVar(f, &o.LabelSmoothing, "label-smoothing", "share of the uniform distribution in the labels (default 0.2 for fast, 0.1 for lecture from 20,000 images on, else 0)")
	f.Float64Var(&o.Mixup, "mixup", 0, "α of blending images and labels with others; 0 for none")
	f.Float64Var(&o.Cutmix, "cutmix", 0, "α of pasting parts of other images; 0 for none")
	optionalVar(f, &o.EMA, "ema", "share of the past in an average of the weights, such as 0.999 (default 0: none)")
	optionalVar(f, &o.Progressive, "progressive", "share of the epochs that come first and see smaller images (default 0.5 for fast from 20,000 small images on, else 0)")
	f.StringVar(&o.TTA, "tta", "", "what an answer is averaged over: none, mirror (default of lecture), or shift (mirror and moved by a pixel; default of fast, and of lecture from 20,000 images on)")
	f.StringVar(&o.ClassWeights, "class-weights", "", "none, balanced, or a number for each class, with commas (default none)")
	addCourseFlags(f, &o.Course, "adam for lecture, adamw from 20,000 images on; nesterov for fast, muon from 20,000 small images on; else nesterov", "triangle for fast, else onecycle", "flip and a shift by a sixteenth of the side; for fast alternate in place of flip, and erase=0.3 from 20,000 small images on")
	addShapeFlags(f, &o.Size, &o.Gray)
	ro := addRunFlags(c)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		o.Source = args[0]
		if err := ro.begin(c, "hourglass train classify", o.Source, classifyFlags); err != nil {
			return err
		}
		return carryOut(a, c, ro, func(ctx context.Context, e *engine.Engine, ro run.Options, h run.Hooks) (*classify.Outcome, error) {
			return classify.Learn(ctx, e, o, ro, h)
		}, a.finishClassify)
	})
	return c
}

// finishClassify writes the report of a run that has been judged, completes
// its folder and prints the result.
func (a *app) finishClassify(out *classify.Outcome, t *tracker) error {
	s := out.Summary
	s.Command = exactCommand(s.Command, s.Config.Course)
	if err := a.finish(&out.Judged, report.Classifier(s, out.Evidence), t); err != nil {
		return err
	}
	return a.result(out.Result(), func(w io.Writer) {
		c := s.Config
		fmt.Fprintf(w, "%s: %s of %s in %s, %s\n", oneLine(c.Source), count(s.Found-len(s.Skipped), "image"),
			shape(c.Height, c.Width, c.Channels), plural(len(c.Classes), "class", "classes"), divided(c.Division))
		writeSkipped(w, s.Skipped)
		fmt.Fprintf(w, "%s network, %s parameters, %s, %.1f s\n\n", c.Recipe, number(s.Parameters), count(len(s.Training.Epochs), "epoch"), s.Seconds.Total)
		writeScores(w, "held out", &s.HeldOut)
		fmt.Fprintln(w)
		writePlaces(w, &out.Judged, s.Command)
	})
}

// worstClasses is the number of classes that a text names.
const worstClasses = 3

// writeScores writes the headline figures of an evaluation and the classes
// that are told apart worst.
func writeScores(w io.Writer, part string, e *classify.Evaluation) {
	accuracy, top5 := e.Accuracy, e.Top5
	rows := [][]string{{part, "accuracy", "top-5", "loss", "calibration error"}}
	rows = append(rows, []string{count(e.Images, "image"), share(&accuracy), share(&top5), fmt.Sprintf("%.4f", e.Loss), share(&e.Calibration.ECE)})
	columns(w, rows)
	worst := slices.Clone(e.Classes)
	worst = slices.DeleteFunc(worst, func(c classify.ClassScore) bool { return c.Images == 0 })
	slices.SortStableFunc(worst, func(a, b classify.ClassScore) int {
		switch {
		case a.Recall < b.Recall:
			return -1
		case a.Recall > b.Recall:
			return 1
		}
		return 0
	})
	fmt.Fprint(w, "hardest:")
	for i, c := range worst[:min(len(worst), worstClasses)] {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, " %s %s", oneLine(c.Class), share(&c.Recall))
	}
	fmt.Fprintln(w)
}

// plural writes a number of things whose plural is irregular.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// someClasses names the first classes.
func someClasses(classes []string) string {
	const most = 10
	if len(classes) <= most {
		return strings.Join(classes, ", ")
	}
	return strings.Join(classes[:most], ", ") + ", …"
}

// optionalNumber is a number that may be left out, which differs from 0.
type optionalNumber struct{ to **float64 }

func optionalVar(f *pflag.FlagSet, to **float64, name, usage string) {
	f.Var(optionalNumber{to}, name, usage)
}

// Set implements [pflag.Value].
func (n optionalNumber) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q is no number", text)
	}
	*n.to = &v
	return nil
}

// String implements [pflag.Value].
func (n optionalNumber) String() string {
	if n.to == nil || *n.to == nil {
		return ""
	}
	return strconv.FormatFloat(**n.to, 'g', -1, 64)
}

// Type implements [pflag.Value].
func (optionalNumber) Type() string { return "float" }
