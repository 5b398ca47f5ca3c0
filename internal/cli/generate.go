package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/task/generate"
	"hourglass/train/model"
)

// generated is the result of generate.
type generated struct {
	Model    string `json:"model"`
	Images   int    `json:"images"`
	Height   int    `json:"height"`
	Width    int    `json:"width"`
	Channels int    `json:"channels"`
	Seed     uint64 `json:"seed"`
	Out      string `json:"out"`
	GIF      string `json:"gif,omitempty"`
}

// Limits of what is made at once.
const (
	// mostSamples bounds a folder; memory does not depend on their number.
	mostSamples = 10_000_000
	// mostPixels bounds one picture of all.
	mostPixels = 64 << 20
	// animationSteps are the frames from one image to another.
	animationSteps = 48
	animationDelay = 5 // hundredths of a second
	// mostMoved is how many images an attribute is given at once, and mostSteps how
	// many pictures are made of one, or on a way.
	mostMoved = 64
	mostSteps = 1000
)

// generateFlagValues are the flags of generate.
type generateFlagValues struct {
	model, out                   string
	n                            int
	seed                         uint64
	interpolate, vary, attribute bool
	strength                     float64
}

func (a *app) generate() *cobra.Command {
	var v generateFlagValues
	c := &cobra.Command{
		Use:   "generate --model MODEL [IMAGES...] --out DIR|NAME.png",
		Short: "make new images, or change given ones",
		Long: `Generate makes images like those that a model of train generate has learnt from.
An image is a function of the model, the seed and its number alone. With --out DIR
each is a PNG of its own; with --out NAME.png all are one picture, in rows.

With images, which are brought to the size of the model:
  --interpolate A B              the way from A to B, as a strip of both and -n pictures
                                 between, NAME.png and an animation NAME.gif
  --vary IMAGE                   -n images that are like IMAGE, itself the first;
                                 --strength from 0 to 1 says how far they may go
  --attribute WITH WITHOUT [IMAGES...]
                                 what the images in the folder WITH have and those
                                 in WITHOUT have not, taken from and given to
                                 IMAGES, or to the first of WITHOUT: a row each of
                                 itself and -n pictures, from minus to plus --strength times`,
		Example: `  hourglass generate --model runs/made -n 64 --seed 1 --out grid.png
  hourglass generate --model runs/made -n 1000 --out samples/
  hourglass generate --model runs/faces --interpolate a.png b.png --out way.png
  hourglass generate --model runs/faces --attribute smiling/ serious/ me.jpg --out smile.png`,
		Args: cobra.ArbitraryArgs,
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&v.model, "model", "", "a model of train generate, or its run's folder (required)")
	f.IntVarP(&v.n, "number", "n", 0, "how many images (default 64; 9 on a way, 16 variations, 7 of an attribute)")
	f.Uint64Var(&v.seed, flagSeed, 1, "seed of everything random")
	f.StringVar(&v.out, "out", "", "folder for the images, or a .png for one picture of all (required)")
	f.BoolVar(&v.interpolate, "interpolate", false, "show the way from one image to another")
	f.BoolVar(&v.vary, "vary", false, "show images that are like one")
	f.BoolVar(&v.attribute, "attribute", false, "take from images, and give them, what one folder of images has and another has not")
	f.Float64Var(&v.strength, "strength", 0, "how much is changed (default 0.5 for --vary, 2 for --attribute)")
	c.MarkFlagsMutuallyExclusive("interpolate", "vary", "attribute")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if err := v.check(f.Changed("number"), f.Changed("strength"), args); err != nil {
			return err
		}
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		m, err := generator(e, v.model)
		if err != nil {
			return err
		}
		k := m.Config()
		r := &generated{Model: v.model, Images: v.n, Height: k.Height, Width: k.Width, Channels: k.Channels, Seed: v.seed, Out: v.out}
		if err := v.prepare(k); err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		switch {
		case v.interpolate:
			err = v.way(c.Context(), a, m, args, r, t)
		case v.vary:
			err = v.variations(c.Context(), a, m, args[0], t)
		case v.attribute:
			err = v.arithmetic(c.Context(), a, m, args, r, t)
		default:
			err = v.write(c.Context(), a, k, t, func(n, at int) ([]float32, error) { return m.Sample(n, v.seed, at) })
		}
		if err != nil {
			return unwritable(err)
		}
		t.conclude(true)
		return a.result(r, func(w io.Writer) {
			fmt.Fprintf(w, "%s of %s in %s\n", count(r.Images, "image"), shape(r.Height, r.Width, r.Channels), r.Out)
			if r.GIF != "" {
				fmt.Fprintf(w, "animation in %s\n", r.GIF)
			}
		})
	})
	return c
}

// generator loads the model at path, or the one in the run's folder at path.
func generator(e *engine.Engine, path string) (*generate.Model, error) {
	m, err := generate.Load(e, modelPath(path))
	if err != nil {
		return nil, unloadable(err)
	}
	return m, nil
}

// onePicture reports whether the result is one PNG.
func (v *generateFlagValues) onePicture() bool { return strings.EqualFold(filepath.Ext(v.out), ".png") }

// animation is the file of the animation of a way.
func (v *generateFlagValues) animation() string {
	return strings.TrimSuffix(v.out, filepath.Ext(v.out)) + ".gif"
}

// check refuses flags and arguments that do not go together, and fills in what
// is left out.
func (v *generateFlagValues) check(counted, strength bool, args []string) error {
	least, most, normal := 0, 0, 64
	switch {
	case v.interpolate:
		least, most, normal = 2, 2, 9
	case v.vary:
		least, most, normal = 1, 1, 16
	case v.attribute:
		least, most, normal = 2, mostMoved, 7
	}
	if !counted {
		v.n = normal
	}
	if !strength {
		v.strength = 2
		if v.vary {
			v.strength = 0.5
		}
	}
	switch {
	case v.model == "":
		return usageError{errors.New("--model is missing: name a model that train generate has made")}
	case v.out == "":
		return usageError{errors.New("--out is missing: name a folder for the images, or a .png for one picture of all")}
	case most == 0 && len(args) > 0:
		return usageError{fmt.Errorf("%s: images are for --interpolate, --vary or --attribute", quote(args[0]))}
	case len(args) < least || len(args) > most:
		return usageError{fmt.Errorf("%s given: --interpolate takes two images, --vary one, --attribute two folders and up to %d images", count(len(args), "path"), mostMoved-2)}
	case v.n < 1 || v.n > mostSamples:
		return usageError{fmt.Errorf("-n %d: choose 1 to %s images", v.n, number(mostSamples))}
	case (v.interpolate || v.attribute) && v.n > mostSteps:
		return usageError{fmt.Errorf("-n %d: choose at most %s pictures on a way or of an attribute", v.n, number(mostSteps))}
	case v.interpolate && v.n < 2:
		return usageError{fmt.Errorf("-n %d: a way has at least two ends", v.n)}
	case (v.interpolate || v.attribute) && !v.onePicture():
		return usageError{fmt.Errorf("--out %s: the result is a PNG; give a name that ends in .png", quote(v.out))}
	case strength && !v.vary && !v.attribute:
		return usageError{errors.New("--strength is for --vary and --attribute")}
	case v.vary && !(v.strength >= 0 && v.strength <= 1):
		return usageError{fmt.Errorf("--strength %v: choose 0 to 1", v.strength)}
	case !(math.Abs(v.strength) <= 1000):
		return usageError{fmt.Errorf("--strength %v: choose a number up to 1000", v.strength)}
	}
	given, results := inputsOf(args...), []string{v.out}
	if v.interpolate {
		results = append(results, v.animation())
	}
	if len(args) > 0 && !v.onePicture() {
		for i := range v.n {
			results = append(results, v.file(i))
		}
	}
	for _, file := range results {
		if err := given.spare("out", file); err != nil {
			return err
		}
	}
	return nil
}

// file is where image i goes in a folder.
func (v *generateFlagValues) file(i int) string {
	return filepath.Join(v.out, pictureName(i, v.n, ""))
}

// prepare makes the folder of the result, and refuses pictures that are too
// large.
func (v *generateFlagValues) prepare(c generate.Config) error {
	if !v.onePicture() {
		return outFolder(v.out)
	}
	if v.n > mostPixels/((c.Height+gap)*(c.Width+gap)) {
		return usageError{fmt.Errorf("-n %d: so many images of %s do not fit one picture; name a folder with --out", v.n, shape(c.Height, c.Width, c.Channels))}
	}
	return resultFile("out", v.out, inputs{})
}

// write makes images, some at a time, and writes them: each by itself, or all
// in rows.
func (v *generateFlagValues) write(ctx context.Context, a *app, c generate.Config, t *tracker, produce func(n, at int) ([]float32, error)) error {
	pictures := newPictures(a.threads)
	defer pictures.done()
	t.begin("making images")
	d := c.Height * c.Width * c.Channels
	var all [][]uint8
	block := model.Block(d)
	for at := 0; at < v.n; at += block {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(at+block, v.n)
		images, err := produce(end-at, at)
		if err != nil {
			return err
		}
		bytes := model.Bytes(images)
		for i := at; i < end; i++ {
			one := bytes[(i-at)*d : (i-at+1)*d]
			if v.onePicture() {
				all = append(all, one)
				continue
			}
			if err := pictures.write(v.file(i), sideBySide(c.Height, c.Width, c.Channels, one)); err != nil {
				return err
			}
		}
		t.advance(end, v.n, func() string { return number(end) + " of " + count(v.n, "image") })
	}
	if !v.onePicture() {
		return pictures.done()
	}
	columns := int(math.Ceil(math.Sqrt(float64(v.n))))
	return writePNG(v.out, inRows(c.Height, c.Width, c.Channels, columns, all...))
}

// one reads the only image at a path, at the size of a model.
func (a *app) one(ctx context.Context, c generate.Config, path string, t *tracker) ([]uint8, error) {
	im, err := a.openImages(ctx, c.Images, []string{path}, t)
	if err != nil {
		return nil, err
	}
	if im.len() != 1 {
		return nil, fmt.Errorf("%s holds %s: give one image", path, count(im.len(), "image"))
	}
	return im.sets[0].Image(0), nil
}

// way writes the images between two.
func (v *generateFlagValues) way(ctx context.Context, a *app, m *generate.Model, args []string, r *generated, t *tracker) error {
	c := m.Config()
	var ends [2][]uint8
	for i := range ends {
		var err error
		if ends[i], err = a.one(ctx, c, args[i], t); err != nil {
			return err
		}
	}
	t.begin("making images")
	d := c.Height * c.Width * c.Channels
	steps, err := m.Interpolate(ends[0], ends[1], v.n)
	if err != nil {
		return err
	}
	bytes := model.Bytes(steps)
	strip := [][]uint8{ends[0]}
	for at := 0; at < len(bytes); at += d {
		strip = append(strip, bytes[at:at+d])
	}
	strip = append(strip, ends[1])
	if err := writePNG(v.out, sideBySide(c.Height, c.Width, c.Channels, strip...)); err != nil {
		return err
	}
	if steps, err = m.Interpolate(ends[0], ends[1], animationSteps); err != nil {
		return err
	}
	bytes = model.Bytes(steps)
	var frames []image.Image
	for at := 0; at < len(bytes); at += d {
		frames = append(frames, sideBySide(c.Height, c.Width, c.Channels, bytes[at:at+d]))
	}
	for i := len(frames) - 2; i > 0; i-- { // and back
		frames = append(frames, frames[i])
	}
	r.GIF = v.animation()
	return writeAnimation(r.GIF, frames, animationDelay)
}

// variations writes images that are like one, the first of which is what is
// left of it after the waist.
func (v *generateFlagValues) variations(ctx context.Context, a *app, m *generate.Model, path string, t *tracker) error {
	c := m.Config()
	image, err := a.one(ctx, c, path, t)
	if err != nil {
		return err
	}
	return v.write(ctx, a, c, t, func(n, at int) ([]float32, error) {
		images, err := m.Vary(image, n, v.strength, v.seed, at)
		if err != nil || at > 0 {
			return images, err
		}
		itself, err := m.Vary(image, 1, 0, v.seed, 0)
		copy(images, itself)
		return images, err
	})
}

// arithmetic writes what becomes of images as an attribute is taken from and
// given to them: a row for each, the image itself first.
func (v *generateFlagValues) arithmetic(ctx context.Context, a *app, m *generate.Model, args []string, r *generated, t *tracker) error {
	c := m.Config()
	var groups [2][]uint8
	for i := range groups {
		im, err := a.openImages(ctx, c.Images, args[i:i+1], t)
		if err != nil {
			return err
		}
		groups[i] = im.sets[0].Pixels
	}
	d := c.Height * c.Width * c.Channels
	images := [][]uint8{groups[1][:d]}
	if len(args) > 2 {
		images = nil
		for _, path := range args[2:] {
			one, err := a.one(ctx, c, path, t)
			if err != nil {
				return err
			}
			images = append(images, one)
		}
	}
	if len(images)*(v.n+1) > mostPixels/((c.Height+gap)*(c.Width+gap)) {
		return usageError{fmt.Errorf("-n %d: so many steps of %s do not fit one picture", v.n, count(len(images), "image"))}
	}
	t.begin("making images")
	direction, err := m.Direction(groups[0], groups[1])
	if err != nil {
		return err
	}
	strengths := make([]float64, v.n)
	for i := range strengths {
		strengths[i] = v.strength
		if v.n > 1 {
			strengths[i] *= 2*float64(i)/float64(v.n-1) - 1
		}
	}
	var all [][]uint8
	for _, one := range images {
		if err := ctx.Err(); err != nil {
			return err
		}
		moved, err := m.Move(one, direction, strengths)
		if err != nil {
			return err
		}
		all = append(all, one)
		bytes := model.Bytes(moved)
		for at := 0; at < len(bytes); at += d {
			all = append(all, bytes[at:at+d])
		}
	}
	r.Images = len(all) - len(images)
	return writePNG(v.out, inRows(c.Height, c.Width, c.Channels, v.n+1, all...))
}
