package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/data"
	"hourglass/engine/enginetest"
	"hourglass/format/safetensors"
	"hourglass/internal/random"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/features"
	"hourglass/train/latent"
	"hourglass/train/model"
	"hourglass/train/run"
)

const side = 12

// discs makes a folder of n grey images of a disc, bright or dark, of any place
// and size; with labels, bright and dark ones lie in sub-folders.
func discs(t testing.TB, n int, labels bool) string {
	t.Helper()
	dir := t.TempDir()
	u := make([]float32, 3)
	for i := range n {
		random.Uniform(u, 3, uint64(i), 0)
		m := image.NewGray(image.Rect(0, 0, side, side))
		cx, cy, r := 3+6*float64(u[0]), 3+6*float64(u[1]), 1.5+2*float64(u[2])
		for y := range side {
			for x := range side {
				edge := max(0, min(1, r-math.Hypot(float64(x)-cx, float64(y)-cy)))
				m.SetGray(x, y, color.Gray{uint8(120 + edge*float64(110-200*(i%2)))})
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("%03d.png", i))
		if labels {
			path = filepath.Join(dir, []string{"bright", "dark"}[i%2], fmt.Sprintf("%03d.png", i))
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// small are the options of a run of a second.
func small(source string) Options {
	return Options{Source: source, Arch: "dense", Latent: 3, PriorSteps: 20, Course: run.Course{Epochs: 2, Batch: 16, Seed: 1}}
}

func runIn(dir string) run.Options {
	return run.Options{Dir: dir, Data: data.Options{NoCache: true}, Command: "hourglass train generate"}
}

func learn(t testing.TB, threads int, o Options) (*Outcome, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	out, err := Learn(t.Context(), enginetest.New(t, threads), o, runIn(dir), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return out, dir
}

// TestLearnsDiscs learns what discs are like, and makes others that are nearer
// to real ones than what simpler ways make.
func TestLearnsDiscs(t *testing.T) {
	o := small(discs(t, 400, true))
	o.Arch, o.Latent, o.Epochs, o.PriorSteps = "conv", 6, 15, 600
	out, _ := learn(t, 2, o)
	s, h := out.Summary, out.Summary.HeldOut
	t.Logf("two stages %.3f, VAE %.3f, autoencoder %.3f, pixels %.3f, after the waist %.3f, learnt %.3f; %.2f bits",
		*h.Frechet, *h.VAE.Frechet, *h.Autoencoder.Frechet, *h.Pixels.Frechet, *h.Reconstructed.Frechet, *h.Learnt.Frechet, h.BitsPerDimension)
	if !(*h.Frechet < *h.Autoencoder.Frechet && *h.Frechet < *h.Pixels.Frechet && *h.Learnt.Frechet < *h.Pixels.Frechet) {
		t.Error("the order of the distances is wrong")
	}
	if !(*h.Frechet < *h.VAE.Frechet) {
		t.Error("the second stage does not bring the images nearer")
	}
	// A model of nothing takes 8 bits, and flat discs on a flat ground far less.
	if !(h.BitsPerDimension > 0 && h.BitsPerDimension < 7) {
		t.Errorf("%v bits a dimension", h.BitsPerDimension)
	}
	if last := s.Training.Epochs[s.Training.BestEpoch-1]; math.Abs(last.Validation-h.BitsPerDimension) > 1 {
		t.Errorf("%v bits in training and %v when judged", last.Validation, h.BitsPerDimension)
	}
	if s.Space.Kind != features.KindTrained || s.Space.Accuracy == nil || s.Judged != s.Config.HeldOut || s.Copying == nil || s.Active < 2 || s.Active > 6 {
		t.Errorf("judged in %+v, %d images, %+v, %d numbers active", s.Space, s.Judged, s.Copying, s.Active)
	}
	ev := out.Evidence
	if len(ev.Kinds) != 6 || len(ev.Kinds[0].Images) != shownEach || len(ev.Nearest) != shownNear || len(ev.Paths) != shownPaths || len(ev.Paths[0].Steps) != pathSteps {
		t.Errorf("evidence has %d kinds, %d neighbourhoods, %d paths", len(ev.Kinds), len(ev.Nearest), len(ev.Paths))
	}
}

// Everything that a run leaves is the same whatever the number of threads.
func TestRepeatsBitByBit(t *testing.T) {
	source := discs(t, 220, false)
	for _, kind := range latent.Priors() {
		o := small(source)
		if o.Prior = kind; kind == latent.PriorNormal {
			o.PriorSteps = 0
		}
		first, dir := learn(t, 1, o)
		second, again := learn(t, 3, o)
		sameFile(t, filepath.Join(dir, run.ModelFile), filepath.Join(again, run.ModelFile))
		sameFigures(t, first.Summary, second.Summary)
	}
}

// A run that is interrupted in every stage, one after the other, ends as one
// that was left alone.
func TestResumesBitByBit(t *testing.T) {
	o := small(discs(t, 220, true))
	whole, dir := learn(t, 2, o)
	again := filepath.Join(t.TempDir(), "run")
	for i, stop := range []run.Phase{run.PhaseTrain, PhaseSecond, PhasePlain, PhaseFeatures, run.PhaseJudge} {
		ctx, cancel := context.WithCancel(t.Context())
		ro := runIn(again)
		ro.CheckpointEvery = -1
		var now run.Phase
		steps := 0
		h := run.Hooks{
			Phase: func(p run.Phase) {
				if now, steps = p, 0; p == stop && p == run.PhaseJudge {
					cancel()
				}
			},
			Step: func(train.Progress) {
				if steps++; now == stop && steps == 3 {
					cancel()
				}
			},
		}
		var err error
		if i == 0 {
			_, err = Learn(ctx, enginetest.New(t, 2), o, ro, h)
		} else {
			_, err = Resume(ctx, enginetest.New(t, 2), again, ro, h)
		}
		cancel()
		var stopped *run.Interrupted
		if !errors.As(err, &stopped) || stopped.Dir != again {
			t.Fatalf("stopped in %s: %v", stop, err)
		}
	}
	resumed, err := Resume(t.Context(), enginetest.New(t, 2), again, runIn(""), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	sameFile(t, filepath.Join(dir, run.ModelFile), filepath.Join(again, run.ModelFile))
	sameFigures(t, whole.Summary, resumed.Summary)
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

func sameFigures(t *testing.T, a, b *Summary) {
	t.Helper()
	x, err := json.Marshal([]any{a.HeldOut, a.Copying, a.Space, a.Sigma, a.Active, a.Second.WithoutTimes()})
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal([]any{b.HeldOut, b.Copying, b.Space, b.Sigma, b.Active, b.Second.WithoutTimes()})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("figures differ:\n%s\n%s", x, y)
	}
}

// TestUse loads a model and makes images of it in every way.
func TestUse(t *testing.T) {
	source := discs(t, 240, false)
	out, dir := learn(t, 2, small(source))
	if out.Summary.Space.Kind != features.KindComponents {
		t.Errorf("without labels images are judged in %+v", out.Summary.Space)
	}
	m, err := Load(enginetest.New(t, 1), filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	const d = side * side
	all, err := m.Sample(70, 5, 0)
	if err != nil || len(all) != 70*d {
		t.Fatalf("%d values, %v", len(all), err)
	}
	for _, v := range all {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("an image has the value %v", v)
		}
	}
	some, err := m.Sample(3, 5, 66)
	if err != nil || !slices.Equal(some, all[66*d:69*d]) {
		t.Errorf("images 66 to 68 are others by themselves (%v)", err)
	}
	if other, err := m.Sample(3, 6, 66); err != nil || slices.Equal(some, other) {
		t.Errorf("another seed gives the same images (%v)", err)
	}

	a, b := out.Evidence.Real[0], out.Evidence.Real[1]
	mean, deviation, err := m.Encode(append(slices.Clone(a), b...))
	if err != nil || len(mean) != 2*m.Config().Latent || len(deviation) != len(mean) || deviation[0] <= 0 {
		t.Fatalf("codes %v, %v, %v", mean, deviation, err)
	}
	ends, err := m.Decode(mean)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, x, y []float32) {
		t.Helper()
		for i, v := range x {
			if math.Abs(float64(v-y[i])) > 0.01 {
				t.Fatalf("%s: value %d is %v, want %v", what, i, v, y[i])
			}
		}
	}
	way, err := m.Interpolate(a, b, 5)
	if err != nil || len(way) != 5*d {
		t.Fatalf("%d values on the way, %v", len(way), err)
	}
	near("the way's beginning", way[:d], ends[:d])
	near("its end", way[4*d:], ends[d:])
	same, err := m.Vary(a, 2, 0, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	near("nothing varied", same[d:], ends[:d])
	direction, err := m.Direction(b, a)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := m.Move(a, direction, []float64{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	near("moved by nothing", moved[:d], ends[:d])
	near("moved by all that separates two images", moved[d:], ends[d:])

	for what, err := range map[string]error{
		"half an image":     second2(m.Interpolate(a[1:], b, 5)),
		"one step":          second2(m.Interpolate(a, b, 1)),
		"too strong":        second2(m.Vary(a, 2, 1.5, 1, 0)),
		"no strength":       second2(m.Vary(a, 2, math.NaN(), 1, 0)),
		"half to vary":      second2(m.Vary(a[1:], 2, 0.5, 1, 0)),
		"an empty group":    second2(m.Direction(nil, a)),
		"a short direction": second2(m.Move(a, direction[1:], []float64{1})),
		"half to move":      second2(m.Move(a[1:], direction, []float64{1})),
		"half a code":       second2(m.Decode(mean[1:])),
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// second2 returns the error of a pair.
func second2[T any](_ T, err error) error { return err }

// TestFewImages learns from next to nothing.
func TestFewImages(t *testing.T) {
	out, _ := learn(t, 2, small(discs(t, 12, true)))
	h := out.Summary.HeldOut
	if h.Frechet != nil || h.VAE.Recall != nil || !(h.BitsPerDimension > 0) {
		t.Errorf("%d held-out images give %+v", out.Summary.Config.HeldOut, h)
	}
	if !slices.ContainsFunc(out.Summary.Warnings, func(w string) bool { return strings.Contains(w, "too few images") }) {
		t.Errorf("warnings are %q", out.Summary.Warnings)
	}
	_, err := Learn(t.Context(), enginetest.New(t, 1), small(discs(t, 2, false)), runIn(filepath.Join(t.TempDir(), "run")), run.Hooks{})
	if err == nil || !strings.Contains(err.Error(), "at least 3") {
		t.Errorf("two images: %v", err)
	}
}

func TestWrongChoices(t *testing.T) {
	source := discs(t, 12, false)
	for want, change := range map[string]func(*Options){
		"--arch spatial: choose one of conv, dense": func(o *Options) { o.Arch = "spatial" },
		"--prior chance":       func(o *Options) { o.Prior = "chance" },
		"--latent -1":          func(o *Options) { o.Latent = -1 },
		"--beta NaN":           func(o *Options) { o.Beta = math.NaN() },
		"--beta -2":            func(o *Options) { o.Beta = -2 },
		"--prior-steps -1":     func(o *Options) { o.PriorSteps = -1 },
		"latent is 2000":       func(o *Options) { o.Latent = 2000 },
		"--lr -1":              func(o *Options) { o.LR = -1 },
		"--augment: wrong":     func(o *Options) { o.Augment = "twirl" },
		"--optimizer hope":     func(o *Options) { o.Optimizer = "hope" },
		"--epochs -1: choose ": func(o *Options) { o.Epochs = -1 },
	} {
		o := small(source)
		change(&o)
		_, err := Learn(t.Context(), enginetest.New(t, 1), o, runIn(filepath.Join(t.TempDir(), "run")), run.Hooks{})
		if !errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one about %q", err, want)
		}
	}
	o := small(source)
	o.Features = filepath.Join(t.TempDir(), "none.safetensors")
	if _, err := Learn(t.Context(), enginetest.New(t, 1), o, runIn(filepath.Join(t.TempDir(), "run")), run.Hooks{}); err == nil || errors.Is(err, run.ErrChoice) {
		t.Errorf("a classifier that is not there: %v", err)
	}
}

// TestDamagedModels changes a model file in ways that a reader must notice.
func TestDamagedModels(t *testing.T) {
	_, dir := learn(t, 1, small(discs(t, 40, false)))
	e := enginetest.New(t, 1)
	f, err := safetensors.Open(filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tensors []safetensors.Tensor
	for _, info := range f.Tensors {
		v := make([]float32, tensor.Shape(info.Shape).Elements())
		if err := f.Float32s(info.Name, v); err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, safetensors.New(info.Name, info.Shape, v))
	}
	for _, c := range []struct {
		key, old, new, want string
	}{
		{"task", "generate", "autoencode", "trained for the task"},
		{"architecture", `"sigma":`, `"sigma":-`, "the deviation of its images is -"},
		{"architecture", `"kind":"flow"`, `"kind":"hope"`, `of the kind "hope"`},
		{"architecture", `"kind":"flow"`, `"kind":"vae"`, `with 1 networks`},
		{"architecture", `"mean":[`, `"mean":[1,`, "for codes of 4 numbers"},
		{"architecture", `"deviation":[`, `"deviation":[-`, "no usable numbers"},
		{"config", `"latent":3`, `"latent":4`, "the encoder gives"},
		{"config", `"latent":3`, `"latent":-1`, "its codes have -1 numbers"},
		{"config", `"channels":1`, `"channels":2`, "2 channels"},
		{"architecture", `{`, ``, "cannot be read"},
	} {
		metadata := map[string]string{}
		for k, v := range f.Metadata {
			metadata[k] = v
		}
		changed := strings.Replace(metadata[c.key], c.old, c.new, 1)
		if changed == metadata[c.key] {
			t.Fatalf("%s has no %q: %s", c.key, c.old, metadata[c.key])
		}
		metadata[c.key] = changed
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := safetensors.WriteFile(path, tensors, metadata); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(e, path); !errors.Is(err, model.ErrModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v, want one about %q", c.key, c.new, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	for i := range tensors {
		if err := safetensors.WriteFile(path, append(slices.Clone(tensors[:i]), tensors[i+1:]...), f.Metadata); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(e, path); !errors.Is(err, model.ErrModel) {
			t.Errorf("without %s: %v", tensors[i].Name, err)
		}
	}
}

// TestMinutes turns a time into epochs.
func TestMinutes(t *testing.T) {
	o := small(discs(t, 40, false))
	o.Epochs, o.Minutes = 0, 0.001
	out, _ := learn(t, 1, o)
	if n := out.Summary.Config.Epochs; n < 1 || n > 1000 {
		t.Errorf("%d epochs in a tenth of a second", n)
	}
}
