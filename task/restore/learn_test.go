package restore

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hourglass/engine"
	"hourglass/engine/enginetest"
	"hourglass/internal/random"
	"hourglass/train"
	"hourglass/train/run"
)

// scene draws a smooth picture with edges: what is left of it after noise is
// plain to see, and to learn.
func scene(i, side int) *image.RGBA {
	s := random.NewSource(uint64(i), 1, 0)
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	var phase, turn [3]float64
	for k := range 3 {
		phase[k], turn[k] = 6*s.Float64(), s.Float64()-0.5
	}
	cx, cy, r := s.IntN(side), s.IntN(side), 4+s.IntN(side/3)
	for y := range side {
		for x := range side {
			var c [3]uint8
			for k := range 3 {
				v := 128 + 90*math.Sin(phase[k]+0.2*float64(x)*turn[k]+0.15*float64(y))
				if (x-cx)*(x-cx)+(y-cy)*(y-cy) < r*r {
					v = 255 - v
				}
				c[k] = uint8(v)
			}
			m.SetRGBA(x, y, color.RGBA{c[0], c[1], c[2], 255})
		}
	}
	return m
}

// writeScenes makes a folder of n scenes, changed by alter if that is not nil.
func writeScenes(t *testing.T, n, side int, alter func(i int, m *image.RGBA)) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		m := scene(i, side)
		if alter != nil {
			alter(i, m)
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%02d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return dir
}

// tiny are the options of a network that learns within seconds.
func tiny(source, task string) Options {
	return Options{Source: source, Task: task, Widths: []int{16, 24}, Blocks: 1, Crop: 32,
		Course: run.Course{Epochs: 10, Batch: 8, LR: 4e-3, Seed: 1}}
}

func learn(t *testing.T, e *engine.Engine, o Options) *Outcome {
	t.Helper()
	out, err := Learn(t.Context(), e, o, run.Options{Dir: filepath.Join(t.TempDir(), "run")}, run.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLearnsToDenoise(t *testing.T) {
	e := enginetest.New(t, 0)
	o := tiny(writeScenes(t, 24, 48, nil), Denoise)
	out := learn(t, e, o)
	gain := 0.0
	for _, l := range out.Summary.HeldOut.Levels {
		t.Logf("%s: %.2f dB, from %.2f", l.Name, l.Restored.PSNR, l.Harmed.PSNR)
		if l.Restored.PSNR < l.Harmed.PSNR+2 {
			t.Errorf("%s: %.2f dB of %.2f", l.Name, l.Restored.PSNR, l.Harmed.PSNR)
		}
		gain += (l.Restored.PSNR - l.Harmed.PSNR) / float64(len(out.Summary.HeldOut.Levels))
	}
	if gain < 4 {
		t.Errorf("%.2f dB gained on average", gain)
	}
	if want := 3; len(out.Summary.HeldOut.Levels) != want || out.Summary.HeldOut.PSNR == nil || len(out.Evidence.Samples) == 0 {
		t.Errorf("held out: %+v", out.Summary.HeldOut)
	}
}

func TestLearnsToInpaint(t *testing.T) {
	// Stripes that a smooth filling washes out.
	stripes := func(_ int, m *image.RGBA) {
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				c := m.RGBAAt(x, y)
				if (x+y)%4 < 2 {
					c = color.RGBA{c.R / 2, c.G / 2, c.B / 2, 255}
				}
				m.SetRGBA(x, y, c)
			}
		}
	}
	e := enginetest.New(t, 0)
	out := learn(t, e, tiny(writeScenes(t, 16, 48, stripes), Inpaint))
	for _, l := range out.Summary.HeldOut.Levels {
		t.Logf("%s: %.2f dB, from %.2f", l.Name, l.Restored.PSNR, l.Harmed.PSNR)
		if l.Restored.PSNR < l.Harmed.PSNR+1.5 {
			t.Errorf("%s: %.2f dB of %.2f", l.Name, l.Restored.PSNR, l.Harmed.PSNR)
		}
	}
}

// From noisy images alone a network learns to come nearer to the clean ones,
// which it has never seen.
func TestLearnsFromNoisyImagesAlone(t *testing.T) {
	e := enginetest.New(t, 0)
	noise := func(i int, m *image.RGBA) {
		z := make([]float32, len(m.Pix))
		random.Normal(z, 5, 1, uint64(i))
		for j := range m.Pix {
			if j%4 != 3 {
				m.Pix[j] = uint8(max(0, min(255, float32(m.Pix[j])+25*z[j])))
			}
		}
	}
	o := tiny(writeScenes(t, 24, 48, noise), Denoise)
	o.SelfSupervised = true
	out := learn(t, e, o)
	if out.Summary.HeldOut.PSNR != nil {
		t.Error("there is a PSNR without clean images")
	}
	if r := out.Summary.Training; r.BestEpoch != len(r.Epochs) {
		t.Errorf("epoch %d of %d was kept, where nothing says that it is better than the last", r.BestEpoch, len(r.Epochs))
	}
	m, err := Load(e, filepath.Join(out.Dir, run.ModelFile), Denoise)
	if err != nil {
		t.Fatal(err)
	}
	clean, noisy := scene(3, 48), scene(3, 48)
	noise(3, noisy)
	x, y := rgb(noisy), rgb(clean)
	back, err := m.Denoise(t.Context(), x, 48, 48)
	if err != nil {
		t.Fatal(err)
	}
	before, after := difference(x, y), difference(back, y)
	t.Logf("mean squared error %.5f, before %.5f", after, before)
	if after > before/2 { // 3 dB
		t.Errorf("mean squared error %.5f, before %.5f", after, before)
	}
}

func rgb(m *image.RGBA) []float32 {
	var v []float32
	for i, p := range m.Pix {
		if i%4 != 3 {
			v = append(v, float32(p)/255)
		}
	}
	return v
}

func difference(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return sum / float64(len(x))
}

// A run that is interrupted and resumed, and one with other threads, give the
// same bytes.
func TestRunsRepeat(t *testing.T) {
	source := writeScenes(t, 5, 32, nil)
	for _, task := range []string{Denoise, Inpaint} {
		o := tiny(source, task)
		o.Epochs = 2
		var models [][]byte
		for _, threads := range []int{1, 3} {
			out := learn(t, enginetest.New(t, threads), o)
			models = append(models, read(t, filepath.Join(out.Dir, run.ModelFile)))
		}
		e := enginetest.New(t, 2)
		dir := filepath.Join(t.TempDir(), "run")
		ctx, stop := context.WithCancel(t.Context())
		steps := 0
		_, err := Learn(ctx, e, o, run.Options{Dir: dir, CheckpointEvery: -1}, run.Hooks{Step: func(train.Progress) {
			if steps++; steps == 5 {
				stop()
			}
		}})
		if err == nil {
			t.Fatal("the run was not interrupted")
		}
		if _, err := Resume(t.Context(), e, dir, task, run.Options{}, run.Hooks{}); err != nil {
			t.Fatal(err)
		}
		models = append(models, read(t, filepath.Join(dir, run.ModelFile)))
		for i, m := range models[1:] {
			if !slices.Equal(m, models[0]) {
				t.Errorf("%s: model %d differs", task, i+1)
			}
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
