package generate

import (
	"math"
	"testing"
)

// A great circle keeps the length, and ends where it should.
func TestBetween(t *testing.T) {
	a, b := []float32{3, 0, 0}, []float32{0, 0, 3}
	middle := between(a, b, 0.5)
	if math.Abs(float64(middle[0])-3/math.Sqrt2) > 1e-6 || middle[0] != middle[2] || middle[1] != 0 {
		t.Errorf("half-way stands %v", middle)
	}
	if got := between(a, b, 0); math.Abs(float64(got[0]-3)) > 1e-6 || math.Abs(float64(got[2])) > 1e-6 {
		t.Errorf("the way begins at %v", got)
	}
	for _, c := range [][2][]float32{{a, a}, {a, {-3, 0, 0}}, {{0, 0, 0}, a}, {{0, 0, 0}, {0, 0, 0}}} {
		for _, v := range between(c[0], c[1], 0.3) {
			if math.IsNaN(float64(v)) {
				t.Errorf("from %v to %v leads through %v", c[0], c[1], v)
			}
		}
	}
}
