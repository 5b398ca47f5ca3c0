package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/internal/report"
	"hourglass/task/classify"
	"hourglass/train/run"
)

// evaluated is the result of evaluate.
type evaluated struct {
	Model   string `json:"model"`
	Source  string `json:"source"`
	Part    string `json:"part"` // "held out", "test", "val" or "all"
	Skipped int    `json:"skipped"`
	classify.Evaluation
	Report string `json:"report"`
}

func (a *app) evaluate() *cobra.Command {
	var out string
	var all, noCache bool
	c := &cobra.Command{
		Use:   "evaluate MODEL SOURCE",
		Short: "judge a classifier on labelled images",
		Long: `Evaluate measures a classifier on labelled images: accuracy, each class, what is
taken for what, how well its confidence agrees with how often it is right, and
the worst mistakes, as pictures in a report. SOURCE is whatever train classify
reads; its labels must be classes of the model.

Of the source that the model learnt from, the part that was held out is judged;
of any other that is divided, its test part, or else its val part; of all others,
every image.`,
		Example: `  hourglass evaluate runs/photos/model.safetensors other-photos/
  hourglass evaluate runs/clothes fashion --out clothes.html --json`,
		Args: takes(2, 2, "MODEL", "SOURCE"),
	}
	c.Flags().StringVar(&out, "out", "evaluation.html", "file for the report")
	c.Flags().BoolVar(&all, "all", false, "judge every image of the source, even those learnt from")
	c.Flags().BoolVar(&noCache, "no-cache", false, "neither read nor keep decoded images in the user's cache folder")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if e := strings.ToLower(filepath.Ext(out)); e != ".html" && e != ".htm" {
			return usageError{fmt.Errorf("--out %s: name a file that ends in .html", quote(out))}
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		m, err := loadClassifier(e, args[0])
		if err != nil {
			return err
		}
		if err := resultFile("out", out, inputsOf(args[1])); err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		t.begin("reading")
		cfg := m.Config()
		set, err := data.Open(c.Context(), args[1], data.Options{
			Height: cfg.Height, Width: cfg.Width, Gray: cfg.Channels == 1, RGB: cfg.Channels == 3,
			NoCache: noCache, Threads: a.threads, Progress: t.read,
		})
		if err != nil {
			return err
		}
		t.warn(set.Warnings)
		if set, err = m.Match(set); err != nil {
			return fmt.Errorf("cannot judge the model by %s: %w", args[1], err)
		}
		r := evaluated{Model: args[0], Source: args[1], Skipped: len(set.Skipped), Report: out}
		images := make([]int, set.Len())
		for i := range images {
			images[i] = i
		}
		r.Part = "all"
		if !all {
			learnt, err := learntFrom(c.Context(), args[1], modelPath(args[0]), cfg.Images)
			if err != nil {
				return err
			}
			if r.Part, images, err = judgedPart(set, args[1], learnt, cfg.Common, images); err != nil {
				return err
			}
		}
		t.begin("judging")
		evaluation, ev, err := m.Evaluate(c.Context(), set, images, func(done int) {
			t.advance(done, len(images), func() string { return number(done) + " of " + count(len(images), "image") })
		})
		if err != nil {
			return err
		}
		r.Evaluation = *evaluation
		page := report.Evaluation(args[0], args[1], r.Part, cfg, evaluation, ev)
		if err := page.WriteFile(out); err != nil {
			return unwritable(fmt.Errorf("cannot write the report: %w", err))
		}
		t.conclude(true)
		return a.result(r, func(w io.Writer) {
			writeSkipped(w, run.SkippedOf(set))
			writeScores(w, r.Part, evaluation)
			fmt.Fprintf(w, "\nreport  %s\n", out)
		})
	})
	return c
}

// learntFrom reports whether a source is that of the images that a model learnt
// from: by its name, also if images have changed since, or else by its listing,
// wherever it was named from. In a run's folder the name is exact; a model alone
// knows only how its source was called.
func learntFrom(ctx context.Context, source, model string, c run.Images) (bool, error) {
	if run.SameSource(source, cmp.Or(run.SourceOf(filepath.Dir(model)), c.Source)) {
		return true, nil
	}
	listed, err := data.Fingerprint(ctx, source, data.Options{Size: c.Size, Gray: c.Gray})
	return listed == c.Fingerprint, err
}

// judgedPart returns which images of a set a model is judged by: those held out
// when it was trained, if it learnt from this source; else the set's test part, or
// its val part; else all.
func judgedPart(set *data.Set, source string, learnt bool, c run.Common, all []int) (string, []int, error) {
	if learnt {
		parts := run.Divide(set)
		if parts.Division() != c.Division {
			return "", nil, fmt.Errorf("the model learnt from %s, whose images have changed since: which of them were held out is not known; judge it by other images, or by all of them with --all", source)
		}
		return "held out", parts.HeldOut, nil
	}
	for _, k := range []struct {
		part data.Part
		name string
	}{{data.PartTest, "test"}, {data.PartVal, "val"}} {
		var some []int
		for i, p := range set.Parts {
			if p == k.part {
				some = append(some, i)
			}
		}
		if len(some) > 0 {
			return k.name, some, nil
		}
	}
	return "all", all, nil
}
