package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/task/autoencode"
	"hourglass/train/run"
)

// fields lists the paths of all values in a JSON value.
func fields(v any, at string) []string {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{at}
	}
	var all []string
	for key, inner := range object {
		all = append(all, fields(inner, strings.TrimPrefix(at+"."+key, "."))...)
	}
	slices.Sort(all)
	return all
}

// The fields of learn --json are a contract with scripts.
var resultFields = []string{
	"channels", "height",
	"heldout.autoencoder.knn_accuracy", "heldout.autoencoder.mse", "heldout.autoencoder.psnr",
	"heldout.pca.knn_accuracy", "heldout.pca.mse", "heldout.pca.psnr",
	"heldout.pixels.knn_accuracy",
	"images", "images_per_second", "latent", "model", "parameters", "peak_bytes", "report", "run",
	"seconds.judge", "seconds.pca", "seconds.read", "seconds.report", "seconds.total", "seconds.train",
	"skipped", "source", "width",
}

func TestLearnJSON(t *testing.T) {
	images, out := folder(t, 40, true), filepath.Join(t.TempDir(), "run")
	e := succeed(t, small(images, out, "--json", "--quiet")...)
	if e.stderr != "" {
		t.Errorf("--quiet writes %q", e.stderr)
	}
	var v any
	decodeOne(t, e.stdout, &v)
	if got := fields(v, ""); !slices.Equal(got, resultFields) {
		t.Errorf("fields are\n%q, want\n%q", got, resultFields)
	}
	var r autoencode.Result
	decodeOne(t, e.stdout, &r)
	if r.Source != images || r.Images != 40 || r.Skipped != 0 || r.Height != side || r.Width != side || r.Channels != 1 ||
		r.Latent != 2 || r.Parameters <= 0 || r.ImagesPerS <= 0 {
		t.Errorf("wrong facts: %+v", r)
	}
	for what, s := range map[string]autoencode.Score{"autoencoder": r.HeldOut.Autoencoder, "PCA": r.HeldOut.PCA} {
		if *s.MSE <= 0 || *s.MSE > 1 || *s.PSNR <= 0 || *s.KNNAccuracy < 0 || *s.KNNAccuracy > 1 {
			t.Errorf("%s: impossible score %v %v %v", what, *s.MSE, *s.PSNR, *s.KNNAccuracy)
		}
	}
	total := r.Seconds.Total
	if sum := r.Seconds.Read + r.Seconds.Train + r.Seconds.Judge + r.Seconds.PCA + r.Seconds.Report; total <= 0 || sum > total*1.001 {
		t.Errorf("the parts take %v s of %v s", sum, total)
	}
	for _, path := range []string{r.Model, r.Report, filepath.Join(r.Run, run.ConfigFile),
		filepath.Join(r.Run, run.MetricsFile), filepath.Join(r.Run, run.SummaryFile)} {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty: %v", path, err)
		}
	}
	s := readSummary(t, r.Run)
	if want := "hourglass learn " + quote(images) + " --arch dense --latent 2 --epochs 2 --batch 8 --seed 1"; s.Command != want {
		t.Errorf("the command that makes it again is\n%s, want\n%s", s.Command, want)
	}
	page, err := os.ReadFile(r.Report)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, []byte("--seed 1")) {
		t.Error("the report lacks the seed")
	}
}

func readSummary(t *testing.T, dir string) *autoencode.Summary {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, run.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	s := new(autoencode.Summary)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLearnText(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	e := succeed(t, small(folder(t, 40, true), out)...)
	for _, part := range []string{
		"40 images of 10×10×1, 32 learnt from, 8 held out", "dense network, d = 100 to k = 2", "2 epochs", "held out         MSE      PSNR  5-NN accuracy\n",
		"autoencoder  0.", "PCA          0.", "pixels             -         -  ", "report  " + filepath.Join(out, "report.html"), "--seed 1",
	} {
		if !strings.Contains(e.stdout, part) {
			t.Errorf("the summary lacks %q:\n%s", part, e.stdout)
		}
	}
	for _, part := range []string{"reading\n", "training\n", "seed 1", "training: 100%, epoch 2 of 2, loss 0.", "fitting PCA\n", "reporting\n"} {
		if !strings.Contains(e.stderr, part) {
			t.Errorf("the progress lacks %q:\n%s", part, e.stderr)
		}
	}
	e = succeed(t, small(folder(t, 40, false), out+"2")...)
	if strings.Contains(e.stdout, "5-NN") || strings.Contains(e.stdout, "pixels") {
		t.Errorf("the summary judges by labels where there are none:\n%s", e.stdout)
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	images, dir := folder(t, 40, true), t.TempDir()
	one, three := filepath.Join(dir, "one"), filepath.Join(dir, "three")
	succeed(t, small(images, one, "--threads", "1")...)
	succeed(t, small(images, three, "--threads", "3")...)
	same(t, one, three)
}

// Minutes are an instruction that no two machines follow alike; what stays of
// them is the number of epochs.
func TestMinutesBecomeEpochs(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	succeed(t, "learn", folder(t, 24, false), "--arch", "dense", "--latent", "2", "--minutes", "0.002", "--no-cache", "--quiet", "--out", out)
	s := readSummary(t, out)
	if strings.Contains(s.Command, "minutes") || !strings.Contains(s.Command, " --epochs ") {
		t.Errorf("the command is %s", s.Command)
	}
}

func TestNoBottleneckWarns(t *testing.T) {
	e := succeed(t, "learn", folder(t, 16, false), "--arch", "wide", "--epochs", "1", "--no-cache", "--out", filepath.Join(t.TempDir(), "run"))
	if !strings.Contains(e.stderr, "warning: there is no bottleneck") {
		t.Errorf("no warning in\n%s", e.stderr)
	}
}

func TestUnwritableFolder(t *testing.T) {
	images := folder(t, 16, false)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, []byte("here first"))
	e := invoke(t, small(images, filepath.Join(file, "run"))...)
	e.want(t, exitFailed, "cannot make the run's folder", file, "not a directory")
	if !strings.Contains(e.stderr, "--out") {
		t.Errorf("no advice in %q", e.stderr)
	}
	model := trained(t)
	e = invoke(t, "encode", model, images, "--out", filepath.Join(file, "z.npy"))
	e.want(t, exitFailed, file)
	if strings.Contains(e.stderr, "encoding") || !strings.Contains(e.stderr, "--out") {
		t.Errorf("the folder was found out to be a file after the work, or without advice:\n%s", e.stderr)
	}
	codes := filepath.Join(t.TempDir(), "new", "folder", "z.npy")
	succeed(t, "encode", model, images, "--out", codes)
	left, err := os.ReadDir(filepath.Dir(codes))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder of the codes holds %v, %v", left, err)
	}
	invoke(t, "reconstruct", model, images, "--out", filepath.Join(file, "dir")).want(t, exitFailed, file)
}

func TestFolderHoldsARun(t *testing.T) {
	dir := trained(t)
	before := readModel(t, dir)
	invoke(t, small(folder(t, 16, false), dir)...).want(t, exitFailed, dir, "holds a run already")
	if !bytes.Equal(before, readModel(t, dir)) {
		t.Error("the model there was changed")
	}
}

func readModel(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, run.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestInterruptAndResume(t *testing.T) {
	images, out := folder(t, 40, false), filepath.Join(t.TempDir(), "a run")
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &onLine{text: "training", f: cancel}
	var stdout bytes.Buffer
	code := Main(ctx, small(images, out, "--epochs", "20", "--seed", "9"), &stdout, stderr)
	ended{code, stdout.String(), stderr.all.String()}.want(t, exitInterrupted, "hourglass: interrupted; go on with: hourglass resume '"+out+"'")
	if _, err := os.Stat(filepath.Join(out, run.ModelFile)); err == nil {
		t.Fatal("the run was done before it was interrupted")
	}
	var r autoencode.Result
	decodeOne(t, succeed(t, "resume", out, "--no-cache", "--json").stdout, &r)
	if r.Run != out || r.Source != images {
		t.Errorf("resumed %s from %s", r.Run, r.Source)
	}
	succeed(t, small(images, out+"2", "--epochs", "20", "--seed", "9")...)
	if !bytes.Equal(readModel(t, out), readModel(t, out+"2")) {
		t.Error("the resumed run's model is another one")
	}
}

func TestInterruptBeforeTheRunHasAFolder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &onLine{text: "reading", f: cancel}
	var stdout bytes.Buffer
	code := Main(ctx, small(folder(t, 40, false), filepath.Join(t.TempDir(), "run")), &stdout, stderr)
	e := ended{code, stdout.String(), stderr.all.String()}
	if e.want(t, exitInterrupted, "interrupted"); strings.Contains(e.stderr, "resume") {
		t.Errorf("there is nothing to resume: %s", e.stderr)
	}
}

// A finished run is judged again and is otherwise left as it is.
func TestResumeOfAFinishedRun(t *testing.T) {
	dir := trained(t)
	before, model := readSummary(t, dir), readModel(t, dir)
	var r autoencode.Result
	decodeOne(t, succeed(t, "resume", dir, "--no-cache", "--json").stdout, &r)
	if !bytes.Equal(model, readModel(t, dir)) {
		t.Error("the model changed")
	}
	if got, want := figures(t, readSummary(t, dir)), figures(t, before); got != want {
		t.Errorf("the figures changed from\n%s to\n%s", want, got)
	}
}

// figures writes what a summary says apart from times.
func figures(t *testing.T, s *autoencode.Summary) string {
	t.Helper()
	c := *s
	c.Seconds, c.ImagesPerS, c.PeakBytes, c.Training = run.Times{}, 0, 0, s.Training.WithoutTimes()
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestResumeOfNoRun(t *testing.T) {
	invoke(t, "resume", t.TempDir()).want(t, exitFailed, "is no run", "config.json")
	invoke(t, "resume", filepath.Join(t.TempDir(), "gone")).want(t, exitFailed, "gone")
}

func TestResumeWithOtherImages(t *testing.T) {
	images, out := folder(t, 24, false), filepath.Join(t.TempDir(), "run")
	succeed(t, small(images, out)...)
	write(t, filepath.Join(images, "more.png"), pngBytes(t, blob(99)))
	invoke(t, "resume", out, "--no-cache").want(t, exitFailed, "are not those that the run", "begin a new run")
}
