package cli

import (
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
	Part    string `json:"part"` // "held out", "test" or "all"
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

Of a source that is divided the test part is judged; of the source that the model
learnt from, the part that was held out; of any other, every image.`,
		Example: `  hourglass evaluate runs/photos/model.safetensors other-photos/
  hourglass evaluate runs/fashion fashion --out fashion.html --json`,
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
		if err := outFolder(filepath.Dir(out)); err != nil {
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
		if set, err = m.Match(set); err != nil {
			return fmt.Errorf("cannot judge the model by %s: %w", args[1], err)
		}
		r := evaluated{Model: args[0], Source: args[1], Skipped: len(set.Skipped), Report: out}
		images := make([]int, set.Len())
		for i := range images {
			images[i] = i
		}
		r.Part = "all"
		if parts := run.Divide(set); !all {
			switch {
			case args[1] == cfg.Source && parts.Division() == cfg.Division:
				r.Part, images = "held out", parts.HeldOut
			case set.Parts != nil:
				r.Part, images = "test", parts.HeldOut
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
			writeScores(w, evaluation)
			fmt.Fprintf(w, "\nreport  %s\n", out)
		})
	})
	return c
}
