package autoencode

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hourglass/data"
	"hourglass/engine/enginetest"
	"hourglass/format/safetensors"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

// drawDiscs fills a folder with images of a disc: bright in class "a", dark in
// class "b", of any place and size.
func drawDiscs(t testing.TB, n, side int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		class := []string{"a", "b"}[i%2]
		img := image.NewGray(image.Rect(0, 0, side, side))
		cx, cy := float64(side)*(0.3+0.4*float64(i%7)/6), float64(side)*(0.3+0.4*float64(i%5)/4)
		r := float64(side) * (0.15 + 0.1*float64(i%3))
		for y := range side {
			for x := range side {
				v := uint8(128)
				if math.Hypot(float64(x)-cx, float64(y)-cy) < r {
					v = uint8(230 - 200*(i%2))
				}
				img.SetGray(x, y, color.Gray{v})
			}
		}
		if err := os.MkdirAll(filepath.Join(dir, class), 0o777); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, class, string(rune('a'+i/26))+string(rune('a'+i%26))+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func small(source string) Options {
	return Options{Source: source, Latent: 4, Course: run.Course{Epochs: 3, Batch: 16, Seed: 1}}
}

func runIn(dir string) run.Options {
	return run.Options{Dir: dir, Data: data.Options{NoCache: true}, Command: "hourglass learn"}
}

func learn(t testing.TB, threads int, o Options) (*Outcome, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	out, err := Learn(context.Background(), enginetest.New(t, threads), o, runIn(dir), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return out, dir
}

func TestLearn(t *testing.T) {
	source := drawDiscs(t, 120, 16)
	out, dir := learn(t, 2, small(source))
	s := out.Summary
	if s.Found != 120 || s.Dimensions != 256 || s.Config.Latent != 4 || len(s.Classes) != 2 {
		t.Errorf("summary says %d images, d = %d, k = %d, classes %v", s.Found, s.Dimensions, s.Config.Latent, s.Classes)
	}
	if s.Config.Train+s.Config.Validation+s.Config.HeldOut != 120 {
		t.Errorf("parts of %d, %d and %d images do not add up", s.Config.Train, s.Config.Validation, s.Config.HeldOut)
	}
	for name, v := range map[string]*float64{
		"autoencoder mse": s.HeldOut.Autoencoder.MSE, "autoencoder knn": s.HeldOut.Autoencoder.KNNAccuracy,
		"pca mse": s.HeldOut.PCA.MSE, "pca knn": s.HeldOut.PCA.KNNAccuracy, "pixels knn": s.HeldOut.Pixels.KNNAccuracy,
	} {
		if v == nil || !(*v > 0) || *v > 1 {
			t.Errorf("%s is %v", name, v)
		}
	}
	if *s.HeldOut.Pixels.KNNAccuracy < 0.9 {
		t.Errorf("bright and dark discs are told apart in %v of cases", *s.HeldOut.Pixels.KNNAccuracy)
	}
	if len(out.Evidence.Samples) != sampleCount || len(out.Evidence.Map) != s.Config.HeldOut || len(out.Evidence.Neighbours) != queryCount {
		t.Errorf("evidence has %d samples, %d points, %d neighbourhoods",
			len(out.Evidence.Samples), len(out.Evidence.Map), len(out.Evidence.Neighbours))
	}
	for i := 1; i < len(s.Curve); i++ {
		if s.Curve[i].MSE > s.Curve[i-1].MSE {
			t.Errorf("PCA's error grows from k = %d to %d", i-1, i)
		}
	}
	if err := out.Finish(0.1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{run.ConfigFile, run.MetricsFile, run.ModelFile, run.SummaryFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	lines, err := os.ReadFile(filepath.Join(dir, run.MetricsFile))
	if err != nil || strings.Count(string(lines), "\n") != 3 {
		t.Errorf("metrics of 3 epochs are %q, %v", lines, err)
	}
}

// figures returns a summary without what may differ between two runs of the
// same work.
func figures(s *Summary) Summary {
	c := *s
	c.Seconds, c.ImagesPerS, c.PeakBytes = run.Times{}, 0, 0
	c.Training = c.Training.WithoutTimes()
	c.Warnings = nil
	return c
}

func TestThreadsDoNotMatter(t *testing.T) {
	source := drawDiscs(t, 100, 17)
	o := small(source)
	one, dirOne := learn(t, 1, o)
	two, dirTwo := learn(t, 2, o)
	if d := cmp.Diff(figures(one.Summary), figures(two.Summary)); d != "" {
		t.Errorf("figures differ between 1 and 2 threads:\n%s", d)
	}
	a, err := os.ReadFile(filepath.Join(dirOne, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dirTwo, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("model files differ between 1 and 2 threads")
	}
	if d := cmp.Diff(one.Evidence, two.Evidence); d != "" {
		t.Error("pictures differ between 1 and 2 threads")
	}
}

func TestInterruptAndResume(t *testing.T) {
	source := drawDiscs(t, 100, 16)
	want, wantDir := learn(t, 2, small(source))
	e := enginetest.New(t, 2)
	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Learn(ctx, e, small(source), runIn(dir), run.Hooks{Step: func(p train.Progress) {
		if p.Step == 6 {
			cancel()
		}
	}})
	var i *run.Interrupted
	if !errors.As(err, &i) || i.Dir != dir || !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("got %v, want a *run.Interrupted", err)
	}
	got, err := Resume(context.Background(), e, dir, runIn(""), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(figures(want.Summary), figures(got.Summary)); d != "" {
		t.Errorf("figures differ after a resume:\n%s", d)
	}
	a, _ := os.ReadFile(filepath.Join(wantDir, run.ModelFile))
	b, _ := os.ReadFile(filepath.Join(dir, run.ModelFile))
	if len(a) == 0 || string(a) != string(b) {
		t.Error("model files differ after a resume")
	}
	if _, err := Learn(context.Background(), e, small(source), runIn(dir), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "holds a run already") {
		t.Errorf("a second run in one folder: %v", err)
	}
}

func TestResumeRefuses(t *testing.T) {
	e := enginetest.New(t, 2)
	if _, err := Resume(context.Background(), e, t.TempDir(), runIn(""), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "is no run") {
		t.Errorf("an empty folder: %v", err)
	}
	source := drawDiscs(t, 60, 16)
	_, dir := learn(t, 2, small(source))
	if err := os.Remove(filepath.Join(source, "a", "aa.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), e, dir, runIn(""), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "begin a new run") {
		t.Errorf("other images: %v", err)
	}
}

// TestResumeRefusesAChangedConfig changes config.json in ways that no run has.
func TestResumeRefusesAChangedConfig(t *testing.T) {
	e := enginetest.New(t, 1)
	_, dir := learn(t, 1, small(drawDiscs(t, 40, 16)))
	path := filepath.Join(dir, run.ConfigFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"batch": 16`:          `"batch": -1`,
		`"batch": 16,`:         `"batch": 1000000000,`,
		`"epochs": 3`:          `"epochs": -3`,
		`"latent": 4`:          `"latent": 0`,
		`"latent": 4,`:         `"latent": 257,`,
		`"height": 16`:         `"height": 1000000`,
		`"channels": 1`:        `"channels": 2`,
		`"train": 32`:          `"train": 31`,
		`"loss": "bce"`:        `"loss": "grief"`,
		`"arch": "conv"`:       `"arch": "cube"`,
		`"optimizer": "adamw"`: `"optimizer": ""`,
		`"source_path": "`:     `"source": "`,
		`"config": {`:          `"config": [`,
	} {
		changed := strings.Replace(string(whole), from, to, 1)
		if changed == string(whole) {
			t.Fatalf("config.json has no %s:\n%s", from, whole)
		}
		if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Resume(context.Background(), e, dir, runIn(""), run.Hooks{})
		if err == nil || errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "begin a new run") {
			t.Errorf("%s: %v, want an error about %s, and none about options", to, err, path)
		}
	}
}

// TestDivergedTraining has one step with an absurd rate: its loss is that of
// the weights before it, and tells nothing.
func TestDivergedTraining(t *testing.T) {
	source := drawDiscs(t, 20, 16)
	for _, optimizer := range []string{"adamw", "sgd"} {
		o := small(source)
		o.Arch, o.Loss, o.Optimizer, o.Epochs, o.LR = "dense", "mse", optimizer, 1, 1e30
		dir := filepath.Join(t.TempDir(), "run")
		_, err := Learn(context.Background(), enginetest.New(t, 1), o, runIn(dir), run.Hooks{})
		if err == nil || !strings.Contains(err.Error(), "lower --lr") && !strings.Contains(err.Error(), "lower learning rate") {
			t.Errorf("%s: %v, want advice to lower the rate", optimizer, err)
		}
		if _, err := os.Stat(filepath.Join(dir, run.ModelFile)); err == nil {
			t.Errorf("%s: a model that is no use was written", optimizer)
		}
	}
}

func TestEveryChoiceTrains(t *testing.T) {
	source := drawDiscs(t, 40, 13)
	e := enginetest.New(t, 2)
	for name, change := range map[string]func(o *Options){
		"dense":     func(o *Options) { o.Arch = "dense" },
		"spatial":   func(o *Options) { o.Arch, o.Latent = "spatial", 16 },
		"wide":      func(o *Options) { o.Arch, o.Latent = "wide", 0 },
		"asymmetry": func(o *Options) { o.Decoder = "linear" },
		"l1":        func(o *Options) { o.Loss = "l1" },
		"huber":     func(o *Options) { o.Loss = "huber" },
		"bce":       func(o *Options) { o.Loss = "bce" },
		"flip":      func(o *Options) { o.Augment = "flip" },
		"sgd":       func(o *Options) { o.Optimizer = "sgd" },
		"cosine":    func(o *Options) { o.Schedule = "cosine" },
	} {
		o := small(source)
		o.Epochs = 2
		change(&o)
		dir := filepath.Join(t.TempDir(), "run")
		out, err := Learn(context.Background(), e, o, runIn(dir), run.Hooks{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if wide := name == "wide"; out.Summary.Copyable != wide || wide && !strings.Contains(strings.Join(out.Summary.Warnings, ""), "can copy its input") {
			t.Errorf("%s: copyable is %v, warnings %q", name, out.Summary.Copyable, out.Summary.Warnings)
		}
	}
}

func TestMinutesBecomeEpochs(t *testing.T) {
	o := small(drawDiscs(t, 60, 16))
	o.Epochs, o.Minutes = 0, 0.01
	out, dir := learn(t, 2, o)
	var f struct{ Config Config }
	text, err := os.ReadFile(filepath.Join(dir, run.ConfigFile))
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil || f.Config.Epochs != out.Summary.Config.Epochs || f.Config.Minutes != 0.01 {
		t.Errorf("config.json says %d epochs for %v minutes, %v", f.Config.Epochs, f.Config.Minutes, err)
	}
}

func TestWrongChoices(t *testing.T) {
	source := drawDiscs(t, 10, 16)
	e := enginetest.New(t, 1)
	for name, c := range map[string]struct {
		change func(o *Options)
		want   string
	}{
		"arch":      {func(o *Options) { o.Arch = "cube" }, "--arch cube: choose one of conv"},
		"latent":    {func(o *Options) { o.Latent = 257 }, "larger than the image, which has d = 16×16×1 = 256"},
		"negative":  {func(o *Options) { o.Latent = -1 }, "at least 1"},
		"loss":      {func(o *Options) { o.Loss = "x" }, "--loss x"},
		"optimizer": {func(o *Options) { o.Optimizer = "x" }, "--optimizer x"},
		"schedule":  {func(o *Options) { o.Schedule = "x" }, "--schedule"},
		"lr":        {func(o *Options) { o.LR = math.NaN() }, "--lr"},
		"epochs":    {func(o *Options) { o.Epochs = -1 }, "--epochs"},
		"batch":     {func(o *Options) { o.Batch = -1 }, "--batch"},
		"minutes":   {func(o *Options) { o.Minutes = math.Inf(1) }, "--minutes"},
	} {
		o := small(source)
		c.change(&o)
		dir := filepath.Join(t.TempDir(), "run")
		_, err := Learn(context.Background(), e, o, runIn(dir), run.Hooks{})
		if !errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a run.ErrChoice that says %q", name, err, c.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder was made for a run that cannot begin", name)
		}
	}
}

func TestTooFewImages(t *testing.T) {
	for _, n := range []int{1, 2} {
		dir := filepath.Join(t.TempDir(), "run")
		_, err := Learn(context.Background(), enginetest.New(t, 1), small(drawDiscs(t, n, 16)), runIn(dir), run.Hooks{})
		if err == nil || !strings.Contains(err.Error(), "at least 3") {
			t.Errorf("%d images: %v", n, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%d images: a folder was made for a run that cannot begin", n)
		}
	}
	if _, err := Learn(context.Background(), enginetest.New(t, 1), small(drawDiscs(t, 3, 16)), runIn(t.TempDir()), run.Hooks{}); err != nil {
		t.Errorf("3 images: %v", err)
	}
}

func TestModelRoundTrip(t *testing.T) {
	_, dir := learn(t, 2, small(drawDiscs(t, 60, 16)))
	e := enginetest.New(t, 2)
	m, err := Load(e, filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	if m.Config().Latent != 4 || len(m.Record().Epochs) != 3 {
		t.Errorf("config %+v, record of %d epochs", m.Config(), len(m.Record().Epochs))
	}
	pixels := make([]uint8, 70*256)
	for i := range pixels {
		pixels[i] = uint8(i * 7)
	}
	codes, err := m.Encode(pixels)
	if err != nil || len(codes) != 70*4 {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	images, err := m.Decode(codes)
	if err != nil || len(images) != len(pixels) {
		t.Fatalf("%d numbers, %v", len(images), err)
	}
	for i, v := range images {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("number %d of the images is %v", i, v)
		}
	}
	if _, err := m.Encode(pixels[:100]); err == nil {
		t.Error("part of an image was encoded")
	}
	if _, err := m.Decode(codes[:3]); err == nil {
		t.Error("part of a code was decoded")
	}
}

func TestLoadRefuses(t *testing.T) {
	_, dir := learn(t, 2, small(drawDiscs(t, 40, 16)))
	e := enginetest.New(t, 1)
	path := filepath.Join(dir, run.ModelFile)
	tensors, metadata, err := safetensors.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key, value, want string
	}{
		"newer version": {"version", "2", "update hourglass"},
		"another task":  {"task", "classify", `"classify", not "autoencode"`},
		"foreign file":  {"format", "pt", "was not written by hourglass"},
		"two channels":  {"config", strings.Replace(metadata["config"], `"channels":1`, `"channels":2`, 1), "2 channels"},
		"no layers":     {"architecture", "{}", "encoder cannot be read"},
		"other layers":  {"architecture", `{"encoder":{"kind":"flatten"},"decoder":{"kind":"reshape","shape":[16,16,1]}}`, ""},
	} {
		changed := make(map[string]string)
		for k, v := range metadata {
			changed[k] = v
		}
		changed[c.key] = c.value
		other := filepath.Join(t.TempDir(), "m.safetensors")
		if err := safetensors.WriteFile(other, tensors, changed); err != nil {
			t.Fatal(err)
		}
		_, err := Load(e, other)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, model.ErrModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an ErrModel that says %q", name, err, c.want)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 50, len(whole) / 2, len(whole) - 1} {
		cut := filepath.Join(t.TempDir(), "cut.safetensors")
		if err := os.WriteFile(cut, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(e, cut); err == nil || !strings.Contains(err.Error(), "cut.safetensors") {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if err := safetensors.WriteFile(path, tensors[:len(tensors)-1], metadata); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(e, path); !errors.Is(err, model.ErrModel) {
		t.Errorf("a tensor is missing: %v", err)
	}
}
