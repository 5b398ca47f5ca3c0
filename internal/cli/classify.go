package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/internal/atomicfile"
	"hourglass/task/classify"
	"hourglass/train/run"
)

// classified is the result of classify.
type classified struct {
	Model        string        `json:"model"`
	Images       int           `json:"images"`
	Skipped      int           `json:"skipped"`
	SkippedFiles []run.Skipped `json:"skipped_files"`
	Calibrated   bool          `json:"calibrated"` // whether confidence is
	Out          string        `json:"out,omitempty"`
	Answers      []answered    `json:"answers"`
}

type answered struct {
	Name    string   `json:"name"`
	Answers []answer `json:"classes"` // the most probable first
}

type answer struct {
	Class      string  `json:"class"`
	Confidence float64 `json:"confidence"` // probability, 0–1
}

// loadClassifier reads the classifier at path, or the one in the run's folder
// at path.
func loadClassifier(e *engine.Engine, path string) (*classify.Model, error) {
	m, err := classify.Load(e, modelPath(path))
	if err != nil {
		return nil, unloadable(err)
	}
	return m, nil
}

func (a *app) classify() *cobra.Command {
	var modelFile, out string
	var top int
	c := &cobra.Command{
		Use:   "classify --model MODEL IMAGES...",
		Short: "say what images show",
		Long: `Classify writes for each image the classes that it most probably shows, and how
probable they are. IMAGES are files, folders or archives. With --out the answers
are written as a CSV table, one row an image.

The probabilities are calibrated on images that the model did not learn from, if it
had at least 200, or a val part beside a test part: of answers given with 80 %,
about 80 % are right on images like those.`,
		Example: `  hourglass classify --model runs/photos a.jpg b.png --top 3
  hourglass classify --model runs/photos/model.safetensors new/ --out answers.csv`,
		Args: takes(1, -1, "IMAGES"),
	}
	c.Flags().StringVar(&modelFile, "model", "", "the model, or its run's folder (required)")
	c.Flags().IntVar(&top, "top", 5, "how many classes to name for each image")
	c.Flags().StringVar(&out, "out", "", "file for the answers as a CSV table")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		switch {
		case modelFile == "":
			return usageError{fmt.Errorf("--model is missing: name a model, or its run's folder")}
		case top < 1:
			return usageError{fmt.Errorf("--top %d: choose at least 1", top)}
		case out != "" && !strings.EqualFold(filepath.Ext(out), ".csv"):
			return usageError{fmt.Errorf("--out %s: name a file that ends in .csv", quote(out))}
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		m, err := loadClassifier(e, modelFile)
		if err != nil {
			return err
		}
		if out != "" {
			if err := resultFile("out", out, inputsOf(args...)); err != nil {
				return err
			}
		}
		t := a.tracker()
		defer t.close()
		im, err := a.openImages(c.Context(), m.Config().Images, args, t)
		if err != nil {
			return err
		}
		r := &classified{Model: modelFile, Calibrated: m.Config().Validation > 0, Images: im.len(), Skipped: len(im.skipped), SkippedFiles: im.skipped, Out: out}
		if !r.Calibrated {
			t.note("the confidence is not calibrated: the model was given too few images to keep some for that")
		}
		t.begin("classifying")
		k := len(m.Classes())
		err = im.blocks(c.Context(), t, func(names []string, pixels []uint8) error {
			p, err := m.Classify(pixels)
			if err != nil {
				return err
			}
			for i, name := range names {
				r.Answers = append(r.Answers, answered{name, best(m.Classes(), p[i*k:(i+1)*k], top)})
			}
			return nil
		})
		if err != nil {
			return err
		}
		if out != "" {
			if err := r.writeCSV(out); err != nil {
				return unwritable(err)
			}
		}
		t.conclude(true)
		return a.result(r, r.text)
	})
	return c
}

// best returns the top most probable classes.
func best(classes []string, p []float32, top int) []answer {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] > p[b]:
			return -1
		case p[a] < p[b]:
			return 1
		}
		return 0
	})
	var all []answer
	for _, i := range order[:min(top, len(order))] {
		all = append(all, answer{classes[i], float64(p[i])})
	}
	return all
}

// writeCSV writes a row for each image: its name and, for each answer, the
// class and its confidence.
func (r *classified) writeCSV(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		head := []string{"image"}
		for i := range r.Answers[0].Answers {
			head = append(head, fmt.Sprintf("class%d", i+1), fmt.Sprintf("confidence%d", i+1))
		}
		if err := c.Write(head); err != nil {
			return err
		}
		for _, one := range r.Answers {
			row := []string{one.Name}
			for _, an := range one.Answers {
				row = append(row, an.Class, strconv.FormatFloat(an.Confidence, 'f', 6, 64))
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	})
}

func (r *classified) text(w io.Writer) {
	writeSkipped(w, r.SkippedFiles)
	rows := [][]string{{"image"}}
	for i := range r.Answers[0].Answers {
		head := "class"
		if i > 0 {
			head = "or"
		}
		rows[0] = append(rows[0], head, "")
	}
	for i, one := range r.Answers {
		if i == showImages {
			rows = append(rows, []string{"and " + number(len(r.Answers)-i) + " more"})
			break
		}
		row := []string{oneLine(one.Name)}
		for _, an := range one.Answers {
			row = append(row, oneLine(an.Class), share(&an.Confidence))
		}
		rows = append(rows, row)
	}
	columns(w, rows)
	if r.Out != "" {
		fmt.Fprintf(w, "\n%s in %s\n", count(r.Images, "row"), r.Out)
	}
}
