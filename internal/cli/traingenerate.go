package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/internal/report"
	"hourglass/task/generate"
	"hourglass/train/features"
	"hourglass/train/latent"
	"hourglass/train/run"
)

// generateFlags are the flags of train generate that determine the model and
// its judgement.
var generateFlags = slices.Concat(shapeFlags, []string{"arch", "latent", "beta", "prior", "prior-steps", "features"}, courseFlags)

func (a *app) trainGenerate() *cobra.Command {
	var o generate.Options
	var judge string
	c := &cobra.Command{
		Use:   "generate SOURCE",
		Short: "train a network that makes new images of a kind",
		Long: `Train generate learns what images of a kind are like, and judges what it makes
beside images that it held out. SOURCE is whatever learn reads; labels are not
needed.

It learns in two stages: a variational autoencoder, whose decoder has a learnt
variance, and how the codes of images are distributed:
  flow    flow matching: a velocity that carries noise into codes
  vae     a second variational autoencoder, of codes
  normal  a normal distribution with a full covariance matrix

Images are judged by their Fréchet distance, precision and recall in the space of
a classifier: the one of --features (hourglass train classify), or a small one that
is trained on the labels, or without any by principal components of the pixels.
Figures in different spaces cannot be compared, least of all with published FID.`,
		Example: `  hourglass train generate fashion --name made
  hourglass train generate photos/ --size 64 --latent 128 --minutes 60
  hourglass train generate fashion --features runs/clothes --prior vae`,
		Args: takes(1, 1, "SOURCE"),
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.Arch, "arch", "", "network: "+list(latent.Kinds())+" (default conv)")
	f.IntVar(&o.Latent, "latent", 0, "k, the length of the code")
	f.Float64Var(&o.Beta, "beta", 0, "weight of the divergence of codes from the normal distribution (default 1)")
	f.StringVar(&o.Prior, "prior", "", "second stage: "+list(latent.Priors())+" (default flow)")
	f.IntVar(&o.PriorSteps, "prior-steps", 0, "training steps of the second stage")
	f.StringVar(&judge, "features", "", "classifier in whose space images are judged, or its run's folder")
	addCourseFlags(f, &o.Course, "adamw", "onecycle", "flip from 64 pixels a side on, none below")
	neverImpatient(f)
	f.Lookup(flagMinutes).Usage = "train the first stage for about half of this, and leave the rest to what follows"
	addShapeFlags(f, &o.Size, &o.Gray)
	ro := addRunFlags(c)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		o.Source = args[0]
		if err := ro.begin(c, "hourglass train generate", o.Source, generateFlags); err != nil {
			return err
		}
		if judge != "" {
			var err error
			if o.Features, err = filepath.Abs(modelPath(judge)); err != nil {
				return fmt.Errorf("--features: %w", err)
			}
		}
		return carryOut(a, c, ro, func(ctx context.Context, e *engine.Engine, ro run.Options, h run.Hooks) (*generate.Outcome, error) {
			return generate.Learn(ctx, e, o, ro, h)
		}, a.finishGenerate)
	})
	return c
}

// finishGenerate writes the report of a run that has been judged, completes its
// folder and prints the result.
func (a *app) finishGenerate(out *generate.Outcome, t *tracker) error {
	s := out.Summary
	s.Command = exactCommand(s.Command, s.Config.Course)
	if err := a.finish(&out.Judged, report.Generation(s, out.Evidence), t); err != nil {
		return err
	}
	return a.result(out.Result(), func(w io.Writer) {
		c, h := s.Config, s.HeldOut
		fmt.Fprintf(w, "%s: %s of %s, %s\n", oneLine(c.Source),
			count(s.Found-len(s.Skipped), "image"), shape(c.Height, c.Width, c.Channels), divided(c.Division))
		writeSkipped(w, s.Skipped)
		fmt.Fprintf(w, "%s network, d = %s to k = %s, second stage %s, %s parameters, %s, %.1f s\n\n", c.Arch, number(s.Dimensions), number(c.Latent), c.Prior,
			number(s.Parameters), count(len(s.Training.Epochs), "epoch"), s.Seconds.Total)
		rows := [][]string{{"against held out", "Fréchet distance", "precision", "recall"}}
		for _, r := range []struct {
			name string
			generate.Score
		}{
			{"two stages", h.Score}, {"VAE, codes from N(0, 1)", h.VAE}, {"autoencoder, random codes", h.Autoencoder}, {"random pixels", h.Pixels},
			{"held out, after the waist", h.Reconstructed}, {"images learnt from", h.Learnt},
		} {
			rows = append(rows, []string{r.name, optional(r.Frechet, "%.2f"), share(r.Precision), share(r.Recall)})
		}
		columns(w, rows)
		fmt.Fprintf(w, "\n%s judged in %s\n%.3f bits a dimension at most\n\n", count(s.Judged, "image"), spaceText(s.Space), h.BitsPerDimension)
		writePlaces(w, &out.Judged, s.Command)
	})
}

// spaceText says what images were judged in.
func spaceText(s features.Space) string {
	text := fmt.Sprintf("the %d features of ", s.Dim)
	switch s.Kind {
	case features.KindComponents:
		return fmt.Sprintf("the space of %d principal components of the pixels, without labels to learn features by", s.Dim)
	case features.KindGiven:
		text += "the classifier " + oneLine(s.Model)
	default:
		text += "a small classifier trained on the labels"
	}
	if s.Accuracy != nil {
		text += fmt.Sprintf(", right on %s of the validation images", share(s.Accuracy))
	}
	return text
}
