package cli

import (
	"bytes"
	"fmt"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/task/generate"
	"hourglass/train/features"
	"hourglass/train/run"
)

// generating makes a small run of train generate and returns its folder.
func generating(t *testing.T, source string, more ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	succeed(t, append([]string{"train", "generate", source, "--arch", "dense", "--latent", "2", "--epochs", "2", "--batch", "8",
		"--prior-steps", "4", "--no-cache", "--quiet", "--out", dir}, more...)...)
	return dir
}

func TestTrainGenerate(t *testing.T) {
	source, dir := folder(t, 60, true), filepath.Join(t.TempDir(), "run")
	e := succeed(t, "train", "generate", source, "--arch", "dense", "--latent", "2", "--epochs", "2", "--batch", "8", "--prior-steps", "4",
		"--no-cache", "--quiet", "--json", "--out", dir)
	var r generate.Result
	decodeOne(t, e.stdout, &r)
	if r.Images != 60 || r.Latent != 2 || r.HeldOut.Frechet == nil || r.HeldOut.VAE.Frechet == nil || r.HeldOut.Autoencoder.Precision == nil ||
		r.HeldOut.BitsPerDimension <= 0 || r.Seconds.Total <= 0 || r.Space.Kind != features.KindTrained ||
		r.Model != filepath.Join(dir, run.ModelFile) || r.Report != filepath.Join(dir, run.ReportFile) {
		t.Errorf("result is %+v", r)
	}
	for _, name := range []string{`"heldout"`, `"frechet"`, `"precision"`, `"recall"`, `"bits_per_dimension"`, `"vae"`, `"autoencoder"`, `"seconds"`, `"model"`, `"report"`} {
		if !strings.Contains(e.stdout, name) {
			t.Errorf("the JSON lacks %s", name)
		}
	}
	for _, name := range []string{run.ConfigFile, run.MetricsFile, "metrics-second.jsonl", run.SummaryFile, run.ReportFile, run.ModelFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	before := read(t, r.Model)
	again := succeed(t, "resume", dir, "--no-cache", "--quiet")
	if !strings.Contains(again.stdout, "two stages") || !strings.Contains(again.stdout, "bits a dimension") {
		t.Errorf("resumed, it says %q", again.stdout)
	}
	if !bytes.Equal(before, read(t, r.Model)) {
		t.Error("a finished run that is resumed has another model")
	}
	if shown := succeed(t, "show", dir).stdout; !strings.Contains(shown, "second stage") || !strings.Contains(shown, "prior.0") {
		t.Errorf("show says %q", shown)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A classifier that was trained by itself gives the space to judge in.
func TestFeaturesOfAClassifier(t *testing.T) {
	source, judge := folder(t, 60, true), filepath.Join(t.TempDir(), "judge")
	succeed(t, "train", "classify", source, "--widths", "4,4,4", "--epochs", "1", "--no-cache", "--quiet", "--out", judge)
	dir := filepath.Join(t.TempDir(), "run")
	e := succeed(t, "train", "generate", source, "--arch", "dense", "--latent", "2", "--epochs", "1", "--prior", "normal", "--features", judge,
		"--no-cache", "--quiet", "--json", "--out", dir)
	var r generate.Result
	decodeOne(t, e.stdout, &r)
	if r.Space.Kind != features.KindGiven || r.Space.Dim != 4 || !strings.HasSuffix(r.Space.Model, run.ModelFile) {
		t.Errorf("judged in %+v", r.Space)
	}
	for _, c := range []struct{ judge, source, want string }{
		{dir, source, `trained for the task "generate"`},
		{filepath.Join(t.TempDir(), "none"), source, "none"},
		{judge, photos(t, 6), "give a classifier for images of this size"},
	} {
		invoke(t, "train", "generate", c.source, "--features", c.judge, "--no-cache", "--quiet", "--out", filepath.Join(t.TempDir(), "run")).want(t, exitFailed, c.want)
	}
}

func TestGenerate(t *testing.T) {
	source := folder(t, 24, true)
	dir, out := generating(t, source), t.TempDir()
	sheet := filepath.Join(out, "sheet.png")
	e := succeed(t, "generate", "--model", dir, "-n", "10", "--seed", "3", "--json", "--quiet", "--out", sheet)
	var r generated
	decodeOne(t, e.stdout, &r)
	if r.Images != 10 || r.Height != side || r.Seed != 3 || r.Out != sheet {
		t.Errorf("result is %+v", r)
	}
	if got, want := pngOf(t, sheet).Bounds().Size(), 4*(side+gap)-gap; got.X != want || got.Y != 3*(side+gap)-gap {
		t.Errorf("ten images make a picture of %v", got)
	}
	first := read(t, sheet)
	succeed(t, "generate", "--model", filepath.Join(dir, run.ModelFile), "-n", "10", "--seed", "3", "--threads", "1", "--quiet", "--out", sheet)
	if !bytes.Equal(first, read(t, sheet)) {
		t.Error("one thread makes other images than many")
	}
	each := filepath.Join(out, "each")
	succeed(t, "generate", "--model", dir, "-n", "300", "--quiet", "--out", each)
	files, err := os.ReadDir(each)
	if err != nil || len(files) != 300 {
		t.Errorf("%d files, %v", len(files), err)
	}
	a, b := filepath.Join(source, "left", "000.png"), filepath.Join(source, "right", "001.png")
	strip := filepath.Join(out, "way.png")
	decodeOne(t, succeed(t, "generate", "--model", dir, "--interpolate", a, b, "-n", "4", "--json", "--quiet", "--out", strip).stdout, &r)
	if got := pngOf(t, strip).Bounds().Size(); got.X != 6*(side+gap)-gap || got.Y != side {
		t.Errorf("a way of 4 images between two is a strip of %v", got)
	}
	g, err := gif.DecodeAll(bytes.NewReader(read(t, r.GIF)))
	if err != nil || len(g.Image) != 2*animationSteps-2 {
		t.Errorf("the animation %s: %v", r.GIF, err)
	}
	succeed(t, "generate", "--model", dir, "--vary", a, "-n", "5", "--strength", "0.3", "--quiet", "--out", strip)
	if got := pngOf(t, strip).Bounds().Size(); got.X != 3*(side+gap)-gap {
		t.Errorf("five variations make a picture of %v", got)
	}
	succeed(t, "generate", "--model", dir, "--attribute", filepath.Join(source, "left"), filepath.Join(source, "right"), a, b, "-n", "3", "--quiet", "--out", strip)
	if got := pngOf(t, strip).Bounds().Size(); got.X != 4*(side+gap)-gap || got.Y != 2*(side+gap)-gap {
		t.Errorf("an attribute in three steps makes a picture of %v", got)
	}
	// Images of another size and coloured ones are brought to the model's.
	photograph := filepath.Join(out, "photo.png")
	write(t, photograph, pngBytes(t, photo(31, 17)))
	succeed(t, "generate", "--model", dir, "--interpolate", photograph, a, "--quiet", "--out", strip)
	if _, err := png.Decode(bytes.NewReader(read(t, strip))); err != nil {
		t.Error(err)
	}
}

func TestGenerateWrongly(t *testing.T) {
	source := folder(t, 24, true)
	dir, other := generating(t, source), trained(t)
	out := filepath.Join(t.TempDir(), "x.png")
	a := filepath.Join(source, "left", "000.png")
	earlier := filepath.Join(t.TempDir(), "05.png") // the sixth of sixteen
	write(t, earlier, pngBytes(t, blob(5)))
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--out x.png", exitUsage, "--model is missing"},
		{"--model " + dir, exitUsage, "--out is missing"},
		{"--model " + dir + " -n 0 --out " + out, exitUsage, "-n 0: choose 1 to 10,000,000"},
		{"--model " + dir + " -n -3 --out " + out, exitUsage, "-n -3"},
		{"--model " + dir + " -n 2000000000 --out " + out, exitUsage, "choose 1 to"},
		{"--model " + dir + " -n 5000000 --out " + out, exitUsage, "do not fit one picture"},
		{"--model " + dir + " -n many --out " + out, exitUsage, "invalid argument"},
		{"--model " + dir + " " + a + " --out " + out, exitUsage, "images are for --interpolate"},
		{"--model " + dir + " --interpolate " + a + " --out " + out, exitUsage, "--interpolate takes two"},
		{"--model " + dir + " --interpolate -n 1 " + a + " " + a + " --out " + out, exitUsage, "two ends"},
		{"--model " + dir + " --interpolate -n 1001 " + a + " " + a + " --out " + out, exitUsage, "at most 1,000 pictures"},
		{"--model " + dir + " --attribute -n 1001 " + a + " " + a + " --out " + out, exitUsage, "at most 1,000 pictures"},
		{"--model " + dir + " --interpolate " + a + " " + a + " --out folder", exitUsage, "ends in .png"},
		{"--model " + dir + " --interpolate --vary " + a + " --out " + out, exitUsage, "vary"},
		{"--model " + dir + " --vary " + a + " --strength 2 --out " + out, exitUsage, "--strength 2: choose 0 to 1"},
		{"--model " + dir + " --vary " + a + " --strength NaN --out " + out, exitUsage, "--strength NaN"},
		{"--model " + dir + " --strength 1 --out " + out, exitUsage, "--strength is for"},
		{"--model " + dir + " --attribute " + a + " --out " + out, exitUsage, "two folders"},
		{"--model " + dir + " -n 16 --vary " + earlier + " --out " + filepath.Dir(earlier), exitUsage, "would take the place of a file that it is made from"},
		{"--model " + dir + " --attribute " + source + "/left " + source + "/right --out " + a, exitUsage, "would take the place of a file that it is made from"},
		{"--model " + other + " --out " + out, exitFailed, `trained for the task "autoencode"`},
		{"--model " + dir + "/none --out " + out, exitFailed, "cannot load the model"},
		{"--model " + dir + " --vary " + dir + "/none.png --out " + out, exitFailed, "none.png"},
		{"--model " + dir + " --vary " + source + " --out " + out, exitFailed, "holds 24 images: give one"},
		{"--model " + dir + " --vary " + dir + "/config.json --out " + out, exitFailed, "config.json"},
	} {
		invoke(t, append([]string{"generate"}, strings.Fields(c.args)...)...).want(t, c.code, c.want)
	}
	for _, c := range []struct{ args, want string }{
		{"--arch spatial", "--arch spatial: choose one of"}, {"--prior chance", "--prior chance: choose one of"}, {"--beta 0", "--beta 0"},
		{"--latent 0", "--latent 0"}, {"--latent 101", "latent is 101"}, {"--prior-steps 0", "--prior-steps 0"},
	} {
		args := append([]string{"train", "generate", source, "--no-cache", "--quiet", "--out", filepath.Join(t.TempDir(), "run")}, strings.Fields(c.args)...)
		invoke(t, args...).want(t, exitUsage, c.want)
	}
	invoke(t, "train", "generate").want(t, exitUsage, "SOURCE is missing")
	invoke(t, "train", "generate", fmt.Sprint(source, "/none")).want(t, exitFailed, "none")
}
