package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/task/restore"
)

// inpainted is the result of inpaint and of restore.
type inpainted struct {
	Model   string `json:"model"` // "" is the one that is built in
	Image   string `json:"image"`
	Height  int    `json:"height"`
	Width   int    `json:"width"`
	Missing int    `json:"missing"` // pixels that were replaced
	Steps   int    `json:"steps,omitempty"`
	Out     string `json:"out"`
	GIF     string `json:"gif,omitempty"`
}

// holeFlags say which pixels are missing.
type holeFlags struct{ mask, box string }

func addHoleFlags(c *cobra.Command) *holeFlags {
	h := &holeFlags{}
	c.Flags().StringVar(&h.mask, "mask", "", "an image of the same size that is white where something is missing")
	c.Flags().StringVar(&h.box, "box", "", "a rectangle that is missing: x,y,width,height in pixels")
	return h
}

func (a *app) inpaint() *cobra.Command {
	var modelFile, out string
	c := &cobra.Command{
		Use:   "inpaint IMAGE --mask MASK --out OUT.png",
		Short: "fill in what is missing from an image",
		Long: `Inpaint fills in the pixels that a mask or a box names, from those around them,
and leaves all others exactly as they are. The result is a PNG of the same depth
(8 or 16 bits), with its transparency.`,
		Example: `  hourglass inpaint old.jpg --mask scratches.png --out old.png
  hourglass inpaint beach.jpg --box 200,80,40,60 --out beach.png`,
		Args: takes(1, 1, "IMAGE"),
	}
	holes := addHoleFlags(c)
	c.Flags().StringVar(&modelFile, "model", "", "a model of train inpaint, or its run's folder (default: the one built in)")
	c.Flags().StringVar(&out, "out", "", "the file for the result (required)")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if err := holes.check(); err != nil {
			return err
		}
		if err := outFile(out, args[0], holes.mask); err != nil {
			return err
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		m, err := restorer(e, modelFile, restore.Inpaint)
		if err != nil {
			return err
		}
		p, err := openPicture(args[0])
		if err != nil {
			return err
		}
		missing, n, err := holes.read(p.Height, p.Width)
		if err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		t.begin("filling in")
		m.OnTile(func(done, of int) {
			t.advance(done, of, func() string { return number(done) + " of " + count(of, "tile") })
		})
		q, err := m.InpaintPicture(c.Context(), p, missing)
		if err != nil {
			return err
		}
		if err := writePicture(out, q, writePNG); err != nil {
			return unwritable(err)
		}
		t.conclude(true)
		r := inpainted{Model: modelFile, Image: args[0], Height: p.Height, Width: p.Width, Missing: n, Out: out}
		return a.result(r, r.text)
	})
	return c
}

func (r *inpainted) text(w io.Writer) {
	fmt.Fprintf(w, "%s of %s filled in: %s\n", count(r.Missing, "pixel"), oneLine(r.Image), r.Out)
}

// check refuses anything but one of the two flags.
func (h *holeFlags) check() error {
	if (h.mask == "") == (h.box == "") {
		return usageError{errors.New("give either --mask or --box, to say what is missing")}
	}
	return nil
}

// read returns what is missing of an image of height×width pixels, as 1 where
// it is and 0 elsewhere, and how many pixels that are.
func (h *holeFlags) read(height, width int) (missing []float32, n int, err error) {
	missing = make([]float32, height*width)
	if h.box != "" {
		err = boxed(missing, height, width, h.box)
	} else {
		err = masked(missing, height, width, h.mask)
	}
	for _, v := range missing {
		n += int(v)
	}
	return missing, n, err
}

// masked marks the white pixels of the image in a file.
func masked(missing []float32, height, width int, file string) error {
	p, err := openPicture(file)
	if err != nil {
		return fmt.Errorf("the mask cannot be used: %w", err)
	}
	if p.Height != height || p.Width != width {
		return fmt.Errorf("the mask %s has %d×%d pixels and the image %d×%d: give one of the image's size", file, p.Width, p.Height, width, height)
	}
	whole, none := true, true
	for i := range missing {
		sum := float32(0)
		for k := range p.Channels {
			sum += p.Pixels[i*p.Channels+k]
		}
		if sum >= float32(p.Channels)/2 && (p.Alpha == nil || p.Alpha[i] >= 1<<15) {
			missing[i] = 1
		}
		whole, none = whole && missing[i] == 1, none && missing[i] == 0
	}
	return extent(file, whole, none)
}

// boxed marks a rectangle.
func boxed(missing []float32, height, width int, box string) error {
	var v [4]int
	parts := strings.Split(box, ",")
	if len(parts) != len(v) {
		return usageError{fmt.Errorf("--box %s: give four numbers, x,y,width,height", quote(box))}
	}
	for i, text := range parts {
		var err error
		if v[i], err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
			return usageError{fmt.Errorf("--box %s: %s is no whole number", quote(box), quote(text))}
		}
	}
	x, y, w, h := v[0], v[1], v[2], v[3]
	if w < 1 || h < 1 {
		return usageError{fmt.Errorf("--box %s: it has an area of zero", quote(box))}
	}
	if x < 0 || y < 0 || x >= width || y >= height || w > width-x || h > height-y {
		return fmt.Errorf("the box %s does not lie in the image of %d×%d pixels", box, width, height)
	}
	for i := range h {
		for j := range w {
			missing[(y+i)*width+x+j] = 1
		}
	}
	return extent("--box "+box, w == width && h == height, false)
}

// extent refuses holes of nothing and of everything.
func extent(what string, whole, none bool) error {
	switch {
	case none:
		return fmt.Errorf("%s has an area of zero: paint white what is missing", what)
	case whole:
		return fmt.Errorf("%s covers the whole image: nothing is left to go by", what)
	}
	return nil
}
