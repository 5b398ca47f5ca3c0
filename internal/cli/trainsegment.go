package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/internal/report"
	"hourglass/task/segment"
	"hourglass/train/run"
)

// segmentFlags are the flags of train segment that determine the model.
var segmentFlags = slices.Concat(shapeFlags, []string{"classes", "names", "ignore", "net", "width", "loss", "balance", "ema", "tta", "from"}, courseFlags)

func (a *app) trainSegment() *cobra.Command {
	var o segment.Options
	var classes, names string
	var ignore []int
	c := &cobra.Command{
		Use:   "segment SOURCE",
		Short: "train a network that cuts images into their parts",
		Long: `Train segment learns to give every pixel a class, judges the result on a part that
it held out, and writes model and report. SOURCE is a folder with images/ and
labels/, or with train/, val/ and test/ that each hold these. The label of
images/NAME.jpg is labels/NAME.png, as large as its image: grey values or palette
indices say the classes, or colours that a file of classes names. Two classes make
a foreground mask.

What the values mean stands in SOURCE/classes.txt, another file (--classes) or
--names; otherwise the values found are the classes. A file of classes has a line
for each, in the order of the values:

  [VALUE] NAME [COLOUR] [ignore]

COLOUR is #rrggbb or three numbers from 0 to 255; ignore marks pixels that are not
judged, as --ignore does.

The networks are fast, a residual U-Net that works mostly at half size and below,
and unet, the one of Ronneberger et al. at every size.`,
		Example: `  hourglass train segment scenes/
  hourglass train segment camvid/ --names sky,building,pole,road,pavement,tree,sign,fence,car,person,bicycle --ignore 11
  hourglass train segment cells/ --net unet --loss dice --minutes 30
  hourglass train segment my-street/ --from runs/camvid/ --epochs 40`,
		Args: takes(1, 1, "SOURCE"),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&classes, "classes", "", "file that names the classes (default: SOURCE/"+segment.ClassFile+", if there is one)")
	f.StringVar(&names, "names", "", "names of the values from 0 on, with commas, instead of a file")
	f.IntSliceVar(&ignore, "ignore", nil, "values of labels that are not judged, with commas")
	f.StringVar(&o.Net, "net", "", "network: "+list(segment.Nets())+" (default fast)")
	f.IntVar(&o.Width, "width", 0, "channels of the network at half size (fast) or full size (unet) (default 32)")
	f.StringVar(&o.Loss, "loss", "", "what is lowered: ce (cross-entropy), dice (soft Dice) or both (default both)")
	f.StringVar(&o.Balance, "balance", "", "weights of the classes in cross-entropy: "+list(segment.Balances())+" (default root, of the median frequency)")
	f.StringVar(&o.From, "from", "", "model of train segment, or its run's folder, whose weights it begins with as far as they fit, at a third of the rate")
	f.StringVar(&o.TTA, "tta", "", "what is averaged over in use: none, or scale, the image as it is and at .8 of its size (default scale)")
	optionalVar(f, &o.EMA, "ema", "share of the past in an average of the weights, 0 for none (default 0.996)")
	addCourseFlags(f, &o.Course, "adamw", "onecycle", "what a camera does that looks elsewhere in another light")
	neverImpatient(f)
	addShapeFlags(f, &o.Size, &o.Gray)
	f.Lookup("size").Usage = "shorter side in pixels that the images are brought to (default: their own, up to 102,400 pixels in all)"
	ro := addRunFlags(c)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		o.Source = args[0]
		if o.From != "" {
			o.From = modelPath(o.From)
		}
		if err := ro.begin(c, "hourglass train segment", o.Source, segmentFlags); err != nil {
			return err
		}
		var err error
		if o.Labels, err = segment.Labels(o.Source, classes, splitNames(names), ignore); err != nil {
			return err
		}
		return carryOut(a, c, ro, func(ctx context.Context, e *engine.Engine, ro run.Options, h run.Hooks) (*segment.Outcome, error) {
			return segment.Learn(ctx, e, o, ro, h)
		}, a.finishSegment)
	})
	return c
}

// splitNames reads a list with commas.
func splitNames(text string) []string {
	if text == "" {
		return nil
	}
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// finishSegment writes the report of a run that has been judged, completes its
// folder and prints the result.
func (a *app) finishSegment(out *segment.Outcome, t *tracker) error {
	s := out.Summary
	s.Command = exactCommand(s.Command, s.Config.Course)
	if err := a.finish(&out.Judged, report.Segmentation(s, out.Evidence), t); err != nil {
		return err
	}
	return a.result(out.Result(), func(w io.Writer) {
		c := s.Config
		fmt.Fprintf(w, "%s: %s of %s in %d classes, %s\n", oneLine(c.Source),
			count(s.Found-len(s.Skipped), "image"), shape(c.Height, c.Width, c.Channels), len(c.Labels.Classes), divided(c.Division))
		writeSkipped(w, s.Skipped)
		fmt.Fprintf(w, "%s network, %s parameters, %s, %.1f s\n\n", c.Net, number(s.Parameters), count(len(s.Training.Epochs), "epoch"), s.Seconds.Total)
		writeSegmentScores(w, s.HeldOut)
		fmt.Fprintln(w)
		writePlaces(w, &out.Judged, s.Command)
	})
}

// showClasses is the number of classes that a table in a text has.
const showClasses = 24

// writeSegmentScores writes the headline figures and a table of the classes,
// the best first.
func writeSegmentScores(w io.Writer, s segment.Scores) {
	columns(w, [][]string{
		{"held out", "mIoU", "pixels right", "boundary F"},
		{"", share(&s.MIoU), share(&s.PixelAccuracy), share(&s.BoundaryF)},
	})
	fmt.Fprintln(w)
	value := func(v *float64) float64 {
		if v == nil {
			return -1
		}
		return *v
	}
	classes := slices.Clone(s.Classes)
	slices.SortStableFunc(classes, func(a, b segment.ClassScore) int { return cmp.Compare(value(b.IoU), value(a.IoU)) })
	rows := [][]string{{"class", "IoU", "recall", "of the pixels"}}
	for i, c := range classes {
		if i == showClasses {
			rows = append(rows, []string{"and " + number(len(classes)-i) + " more", "", "", ""})
			break
		}
		rows = append(rows, []string{oneLine(c.Class), share(c.IoU), share(c.Recall), share(&c.Share)})
	}
	columns(w, rows)
}
