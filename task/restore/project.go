package restore

import (
	"context"
	"errors"
	"fmt"
	"math"

	"hourglass/train/model"
)

// Projection is a restoration by projection onto what an autoencoder has
// learnt: a harmed image is passed through it, which moves it towards the
// images that it learnt from; known pixels are put back, and so on until it
// settles. The autoencoder has seen neither holes nor noise.
type Projection struct {
	Restored []float32   // [H,W,C] in 0–1
	Steps    [][]float32 // the image before the first step and after each
	Moved    []float64   // root of the mean squared change of the missing pixels in each step
}

// settled is the change at which a projection ends: half a step of a byte.
const settled = 0.5 / 255

// Project restores an image of channels in 0–1 whose missing pixels are 1 in
// missing. reconstruct passes an image of bytes through the autoencoder. It
// ends when the missing pixels move by less than half a 255th, after most steps
// at the latest, or when ctx ends.
func Project(ctx context.Context, pixels, missing []float32, channels, most int, reconstruct func([]uint8) ([]float32, error)) (*Projection, error) {
	if channels < 1 || len(missing) == 0 || len(pixels) != channels*len(missing) {
		return nil, fmt.Errorf("restore: %d values and a mask of %d pixels do not belong together", len(pixels), len(missing))
	}
	if err := checkMask(missing, len(missing), 1); err != nil {
		return nil, err
	}
	if most < 1 {
		return nil, errors.New("restore: a projection takes at least one step")
	}
	now := beginProjection(pixels, missing, channels)
	p := &Projection{Steps: [][]float32{now}}
	for range most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		back, err := reconstruct(model.Bytes(now))
		if err != nil {
			return nil, err
		}
		if len(back) != len(pixels) {
			return nil, fmt.Errorf("restore: the autoencoder gives %d values for %d", len(back), len(pixels))
		}
		next := append([]float32(nil), now...)
		sum, n := 0.0, 0
		for i, m := range missing {
			if m == 0 {
				continue
			}
			for k := i * channels; k < (i+1)*channels; k++ {
				d := float64(back[k] - now[k])
				sum, n = sum+d*d, n+1
				next[k] = max(0, min(1, back[k]))
			}
		}
		now = next
		p.Steps = append(p.Steps, now)
		p.Moved = append(p.Moved, math.Sqrt(sum/float64(n)))
		if p.Moved[len(p.Moved)-1] < settled {
			break
		}
	}
	p.Restored = now
	return p, nil
}

// beginProjection gives missing pixels the mean of the known ones.
func beginProjection(pixels, missing []float32, channels int) []float32 {
	mean, known := make([]float64, channels), 0.0
	for i, m := range missing {
		if m == 0 {
			known++
			for k := range channels {
				mean[k] += float64(pixels[i*channels+k])
			}
		}
	}
	first := append([]float32(nil), pixels...)
	for i, m := range missing {
		if m == 1 {
			for k := range channels {
				first[i*channels+k] = float32(mean[k] / known)
			}
		}
	}
	return first
}
