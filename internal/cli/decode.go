package cli

import (
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"hourglass/format/table"
	"hourglass/train/model"
)

// decoded is the result of decode.
type decoded struct {
	Model    string `json:"model"`
	Codes    string `json:"codes"`
	Images   int    `json:"images"`
	Height   int    `json:"height"`
	Width    int    `json:"width"`
	Channels int    `json:"channels"`
	Out      string `json:"out"`
}

func (a *app) decode() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "decode MODEL CODES --out DIR",
		Short: "turn codes into images",
		Long: `Decode reads codes [N,k] from a .npy, .parquet or .csv file, such as encode
writes, and writes a PNG for each, called after its number and, if it has one,
its name.`,
		Example: `  hourglass decode runs/photos/model.safetensors z.npy --out decoded/`,
		Args:    takes(2, 2, "MODEL", "CODES"),
	}
	c.Flags().StringVar(&out, "out", "", "folder for the images (required)")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if out == "" {
			return usageError{fmt.Errorf("--out is missing: name a folder for the images")}
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
		codes, err := readCodes(args[1], m.CodeLength())
		if err != nil {
			return err
		}
		if err := outFolder(out); err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		pictures := newPictures(a.threads)
		defer pictures.done()
		t.begin("decoding")
		k, n := m.CodeLength(), codes.Len()
		cfg := m.Config()
		d := cfg.Height * cfg.Width * cfg.Channels
		block := model.Block(d)
		for at := 0; at < n; at += block {
			if err := c.Context().Err(); err != nil {
				return err
			}
			end := min(at+block, n)
			images, err := m.Decode(codes.Values[at*k : end*k])
			if err != nil {
				return err
			}
			bytes := model.Bytes(images)
			for i := at; i < end; i++ {
				picture := sideBySide(cfg.Height, cfg.Width, cfg.Channels, bytes[(i-at)*d:(i-at+1)*d])
				name := ""
				if codes.Names != nil {
					name = codes.Names[i]
				}
				if err := pictures.write(filepath.Join(out, pictureName(i, n, name)), picture); err != nil {
					return err
				}
			}
			t.advance(end, n, func() string { return number(end) + " of " + count(n, "image") })
		}
		if err := pictures.done(); err != nil {
			return err
		}
		t.conclude(true)
		return a.result(decoded{args[0], args[1], n, cfg.Height, cfg.Width, cfg.Channels, out}, func(w io.Writer) {
			fmt.Fprintf(w, "%s of %s in %s\n", count(n, "image"), shape(cfg.Height, cfg.Width, cfg.Channels), out)
		})
	})
	return c
}

// readCodes reads codes of length k.
func readCodes(path string, k int) (*table.Table, error) {
	if _, err := table.FormatOf(path); err != nil {
		return nil, usageError{fmt.Errorf("%s: give codes as a file that ends in .npy, .parquet or .csv", quote(path))}
	}
	codes, err := table.ReadFile(path, table.Limits{})
	if err != nil {
		return nil, advised{fmt.Errorf("cannot read the codes: %w", err), "give a file such as hourglass encode --out z.npy writes"}
	}
	if codes.Dim != k {
		return nil, fmt.Errorf("cannot decode %s: its rows have %d numbers, and the model's codes %d", path, codes.Dim, k)
	}
	if codes.Len() == 0 {
		return nil, fmt.Errorf("cannot decode %s: it holds no codes", path)
	}
	for i, v := range codes.Values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("cannot decode %s: row %d, counted from 0, holds %v; leave it out, or put a number there", path, i/k, v)
		}
	}
	return codes, nil
}
