package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/task/autoencode"
	"hourglass/task/restore"
)

func (a *app) restore() *cobra.Command {
	var modelFile, out, animation string
	var byProjection bool
	steps := 50
	c := &cobra.Command{
		Use:   "restore IMAGE --by-projection --model MODEL --mask MASK --out OUT.png",
		Short: "restore an image with an autoencoder that never saw a harmed one",
		Long: `Restore fills in what is missing from an image by projection: the image is passed
through an autoencoder of hourglass learn, which learnt from whole images only
and can make nothing else; the known pixels are put back; and so on until the
rest settles. It works at the size that the model works at. It shows an idea:
hourglass inpaint does the same job better, at any size.`,
		Example: `  hourglass restore shoe.png --by-projection --model runs/fashion/ --box 8,8,8,8 --out whole.png --gif steps.gif`,
		Args:    takes(1, 1, "IMAGE"),
	}
	f := c.Flags()
	f.BoolVar(&byProjection, "by-projection", false, "the way to do it, so far the only one (required)")
	f.StringVar(&modelFile, "model", "", "a model of learn, or its run's folder (required)")
	holes := addHoleFlags(c)
	f.IntVar(&steps, "steps", steps, "the most passes")
	f.StringVar(&out, "out", "", "the file for the result (required)")
	f.StringVar(&animation, "gif", "", "a file for an animation of the passes")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		switch {
		case !byProjection:
			return usageError{errors.New("say how: --by-projection; or see hourglass denoise and hourglass inpaint")}
		case modelFile == "":
			return usageError{errors.New("--model is missing: give an autoencoder of hourglass learn")}
		case steps < 1:
			return usageError{fmt.Errorf("--steps %d: choose at least 1", steps)}
		case animation != "" && !strings.EqualFold(filepath.Ext(animation), ".gif"):
			return usageError{fmt.Errorf("--gif %s: give a name that ends in .gif", quote(animation))}
		}
		if err := holes.check(); err != nil {
			return err
		}
		if err := outFile(out, args[0], holes.mask); err != nil {
			return err
		}
		if animation != "" {
			if err := resultFile("gif", animation, inputsOf(args[0], holes.mask)); err != nil {
				return err
			}
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		m, err := load(e, modelFile)
		if err != nil {
			return err
		}
		pixels, missing, err := shrunk(c.Context(), args[0], holes, m.Config())
		if err != nil {
			return err
		}
		k := m.Config()
		p, err := restore.Project(c.Context(), pixels, missing, k.Channels, steps, reconstruct(m))
		if err != nil {
			return err
		}
		q := &data.Picture{Height: k.Height, Width: k.Width, Channels: k.Channels, Pixels: p.Restored}
		if err := writePicture(out, q, writePNG); err != nil {
			return unwritable(err)
		}
		if animation != "" {
			if err := writeSteps(animation, p, k); err != nil {
				return unwritable(err)
			}
		}
		n := 0
		for _, v := range missing {
			n += int(v)
		}
		r := inpainted{Model: modelFile, Image: args[0], Height: k.Height, Width: k.Width, Missing: n, Steps: len(p.Moved), Out: out, GIF: animation}
		return a.result(r, func(w io.Writer) {
			r.text(w)
			fmt.Fprintf(w, "the last of %s moved the missing pixels by %.2f of 255\n", count(r.Steps, "step"), 255*p.Moved[len(p.Moved)-1])
		})
	})
	return c
}

// reconstruct passes images through an autoencoder.
func reconstruct(m *autoencode.Model) func([]uint8) ([]float32, error) {
	return func(image []uint8) ([]float32, error) {
		codes, err := m.Encode(image)
		if err != nil {
			return nil, err
		}
		return m.Decode(codes)
	}
}

// shrunk reads an image and what is missing from it at the size of a model.
func shrunk(ctx context.Context, file string, holes *holeFlags, c autoencode.Config) (pixels, missing []float32, err error) {
	whole, err := openPicture(file)
	if err != nil {
		return nil, nil, err
	}
	mask, _, err := holes.read(whole.Height, whole.Width)
	if err != nil {
		return nil, nil, err
	}
	set, err := data.OpenFiles(ctx, []string{file}, data.Options{Height: c.Height, Width: c.Width, Gray: c.Channels == 1, RGB: c.Channels == 3, NoCache: true})
	if err != nil {
		return nil, nil, err
	}
	pixels = make([]float32, set.ImageBytes())
	for i, v := range set.Image(0) {
		pixels[i] = float32(v) / 255
	}
	// A pixel is missing if any of those that it stands for is.
	crop := data.CentreCrop(image.Rect(0, 0, whole.Width, whole.Height), c.Width, c.Height)
	missing = make([]float32, c.Height*c.Width)
	for y := range c.Height {
		for x := range c.Width {
			top, bottom := crop.Min.Y+y*crop.Dy()/c.Height, crop.Min.Y+((y+1)*crop.Dy()-1)/c.Height
			left, right := crop.Min.X+x*crop.Dx()/c.Width, crop.Min.X+((x+1)*crop.Dx()-1)/c.Width
			for i := top; i <= max(top, bottom); i++ {
				for j := left; j <= max(left, right); j++ {
					missing[y*c.Width+x] = max(missing[y*c.Width+x], mask[i*whole.Width+j])
				}
			}
		}
	}
	if slices.Max(missing) == 0 && slices.Max(mask) > 0 {
		return nil, nil, fmt.Errorf("what is missing of %s lies outside its middle %d×%d pixels, which are what the model sees: cut the image to what it should see, or use hourglass inpaint", file, crop.Dx(), crop.Dy())
	}
	return pixels, missing, nil
}

// writeSteps writes an animation of a projection.
func writeSteps(file string, p *restore.Projection, c autoencode.Config) error {
	var frames []image.Image
	for _, step := range p.Steps {
		q := &data.Picture{Height: c.Height, Width: c.Width, Channels: c.Channels, Pixels: step}
		m, err := q.Image()
		if err != nil {
			return err
		}
		frames = append(frames, m)
	}
	const delay = 15 // hundredths of a second
	return writeAnimation(file, frames, delay)
}
