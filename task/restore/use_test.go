package restore

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"hourglass/data"
	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/train/model"
	"hourglass/train/run"
)

// untrained returns a model of one scale with random weights, whose corrections
// are large: its results depend on everything that it sees.
func untrained(t *testing.T, task string) *Model {
	t.Helper()
	c := Config{Task: task, Loss: "l1", Shape: Shape{Widths: []int{8}, Blocks: 1}, Common: run.Common{Images: run.Images{Height: 16, Width: 16, Channels: 3}}}
	if task == Denoise {
		c.Noise = Gaussian
	}
	store := backend.NewStore()
	m, err := newModel(enginetest.New(t, 2), c, c.network(), store)
	if err != nil {
		t.Fatal(err)
	}
	if err := nn.Initialize(m.params, store, 1); err != nil {
		t.Fatal(err)
	}
	for i, p := range m.params {
		v := store.Get(p.Name).Float32()
		random.Normal(v, 3, uint64(i), 0)
		for j := range v {
			v[j] *= 0.1
		}
	}
	return m
}

func noise(n int, seed uint64) []float32 {
	v := make([]float32, n)
	random.Uniform(v, seed, 1, 0)
	return v
}

// As long as a network sees no farther than the margins, tiles give what the
// whole image gives.
func TestTilesEqualWholeImages(t *testing.T) {
	for _, task := range []string{Denoise, Inpaint} {
		m := untrained(t, task)
		const h, w = 93, 130
		x := noise(3*h*w, 1)
		var missing []float32
		if task == Inpaint {
			missing = make([]float32, h*w)
			new(Cutter).Cut(missing, h, w, Blocks, 20, false, 1, 1)
		}
		whole, err := m.applyTiles(t.Context(), x, missing, h, w, tilePixels)
		if err != nil {
			t.Fatal(err)
		}
		tiled, err := m.applyTiles(t.Context(), x, missing, h, w, 64*64)
		if err != nil {
			t.Fatal(err)
		}
		moved := 0.0
		for i := range whole {
			if d := math.Abs(float64(whole[i] - tiled[i])); d > 1e-5 {
				t.Fatalf("%s: value %d is %v in tiles and %v whole", task, i, tiled[i], whole[i])
			}
			moved = max(moved, math.Abs(float64(whole[i]-x[i])))
		}
		if moved < 0.1 {
			t.Errorf("%s: the network does nothing", task)
		}
	}
}

// Any size passes, and what surrounds the image has no part in it.
func TestAnySize(t *testing.T) {
	m := untrained(t, Denoise)
	for _, s := range [][2]int{{1, 1}, {1, 9}, {7, 2}, {16, 16}, {17, 33}} {
		y, err := m.Denoise(t.Context(), noise(3*s[0]*s[1], 2), s[0], s[1])
		if err != nil || len(y) != 3*s[0]*s[1] {
			t.Errorf("%v: %d values, %v", s, len(y), err)
		}
	}
	if _, err := m.Denoise(t.Context(), noise(5, 2), 1, 2); err == nil {
		t.Error("five values were taken for an image")
	}
}

// Known pixels come back as they are, and missing ones are not looked at.
func TestInpaintKeepsWhatIsKnown(t *testing.T) {
	m := untrained(t, Inpaint)
	const h, w = 20, 31
	x := noise(3*h*w, 4)
	mask := make([]float32, h*w)
	new(Cutter).Cut(mask, h, w, Strokes, 20, false, 1, 2)
	y, err := m.Inpaint(t.Context(), x, mask, h, w)
	if err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(x)
	changed := 0
	for i, v := range mask {
		for k := 3 * i; k < 3*i+3; k++ {
			if v == 0 && y[k] != x[k] {
				t.Fatalf("known value %d is %v and was %v", k, y[k], x[k])
			}
			if v == 1 {
				other[k] = float32(math.NaN())
				if y[k] != x[k] {
					changed++
				}
			}
		}
	}
	again, err := m.Inpaint(t.Context(), other, mask, h, w)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y, again) {
		t.Error("what lies in the holes has an influence")
	}
	if changed == 0 {
		t.Error("nothing was filled in")
	}
}

func TestMaskErrors(t *testing.T) {
	m := untrained(t, Inpaint)
	x := noise(3*12, 1)
	for want, mask := range map[string][]float32{
		"size":         make([]float32, 11),
		"area of zero": make([]float32, 12),
		"whole image":  slices.Repeat([]float32{1}, 12),
		"missing, 1":   slices.Repeat([]float32{0.5}, 12),
	} {
		if _, err := m.Inpaint(t.Context(), x, mask, 3, 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if _, err := m.Denoise(t.Context(), x, 3, 4); err == nil || !strings.Contains(err.Error(), `"inpaint", not "denoise"`) {
		t.Errorf("error is %v", err)
	}
}

// The result has the picture's depth, greys and transparency.
func TestPicturesKeepTheirKind(t *testing.T) {
	m, f := untrained(t, Denoise), untrained(t, Inpaint)
	const h, w = 9, 14
	for _, p := range []*data.Picture{
		{Height: h, Width: w, Channels: 1, Pixels: noise(h*w, 1)},
		{Height: h, Width: w, Channels: 3, Deep: true, Pixels: noise(3*h*w, 1), Alpha: slices.Repeat([]uint16{7, 65535}, h*w/2)},
	} {
		q, err := m.DenoisePicture(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if q.Channels != p.Channels || q.Deep != p.Deep || !slices.Equal(q.Alpha, p.Alpha) || len(q.Pixels) != len(p.Pixels) || slices.Equal(q.Pixels, p.Pixels) {
			t.Errorf("%d channels became %d, deep %v %v", p.Channels, q.Channels, p.Deep, q.Deep)
		}
		mask := make([]float32, h*w)
		mask[17] = 1
		if q, err = f.InpaintPicture(t.Context(), p, mask); err != nil {
			t.Fatal(err)
		}
		for i, v := range q.Pixels {
			if i/p.Channels != 17 && v != p.Pixels[i] {
				t.Fatalf("known value %d became %v", i, v)
			}
		}
	}
}

// A model that was saved and loaded gives what the one before gave, once that
// is rounded.
func TestModelFile(t *testing.T) {
	m := untrained(t, Denoise)
	m.config.Course = run.Course{Batch: 1}
	m.round()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	x := noise(3*20*20, 3)
	want, err := m.Denoise(t.Context(), x, 20, 20)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Load(m.engine, path, Denoise)
	if err != nil {
		t.Fatal(err)
	}
	got, err := back.Denoise(t.Context(), x, 20, 20)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the loaded model gives something else, %v", err)
	}
	if _, err := Load(m.engine, path, Inpaint); !errors.Is(err, model.ErrModel) || !strings.Contains(err.Error(), `"denoise", not "inpaint"`) {
		t.Errorf("error is %v", err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"models/denoise.safetensors": {Data: content}, "models/inpaint.safetensors": {Data: content}}
	if _, err := fromFS(m.engine, files, Denoise); err != nil {
		t.Error(err)
	}
	if _, err := fromFS(m.engine, files, Inpaint); !errors.Is(err, model.ErrModel) {
		t.Errorf("error is %v", err)
	}
	if _, err := fromFS(m.engine, fstest.MapFS{}, Denoise); !errors.Is(err, ErrNotShipped) {
		t.Errorf("error is %v", err)
	}
}

// What is built in can be read and is no larger than it may be.
func TestShipped(t *testing.T) {
	files, err := shipped.ReadDir("models")
	if err != nil {
		t.Fatal(err)
	}
	e := enginetest.New(t, 0)
	for _, f := range files {
		task, ok := strings.CutSuffix(f.Name(), ".safetensors")
		if !ok {
			continue
		}
		if info, err := f.Info(); err != nil || info.Size() > maxShipped {
			t.Errorf("%s has more than %d bytes, %v", f.Name(), maxShipped, err)
		}
		if _, err := Shipped(e, task); err != nil {
			t.Error(err)
		}
	}
}
