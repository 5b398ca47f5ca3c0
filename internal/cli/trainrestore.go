package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hourglass/engine"
	"hourglass/internal/report"
	"hourglass/task/restore"
	"hourglass/train/run"
)

// The flags of train denoise and train inpaint that make a run again.
var (
	restoreFlags = slices.Concat([]string{"loss", "widths", "blocks", "crop"}, courseFlags)
	denoiseFlags = slices.Concat([]string{"noise", "self-supervised"}, restoreFlags)
	inpaintFlags = slices.Concat([]string{"autoencoder"}, restoreFlags)
)

func (a *app) trainDenoise() *cobra.Command {
	o := restore.Options{Task: restore.Denoise}
	c := &cobra.Command{
		Use:   "denoise SOURCE",
		Short: "train a network to take the noise off photographs",
		Long: `Train denoise learns from crops of clean photographs, to which it adds noise of
every strength, to make them clean again, and judges the result on photographs
that it held out. SOURCE is a folder or an archive of images of any size.

The kinds of noise:
  gaussian  independent normal numbers, σ from 0 to 55 of 255
  poisson   of photons, 1,000 to 8 of them in a white pixel
  jpeg      compression with a quality of 95 down to 5
  salt      up to 60% of the pixels white or black

With --self-supervised the images are noisy themselves and no clean ones are
needed: Neighbor2Neighbor (Huang et al. 2021), for noise that is independent from
pixel to pixel.`,
		Example: `  hourglass train denoise photos/
  hourglass train denoise photos/ --noise jpeg --minutes 60
  hourglass train denoise microscope/ --self-supervised`,
		Args: takes(1, 1, "SOURCE"),
	}
	f := c.Flags()
	f.SortFlags = false
	var noise string
	f.StringVar(&noise, "noise", "", "what is learnt to be taken off: gaussian, poisson, jpeg or salt (default gaussian)")
	f.BoolVar(&o.SelfSupervised, "self-supervised", false, "learn from images that are noisy, without clean ones")
	a.trainRestore(c, &o, denoiseFlags, func() { o.Noise = restore.Noise(noise) })
	f.Lookup("loss").Usage += "; --self-supervised takes mse alone"
	return c
}

func (a *app) trainInpaint() *cobra.Command {
	o := restore.Options{Task: restore.Inpaint}
	c := &cobra.Command{
		Use:   "inpaint SOURCE",
		Short: "train a network to fill in missing parts of photographs",
		Long: `Train inpaint learns from crops of photographs, in which it cuts holes (single
pixels, blocks, strokes, text), to fill them in, and judges the result on
photographs that it held out. SOURCE is a folder or an archive of images of any
size.

With --autoencoder the report shows beside it what hourglass restore
--by-projection makes of the same holes with a model of hourglass learn.`,
		Example: `  hourglass train inpaint photos/
  hourglass train inpaint photos/ --minutes 60 --autoencoder runs/photos`,
		Args: takes(1, 1, "SOURCE"),
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&o.Autoencoder, "autoencoder", "", "a model of learn, of colour images, whose projection the report shows beside the result")
	a.trainRestore(c, &o, inpaintFlags, func() {})
	return c
}

// trainRestore adds the flags that both jobs share, and runs them.
func (a *app) trainRestore(c *cobra.Command, o *restore.Options, flags []string, read func()) {
	addRestoreFlags(c.Flags(), o)
	ro := addRunFlags(c)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		read()
		o.Source = args[0]
		if err := ro.begin(c, c.CommandPath(), o.Source, flags); err != nil {
			return err
		}
		return carryOut(a, c, ro, func(ctx context.Context, e *engine.Engine, ro run.Options, h run.Hooks) (*restore.Outcome, error) {
			if o.Autoencoder != "" {
				var err error
				if o.Autoencoder, err = filepath.Abs(o.Autoencoder); err != nil {
					return nil, err
				}
				if _, err := projector(e, o.Autoencoder); err != nil { // rather now than after hours
					return nil, err
				}
			}
			return besideProjection(ctx, e)(restore.Learn(ctx, e, *o, ro, h))
		}, a.finishRestore)
	})
}

// projector loads the autoencoder that an inpainter is set beside.
func projector(e *engine.Engine, file string) (a restore.Autoencoder, err error) {
	m, err := load(e, file)
	if err != nil {
		return a, err
	}
	c := m.Config()
	if c.Channels != 3 {
		return a, usageError{fmt.Errorf("--autoencoder %s: it knows images of %s only; give one that learnt from images in colour", file, count(c.Channels, "channel"))}
	}
	return restore.Autoencoder{Height: c.Height, Width: c.Width, Reconstruct: reconstruct(m)}, nil
}

// besideProjection adds to what a run shows the projection by its autoencoder,
// if it has one. What goes wrong there costs no run of hours: it is a warning.
func besideProjection(ctx context.Context, e *engine.Engine) func(*restore.Outcome, error) (*restore.Outcome, error) {
	return func(out *restore.Outcome, err error) (*restore.Outcome, error) {
		if err != nil || out.Summary.Config.Autoencoder == "" {
			return out, err
		}
		a, err := projector(e, out.Summary.Config.Autoencoder)
		if err == nil {
			var m *restore.Model
			if m, err = restore.Load(e, out.Path(run.ModelFile), restore.Inpaint); err == nil {
				out.Evidence.Projected, err = m.Beside(ctx, a, out.Evidence.Samples)
			}
		}
		if ctx.Err() != nil {
			return nil, &run.Interrupted{Dir: out.Dir}
		}
		if err != nil {
			out.Summary.Warnings = append(out.Summary.Warnings, "the projection by an autoencoder is left out: "+err.Error())
		}
		return out, nil
	}
}

func addRestoreFlags(f *pflag.FlagSet, o *restore.Options) {
	f.StringVar(&o.Loss, "loss", "", "error to lower: "+list(restore.Losses())+" (default l1)")
	f.IntSliceVar(&o.Widths, "widths", nil, "channels at 1/2, 1/4, … of the size (default 48,64,96)")
	f.IntVar(&o.Blocks, "blocks", 0, "residual blocks at each size, on the way down and again on the way up (default 2)")
	f.IntVar(&o.Crop, "crop", 0, "side in pixels of what is learnt from (default 96)")
	addCourseFlags(f, &o.Course, "adam", "onecycle:rise=0.1", "")
	neverImpatient(f)
}

// finishRestore writes the report of a run that has been judged, completes its
// folder and prints the result.
func (a *app) finishRestore(out *restore.Outcome, t *tracker) error {
	s := out.Summary
	s.Command = exactCommand(s.Command, s.Config.Course)
	if err := a.finish(&out.Judged, report.Restoration(s, out.Evidence), t); err != nil {
		return err
	}
	return a.result(out.Result(), func(w io.Writer) {
		c := s.Config
		fmt.Fprintf(w, "%s: %s, in crops of %d pixels, %s\n", oneLine(c.Source), count(s.Found-len(s.Skipped), "image"),
			c.Height, divided(c.Division))
		writeSkipped(w, s.Skipped)
		fmt.Fprintf(w, "%s parameters, %s, %.1f s; %.2f megapixels/s in use\n\n", number(s.Parameters),
			count(len(s.Training.Epochs), "epoch"), s.Seconds.Total, s.PixelsPerS/1e6)
		if len(s.HeldOut.Levels) > 0 {
			before := "noisy"
			if c.Task == restore.Inpaint {
				before = "smooth filling"
			}
			rows := [][]string{{"held out", before, "restored", "MS-SSIM"}}
			for _, l := range s.HeldOut.Levels {
				rows = append(rows, []string{l.Name, decibels(&l.Harmed.PSNR), decibels(&l.Restored.PSNR), optional(l.Restored.MSSSIM, "%.4f")})
			}
			columns(w, rows)
			fmt.Fprintln(w)
		}
		writePlaces(w, &out.Judged, s.Command)
	})
}
