package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/task/restore"
	"hourglass/train/run"
)

// denoised is the result of denoise.
type denoised struct {
	Model        string        `json:"model"` // "" is the one that is built in
	Images       int           `json:"images"`
	Skipped      int           `json:"skipped"`
	SkippedFiles []run.Skipped `json:"skipped_files"`
	Seconds      float64       `json:"seconds"`
	PixelsPerS   float64       `json:"pixels_per_second"` // of the network, without files
	Out          string        `json:"out"`
	Each         []restored    `json:"restored"`
}

type restored struct {
	Name   string `json:"name"`
	File   string `json:"file"` // inside the folder
	Height int    `json:"height"`
	Width  int    `json:"width"`
}

func (a *app) denoise() *cobra.Command {
	var modelFile, out string
	c := &cobra.Command{
		Use:   "denoise IMAGES... --out DIR",
		Short: "take the noise off images",
		Long: `Denoise takes the noise off images of any size and writes each as a PNG of the
same depth (8 or 16 bits), with its transparency. The model that is built in
learnt Gaussian noise of every strength and is not told which it is. IMAGES are
files or folders.`,
		Example: `  hourglass denoise night/*.jpg --out clean/
  hourglass denoise scan.png --model runs/scans/ --out clean/`,
		Args: takes(1, -1, "IMAGES"),
	}
	c.Flags().StringVar(&modelFile, "model", "", "a model of train denoise, or its run's folder (default: the one built in)")
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
		m, err := restorer(e, modelFile, restore.Denoise)
		if err != nil {
			return err
		}
		if err := outFolder(out); err != nil {
			return err
		}
		files, err := imageFiles(args)
		if err != nil {
			return err
		}
		names, err := restoredNames(out, files)
		if err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		pictures := newPictures(a.threads)
		defer pictures.done()
		t.begin("denoising")
		r := denoised{Model: modelFile, Out: out, SkippedFiles: []run.Skipped{}}
		pixels, begun := 0, time.Now()
		var working time.Duration
		const each = 1000 // parts of an image, as images are of different sizes
		for i, file := range files {
			m.OnTile(func(done, of int) {
				t.advance(i*each+done*each/of, len(files)*each, func() string {
					return fmt.Sprintf("image %s of %s, tile %s of %s", number(i+1), number(len(files)), number(done), number(of))
				})
			})
			p, err := openPicture(file)
			if err != nil {
				r.SkippedFiles = append(r.SkippedFiles, run.Skipped{Name: file, Reason: oneLine(err.Error())})
				t.note("skipped " + oneLine(err.Error()))
				continue
			}
			start := time.Now()
			q, err := m.DenoisePicture(c.Context(), p)
			if err != nil {
				return err
			}
			working += time.Since(start)
			pixels += p.Height * p.Width
			if err := writePicture(filepath.Join(out, names[i]), q, pictures.write); err != nil {
				return unwritable(err)
			}
			r.Each = append(r.Each, restored{file, names[i], p.Height, p.Width})
		}
		if err := pictures.done(); err != nil {
			return err
		}
		r.Images, r.Skipped, r.Seconds = len(r.Each), len(r.SkippedFiles), time.Since(begun).Seconds()
		if r.Images == 0 {
			return fmt.Errorf("none of %s could be used: %s", count(len(files), "file"), r.SkippedFiles[0].Reason)
		}
		r.PixelsPerS = float64(pixels) / working.Seconds()
		t.conclude(true)
		return a.result(r, r.text)
	})
	return c
}

// imageFiles lists files, and the images below folders.
func imageFiles(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err == nil && info.IsDir() {
			below, err := data.ImageFiles(p)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
			continue
		}
		files = append(files, p) // if it cannot be read, that is said when it is its turn
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no image in %s", quote(paths[0]))
	}
	return files, nil
}

func (r *denoised) text(w io.Writer) {
	writeSkipped(w, r.SkippedFiles)
	fmt.Fprintf(w, "%s in %s, %.1f s, %.2f megapixels/s\n", count(r.Images, "image"), r.Out, r.Seconds, r.PixelsPerS/1e6)
}
