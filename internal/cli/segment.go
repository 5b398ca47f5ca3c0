package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/task/segment"
	"hourglass/train/run"
)

// segmented is the result of segment.
type segmented struct {
	Model        string         `json:"model"`
	Images       int            `json:"images"`
	Skipped      int            `json:"skipped"`
	SkippedFiles []run.Skipped  `json:"skipped_files"`
	Out          string         `json:"out"`
	Each         []segmentation `json:"segmentations"`
}

type segmentation struct {
	Name    string       `json:"name"`
	Height  int          `json:"height"`
	Width   int          `json:"width"`
	Classes string       `json:"classes"` // files inside the folder
	Overlay string       `json:"overlay"`
	Cutout  string       `json:"cutout"`
	Shares  []classShare `json:"shares"`
}

// classShare is the share of an image's pixels that a class was given.
type classShare struct {
	Class string  `json:"class"`
	Share float64 `json:"share"`
}

func (a *app) segment() *cobra.Command {
	var modelFile, out, keep, tta string
	var scale float64
	c := &cobra.Command{
		Use:   "segment --model MODEL IMAGES... --out DIR",
		Short: "cut images into the parts that a model knows",
		Long: `Segment gives every pixel of images a class, by a model that train segment has
learnt, and writes three pictures for each: NUMBER-NAME-classes.png, whose palette
indices are the values that the labels had; NUMBER-NAME-overlay.png, the image with
the classes laid over it in colours; and NUMBER-NAME-cutout.png, the image with all
else transparent.

IMAGES are files, folders or archives, of any size: they are brought to the scale of
the images that were learnt from, passed through in tiles that overlap, and the
result is brought back to the image's own size.`,
		Example: `  hourglass segment --model runs/scenes/model.safetensors street.jpg --out parts/
  hourglass segment --model runs/people/ photos/ --out cut/ --keep person`,
		Args: takes(1, -1, "IMAGES"),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&modelFile, "model", "", "the model, or its run's folder (required)")
	f.StringVar(&out, "out", "", "folder for the pictures (required)")
	f.StringVar(&keep, "keep", "", "classes that the cut-out keeps, with commas (default: all but the first)")
	f.StringVar(&tta, "tta", "", "what is averaged over: none, or scale, the image as it is and at .8 of its size, which takes 1.6 times as long (default: as the model was trained for)")
	f.Float64Var(&scale, "scale", 0, "what the images are scaled by for the network (default: as those learnt from were)")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		switch {
		case modelFile == "":
			return usageError{errors.New("--model is missing: name a model that train segment has made")}
		case out == "":
			return usageError{errors.New("--out is missing: name a folder for the pictures")}
		case f.Changed("scale") && !(scale > 0 && scale <= segment.MaxScale):
			return usageError{fmt.Errorf("--scale %v: choose a positive number up to %d", scale, segment.MaxScale)}
		}
		if err := run.OneOf("tta", tta, segment.TTAs()); err != nil {
			return usageError{err}
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		s, err := newSegmenter(e, modelFile, out, keep, tta, scale)
		if err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		s.pictures = newPictures(a.threads)
		defer s.pictures.done()
		if err := s.all(c.Context(), a, args, t); err != nil {
			return err
		}
		if err := s.pictures.done(); err != nil {
			return err
		}
		t.conclude(true)
		return a.result(s.segmented, s.text)
	})
	return c
}

// segmenter puts a model to use.
type segmenter struct {
	segmented
	model    *segment.Model
	colors   [][3]uint8
	keep     []bool
	scale    float64
	given    inputs
	pictures *pictures
}

func newSegmenter(e *engine.Engine, path, out, keep, tta string, scale float64) (*segmenter, error) {
	m, err := segment.Load(e, modelPath(path))
	if err != nil {
		return nil, unloadable(err)
	}
	if tta != "" {
		if m, err = m.With(e, tta); err != nil {
			return nil, err
		}
	}
	s := &segmenter{model: m, colors: segment.Colors(m.Config().Labels), scale: scale}
	s.segmented = segmented{Model: path, Out: out, SkippedFiles: []run.Skipped{}, Each: []segmentation{}}
	if s.keep, err = segment.Keep(m.Config().Labels, splitNames(keep)); err != nil {
		return nil, usageError{fmt.Errorf("--keep: %w", err)}
	}
	return s, outFolder(out)
}

// all segments the images of every path. What cannot be used is skipped as long
// as something is left.
func (s *segmenter) all(ctx context.Context, a *app, paths []string, t *tracker) error {
	paths, err := imageFiles(paths)
	if err != nil {
		return err
	}
	s.given = inputsOf(paths...)
	var failure error
	t.begin("segmenting")
	for i, p := range paths {
		// One at a time, each at its own size, however many there are.
		photos, err := data.OpenPhotos(ctx, p, data.Options{Threads: a.threads})
		switch {
		case errors.Is(err, data.ErrNoImages):
			s.SkippedFiles = append(s.SkippedFiles, run.Skipped{Name: p, Reason: oneLine(err.Error())})
			failure = err
			continue
		case err != nil:
			return err
		}
		t.warn(photos.Warnings)
		for _, k := range photos.Skipped {
			s.SkippedFiles = append(s.SkippedFiles, run.Skipped{Name: within(p, k.Name), Reason: k.Reason})
		}
		for _, photo := range photos.Photos {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.one(ctx, within(p, photo.Name), len(paths)+photos.Len()-1, &photo); err != nil {
				return err
			}
		}
		t.advance(i+1, len(paths), func() string { return number(i+1) + " of " + count(len(paths), "file") })
	}
	s.Images, s.Skipped = len(s.Each), len(s.SkippedFiles)
	if s.Images == 0 {
		return failure
	}
	for _, k := range s.SkippedFiles {
		t.note("skipped " + oneLine(k.Name) + ": " + oneLine(k.Reason))
	}
	return nil
}

// one segments a photo, one of so many, and writes its pictures.
func (s *segmenter) one(ctx context.Context, name string, of int, p *data.Photo) error {
	pixels := p.Pixels
	if s.model.Config().Channels == 1 {
		pixels = make([]uint8, p.Height*p.Width)
		for i := range pixels {
			pixels[i] = data.Luma(p.Pixels[3*i], p.Pixels[3*i+1], p.Pixels[3*i+2])
		}
	}
	classes, err := s.model.Segment(ctx, pixels, p.Height, p.Width, s.scale)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	stem := strings.TrimSuffix(pictureName(len(s.Each), of, name), ".png")
	r := segmentation{Name: name, Height: p.Height, Width: p.Width,
		Classes: stem + "-classes.png", Overlay: stem + "-overlay.png", Cutout: stem + "-cutout.png"}
	for _, m := range []struct {
		file string
		image.Image
	}{
		{r.Classes, s.indices(classes, p.Height, p.Width)},
		{r.Overlay, sideBySide(p.Height, p.Width, 3, segment.Overlay(p.Pixels, classes, s.colors))},
		{r.Cutout, s.cutout(p, classes)},
	} {
		file := filepath.Join(s.Out, m.file)
		if err := s.given.spare("out", file); err != nil {
			return err
		}
		if err := s.pictures.write(file, m.Image); err != nil {
			return err
		}
	}
	counts := make([]int, len(s.colors))
	for _, v := range classes {
		counts[v]++
	}
	for i, n := range counts {
		r.Shares = append(r.Shares, classShare{s.model.Config().Labels.Classes[i].Name, float64(n) / float64(len(classes))})
	}
	s.Each = append(s.Each, r)
	return nil
}

// indices is a picture whose palette indices are the values of the classes in
// labels.
func (s *segmenter) indices(classes []uint8, height, width int) image.Image {
	palette := make(color.Palette, 0, 256)
	for i, c := range s.model.Config().Labels.Classes {
		for len(palette) <= int(c.Value) {
			palette = append(palette, color.RGBA{A: 255})
		}
		palette[c.Value] = color.RGBA{s.colors[i][0], s.colors[i][1], s.colors[i][2], 255}
	}
	m := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for i, v := range classes {
		m.Pix[i] = s.model.Config().Labels.Classes[v].Value
	}
	return m
}

// cutout is the image with all transparent that is not kept.
func (s *segmenter) cutout(p *data.Photo, classes []uint8) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i, v := range classes {
		if s.keep[v] {
			m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = p.Pixels[3*i], p.Pixels[3*i+1], p.Pixels[3*i+2], 255
		}
	}
	return m
}

func (s *segmenter) text(w io.Writer) {
	writeSkipped(w, s.SkippedFiles)
	rows := [][]string{{"image", "size", "most of it", "files"}}
	for i, one := range s.Each {
		if i == showImages {
			rows = append(rows, []string{"and " + number(len(s.Each)-i) + " more", "", "", ""})
			break
		}
		most := one.Shares[0]
		for _, c := range one.Shares {
			if c.Share > most.Share {
				most = c
			}
		}
		rows = append(rows, []string{oneLine(one.Name), fmt.Sprintf("%d×%d", one.Width, one.Height),
			oneLine(most.Class) + " " + share(&most.Share), strings.TrimSuffix(one.Classes, "classes.png") + "…"})
	}
	columns(w, rows)
	fmt.Fprintf(w, "\n%s in %s\n", count(3*s.Images, "picture"), s.Out)
}
