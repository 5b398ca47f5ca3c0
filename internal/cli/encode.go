package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hourglass/format/table"
	"hourglass/train/run"
)

// encoded is the result of encode.
type encoded struct {
	Model        string        `json:"model"`
	Images       int           `json:"images"`
	Skipped      int           `json:"skipped"`
	SkippedFiles []run.Skipped `json:"skipped_files"`
	Latent       int           `json:"latent"`
	Out          string        `json:"out"`
}

func (a *app) encode() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "encode MODEL IMAGES... --out CODES",
		Short: "turn images into codes",
		Long: `Encode writes the code of every image, in order, as a matrix [N,k] (.npy) or as a
table with the images' names and, where there are any, labels (.parquet, .csv).
IMAGES are files, folders or archives.`,
		Example: `  hourglass encode runs/photos/model.safetensors photos/ --out z.npy
  hourglass encode runs/photos/model.safetensors a.jpg b.png --out z.csv`,
		Args: takes(2, -1, "MODEL", "IMAGES"),
	}
	c.Flags().StringVar(&out, "out", "", "file for the codes: .npy, .parquet or .csv (required)")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if out == "" {
			return usageError{fmt.Errorf("--out is missing: name a file that ends in .npy, .parquet or .csv")}
		}
		if _, err := table.FormatOf(out); err != nil {
			return usageError{fmt.Errorf("--out %s: name a file that ends in .npy, .parquet or .csv", quote(out))}
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		m, err := load(e, args[0])
		if err != nil {
			return err
		}
		if m.CodeLength() > table.MaxDim {
			return fmt.Errorf("%s has codes of %s numbers, and a file of codes holds up to %s for an image", args[0], number(m.CodeLength()), number(table.MaxDim))
		}
		if err := resultFile("out", out, inputsOf(args[1:]...)); err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		im, err := a.openImages(c.Context(), m.Config().Images, args[1:], t)
		if err != nil {
			return err
		}
		t.begin("encoding")
		codes := &table.Table{Dim: m.CodeLength(), Labels: im.labels(), Values: make([]float32, 0, im.len()*m.CodeLength())}
		err = im.blocks(c.Context(), t, func(names []string, pixels []uint8) error {
			z, err := m.Encode(pixels)
			codes.Names, codes.Values = append(codes.Names, names...), append(codes.Values, z...)
			return err
		})
		if err != nil {
			return err
		}
		if err := table.WriteFile(out, codes); err != nil {
			return unwritable(err)
		}
		t.conclude(true)
		r := encoded{args[0], im.len(), len(im.skipped), im.skipped, m.CodeLength(), out}
		return a.result(r, func(w io.Writer) {
			writeSkipped(w, im.skipped)
			fmt.Fprintf(w, "%s of k = %s in %s\n", count(r.Images, "code"), number(r.Latent), out)
		})
	})
	return c
}
