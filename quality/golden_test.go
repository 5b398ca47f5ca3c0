package quality

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// pattern is what testdata/golden.py calls so.
func pattern(height, width, channels, strength int) (clean, worse []uint8) {
	for y := range height {
		for x := range width {
			for k := range channels {
				grain := int(uint32(uint64(y*7919+x*104729+k*1299709)*2654435761) >> 24)
				v := (y*y+3*x*(k+1))/16%160 + (x/8+y/8)%2*60 + grain/8
				clean = append(clean, uint8(v))
				v += (grain-128)*strength>>7 + k*strength/8 // a shift rounds down, as Python's division does
				worse = append(worse, uint8(max(0, min(255, v))))
			}
		}
	}
	return clean, worse
}

func unit(pix []uint8) []float32 {
	f := make([]float32, len(pix))
	for i, v := range pix {
		f[i] = float32(v) / 255
	}
	return f
}

type goldenCase struct {
	Height, Width, Channels, Strength int
	Kind                              string
	Range, MSE, PSNR, SSIM            float64
	MSSSIM                            *float64 `json:"ms_ssim"`
}

func TestScoresAgreeWithPeers(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenCase }
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	multiscale := 0
	for _, g := range golden.Cases {
		t.Run(fmt.Sprintf("%s %dx%dx%d", g.Kind, g.Height, g.Width, g.Channels), func(t *testing.T) {
			x, y := pattern(g.Height, g.Width, g.Channels, g.Strength)
			if g.Kind == "uint8" {
				checkGolden(t, g, x, y)
			} else {
				checkGolden(t, g, unit(x), unit(y))
			}
		})
		if g.MSSSIM != nil {
			multiscale++
		}
	}
	if multiscale < 4 {
		t.Errorf("only %d golden values of MS-SSIM", multiscale)
	}
}

func checkGolden[T Pixel](t *testing.T, g goldenCase, x, y []T) {
	t.Helper()
	// Once with the type's own range and once with it named.
	for _, o := range []Options{{}, {Range: g.Range}} {
		mse, err := MSE(x, y)
		near(t, "MSE", mse, err, g.MSE, 1e-6*g.MSE)
		psnr, err := PSNR(x, y, o)
		near(t, "PSNR", psnr, err, g.PSNR, 1e-4)
		ssim, err := SSIM(x, y, g.Height, g.Width, g.Channels, o)
		near(t, "SSIM", ssim, err, g.SSIM, 1e-6)
		if g.MSSSIM != nil {
			ms, err := MSSSIM(x, y, g.Height, g.Width, g.Channels, o)
			near(t, "MS-SSIM", ms, err, *g.MSSSIM, 1e-6)
		}
	}
}

func near(t *testing.T, what string, got float64, err error, want, tolerance float64) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, the peers' %v", what, got, want)
	}
}
