package run

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/data"
)

func TestEpochsWithin(t *testing.T) {
	for _, c := range []struct {
		minutes, perEpoch float64
		want              int
	}{
		{1, 7, 8}, {1e-9, 1, 1}, {1e300, 1e-3, maxEpochs}, {math.MaxFloat64, 1e-9, maxEpochs},
	} {
		if got := EpochsWithin(c.minutes, c.perEpoch); got != c.want {
			t.Errorf("%d epochs of %v s in %v minutes, want %d", got, c.perEpoch, c.minutes, c.want)
		}
	}
}

func TestDivideKeepsParts(t *testing.T) {
	set := &data.Set{
		Names: make([]string, 6),
		Parts: []data.Part{data.PartTrain, data.PartVal, data.PartTest, data.PartTrain, data.PartVal, data.PartNone},
	}
	p := Divide(set)
	if !slices.Equal(p.Train, []int{0, 3, 5}) || !slices.Equal(p.Validation, []int{1, 4}) || !slices.Equal(p.HeldOut, []int{2}) {
		t.Errorf("divided into %+v", p)
	}
	set.Parts[2] = data.PartVal // without a part to measure on, the other measures
	p = Divide(set)
	if !slices.Equal(p.Train, []int{0, 3, 5}) || p.Validation != nil || !slices.Equal(p.HeldOut, []int{1, 2, 4}) {
		t.Errorf("without a test part divided into %+v", p)
	}
	// Without a part to learn from all is divided anew.
	for i := range set.Parts {
		set.Parts[i] = []data.Part{data.PartVal, data.PartTest}[i%2]
	}
	p = Divide(set)
	if all := slices.Sorted(slices.Values(slices.Concat(p.Train, p.HeldOut, p.Validation))); !slices.Equal(all, []int{0, 1, 2, 3, 4, 5}) || len(p.Train) < 3 {
		t.Errorf("without a train part divided into %+v", p)
	}
}

// The only image of a class must stay among those to learn from, and another
// one be set aside in its place.
func TestDivideKeepsClasses(t *testing.T) {
	set := &data.Set{Height: 1, Width: 1, Channels: 1, Names: make([]string, 300), Pixels: make([]uint8, 300), Classes: []string{"many", "one"}}
	plain := Divide(set)
	for _, lonely := range plain.Validation {
		set.Labels = make([]int32, 300)
		set.Labels[lonely] = 1
		p := Divide(set)
		if slices.Contains(p.Validation, lonely) || len(p.Validation) != len(plain.Validation) || len(p.Train) != len(plain.Train) {
			t.Errorf("%d images to learn from and %d to choose with, %d and %d without classes; the only image of its class is %d: %v",
				len(p.Train), len(p.Validation), len(plain.Train), len(plain.Validation), lonely, p.Validation)
		}
		other := slices.IndexFunc(p.Validation, func(i int) bool { return !slices.Contains(plain.Validation, i) })
		if other < 0 || !slices.Contains(plain.Train, p.Validation[other]) {
			t.Errorf("no other image takes the place of %d: %v", lonely, p.Validation)
		}
	}
	if len(plain.Validation) == 0 {
		t.Error("no image is set aside")
	}
}

func TestDividePhotosKeepsParts(t *testing.T) {
	p := &data.Photos{Photos: make([]data.Photo, 100)}
	for i := range p.Photos {
		p.Parts = append(p.Parts, []data.Part{data.PartTrain, data.PartVal, data.PartTest, data.PartTest}[i%4])
	}
	parts := DividePhotos(p)
	for _, part := range []struct {
		of    data.Part
		some  []int
		count int
	}{{data.PartTrain, parts.Train, 25}, {data.PartVal, parts.Validation, maxChoosing}, {data.PartTest, parts.HeldOut, maxHeldOutPhotos}} {
		if len(part.some) != part.count {
			t.Errorf("%d photographs of part %v are used, want %d", len(part.some), part.of, part.count)
		}
		for _, i := range part.some {
			if p.Parts[i] != part.of {
				t.Errorf("photograph %d of part %v is used as one of %v", i, p.Parts[i], part.of)
			}
		}
	}
}

func TestSameSource(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a", "fashion"} {
		if err := os.Mkdir(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	abs, err := filepath.Abs("a")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{"a", "a/", "./a", abs, "a/../a"} {
		if !SameSource("a", b) {
			t.Errorf("a is not %s", b)
		}
	}
	if SameSource("fashion", "./fashion") || !SameSource("fashion", "fashion") {
		t.Error("the built-in set is taken for a folder of its name")
	}
}

// A folder is of one run, however many ask for it at once; one that is cut off
// before there is a whole config.json leaves the folder free.
func TestFolderIsClaimed(t *testing.T) {
	dir := t.TempDir()
	found := func(minutes float64, choose func() error) error {
		r := &Run{source: "fashion", options: Options{Dir: dir}}
		return r.Found("task", &Common{}, minutes, choose)
	}
	failed := errors.New("interrupted")
	if err := found(1, func() error { return failed }); !errors.Is(err, failed) {
		t.Fatalf("got %v", err)
	}
	if err := found(1, func() error {
		if _, err := os.Stat(filepath.Join(dir, ConfigFile)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("before it is whole, its configuration is there: %v", err)
		}
		if err := found(0, nil); err != nil {
			t.Errorf("after one that failed: %v", err)
		}
		return nil
	}); err == nil || !strings.Contains(err.Error(), "holds a run already") {
		t.Errorf("after another was faster: %v", err)
	}
	if err := found(0, nil); err == nil || !strings.Contains(err.Error(), "holds a run already") {
		t.Errorf("once it is there: %v", err)
	}
	if got := SourceOf(dir); got != "fashion" {
		t.Errorf("its source is %q", got)
	}
	other := t.TempDir()
	for _, name := range []string{ReportFile, MetricsFile} {
		if err := os.WriteFile(filepath.Join(other, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := checkDir(other); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("with %s there: %v", name, err)
		}
		os.Remove(filepath.Join(other, name))
	}
}

// TestOldRunsAreOfTheFirstTask reads a config.json from before tasks had names.
func TestOldRunsAreOfTheFirstTask(t *testing.T) {
	dir := t.TempDir()
	old := `{"config": {"source": "a", "fingerprint": "f", "height": 8, "width": 9, "channels": 1, "arch": "conv", "latent": 4,
		"epochs": 3, "batch": 16, "optimizer": "adamw", "lr": 0.02, "schedule": "onecycle", "patience": 10, "seed": 5, "augment": "flip",
		"train": 100, "validation": 0, "heldout": 20, "isa": "avx2"}, "source_path": "/a", "command": "hourglass learn a --seed 5"}`
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(old), 0o666); err != nil {
		t.Fatal(err)
	}
	if task, err := TaskOf(dir); err != nil || task != "autoencode" {
		t.Errorf("task %q, %v", task, err)
	}
	f, err := readFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	var c Common
	if err := f.decode(dir, &c); err != nil {
		t.Fatal(err)
	}
	want := Common{
		Images:   Images{Source: "a", Fingerprint: "f", Height: 8, Width: 9, Channels: 1},
		Course:   Course{Epochs: 3, Batch: 16, Optimizer: "adamw", LR: 0.02, Schedule: "onecycle", Patience: 10, Seed: 5, Augment: "flip"},
		Division: Division{Train: 100, HeldOut: 20}, ISA: "avx2",
	}
	if c != want {
		t.Errorf("it says %+v, want %+v", c, want)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

// TestRecordIsRead writes a run's choices and reads them back.
func TestRecordIsRead(t *testing.T) {
	r := &Run{Dir: t.TempDir(), source: "fashion", Command: "hourglass train"}
	want := Common{Images: Images{Source: "fashion"}, Course: Course{Seed: math.MaxUint64, Augment: "none"}}
	if err := r.record("classify", want); err != nil {
		t.Fatal(err)
	}
	f, err := readFile(r.Dir)
	if err != nil || f.task() != "classify" || f.SourcePath != "fashion" || f.Command != r.Command {
		t.Fatalf("it says %+v, %v", f, err)
	}
	var c Common
	if err := json.Unmarshal(f.Config, &c); err != nil || c != want {
		t.Errorf("it says %+v, %v, want %+v", c, err, want)
	}
}

// TestBatchesArePure deals out a batch twice, with others between.
func TestBatchesArePure(t *testing.T) {
	set := &data.Set{Height: 4, Width: 4, Channels: 1, Names: make([]string, 10), Pixels: make([]uint8, 160), Labels: make([]int32, 10)}
	for i := range set.Pixels {
		set.Pixels[i] = uint8(i)
	}
	for i := range set.Labels {
		set.Labels[i] = int32(i)
	}
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, changes := range []string{"none", "flip,shift=1"} {
		b, err := NewBatches(set, all, Course{Batch: 4, Seed: 3, Augment: changes})
		if err != nil {
			t.Fatal(err)
		}
		fill := func(epoch, step int) (string, [4]int32) {
			images := make([]uint8, 64)
			var labels [4]int32
			b.Fill(epoch, step, images, labels[:])
			return string(images), labels
		}
		first, labels := fill(3, 1)
		other, _ := fill(4, 1)
		again, labelsAgain := fill(3, 1)
		if first != again || labels != labelsAgain || first == other {
			t.Errorf("%s: the same step gives another batch, or another step the same", changes)
		}
		row := make([]uint8, 64)
		if n := testing.AllocsPerRun(10, func() { b.Fill(3, 0, row, nil) }); n != 0 {
			t.Errorf("%s: a batch allocates %v times", changes, n)
		}
	}
	if _, err := NewBatches(set, all, Course{Batch: 4, Augment: "twirl"}); err == nil || !strings.Contains(err.Error(), "--augment") {
		t.Errorf("an unknown change: %v", err)
	}
}

// TestStage keeps what stages leave apart.
func TestStage(t *testing.T) {
	r := &Run{Dir: "d"}
	s := r.Stage("second")
	if got, want := r.checkpointDir(), r.Path(CheckpointDir); got != want {
		t.Errorf("the first stage's checkpoints are in %s, not %s", got, want)
	}
	if r.metricsFile() != r.Path(MetricsFile) || s.metricsFile() != r.Path("metrics-second.jsonl") {
		t.Errorf("metrics are in %s and %s", r.metricsFile(), s.metricsFile())
	}
	if s.checkpointDir() != filepath.Join("d", CheckpointDir, "second") || r.phase() != PhaseTrain || s.phase() != "second" {
		t.Errorf("the second stage is announced as %s, with checkpoints in %s", s.phase(), s.checkpointDir())
	}
}

func TestCounts(t *testing.T) {
	c := CountsOf(784, 2)
	if math.Abs(c.Images-784*math.Log10(256)) > 1e-9 || math.Abs(math.Pow(10, c.Names)-121) > 1e-9 {
		t.Errorf("counts are %+v", c)
	}
}
