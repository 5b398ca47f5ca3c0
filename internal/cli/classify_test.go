package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/data"
	"hourglass/task/classify"
	"hourglass/train/run"
)

// grain draws lines that stand (class 0) or lie (class 1).
func grain(class, i int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			v := uint8(40 + (x*5+y*3+i*7)%30)
			if ([]int{x, y}[class]+i)%3 == 0 {
				v = 220
			}
			m.SetGray(x, y, color.Gray{v})
		}
	}
	return m
}

// classes makes a folder of n images in two class folders.
func classes(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		write(t, filepath.Join(dir, []string{"standing", "lying"}[i%2], fmt.Sprintf("%03d.png", i)), pngBytes(t, grain(i%2, i/2)))
	}
	return dir
}

// smallClassify returns the arguments of a run that takes a moment.
func smallClassify(source, out string, more ...string) []string {
	return append([]string{"train", "classify", source, "--widths", "4,4,8", "--epochs", "3", "--batch", "8", "--lr", "0.02",
		"--augment", "flip", "--no-cache", "--out", out}, more...)
}

// classifier makes a small run and returns its source and folder. The model knows
// its source by a name that means nothing where the test goes on.
func classifier(t *testing.T) (source, dir string) {
	t.Helper()
	source, dir = classes(t, 60), filepath.Join(t.TempDir(), "run")
	t.Chdir(filepath.Dir(source))
	succeed(t, smallClassify(filepath.Base(source), dir, "--quiet")...)
	t.Chdir(t.TempDir())
	return source, dir
}

func TestTrainClassifyJSON(t *testing.T) {
	source, out := classes(t, 60), filepath.Join(t.TempDir(), "run")
	e := succeed(t, smallClassify(source, out, "--json", "--quiet", "--dropout", "0", "--ema", "0.5")...)
	if e.stderr != "" {
		t.Errorf("--quiet writes %q", e.stderr)
	}
	var v any
	decodeOne(t, e.stdout, &v)
	got := fields(v, "")
	for _, want := range []string{"source", "classes", "images", "heldout.accuracy", "heldout.top5", "heldout.loss", "epochs", "parameters",
		"seconds.train", "seconds.total", "run", "model", "report"} {
		if !slices.Contains(got, want) {
			t.Errorf("the fields %q lack %s", got, want)
		}
	}
	var r classify.Result
	decodeOne(t, e.stdout, &r)
	if r.Source != source || r.Classes != 2 || r.Images != 60 || r.Epochs != 3 || r.Parameters <= 0 || r.Run != out {
		t.Errorf("wrong facts: %+v", r)
	}
	page, err := os.ReadFile(filepath.Join(out, run.ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"standing", "Held-out accuracy", "First filters", "How sure, how right", "--dropout 0 --ema 0.5"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

func TestUseOfAClassifier(t *testing.T) {
	source, dir := classifier(t)
	text := succeed(t, "show", dir).stdout
	for _, want := range []string{"batch_norm", "2: lying, standing", "recipe", "temperature"} {
		if !strings.Contains(text, want) {
			t.Errorf("show lacks %q:\n%s", want, text)
		}
	}
	if text := succeed(t, "train", "classify", "--help").stdout; !strings.Contains(text, "lecture") || !strings.Contains(text, "resnet50") {
		t.Errorf("the help lists no recipes:\n%s", text)
	}

	table := filepath.Join(t.TempDir(), "answers.csv")
	var c classified
	decodeOne(t, succeed(t, "classify", "--model", dir, source, "--json", "--quiet", "--top", "9", "--out", table).stdout, &c)
	if c.Images != 60 || len(c.Answers) != 60 || len(c.Answers[0].Answers) != 2 || c.Answers[0].Answers[0].Confidence < 0.5 {
		t.Errorf("%d images, answers %+v", c.Images, c.Answers[:1])
	}
	rows, err := os.ReadFile(table)
	if err != nil || bytes.Count(rows, []byte("\n")) != 61 || !bytes.HasPrefix(rows, []byte("image,class1,confidence1,class2,confidence2\n")) {
		t.Errorf("the table is %.80q, %v", rows, err)
	}
	one := filepath.Join(source, "lying", "001.png")
	if text := succeed(t, "classify", "--model", dir, one, "--top", "1").stdout; !strings.Contains(text, "%") {
		t.Errorf("an image is\n%s", text)
	}

	page := filepath.Join(t.TempDir(), "page.html")
	var v evaluated
	decodeOne(t, succeed(t, "evaluate", dir, source, "--out", page, "--json", "--no-cache").stdout, &v)
	if v.Part != "held out" || v.Images != 12 || v.Accuracy <= 0 {
		t.Errorf("evaluate gives %+v", v)
	}
	decodeOne(t, succeed(t, "evaluate", dir, source+"/./", "--out", page, "--json", "--no-cache").stdout, &v)
	if v.Part != "held out" || v.Images != 12 {
		t.Errorf("evaluate of the same source in other words gives %s, %d images", v.Part, v.Images)
	}
	tested := t.TempDir()
	for i := range 6 {
		write(t, filepath.Join(tested, "test", []string{"lying", "standing"}[i%2], fmt.Sprint(i, ".png")), pngBytes(t, grain(0, i)))
	}
	decodeOne(t, succeed(t, "evaluate", dir, tested, "--out", page, "--json", "--no-cache").stdout, &v)
	if v.Part != "test" || v.Images != 6 {
		t.Errorf("evaluate of a test part alone gives %s, %d images", v.Part, v.Images)
	}
	decodeOne(t, succeed(t, "evaluate", dir, source, "--out", page, "--json", "--no-cache", "--all").stdout, &v)
	if v.Part != "all" || v.Images != 60 {
		t.Errorf("evaluate --all gives %s, %d images", v.Part, v.Images)
	}
	if _, err := os.Stat(page); err != nil {
		t.Error(err)
	}

	// Wrong uses.
	more := filepath.Join(source, "lying", "more.png")
	write(t, more, pngBytes(t, grain(0, 0)))
	t.Chdir(filepath.Dir(source)) // where its name is that which the model knows
	invoke(t, "evaluate", dir, filepath.Base(source), "--out", page, "--no-cache").want(t, exitFailed, "have changed since", "--all")
	if err := os.Remove(more); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for i := range 60 {
		write(t, filepath.Join(elsewhere, filepath.Base(source), []string{"lying", "standing"}[i%2], fmt.Sprint(i, ".png")), pngBytes(t, grain(i%2, 100+i)))
	}
	t.Chdir(elsewhere) // where its name is that which the model knows, but not the folder that the run knows
	decodeOne(t, succeed(t, "evaluate", dir, filepath.Base(source), "--out", page, "--json", "--no-cache").stdout, &v)
	if v.Part != "all" || v.Images != 60 {
		t.Errorf("evaluate of another source of the same name gives %s, %d images", v.Part, v.Images)
	}
	strange := t.TempDir()
	for i := range 6 {
		write(t, filepath.Join(strange, []string{"cats", "dogs"}[i%2], fmt.Sprint(i, ".png")), pngBytes(t, grain(0, i)))
	}
	invoke(t, "evaluate", dir, strange, "--out", page, "--no-cache").want(t, exitFailed, "labels differ from the model's", "cats, dogs", "lying, standing")
	invoke(t, "evaluate", dir, one, "--out", page, "--no-cache").want(t, exitFailed, "no labels")
	invoke(t, "evaluate", dir, source, "--out", "page.txt").want(t, exitUsage, "--out page.txt")
	invoke(t, "classify", one).want(t, exitUsage, "--model is missing")
	invoke(t, "classify", "--model", dir, one, "--top", "0").want(t, exitUsage, "--top 0")
	invoke(t, "classify", "--model", dir, one, "--out", "a.txt").want(t, exitUsage, "--out a.txt")
	invoke(t, "encode", dir, one, "--out", filepath.Join(t.TempDir(), "z.npy")).want(t, exitFailed, `"classify", not "autoencode"`)
	invoke(t, "classify", "--model", trained(t), one).want(t, exitFailed, `"autoencode", not "classify"`)
}

func TestTrainClassifyRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	source := classes(t, 12)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{smallClassify(folder(t, 12, false), out), exitFailed, []string{"no labels", "at least two"}},
		{smallClassify(source, out, "--recipe", "soup"), exitUsage, []string{"--recipe soup: choose one of lecture"}},
		{smallClassify(source, out, "--dropout", "much"), exitUsage, []string{"dropout", "is no number"}},
		{smallClassify(source, out, "--dropout", "1"), exitUsage, []string{"--dropout 1"}},
		{smallClassify(source, out, "--precision", "f8"), exitUsage, []string{"--precision f8"}},
		{smallClassify(source, out, "--minutes", "1"), exitUsage, []string{"--epochs and --minutes"}},
		{[]string{"train", "classify"}, exitUsage, []string{"SOURCE is missing"}},
		{[]string{"train", "juggling", source}, exitUsage, []string{"juggling"}},
	} {
		invoke(t, c.args...).want(t, c.code, c.want...)
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%v made the run's folder", c.args)
		}
	}
	write(t, filepath.Join(source, "third", "broken.png"), []byte("no picture"))
	invoke(t, smallClassify(source, out)...).want(t, exitFailed, "class folder third", "broken.png")

	list := filepath.Join(source, "list.csv")
	write(t, list, []byte("gone/1.png,a\ngone/2.png,b\n"))
	invoke(t, smallClassify(list, out)...).want(t, exitFailed, "no images found", "gone/1.png")
	write(t, list, []byte("standing/000.png,a\nstanding/002.png,a\nstanding/004.png,a\n"))
	invoke(t, smallClassify(list, out)...).want(t, exitFailed, "only one class, a")
}

// A list whose files are partly missing is learnt from as far as it goes.
// What lies beside the folders of the classes is none of them.
func TestTrainClassifyBesideRubbish(t *testing.T) {
	source := classes(t, 60)
	write(t, filepath.Join(source, "cover.jpg"), cutJPEG(t))
	odd := filepath.Join(source, "st\xe9\n")
	if err := os.Rename(filepath.Join(source, "standing"), odd); err != nil {
		t.Skip("no such names here: ", err)
	}
	var r classify.Result
	e := succeed(t, smallClassify(source, filepath.Join(t.TempDir(), "run"), "--json", "--quiet")...)
	if decodeOne(t, e.stdout, &r); r.Classes != 2 || r.Images != 60 {
		t.Errorf("%+v", r)
	}
}

func TestTrainClassifyFromAList(t *testing.T) {
	source, out := classes(t, 40), filepath.Join(t.TempDir(), "run")
	var list strings.Builder
	list.WriteString("path,label\n")
	for i := range 44 {
		fmt.Fprintf(&list, "%s/%03d.png,%s\n", []string{"standing", "lying"}[i%2], i, []string{"upright", "flat"}[i%2])
	}
	path := filepath.Join(source, "list.csv")
	write(t, path, []byte(list.String()))
	var r classify.Result
	e := succeed(t, smallClassify(path, out, "--json")...)
	decodeOne(t, e.stdout, &r)
	if r.Images != 40 || r.Skipped != 4 || r.Classes != 2 {
		t.Errorf("%d images, %d skipped, %d classes", r.Images, r.Skipped, r.Classes)
	}
}

// A model is judged by what was held out of the source that it learnt from, and by
// all of another.
func TestJudgedPart(t *testing.T) {
	set := &data.Set{Names: make([]string, 20)}
	parts := run.Divide(set)
	c := run.Common{Division: parts.Division()}
	part, images, err := judgedPart(set, "../list.csv", true, c, nil)
	if err != nil || part != "held out" || !slices.Equal(images, parts.HeldOut) {
		t.Errorf("judged by %s, %v, %v", part, images, err)
	}
	if part, _, err := judgedPart(set, "../list.csv", false, c, nil); err != nil || part != "all" {
		t.Errorf("other images: judged by %s, %v", part, err)
	}
}
