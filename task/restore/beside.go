package restore

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/train/model"
)

// Autoencoder is a network that learnt to pass whole images of one size through
// a narrow waist, and never saw a hole.
type Autoencoder struct {
	Height, Width int
	// Reconstruct passes an image of bytes [Height,Width,3] through it and
	// returns one in 0–1.
	Reconstruct func(image []uint8) ([]float32, error)
}

// Projected is a held-out picture of an autoencoder's size whose missing pixels
// were filled in twice: by projection onto what the autoencoder learnt, and by
// the inpainter. All pictures are [Height,Width,3].
type Projected struct {
	Photo, Level                  string
	Height, Width                 int
	Clean, Projection, Inpainting []uint8
	Missing                       []float32
	Passes                        int     // through the autoencoder
	ProjectionPSNR, PSNR          float64 // dB, of the missing pixels alone
}

// projectionPasses bounds the passes of a projection in a comparison; most
// settle before.
const projectionPasses = 50

// Beside sets what the model makes of samples of its run beside the projection
// by an autoencoder. The samples are brought to the autoencoder's size, and
// holes of the same kind cut into them anew.
func (m *Model) Beside(ctx context.Context, a Autoencoder, samples []Sample) ([]Projected, error) {
	var all []Projected
	for i, s := range samples {
		p, err := m.beside(ctx, a, s, uint64(i))
		if err != nil {
			return nil, fmt.Errorf("%s beside an autoencoder: %w", s.Photo, err)
		}
		all = append(all, *p)
	}
	return all, nil
}

func (m *Model) beside(ctx context.Context, a Autoencoder, s Sample, i uint64) (*Projected, error) {
	p := &Projected{Photo: s.Photo, Level: s.Level, Height: a.Height, Width: a.Width}
	p.Clean = data.Rescale(s.Clean, s.Side, s.Side, 3, a.Height, a.Width)
	for _, l := range m.config.levels() {
		if l.name == s.Level && l.hole != "" {
			p.Missing = make([]float32, a.Height*a.Width)
			new(Cutter).Cut(p.Missing, a.Height, a.Width, l.hole, l.strength, true, judgeSeed, i)
		}
	}
	if p.Missing == nil {
		return nil, fmt.Errorf("%q is no kind of hole that the model is judged at", s.Level)
	}
	pixels := make([]float32, len(p.Clean))
	for j, v := range p.Clean {
		pixels[j] = float32(v) / 255
	}
	projection, err := Project(ctx, pixels, p.Missing, 3, projectionPasses, a.Reconstruct)
	if err != nil {
		return nil, err
	}
	filled, err := m.Inpaint(ctx, pixels, p.Missing, a.Height, a.Width)
	if err != nil {
		return nil, err
	}
	p.Projection, p.Inpainting, p.Passes = model.Bytes(projection.Restored), model.Bytes(filled), len(projection.Moved)
	p.ProjectionPSNR, p.PSNR = missingPSNR(p.Projection, p.Clean, p.Missing), missingPSNR(p.Inpainting, p.Clean, p.Missing)
	return p, nil
}

// missingPSNR is the PSNR in dB of the pixels [N,3] that are missing.
func missingPSNR(image, clean []uint8, missing []float32) float64 {
	sum, n := 0.0, 0
	for i, m := range missing {
		if m == 0 {
			continue
		}
		for k := 3 * i; k < 3*i+3; k++ {
			d := (float64(image[k]) - float64(clean[k])) / 255
			sum, n = sum+d*d, n+1
		}
	}
	return decibels(sum / float64(n))
}
