package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/task/restore"
	"hourglass/train/run"
)

// photos makes a folder of n coloured images of different sizes.
func photos(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.png", i)), pngBytes(t, photo(24+i, 20+2*i)))
	}
	return dir
}

func photo(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * 9), uint8(y * 7), uint8(x * y), 255})
		}
	}
	return m
}

// restoring trains a network that has learnt next to nothing, and returns its
// run's folder.
func restoring(t *testing.T, task string, more ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	succeed(t, append([]string{"train", task, photos(t, 6), "--widths", "8,8", "--blocks", "1", "--crop", "16", "--batch", "4",
		"--epochs", "1", "--quiet", "--out", dir}, more...)...)
	return dir
}

func pngOf(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTrainDenoise(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	source := photos(t, 6)
	e := succeed(t, "train", "denoise", source, "--widths", "8,8", "--blocks", "1", "--crop", "16", "--batch", "4", "--epochs", "1",
		"--noise", "poisson", "--json", "--quiet", "--out", dir)
	var r restore.Result
	decodeOne(t, e.stdout, &r)
	if r.Task != restore.Denoise || r.HeldOut.PSNR == nil || len(r.HeldOut.Levels) != 3 || r.Images != 6 || r.Model != filepath.Join(dir, run.ModelFile) {
		t.Errorf("result is %+v", r)
	}
	for _, name := range []string{run.ConfigFile, run.MetricsFile, run.SummaryFile, run.ReportFile, run.ModelFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, run.ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	again := "hourglass train denoise " + source + " --noise poisson --widths 8,8 --blocks 1 --crop 16 --epochs 1 --batch 4 --seed 1"
	for _, want := range []string{"50 photons", "Before and after", "MS-SSIM", again} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	succeed(t, "resume", dir, "--quiet")
	if s := succeed(t, "show", dir); !strings.Contains(s.stdout, "poisson noise") {
		t.Errorf("show says %s", s.stdout)
	}
}

func TestDenoiseKeepsPictures(t *testing.T) {
	dir := t.TempDir()
	deep := image.NewNRGBA64(image.Rect(0, 0, 31, 18))
	for y := range 18 {
		for x := range 31 {
			deep.SetNRGBA64(x, y, color.NRGBA64{uint16(x * 2000), uint16(y * 3000), 9000, uint16(x * 2100)})
		}
	}
	grey := image.NewGray(image.Rect(0, 0, 20, 33))
	write(t, filepath.Join(dir, "deep.png"), pngBytes(t, deep))
	write(t, filepath.Join(dir, "grey.png"), pngBytes(t, grey))
	write(t, filepath.Join(dir, "bad.jpg"), []byte("none"))
	out := filepath.Join(t.TempDir(), "clean")
	e := succeed(t, "denoise", dir, "--model", restoring(t, "denoise"), "--out", out, "--json", "--quiet")
	var r denoised
	decodeOne(t, e.stdout, &r)
	if r.Images != 2 || r.Skipped != 1 || r.Each[0].File != "deep.png" || r.Each[0].Width != 31 {
		t.Errorf("result is %+v", r)
	}
	back, ok := pngOf(t, filepath.Join(out, "deep.png")).(*image.NRGBA64)
	if !ok || back.Rect != deep.Rect {
		t.Fatalf("the 16-bit image became %T", pngOf(t, filepath.Join(out, "deep.png")))
	}
	for y := range 18 {
		for x := range 31 {
			if got, want := back.NRGBA64At(x, y).A, deep.NRGBA64At(x, y).A; got != want {
				t.Fatalf("alpha at %d,%d is %d, was %d", x, y, got, want)
			}
		}
	}
	if m := pngOf(t, filepath.Join(out, "grey.png")); m.ColorModel() != color.GrayModel {
		t.Errorf("the grey image became %T", m)
	}
	// Images are not written over.
	before := read(t, filepath.Join(dir, "deep.png"))
	invoke(t, "denoise", dir, "--model", restoring(t, "denoise"), "--out", dir+"/.").want(t, exitUsage, "--out", "would take the place of a file that it is made from")
	if !bytes.Equal(read(t, filepath.Join(dir, "deep.png")), before) {
		t.Error("an image was written over")
	}
}

func TestInpaint(t *testing.T) {
	dir := t.TempDir()
	in, mask, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "mask.png"), filepath.Join(dir, "out.png")
	img := photo(40, 30)
	write(t, in, pngBytes(t, img))
	m := image.NewGray(img.Rect)
	for i := range 30 {
		m.SetGray(i, i, color.Gray{Y: 255})
	}
	write(t, mask, pngBytes(t, m))
	model := restoring(t, "inpaint")
	for _, hole := range [][]string{{"--mask", mask}, {"--box", "5,6,7,8"}} {
		e := succeed(t, append([]string{"inpaint", in, "--model", model, "--out", out, "--json", "--quiet"}, hole...)...)
		var r inpainted
		decodeOne(t, e.stdout, &r)
		back := pngOf(t, out)
		changed := 0
		for y := range 30 {
			for x := range 40 {
				missing := x == y
				if hole[0] == "--box" {
					missing = x >= 5 && x < 12 && y >= 6 && y < 14
				}
				same := color.NRGBAModel.Convert(back.At(x, y)) == color.NRGBAModel.Convert(img.At(x, y))
				if !missing && !same {
					t.Fatalf("%v: known pixel %d,%d has changed", hole, x, y)
				}
				if missing {
					changed++
				}
			}
		}
		if r.Missing != changed {
			t.Errorf("%v: %d pixels missing, want %d", hole, r.Missing, changed)
		}
	}

	write(t, filepath.Join(dir, "small.png"), pngBytes(t, image.NewGray(image.Rect(0, 0, 40, 29))))
	write(t, filepath.Join(dir, "black.png"), pngBytes(t, image.NewGray(img.Rect)))
	denoiser := restoring(t, "denoise")
	with := func(more ...string) ended {
		return invoke(t, append([]string{"inpaint", in, "--out", out, "--quiet"}, more...)...)
	}
	with("--model", model, "--mask", filepath.Join(dir, "small.png")).want(t, exitFailed, "small.png", "40×29", "40×30")
	with("--model", model, "--mask", filepath.Join(dir, "black.png")).want(t, exitFailed, "black.png", "area of zero")
	with("--model", model, "--box", "0,0,40,30").want(t, exitFailed, "whole image")
	with("--model", model, "--box", "30,0,20,5").want(t, exitFailed, "does not lie")
	with("--model", model, "--box", "3,3,0,5").want(t, exitUsage, "area of zero")
	with("--model", model, "--box", "3,3,5").want(t, exitUsage, "four numbers")
	with("--model", model, "--box", "3,3,a,5").want(t, exitUsage, "whole number")
	with("--model", model).want(t, exitUsage, "--mask or --box")
	for _, input := range []string{in, mask} {
		invoke(t, "inpaint", in, "--model", model, "--mask", mask, "--out", input).want(t, exitUsage, "would take the place of")
	}
	with("--model", denoiser, "--box", "3,3,5,5").want(t, exitFailed, `"denoise", not "inpaint"`)
	with("--model", filepath.Join(dir, "none.safetensors"), "--box", "3,3,5,5").want(t, exitFailed, "none.safetensors")
	invoke(t, "inpaint", in, "--model", model, "--box", "1,1,2,2").want(t, exitUsage, "--out is missing")
	invoke(t, "inpaint", in, "--model", model, "--box", "1,1,2,2", "--out", "x.jpg").want(t, exitUsage, ".png")
	invoke(t, "denoise", in, "--model", model, "--out", dir, "--quiet").want(t, exitFailed, `"inpaint", not "denoise"`)
}

func TestRestoreByProjection(t *testing.T) {
	dir := t.TempDir()
	in, out, steps := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.png"), filepath.Join(dir, "steps.gif")
	write(t, in, pngBytes(t, blob(3)))
	model := trained(t)
	e := succeed(t, "restore", in, "--by-projection", "--model", model, "--box", "2,2,4,4", "--out", out, "--gif", steps, "--steps", "5", "--json", "--quiet")
	var r inpainted
	decodeOne(t, e.stdout, &r)
	if r.Missing != 16 || r.Steps < 1 || r.Steps > 5 {
		t.Errorf("result is %+v", r)
	}
	back := pngOf(t, out)
	for _, at := range [][2]int{{0, 0}, {9, 9}, {1, 5}, {6, 2}} {
		if got, want := back.At(at[0], at[1]).(color.Gray), blob(3).GrayAt(at[0], at[1]); got != want {
			t.Errorf("known pixel %v is %v, was %v", at, got, want)
		}
	}
	f, err := os.Open(steps)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if g, err := gif.DecodeAll(f); err != nil || len(g.Image) != r.Steps+1 {
		t.Errorf("the animation has %d frames, %v", len(g.Image), err)
	}
	invoke(t, "restore", in, "--model", model, "--box", "2,2,4,4", "--out", out).want(t, exitUsage, "--by-projection")
	invoke(t, "restore", in, "--by-projection", "--box", "2,2,4,4", "--out", out).want(t, exitUsage, "--model is missing")
	invoke(t, "restore", in, "--by-projection", "--model", restoring(t, "denoise"), "--box", "2,2,4,4", "--out", out, "--quiet").want(t, exitFailed, `"denoise", not "autoencode"`)
}

func TestInpaintBesideProjection(t *testing.T) {
	learnt := filepath.Join(t.TempDir(), "learnt")
	succeed(t, "learn", photos(t, 12), "--size", "16", "--latent", "4", "--epochs", "1", "--quiet", "--out", learnt)
	dir := restoring(t, "inpaint", "--autoencoder", learnt)
	section := func() {
		t.Helper()
		page, err := os.ReadFile(filepath.Join(dir, run.ReportFile))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "Beside a projection") || strings.Contains(string(page), "is left out") {
			t.Error("the report lacks the projection")
		}
	}
	section()
	succeed(t, "resume", dir, "--quiet")
	section()
	// A run is not lost with the autoencoder.
	if err := os.RemoveAll(learnt); err != nil {
		t.Fatal(err)
	}
	succeed(t, "resume", dir, "--quiet")
	page, err := os.ReadFile(filepath.Join(dir, run.ReportFile))
	if err != nil || !strings.Contains(string(page), "The projection by an autoencoder is left out") {
		t.Errorf("nothing says that the projection is left out (%v)", err)
	}
	invoke(t, "train", "inpaint", photos(t, 6), "--quiet", "--autoencoder", learnt).want(t, exitFailed, "cannot load the model")
	invoke(t, "train", "inpaint", photos(t, 6), "--quiet", "--autoencoder", trained(t)).want(t, exitUsage, "in colour")
	invoke(t, "train", "denoise", photos(t, 6), "--quiet", "--autoencoder", trained(t)).want(t, exitUsage, "--autoencoder")
}

func TestTrainRestoreErrors(t *testing.T) {
	source := photos(t, 3)
	try := func(task string, more ...string) ended {
		return invoke(t, append([]string{"train", task, source, "--quiet", "--out", filepath.Join(t.TempDir(), "run")}, more...)...)
	}
	try("denoise", "--noise", "rain").want(t, exitUsage, "--noise rain", "poisson")
	try("denoise", "--noise", "salt", "--self-supervised").want(t, exitUsage, "--self-supervised")
	try("denoise", "--crop", "50").want(t, exitUsage, "multiple of 8")
	try("denoise", "--crop", "4").want(t, exitUsage, "--crop 4")
	try("inpaint", "--loss", "psnr2").want(t, exitUsage, "--loss psnr2")
	try("inpaint", "--widths", "8,0").want(t, exitUsage, "--widths")
	try("inpaint", "--blocks", "-1").want(t, exitUsage, "--blocks")
	invoke(t, "train", "denoise", filepath.Join(source, "none"), "--quiet").want(t, exitFailed, "none")
	if e := invoke(t, "denoise", filepath.Join(source, "0.png"), "--out", t.TempDir(), "--quiet"); e.code != exitDone {
		e.want(t, exitFailed, "no model is built in")
	}
}
