package restore

import (
	"math"
	"strings"
	"testing"

	"hourglass/train/model"
)

func TestBesideProjection(t *testing.T) {
	m := untrained(t, Inpaint)
	const side, h, w = 24, 16, 20
	clean := model.Bytes(noise(3*side*side, 5))
	samples := []Sample{
		{Photo: "a", Level: Blocks.Describe(), Side: side, Clean: clean},
		{Photo: "b", Level: Pixels.Describe(), Side: side, Clean: clean},
	}
	// An autoencoder that knows grey alone: the projection settles at once.
	grey := Autoencoder{Height: h, Width: w, Reconstruct: func(image []uint8) ([]float32, error) {
		back := make([]float32, len(image))
		for i := range back {
			back[i] = 0.5
		}
		return back, nil
	}}
	all, err := m.Beside(t.Context(), grey, samples)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(samples) {
		t.Fatalf("%d comparisons of %d samples", len(all), len(samples))
	}
	for _, p := range all {
		if p.Passes != 2 {
			t.Errorf("%s: %d passes, want 2", p.Photo, p.Passes)
		}
		sum, n := 0.0, 0
		for i, missing := range p.Missing {
			for k := 3 * i; k < 3*i+3; k++ {
				want := p.Clean[k]
				if missing == 1 {
					want = 128
					d := (128 - float64(p.Clean[k])) / 255
					sum, n = sum+d*d, n+1
				} else if p.Inpainting[k] != want {
					t.Fatalf("%s: the inpainter changed known value %d", p.Photo, k)
				}
				if p.Projection[k] != want {
					t.Fatalf("%s: value %d of the projection is %d, want %d", p.Photo, k, p.Projection[k], want)
				}
			}
		}
		if want := -10 * math.Log10(sum/float64(n)); math.Abs(p.ProjectionPSNR-want) > 1e-9 {
			t.Errorf("%s: PSNR %v, want %v", p.Photo, p.ProjectionPSNR, want)
		}
	}
	samples[0].Level = "rain"
	if _, err := m.Beside(t.Context(), grey, samples); err == nil || !strings.Contains(err.Error(), "rain") {
		t.Errorf("an unknown kind of hole: %v", err)
	}
}
