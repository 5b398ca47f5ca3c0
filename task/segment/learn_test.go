package segment

import (
	"bytes"
	"context"
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
	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

// shapes writes n images of bright discs and striped bars on a dark ground,
// with labels 0 ground, 1 disc, 2 bar and an ignored corner, and returns the
// folder.
func shapes(t testing.TB, n, height, width int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		part := "train"
		switch {
		case i%5 == 3:
			part = "val"
		case i%5 == 4:
			part = "test"
		}
		var r random.Source
		r.Reset(7, 1, uint64(i))
		img, label := image.NewNRGBA(image.Rect(0, 0, width, height)), image.NewGray(image.Rect(0, 0, width, height))
		cx, cy, radius := 6+r.Float64()*float64(width-12), 6+r.Float64()*float64(height-12), 4+3*r.Float64()
		left, top := r.IntN(width-12), r.IntN(height-6)
		for y := range height {
			for x := range width {
				v, class := 40+r.IntN(40), uint8(0)
				c := color.NRGBA{uint8(v), uint8(v), uint8(v + 20), 255}
				if x >= left && x < left+12 && y >= top && y < top+6 {
					class, c = 2, color.NRGBA{uint8(150 + 60*(x%2)), 120, uint8(v), 255}
				}
				if math.Hypot(float64(x)-cx, float64(y)-cy) < radius {
					class, c = 1, color.NRGBA{uint8(v), uint8(160 + v), uint8(v), 255}
				}
				if x < 2 && y < 2 {
					class = 9
				}
				img.SetNRGBA(x, y, c)
				label.SetGray(x, y, color.Gray{Y: class})
			}
		}
		name := fmt.Sprintf("%02d.png", i)
		writePNG(t, filepath.Join(dir, part, "images", name), img)
		writePNG(t, filepath.Join(dir, part, "labels", name), label)
	}
	return dir
}

func writePNG(t testing.TB, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func shapeOptions(t testing.TB, source string) Options {
	t.Helper()
	labels, err := data.NamedClasses([]string{"ground", "disc", "bar"}, 9)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Source: source, Labels: labels, Width: 8, Course: run.Course{Epochs: 30, Batch: 6, Seed: 1, LR: 0.01, Augment: "flip,shift=4"}}
}

func runOptions(dir string) run.Options {
	return run.Options{Dir: dir, Data: data.Options{NoCache: true}}
}

// The whole way: learn, judge, keep, load, use; and the same bytes again when
// interrupted, with another number of threads.
func TestLearnsShapes(t *testing.T) {
	source := shapes(t, 60, 32, 40)
	o := shapeOptions(t, source)
	dir := t.TempDir()
	e := enginetest.New(t, 2)
	out, err := Learn(context.Background(), e, o, runOptions(filepath.Join(dir, "whole")), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	s := out.Summary
	t.Logf("mIoU %.3f, accuracy %.3f, boundary F %.3f in %.1f s", s.HeldOut.MIoU, s.HeldOut.PixelAccuracy, s.HeldOut.BoundaryF, s.Seconds.Train)
	if !(s.HeldOut.MIoU > 0.8 && s.HeldOut.PixelAccuracy > 0.9 && s.HeldOut.BoundaryF > 0.7) {
		t.Errorf("it scores %+v", s.HeldOut)
	}
	if s.Config.Train != 36 || s.Config.Validation != 12 || s.Config.HeldOut != 12 {
		t.Errorf("it divides into %+v", s.Config.Division)
	}
	total := int64(0)
	for _, row := range s.Confusion {
		for _, n := range row {
			total += n
		}
	}
	if want := int64(12 * (32*40 - 4)); total != want {
		t.Errorf("%d pixels are judged, want %d", total, want)
	}
	if len(out.Evidence.Samples) != 8 || len(out.Evidence.Worst) != 8 || out.Evidence.Worst[0].MIoU > out.Evidence.Worst[7].MIoU {
		t.Error("the evidence is not in order")
	}
	if err := out.Finish(0); err != nil {
		t.Fatal(err)
	}

	t.Run("the model is kept", func(t *testing.T) {
		m, err := Load(e, filepath.Join(out.Dir, run.ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		sample := out.Evidence.Worst[0]
		got, err := m.Segment(context.Background(), sample.Image, 32, 40, 0)
		if err != nil || !bytes.Equal(got, sample.Answer) {
			t.Errorf("the model that was kept answers otherwise: %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		e := enginetest.New(t, 1)
		part := filepath.Join(dir, "interrupted")
		ctx, stop := context.WithCancel(context.Background())
		ro := runOptions(part)
		steps := 0
		h := run.Hooks{}
		h.Step = func(p train.Progress) {
			if steps++; steps == 21 {
				stop()
			}
		}
		if _, err := Learn(ctx, e, o, ro, h); !errors.As(err, new(*run.Interrupted)) {
			t.Fatalf("an interrupted run: %v", err)
		}
		again, err := Resume(context.Background(), e, part, runOptions(""), run.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, filepath.Join(out.Dir, run.ModelFile), filepath.Join(part, run.ModelFile))
		if again.Summary.HeldOut.MIoU != s.HeldOut.MIoU || again.Summary.HeldOut.BoundaryF != s.HeldOut.BoundaryF {
			t.Errorf("resumed, it scores %+v", again.Summary.HeldOut)
		}
	})
}

// A run that begins with a model must start where that ended, take what fits of
// one with other classes, and refuse what is no such model.
func TestBeginsWithAModel(t *testing.T) {
	source, dir := shapes(t, 30, 32, 40), t.TempDir()
	e := enginetest.New(t, 2)
	o := shapeOptions(t, source)
	o.Epochs = 12
	first, err := Learn(context.Background(), e, o, runOptions(filepath.Join(dir, "first")), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(first.Dir, run.ModelFile)
	o.From, o.Epochs, o.LR = model, 1, 1e-6
	next, err := Learn(context.Background(), e, o, runOptions(filepath.Join(dir, "next")), run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := next.Summary.Training.Epochs[0].Validation, first.Summary.Training.Epochs[first.Summary.Training.BestEpoch-1].Validation
	if math.Abs(begun-ended) > 0.05 { // statistics of images move on
		t.Errorf("it begins with a validation of %v where the model had %v", begun, ended)
	}
	if c := next.Summary.Config; c.From != model || len(c.FromSum) != 64 {
		t.Errorf("the config says it began with %q, %q", c.From, c.FromSum)
	}

	other := o
	if other.Labels, err = data.NamedClasses([]string{"ground", "disc", "bar", "more"}, 9); err != nil {
		t.Fatal(err)
	}
	other.LR = 0
	if r, err := Learn(context.Background(), e, other, runOptions(filepath.Join(dir, "other")), run.Hooks{}); err != nil {
		t.Errorf("with one class more: %v", err)
	} else if want := 0.003 * math.Sqrt(6.0/8) / 3; math.Abs(r.Summary.Config.LR-want) > 1e-9 {
		t.Errorf("the rate is %v, want %v", r.Summary.Config.LR, want)
	}

	misfit := o
	misfit.Width = 12
	if _, err := Learn(context.Background(), e, misfit, runOptions(filepath.Join(dir, "misfit")), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "of the network's") {
		t.Errorf("a network of another width: error %v", err)
	}
	misfit.From = filepath.Join(dir, "nothing")
	if _, err := Learn(context.Background(), e, misfit, runOptions(filepath.Join(dir, "nothing")), run.Hooks{}); !errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), "--from") {
		t.Errorf("no model: error %v", err)
	}
	if err := os.WriteFile(model, []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), e, next.Dir, runOptions(""), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "not the model that the run began with") {
		t.Errorf("the model has changed: error %v", err)
	}
}

func same(t *testing.T, a, b string) {
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
		t.Error("the models differ")
	}
}

// Every loss and balance must lead to a model; two classes without a file are a
// foreground mask.
func TestLosses(t *testing.T) {
	dir := t.TempDir()
	for i := range 10 {
		img, label := image.NewGray(image.Rect(0, 0, 16, 16)), image.NewGray(image.Rect(0, 0, 16, 16))
		for p := range img.Pix {
			if x := p % 16; x > i {
				img.Pix[p], label.Pix[p] = 200, 255
			}
		}
		name := fmt.Sprintf("%d.png", i)
		writePNG(t, filepath.Join(dir, "images", name), img)
		writePNG(t, filepath.Join(dir, "labels", name), label)
	}
	e := enginetest.New(t, 2)
	for i, l := range Losses() {
		for j, b := range Balances() {
			if i > 0 && j != i {
				continue // one balance is enough for the other losses
			}
			if l == lossDice {
				if _, err := Learn(context.Background(), e, Options{Source: dir, Loss: l, Balance: b}, runOptions(t.TempDir()), run.Hooks{}); err == nil || !strings.Contains(err.Error(), "--balance") {
					t.Errorf("dice with a balance: %v", err)
				}
				b = balanceNone
			}
			o := Options{Source: dir, Width: 4, Loss: l, Balance: b, Net: []string{"fast", "unet"}[(i+j)%2],
				Course: run.Course{Epochs: 12, Batch: 4, Seed: 1, LR: 0.01, Augment: "none"}}
			out, err := Learn(context.Background(), e, o, runOptions(t.TempDir()), run.Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			if got := out.Summary; !(got.HeldOut.MIoU > 0.6) || got.Config.Labels.Classes[1].Name != "foreground" || (b == "none") != (got.Weights == nil) {
				t.Errorf("%s, %s, %s: %+v of %+v weighed by %v", got.Config.Net, l, b, got.HeldOut, got.Config.Labels, got.Weights)
			}
		}
	}
}

func TestWeights(t *testing.T) {
	// Class 0 has 12 of 16 pixels, in both images; class 1 has 4, all in the
	// first, of 8 judged there; class 2 has none.
	pairs := &data.Pairs{
		Set:   &data.Set{Height: 2, Width: 4, Channels: 1, Names: []string{"a", "b"}},
		Masks: []uint8{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0},
	}
	c := Config{Labels: data.ClassList{Classes: make([]data.Class, 3)}}
	f0, f1 := 12./16, 4./8
	log := func(share float64) float64 { return 1 / math.Log(1.02+share) }
	for balance, want := range map[string][]float64{
		balanceMedian: {1, f0 / f1, f0 / f1},
		balanceRoot:   {1, math.Sqrt(f0 / f1), math.Sqrt(f0 / f1)},
		balanceLog:    {log(12. / 16), log(4. / 16), log(4. / 16)},
	} {
		c.Balance = balance
		got := c.weights(pairs, []int{0, 1})
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%s weighs %v, want %v", balance, got, want)
				break
			}
		}
	}
	if c.Balance = balanceNone; c.weights(pairs, []int{0, 1}) != nil {
		t.Error("none has weights")
	}
}

func TestBatchesMoveMasksWithImages(t *testing.T) {
	const n, h, w = 5, 24, 32
	pairs := &data.Pairs{Set: &data.Set{Height: h, Width: w, Channels: 1, Names: make([]string, n), Pixels: make([]uint8, n*h*w)}, Masks: make([]uint8, n*h*w)}
	for i := range pairs.Masks {
		x, y, image := i%w, i/w%h, i/(w*h)
		if (x+3*image)/12%2 == y/12%2 {
			pairs.Pixels[i], pairs.Masks[i] = 250, 1
		}
	}
	b, err := newBatches(pairs, []int{0, 1, 2, 3, 4}, run.Course{Batch: 4, Seed: 3, Augment: "flip,shift=5,rotate=20,scale=0.5"})
	if err != nil {
		t.Fatal(err)
	}
	images, labels := make([]uint8, 4*h*w), make([]int32, 4*h*w)
	b.fill(2, 0, images, labels)
	wrong := 0
	for i, v := range images {
		if (v > 125) != (labels[i] == 1) {
			wrong++
		}
	}
	if wrong*50 > len(images) { // interpolation rounds at the edges of squares
		t.Errorf("%d of %d pixels disagree with their labels", wrong, len(images))
	}
	again := make([]uint8, len(images))
	b.fill(1, 0, again, labels)
	b.fill(2, 0, again, labels)
	if !bytes.Equal(images, again) {
		t.Error("the same step gives another batch")
	}
	if allocs := testing.AllocsPerRun(5, func() { b.fill(2, 0, again, labels) }); allocs != 0 {
		t.Errorf("a batch allocates %v times", allocs)
	}
}

// A network whose pixels see 2 others to each side must answer in tiles what it
// answers to the whole: the unused part of the overlap is wider than that.
func TestTilesAgreeWithTheWhole(t *testing.T) {
	e := enginetest.New(t, 2)
	net := nn.Sequential{nn.Conv{Out: 8}, nn.ReLU{}, nn.Conv{Out: 3}}
	labels := data.ClassList{Classes: make([]data.Class, 3)}
	build := func(h, w int) *Model {
		m, err := newModel(e, Config{Common: run.Common{Images: run.Images{Height: h, Width: w, Channels: 3}}, Scale: 1, Labels: labels}, net, backend.NewStore())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.classes.Program(1); err != nil { // declares the variables
			t.Fatal(err)
		}
		if err := nn.Initialize(m.params, m.store, 5); err != nil {
			t.Fatal(err)
		}
		return m
	}
	tiled := build(40, 48)
	const wide = 1 << 23
	if _, err := tiled.Segment(context.Background(), make([]uint8, 3*wide), 1, wide, 0); err == nil || !strings.Contains(err.Error(), "8388608 pixels wide") {
		t.Errorf("an image of one row of %d pixels: %v", wide, err)
	}
	for _, size := range [][2]int{{40, 48}, {97, 131}, {41, 49}, {40, 200}, {150, 48}} {
		h, w := size[0], size[1]
		pixels := make([]uint8, h*w*3)
		for i := range pixels {
			pixels[i] = uint8(uint32(i*i) * 2654435761 >> 24)
		}
		whole := build(h, w)
		want := make([]float32, 0, h*w*3)
		if err := whole.sharesOf(pixels, func(_ int, s []float32) { want = append(want, s...) }); err != nil {
			t.Fatal(err)
		}
		row := 0
		err := tiled.tiled(context.Background(), pixels, h, w, func(y int, shares []float32) {
			if y != row {
				t.Fatalf("row %d comes after row %d", y, row-1)
			}
			row++
			for i, v := range shares {
				if d := math.Abs(float64(v - want[y*w*3+i])); !(d < 1e-5) {
					t.Fatalf("%v: row %d, column %d: %v, the whole gives %v", size, y, i/3, v, want[y*w*3+i])
				}
			}
		})
		if err != nil || row != h {
			t.Fatalf("%v: %d rows, %v", size, row, err)
		}
		a, err := tiled.Segment(context.Background(), pixels, h, w, 0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := whole.Classes(pixels)
		if err != nil {
			t.Fatal(err)
		}
		differ := 0
		for i := range a {
			if a[i] != b[i] {
				differ++
			}
		}
		if differ > len(a)/1000 { // ties, at most
			t.Errorf("%v: %d of %d pixels differ", size, differ, len(a))
		}
	}
	// Sizes of all kinds have an answer: smaller than a tile, and scaled.
	for _, c := range []struct {
		h, w  int
		scale float64
	}{{1, 1, 0}, {3, 100, 0}, {40, 7, 0}, {200, 300, 0.25}, {20, 24, 2}, {57, 31, 0.3}} {
		got, err := tiled.Segment(context.Background(), make([]uint8, c.h*c.w*3), c.h, c.w, c.scale)
		if err != nil || len(got) != c.h*c.w {
			t.Errorf("%+v: %d pixels, %v", c, len(got), err)
		}
	}
	for want, call := range map[string]func() ([]uint8, error){
		"are no image of": func() ([]uint8, error) { return tiled.Segment(context.Background(), make([]uint8, 7), 2, 1, 0) },
		"the scale is -1": func() ([]uint8, error) { return tiled.Segment(context.Background(), make([]uint8, 3), 1, 1, -1) },
		"choose a smaller scal": func() ([]uint8, error) {
			return tiled.Segment(context.Background(), make([]uint8, 3<<22), 1<<11, 1<<11, 16)
		},
		"no whole number": func() ([]uint8, error) { return tiled.Classes(make([]uint8, 7)) },
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}

// What is averaged over in use must be the shares in the image and, enlarged,
// those in the reduced one, for a network that looks at single pixels.
func TestScaleAverages(t *testing.T) {
	const h, w, k = 15, 20, 3
	e := enginetest.New(t, 2)
	c := Config{Common: run.Common{Images: run.Images{Height: h, Width: w, Channels: 1}}, Scale: 1, Labels: data.ClassList{Classes: make([]data.Class, k)}}
	net := nn.Sequential{nn.Conv{Out: k, Kernel: 1}}
	store := backend.NewStore()
	models := map[string]*Model{}
	for _, tta := range TTAs() {
		c.TTA = tta
		m, err := newModel(e, c, net, store)
		if err != nil {
			t.Fatal(err)
		}
		models[tta] = m
	}
	one, both := models[ttaNone], models[ttaScale]
	if one.MACs() != h*w*k || both.MACs() != h*w*k {
		t.Errorf("%d and %d multiply-adds for one look, want %d", one.MACs(), both.MACs(), h*w*k)
	}
	if _, err := one.shares.Program(1); err != nil { // declares the variables
		t.Fatal(err)
	}
	if err := nn.Initialize(one.params, store, 5); err != nil {
		t.Fatal(err)
	}
	pixels := make([]uint8, h*w)
	image := make([]float32, h*w)
	for i := range pixels {
		pixels[i] = uint8(uint32(i*i) * 2654435761 >> 24)
		image[i] = float32(pixels[i]) / 255
	}
	resize := func(x []float32, from, to [2]int, depth int) []float32 {
		out := make([]float32, to[0]*to[1]*depth)
		for y := range to[0] {
			top, bottom, down := place(y, to[0], from[0])
			for x2 := range to[1] {
				left, right, along := place(x2, to[1], from[1])
				for d := range depth {
					at := func(i, j int) float32 { return x[(i*from[1]+j)*depth+d] }
					out[(y*to[1]+x2)*depth+d] = (1-down)*((1-along)*at(top, left)+along*at(top, right)) +
						down*((1-along)*at(bottom, left)+along*at(bottom, right))
				}
			}
		}
		return out
	}
	weights, bias := store.Get("net.0.weight").Float32(), store.Get("net.0.bias").Float32()
	shares := func(x []float32) []float32 {
		var out []float32
		for _, v := range x {
			sum, own := 0.0, [k]float64{}
			for j := range own {
				own[j] = math.Exp(float64(v*weights[j] + bias[j]))
				sum += own[j]
			}
			for _, p := range own {
				out = append(out, float32(p/sum))
			}
		}
		return out
	}
	alone, err := both.With(e, ttaNone)
	if err != nil {
		t.Fatal(err)
	}
	var want []float32
	if err := one.sharesOf(pixels, func(_ int, s []float32) { want = slices.Clone(s) }); err != nil {
		t.Fatal(err)
	}
	if err := alone.sharesOf(pixels, func(_ int, s []float32) {
		if !slices.Equal(s, want) {
			t.Error("a model that is to look once gives other shares than one made so")
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := both.With(e, "twice"); !errors.Is(err, run.ErrChoice) {
		t.Errorf("a way to look that is none: error %v", err)
	}
	full, small := [2]int{h, w}, [2]int{12, 16}
	plain := shares(image)
	reduced := resize(shares(resize(image, full, small, 1)), small, full, k)
	err = both.sharesOf(pixels, func(_ int, got []float32) {
		for i, v := range got {
			if want := (plain[i] + reduced[i]) / 2; math.Abs(float64(v-want)) > 1e-5 {
				t.Fatalf("share %d is %v, want %v", i, v, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Shares that are enlarged must be those of bilinear interpolation between
// pixel centres.
func TestEnlarger(t *testing.T) {
	rows := [][]float32{{1, 0, 0, 1}, {0, 1, 1, 0}} // 2×2 pixels of 2 classes: 0 1 / 1 0
	e := &enlarger{k: 2, from: [2]int{2, 2}, to: [2]int{8, 8}, classes: make([]uint8, 64)}
	for y, r := range rows {
		e.add(y, r)
	}
	for i, got := range e.classes {
		at := func(p int) float64 { return max(0, min(1, (float64(p)+0.5)/4-0.5)) }
		x, y := at(i%8), at(i/8)
		one := (1-y)*x + y*(1-x) // the share of class 1
		if math.Abs(one-0.5) > 1e-6 && (got == 1) != (one > 0.5) {
			t.Errorf("pixel %d is %d, its share of class 1 is %v", i, got, one)
		}
	}
}

func TestErrors(t *testing.T) {
	source := shapes(t, 10, 16, 16)
	e := enginetest.New(t, 1)
	learn := func(o Options) error {
		_, err := Learn(context.Background(), e, o, runOptions(filepath.Join(t.TempDir(), "run")), run.Hooks{})
		return err
	}
	good := shapeOptions(t, source)
	for name, c := range map[string]struct {
		change func(o *Options)
		want   string
		usage  bool
	}{
		"net":     {func(o *Options) { o.Net = "deep" }, "--net deep: choose one of fast, unet", true},
		"loss":    {func(o *Options) { o.Loss = "mse" }, "--loss mse", true},
		"balance": {func(o *Options) { o.Balance = "even" }, "--balance even", true},
		"width":   {func(o *Options) { o.Width = 3 }, "must be a multiple of 4", true},
		"epochs":  {func(o *Options) { o.Epochs = -1 }, "--epochs -1", true},
		"range":   {func(o *Options) { o.Labels.Ignored = nil }, "the value 9 in column 0, row 0 is that of no class", false},
		"classes": {func(o *Options) { o.Labels.Classes[1].Name = "ground" }, `two classes are called "ground"`, true},
		"size":    {func(o *Options) { o.Size = 16*16 + 16 }, "--size: the images would be 17 times", true},
		"area": {func(o *Options) {
			o.Labels.Classes, o.Labels.Ignored = o.Labels.Classes[:2], []data.Class{{Name: "x", Value: 1}, {Name: "y", Value: 2}, {Name: "z", Value: 9}}
			o.Labels.Classes[1].Value = 7
		}, `have no pixel of "disc": its area is zero`, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			o.Labels.Classes = append([]data.Class(nil), good.Labels.Classes...)
			c.change(&o)
			err := learn(o)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, run.ErrChoice) != c.usage {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
	missing := good
	missing.Labels.Classes = append(missing.Labels.Classes[:3:3], data.Class{Name: "car", Value: 3})
	missing.Epochs = 1
	out, err := Learn(context.Background(), e, missing, runOptions(filepath.Join(t.TempDir(), "run")), run.Hooks{})
	if err != nil || len(out.Summary.Warnings) != 1 || !strings.Contains(out.Summary.Warnings[0], `class "car"`) || out.Summary.HeldOut.Classes[3].IoU != nil && *out.Summary.HeldOut.Classes[3].IoU != 0 {
		t.Errorf("a class that never occurs: %v", err)
	}
	wrong := filepath.Join(t.TempDir(), "other.safetensors")
	if err := model.Save(wrong, model.Envelope{Task: "classify", Architecture: struct{}{}, Config: struct{}{}}, nil, backend.NewStore()); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(e, wrong); !errors.Is(err, model.ErrModel) || !strings.Contains(err.Error(), `trained for the task "classify", not "segment"`) {
		t.Errorf("a model of another task: %v", err)
	}
}
