package autoencode

import (
	"context"
	"fmt"
	"slices"

	"hourglass/represent/pca"
	"hourglass/train/model"
	"hourglass/train/run"
)

// judgePCA fits principal components to the images that the autoencoder had
// to learn from, its validation images included, and measures the same.
func (p *pools) judgePCA(ctx context.Context, s *Summary, ev *Evidence) error {
	o := pca.Options{Seed: p.config.Seed, Pool: p.Engine.Pool(), ISA: p.Engine.Level().String()}
	learnt := p.learnt()
	k := p.config.Latent
	// Some more components than the code has numbers, to see how many PCA
	// needs for the same error; n images span at most n-1 directions.
	d := p.Set.ImageBytes()
	most := max(1, min(8*k, k+512, len(learnt)-1, d, maxPCA/(4*d)))
	full, err := pca.Fit(pixelRows{p.Set, learnt}, most, o)
	if err != nil {
		return fmt.Errorf("cannot fit PCA: %w", err)
	}
	s.PCAMethod = full.Method
	if err := p.Halt(ctx); err != nil {
		return err
	}
	errs, err := full.ReconstructionErrors(pixelRows{p.Set, p.parts.HeldOut}, o)
	if err != nil {
		return err
	}
	for i, e := range errs {
		s.Curve = append(s.Curve, CurvePoint{i, e})
		if own := *s.HeldOut.Autoencoder.MSE; s.PCANeeds == 0 && e <= own && errs[0] > own {
			s.PCANeeds = i
		}
	}
	if err := p.Halt(ctx); err != nil {
		return err
	}
	fitted, err := full.Truncate(min(k, most))
	if err != nil {
		return err
	}
	s.HeldOut.PCA = score(errs[fitted.K()])
	if p.Set.Labels != nil {
		base, err := fitted.Transform(p.basePixels, o)
		if err != nil {
			return err
		}
		queries, err := fitted.Transform(p.queryPixels, o)
		if err != nil {
			return err
		}
		if s.HeldOut.PCA.KNNAccuracy, err = p.accuracy(queries, base, fitted.K()); err != nil {
			return err
		}
	}
	return p.samples(s, ev, fitted, o)
}

// samples shows both reconstructions of held-out images, evenly spaced, and
// measures PCA's error when what it gives is clipped to the range of pixels.
func (p *pools) samples(s *Summary, ev *Evidence, fitted *pca.Model, o pca.Options) error {
	d := p.Set.ImageBytes()
	shown := run.Evenly(len(p.parts.HeldOut), sampleCount)
	clipped := 0.0
	at := 0
	for images := range slices.Chunk(p.parts.HeldOut, model.Block(d)) {
		x := make([]float32, len(images)*d)
		pixelRows{p.Set, images}.Read(0, x)
		z, err := fitted.Transform(x, o)
		if err != nil {
			return err
		}
		y, err := fitted.Inverse(z, o)
		if err != nil {
			return err
		}
		clip(y)
		for i, image := range images {
			original, back := p.Set.Image(image), y[i*d:(i+1)*d]
			mse := MSE(original, back)
			clipped += mse / float64(len(p.parts.HeldOut))
			if len(shown) == 0 || shown[0] != at+i {
				continue
			}
			shown = shown[1:]
			own, err := p.model.Decode(p.heldOutCode(at + i))
			if err != nil {
				return err
			}
			ev.Samples = append(ev.Samples, Sample{
				Name: p.Set.Names[image], Label: p.labelOf(image), Original: original,
				Autoencoder: model.Bytes(own), AutoencoderPSNR: PSNR(p.heldOutErrors[at+i]),
				PCA: model.Bytes(back), PCAPSNR: PSNR(mse),
			})
		}
		at += len(images)
	}
	s.PCAClippedMSE = clipped
	return nil
}

func clip(v []float32) {
	for i, x := range v {
		v[i] = max(0, min(1, x))
	}
}
