package features

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/data"
	"hourglass/engine/enginetest"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/train/run"
)

// stripes are images [9,9,1] of stripes across and down, of noise, and their
// classes.
func stripes(n int) *data.Set {
	const side = 9
	s := &data.Set{Source: "stripes", Height: side, Width: side, Channels: 1, Classes: []string{"across", "down"}, Fingerprint: "f"}
	u := make([]float32, side*side)
	for i := range n {
		random.Uniform(u, 1, uint64(i), 0)
		for p, v := range u {
			at := p / side
			if i%2 == 1 {
				at = p % side
			}
			s.Pixels = append(s.Pixels, uint8(100*v)+uint8((at+i/2)%3/2*150))
		}
		s.Labels, s.Names = append(s.Labels, int32(i%2)), append(s.Names, "image")
	}
	return s
}

func TestLearnsFeatures(t *testing.T) {
	set := stripes(300)
	r := &run.Run{Engine: enginetest.New(t, 2), Dir: t.TempDir(), Set: set}
	s, record, err := Learn(t.Context(), r.Stage("features"), run.Divide(set), 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind != KindTrained || s.Dim != lastWidth || s.Accuracy == nil || *s.Accuracy < 0.9 || len(record.Epochs) == 0 {
		t.Errorf("the space is %+v", s)
	}
	some := set.Pixels[:5*set.ImageBytes()]
	v, err := s.Vectors(some)
	if err != nil || len(v) != 5*s.Dim {
		t.Fatalf("%d numbers, %v", len(v), err)
	}
	if _, err := s.Vectors(some[1:]); err == nil {
		t.Error("a part of an image is taken")
	}
	// Resumed, it is there at once, and the same.
	again, _, err := Learn(t.Context(), r.Stage("features"), run.Divide(set), 1, true)
	if err != nil {
		t.Fatal(err)
	}
	w, err := again.Vectors(some)
	if err != nil {
		t.Fatal(err)
	}
	for i := range v {
		if v[i] != w[i] {
			t.Fatalf("number %d is %v, and resumed %v", i, v[i], w[i])
		}
	}
	set.Labels = nil
	if _, _, err := Learn(t.Context(), r, run.Divide(set), 1, false); err == nil || !strings.Contains(err.Error(), "no labels") {
		t.Errorf("without labels: %v", err)
	}
}

func TestComponents(t *testing.T) {
	set := stripes(50)
	e := enginetest.New(t, 2)
	all := make([]int, set.Len())
	for i := range all {
		all[i] = i
	}
	s, err := Components(e, set, all, 1)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Vectors(set.Pixels)
	if err != nil || s.Dim != 49 || len(v) != 50*s.Dim {
		t.Fatalf("%d numbers of %d dimensions, %v", len(v), s.Dim, err)
	}
	// All that 50 images differ in is in 49 components: distances stay.
	distance := func(x []float32, n int) float64 {
		sum := 0.0
		for i := range n {
			sum += math.Pow(float64(x[i]-x[n+i]), 2)
		}
		return sum
	}
	pixels := make([]float32, 2*set.ImageBytes())
	for i := range pixels {
		pixels[i] = float32(set.Pixels[i]) / 255
	}
	if a, b := distance(v, s.Dim), distance(pixels, set.ImageBytes()); math.Abs(a-b) > 1e-3*b {
		t.Errorf("two images are %v apart in pixels and %v in components", b, a)
	}
}

func TestBody(t *testing.T) {
	for _, c := range []struct {
		net  nn.Layer
		want int
	}{
		{nn.Sequential{nn.Conv{}, nn.Flatten{}, nn.Dropout{}, nn.Dense{}}, 1},
		{nn.Sequential{nn.Conv{}, nn.GlobalAvgPool{}, nn.Dense{}, nn.Affine{}}, 2},
		{nn.Sequential{nn.Dense{}, nn.ReLU{}, nn.Dense{}}, 2},
	} {
		if got, err := body(c.net); err != nil || len(got) != c.want {
			t.Errorf("%d layers of %v are left, %v", len(got), c.net, err)
		}
	}
	for _, net := range []nn.Layer{nn.Dense{}, nn.Sequential{nn.Dense{}}, nn.Sequential{nn.Conv{}}, nn.Sequential{}} {
		if _, err := body(net); err == nil {
			t.Errorf("%v has features", net)
		}
	}
	if _, err := Open(enginetest.New(t, 2), filepath.Join(t.TempDir(), "none"), run.Images{}); err == nil {
		t.Error("a file that is not there is read")
	}
}
