package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"hourglass/task/autoencode"
	"hourglass/train/model"
	"hourglass/train/run"
)

// reconstructed is the result of reconstruct.
type reconstructed struct {
	Model        string           `json:"model"`
	Images       int              `json:"images"`
	Skipped      int              `json:"skipped"`
	SkippedFiles []run.Skipped    `json:"skipped_files"`
	MSE          float64          `json:"mse"`  // mean over the images, on pixels in 0–1
	PSNR         float64          `json:"psnr"` // dB, of that mean
	Out          string           `json:"out"`
	Each         []reconstruction `json:"reconstructions"`
}

type reconstruction struct {
	Name string  `json:"name"`
	File string  `json:"file"` // inside the folder
	MSE  float64 `json:"mse"`
	PSNR float64 `json:"psnr"`
}

func (a *app) reconstruct() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "reconstruct MODEL IMAGES... --out DIR",
		Short: "show images beside what is left of them after the waist",
		Long: `Reconstruct encodes and decodes images and writes, for each, a PNG with the input
on the left and the output on the right, both at the size that the model works
at. IMAGES are files, folders or archives.`,
		Example: `  hourglass reconstruct runs/photos/model.safetensors a.jpg b.png --out both/`,
		Args:    takes(2, -1, "MODEL", "IMAGES"),
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
		if err := outFolder(out); err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		im, err := a.openImages(c.Context(), m.Config().Images, args[1:], t)
		if err != nil {
			return err
		}
		given, done := inputsOf(args[1:]...), 0
		for _, names := range im.names {
			for _, name := range names {
				if err := given.spare("out", filepath.Join(out, pictureName(done, im.len(), name))); err != nil {
					return err
				}
				done++
			}
		}
		r := reconstructed{Model: args[0], Images: im.len(), Skipped: len(im.skipped), SkippedFiles: im.skipped, Out: out}
		pictures := newPictures(a.threads)
		defer pictures.done()
		t.begin("reconstructing")
		err = im.blocks(c.Context(), t, func(names []string, pixels []uint8) error {
			return r.block(m, names, pixels, pictures)
		})
		if err == nil {
			err = pictures.done()
		}
		if err != nil {
			return err
		}
		for _, one := range r.Each {
			r.MSE += one.MSE / float64(len(r.Each))
		}
		r.PSNR = autoencode.PSNR(r.MSE)
		t.conclude(true)
		return a.result(r, r.text)
	})
	return c
}

// block reconstructs some images and writes their pictures.
func (r *reconstructed) block(m *autoencode.Model, names []string, pixels []uint8, pictures *pictures) error {
	codes, err := m.Encode(pixels)
	if err != nil {
		return err
	}
	back, err := m.Decode(codes)
	if err != nil {
		return err
	}
	c := m.Config()
	d := c.Height * c.Width * c.Channels
	bytes := model.Bytes(back)
	for i, name := range names {
		from, to := i*d, (i+1)*d
		file := pictureName(len(r.Each), r.Images, name)
		picture := sideBySide(c.Height, c.Width, c.Channels, pixels[from:to], bytes[from:to])
		if err := pictures.write(filepath.Join(r.Out, file), picture); err != nil {
			return err
		}
		mse := autoencode.MSE(pixels[from:to], back[from:to])
		r.Each = append(r.Each, reconstruction{name, file, mse, autoencode.PSNR(mse)})
	}
	return nil
}

// showImages is the number of images that are listed one by one in the text.
const showImages = 50

func (r *reconstructed) text(w io.Writer) {
	writeSkipped(w, r.SkippedFiles)
	rows := [][]string{{"image", "PSNR", "file"}}
	for i, one := range r.Each {
		if i == showImages {
			rows = append(rows, []string{"and " + number(len(r.Each)-i) + " more", "", ""})
			break
		}
		rows = append(rows, []string{oneLine(one.Name), decibels(&one.PSNR), one.File})
	}
	rows = append(rows, []string{"all", decibels(&r.PSNR), ""})
	columns(w, rows)
	fmt.Fprintf(w, "\n%s in %s\n", count(r.Images, "picture"), r.Out)
}
