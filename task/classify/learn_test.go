package classify

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
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

// draw writes an image of one of two classes: stripes that lie or stand.
func draw(t testing.TB, path string, class, i, side int) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			along := []int{x, y}[class]
			m.SetGray(x, y, color.Gray{uint8(128 + 80*math.Sin(float64(along+i)*1.3) + float64((x*7+y*13+i*5)%30))})
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// stripes fills a folder with n images in two class folders.
func stripes(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		name := string(rune('a'+i/26)) + string(rune('a'+i%26)) + ".png"
		draw(t, filepath.Join(dir, []string{"standing", "lying"}[i%2], name), i%2, i/2, 12)
	}
	return dir
}

func small(source string) Options {
	return Options{Source: source, Widths: []int{4, 4, 8}, Course: run.Course{Epochs: 4, Batch: 16, LR: 0.02, Seed: 1, Augment: "flip"}}
}

func runIn(dir string) run.Options {
	return run.Options{Dir: dir, Data: data.Options{NoCache: true}, Command: "hourglass train classify"}
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

func readModel(t testing.TB, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// figures returns a summary without what may differ between two runs of the
// same work.
func figures(s *Summary) Summary {
	c := *s
	c.Seconds, c.ImagesPerS, c.PeakBytes, c.Warnings = run.Times{}, 0, 0, nil
	c.Training = c.Training.WithoutTimes()
	return c
}

func TestLearn(t *testing.T) {
	source := stripes(t, 300)
	out, dir := learn(t, 2, small(source))
	s := out.Summary
	if s.Found != 300 || len(s.Config.Classes) != 2 || s.Config.Classes[0] != "lying" || s.Config.Validation == 0 {
		t.Errorf("summary of %d images, classes %v, %d to validate", s.Found, s.Config.Classes, s.Config.Validation)
	}
	h := s.HeldOut
	if h.Accuracy < 0.95 || h.Top5 != 1 || !(h.Loss >= 0 && h.Loss < 0.3) {
		t.Errorf("stripes that lie and that stand are told apart in %v of cases, loss %v, top-5 %v", h.Accuracy, h.Loss, h.Top5)
	}
	total := 0
	for i, row := range h.Confusion {
		for _, v := range row {
			total += v
		}
		if h.Classes[i].Class != s.Config.Classes[i] {
			t.Errorf("class %d is called %s", i, h.Classes[i].Class)
		}
	}
	if total != h.Images || h.Images != s.Config.HeldOut || len(out.Evidence.Samples) == 0 || out.Evidence.Filters == nil {
		t.Errorf("the confusion matrix has %d of %d images", total, h.Images)
	}
	if e := s.Training.Epochs; len(e) != 4 || e[3].Score == nil {
		t.Errorf("the record has %d epochs, without an accuracy", len(e))
	}
	if err := out.Finish(0.1); err != nil {
		t.Fatal(err)
	}
	r := out.Result()
	if r.Classes != 2 || r.Images != 300 || r.HeldOut != h.Scores || r.Epochs != 4 || r.Parameters <= 0 {
		t.Errorf("the result is %+v", r)
	}

	m, err := Load(enginetest.New(t, 1), filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(m.Classes(), s.Config.Classes) || m.Temperature() != h.Calibration.Temperature {
		t.Errorf("the model has classes %v and temperature %v", m.Classes(), m.Temperature())
	}
	set, err := data.Open(t.Context(), source, data.Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := m.Evaluate(t.Context(), set, run.Divide(set).HeldOut, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(*again, h); d != "" {
		t.Errorf("the loaded model does otherwise:\n%s", d)
	}
	p, err := m.Classify(set.Image(0))
	if err != nil || len(p) != 2 || math.Abs(float64(p[0]+p[1])-1) > 1e-6 {
		t.Errorf("probabilities %v, %v", p, err)
	}
	if _, err := m.Classify(set.Image(0)[:5]); err == nil {
		t.Error("part of an image was classified")
	}
}

// Every recipe and trick trains, gives the same bits on any number of threads,
// and after an interruption.
func TestBitsAreTheSame(t *testing.T) {
	tenth, share, third := 0.1, 0.9, 0.34
	for name, change := range map[string]func(o *Options){
		"lecture": func(o *Options) { o.Dropout, o.EMA, o.Mixup, o.ClassWeights = &tenth, &share, 0.4, "balanced" },
		"fast":    func(o *Options) { o.Recipe, o.Cutmix, o.LR, o.Precision = "fast", 1, 0, "bf16" },
		"muon": func(o *Options) {
			o.Recipe, o.Optimizer, o.LR, o.Progressive, o.EMA = "fast", "muon:length=1", 0, &third, &share
		},
	} {
		o := small(stripes(t, 90))
		o.Epochs = 3
		change(&o)
		want, wantDir := learn(t, 1, o)
		model := readModel(t, wantDir)
		for _, threads := range []int{2, 3} {
			got, dir := learn(t, threads, o)
			if readModel(t, dir) != model || !cmp.Equal(figures(want.Summary), figures(got.Summary)) {
				t.Errorf("%s: %d threads give another model than one", name, threads)
			}
		}
		e, dir := enginetest.New(t, 2), filepath.Join(t.TempDir(), "run")
		ctx, cancel := context.WithCancel(context.Background())
		_, err := Learn(ctx, e, o, runIn(dir), run.Hooks{Step: func(p train.Progress) {
			if p.Step == 6 {
				cancel()
			}
		}})
		var i *run.Interrupted
		if !errors.As(err, &i) {
			t.Fatalf("%s: got %v, want a *run.Interrupted", name, err)
		}
		got, err := Resume(context.Background(), e, dir, runIn(""), run.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		if readModel(t, dir) != model {
			t.Errorf("%s: the model differs after a resume:\n%s", name, cmp.Diff(figures(want.Summary), figures(got.Summary)))
		}
	}
}

func TestPrecisionChangesTraining(t *testing.T) {
	o := small(stripes(t, 60))
	o.Epochs = 1
	losses := make(map[float64]string)
	for _, o.Precision = range run.Precisions() {
		out, _ := learn(t, 2, o)
		loss := out.Summary.Training.Epochs[0].Loss
		if other, ok := losses[loss]; ok {
			t.Errorf("%s and %s have the same loss %v", o.Precision, other, loss)
		}
		losses[loss] = o.Precision
	}
}

// The first epochs on smaller images have other losses.
func TestProgressive(t *testing.T) {
	o := small(stripes(t, 60))
	o.Recipe, o.Size, o.Epochs = "resnet18", 16, 3
	o.Widths = nil
	var losses [][]float64
	for _, share := range []float64{0, 0.34, 0.2} { // of no, one and one epoch of three
		o.Progressive = &share
		out, _ := learn(t, 2, o)
		var l []float64
		for _, e := range out.Summary.Training.Epochs {
			l = append(l, e.Loss)
		}
		losses = append(losses, l)
	}
	if losses[0][0] == losses[1][0] || !slices.Equal(losses[1], losses[2]) {
		t.Errorf("losses on large images first %v, on small ones %v and %v", losses[0], losses[1], losses[2])
	}
}

func TestEveryNetworkTrains(t *testing.T) {
	if testing.Short() {
		t.Skip("the larger networks take a while")
	}
	source := stripes(t, 40)
	for name, change := range map[string]func(o *Options){
		"resnet18":     func(o *Options) { o.Recipe = "resnet18" },
		"no batchnorm": func(o *Options) { o.NoBatchNorm = true },
		"weights":      func(o *Options) { o.ClassWeights = "1,3" },
		"sgd":          func(o *Options) { o.Optimizer = "sgd" },
	} {
		o := small(source)
		o.Epochs = 1
		change(&o)
		if o.Recipe != "" {
			o.Widths = nil
		}
		out, err := Learn(context.Background(), enginetest.New(t, 2), o, runIn(filepath.Join(t.TempDir(), "run")), run.Hooks{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if out.Summary.Config.NoBatchNorm && out.Summary.Config.LR == 0 {
			t.Errorf("%s: no rate", name)
		}
	}
}

// A rate beyond reason ends the run with the place where it went wrong.
func TestDivergence(t *testing.T) {
	// The loss of a step tells, or, with one step an epoch, what is judged after it.
	for _, c := range []struct {
		images, batch int
		judged        bool
	}{{60, 8, false}, {400, 1000, true}} {
		o := small(stripes(t, c.images))
		o.Batch, o.LR, o.Optimizer, o.NoBatchNorm, o.Schedule = c.batch, 1e25, "sgd", true, "constant"
		_, err := Learn(context.Background(), enginetest.New(t, 1), o, runIn(filepath.Join(t.TempDir(), "run")), run.Hooks{})
		var n *train.NonFiniteError
		if !errors.As(err, &n) || n.Layer == "" || n.Validation != c.judged || !strings.Contains(err.Error(), "lower learning rate") {
			t.Errorf("%d images: got %v, want the layer and advice", c.images, err)
		}
	}
}

func TestWrongChoices(t *testing.T) {
	source := stripes(t, 12)
	one, half, minus := 1.0, 0.5, -0.1
	for name, c := range map[string]struct {
		change func(o *Options)
		want   string
	}{
		"recipe":    {func(o *Options) { o.Recipe = "soup" }, "--recipe soup: choose one of lecture, fast"},
		"dropout":   {func(o *Options) { o.Dropout = &one }, "--dropout 1"},
		"smoothing": {func(o *Options) { o.LabelSmoothing = &minus }, "--label-smoothing"},
		"mixup":     {func(o *Options) { o.Mixup = math.NaN() }, "--mixup"},
		"tta":       {func(o *Options) { o.TTA = "x" }, "--tta x: choose one of none"},
		"weights":   {func(o *Options) { o.ClassWeights = "1,2,3" }, "it has 3 numbers for 2 classes"},
		"weight":    {func(o *Options) { o.ClassWeights = "heavy" }, "--class-weights heavy"},
		"precision": {func(o *Options) { o.Precision = "f8" }, "--precision f8: choose one of float32, bf16"},
		"widths":    {func(o *Options) { o.Widths = []int{3} }, "--widths"},
		"augment":   {func(o *Options) { o.Augment = "twirl" }, "--augment"},
		"progress":  {func(o *Options) { o.Progressive = &one }, "--progressive 1"},
		"one size":  {func(o *Options) { o.Progressive = &half }, "--progressive: the network lecture takes images of one size"},
		"too small": {func(o *Options) { o.Recipe, o.Size, o.Progressive = "fast", 16, &half }, "16×16 cannot be a little smaller"},
		"resnet":    {func(o *Options) { o.Recipe = "resnet18" }, "--widths: the network resnet18 has none"},
	} {
		o := small(source)
		c.change(&o)
		dir := filepath.Join(t.TempDir(), "run")
		_, err := Learn(context.Background(), enginetest.New(t, 1), o, runIn(dir), run.Hooks{})
		if !errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a run.ErrChoice that says %q", name, err, c.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder was made for a run that cannot begin", name)
		}
	}
}

func TestWrongSources(t *testing.T) {
	write := func(dir, name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		make func(dir string)
		want string
	}{
		"one class": {func(dir string) {
			for i := range 6 {
				draw(t, filepath.Join(dir, "only", string(rune('a'+i))+".png"), 0, i, 12)
			}
		}, "at least two"},
		"unreadable class": {func(dir string) {
			for i := range 12 {
				draw(t, filepath.Join(dir, []string{"a", "b"}[i%2], string(rune('a'+i))+".png"), i%2, i, 12)
			}
			write(dir, "c/x.png", "no picture")
		}, "class folder c"},
		"empty class": {func(dir string) {
			for i := range 12 {
				draw(t, filepath.Join(dir, []string{"a", "b"}[i%2], string(rune('a'+i))+".png"), i%2, i, 12)
			}
			if err := os.Mkdir(filepath.Join(dir, "c"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, "class folder c"},
		"test has more": {func(dir string) {
			for i := range 12 {
				draw(t, filepath.Join(dir, "train", []string{"a", "b"}[i%2], string(rune('a'+i))+".png"), i%2, i, 12)
				draw(t, filepath.Join(dir, "test", []string{"a", "b", "c"}[i%3], string(rune('a'+i))+".png"), i%2, i, 12)
			}
		}, "the test part has c"},
		"test has less": {func(dir string) {
			for i := range 12 {
				draw(t, filepath.Join(dir, "train", []string{"a", "b", "c"}[i%3], string(rune('a'+i))+".png"), i%2, i, 12)
				draw(t, filepath.Join(dir, "test", []string{"a", "b"}[i%2], string(rune('a'+i))+".png"), i%2, i, 12)
			}
		}, "the train part has c"},
	} {
		dir := t.TempDir()
		c.make(dir)
		_, err := Learn(context.Background(), enginetest.New(t, 1), small(dir), runIn(filepath.Join(t.TempDir(), "run")), run.Hooks{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.want)
		}
	}
}

func TestResumeRefusesAChangedConfig(t *testing.T) {
	e := enginetest.New(t, 1)
	_, dir := learn(t, 1, small(stripes(t, 40)))
	path := filepath.Join(dir, run.ConfigFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"recipe": "lecture"`: `"recipe": "soup"`,
		`"dropout": 0.5`:      `"dropout": 5`,
		`"ema": 0`:            `"ema": 0, "progressive": 0.5`,
		`"tta": "mirror"`:     `"tta": ""`,
		`"lying"`:             `"flying"`,
		`"batch": 16`:         `"batch": 0`,
		`"augment": "flip=`:   `"augment": "twirl=`,
	} {
		changed := strings.Replace(string(whole), from, to, 1)
		if from == `"augment": "flip=` {
			changed = strings.Replace(string(whole), `"augment": "flip"`, `"augment": "twirl"`, 1)
		}
		if changed == string(whole) {
			t.Fatalf("config.json has no %s:\n%s", from, whole)
		}
		if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Resume(context.Background(), e, dir, runIn(""), run.Hooks{})
		if err == nil || errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error about %s, and none about options", to, err, path)
		}
	}
	// A checkpoint of another architecture.
	other := strings.Replace(string(whole), "\"widths\": [\n      4,", "\"widths\": [\n      5,", 1)
	if other == string(whole) {
		t.Fatalf("config.json has no widths:\n%s", whole)
	}
	if err := os.WriteFile(path, []byte(other), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), e, dir, runIn(""), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "of another architecture") {
		t.Errorf("a checkpoint of another architecture: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	_, dir := learn(t, 2, small(stripes(t, 40)))
	e := enginetest.New(t, 1)
	tensors, metadata, err := safetensors.ReadFile(filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ key, value, want string }{
		"another task":   {"task", "autoencode", `"autoencode", not "classify"`},
		"no network":     {"architecture", `{"temperature":1}`, "network cannot be read"},
		"no temperature": {"architecture", strings.Replace(metadata["architecture"], `"temperature":`, `"heat":`, 1), "temperature"},
		"one class":      {"config", strings.Replace(metadata["config"], `["lying","standing"]`, `["lying"]`, 1), "1 classes"},
		"three classes":  {"config", strings.Replace(metadata["config"], `["lying","standing"]`, `["a","b","c"]`, 1), "3 classes"},
		"views":          {"config", strings.Replace(metadata["config"], `"tta":"mirror"`, `"tta":"fly"`, 1), "update hourglass"},
	} {
		changed := map[string]string{}
		for k, v := range metadata {
			changed[k] = v
		}
		if changed[c.key] == c.value {
			t.Fatalf("%s: nothing was changed", name)
		}
		changed[c.key] = c.value
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := safetensors.WriteFile(path, tensors, changed); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(e, path); !errors.Is(err, model.ErrModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an ErrModel that says %q", name, err, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	m := &Model{config: Config{Classes: []string{"a", "b", "c"}}}
	set := &data.Set{Classes: []string{"b", "c"}, Labels: []int32{0, 1, 1}}
	got, err := m.Match(set)
	if err != nil || !cmp.Equal(got.Labels, []int32{1, 2, 2}) || set.Labels[0] != 0 {
		t.Errorf("labels %v, %v", got, err)
	}
	if _, err := m.Match(&data.Set{Classes: []string{"a", "z"}, Labels: []int32{0}}); err == nil || !strings.Contains(err.Error(), "differ from the model's: it has z") {
		t.Errorf("an unknown class: %v", err)
	}
	if _, err := m.Match(&data.Set{}); err == nil || !strings.Contains(err.Error(), "no labels") {
		t.Errorf("no labels: %v", err)
	}
}
