package restore

import (
	"math"
	"strings"
	"testing"
)

// An autoencoder that knows one line only, of grey images whose pixels are all
// alike, brings the missing pixels to the mean in steps that become smaller.
func TestProject(t *testing.T) {
	const n = 16
	pixels, missing := make([]float32, n), make([]float32, n)
	for i := range pixels {
		pixels[i] = 0.6
		if i < 4 {
			pixels[i], missing[i] = 0, 1
		}
	}
	pixels[4], pixels[5] = 0.2, 0.9
	mean := func(image []uint8) ([]float32, error) {
		sum := float32(0)
		for _, v := range image {
			sum += float32(v) / 255 / n
		}
		out := make([]float32, n)
		for i := range out {
			out[i] = sum
		}
		return out, nil
	}
	p, err := Project(t.Context(), pixels, missing, 1, 40, mean)
	if err != nil {
		t.Fatal(err)
	}
	// The fixed point is the mean of the known pixels.
	known := (0.2 + 0.9 + 10*0.6) / 12
	for i, v := range p.Restored {
		if missing[i] == 0 && v != pixels[i] {
			t.Errorf("known pixel %d became %v", i, v)
		}
		if missing[i] == 1 && math.Abs(float64(v)-known) > 0.01 {
			t.Errorf("missing pixel %d is %v, want %.3f", i, v, known)
		}
	}
	if len(p.Steps) != len(p.Moved)+1 || p.Moved[len(p.Moved)-1] >= settled {
		t.Errorf("%d steps, the last of %v", len(p.Moved), p.Moved[len(p.Moved)-1])
	}
	if _, err := Project(t.Context(), pixels, make([]float32, n), 1, 1, mean); err == nil || !strings.Contains(err.Error(), "area of zero") {
		t.Errorf("error is %v", err)
	}
	if _, err := Project(t.Context(), pixels, missing[1:], 1, 1, mean); err == nil {
		t.Error("a mask of another size was taken")
	}
}
