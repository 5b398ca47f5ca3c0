package cli

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/task/lab"
	"hourglass/train/run"
)

// striped makes a folder of images of two classes, enough for experiments.
func striped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 300 {
		m := image.NewGray(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				at := []int{x, y}[i%2]
				m.SetGray(x, y, color.Gray{Y: uint8(120*((at+i/2)/2%2) + i%40)})
			}
		}
		write(t, filepath.Join(dir, []string{"across", "down"}[i%2], fmt.Sprintf("%03d.png", i)), pngBytes(t, m))
	}
	return dir
}

// An interrupted session says how to go on, does so, and leaves a report, a
// summary and one JSON object with all figures.
func TestLab(t *testing.T) {
	images, out := striped(t), filepath.Join(t.TempDir(), "my lab")
	args := []string{"lab", "dropout", "optimizers", "--tiny", "--source", images, "--no-cache", "--out", out}

	ctx, cancel := context.WithCancel(t.Context())
	stderr := &onLine{text: "optimizers (2 of 2)", f: cancel}
	var stdout bytes.Buffer
	code := Main(ctx, args, &stdout, stderr)
	e := ended{code, stdout.String(), stderr.all.String()}
	e.want(t, exitInterrupted, "interrupted; go on with: hourglass lab dropout optimizers --source "+images+" --seed 1 --out '"+out+"'")
	if !strings.Contains(e.stderr, "dropout: ") {
		t.Errorf("no verdict was told before the interruption:\n%s", e.stderr)
	}

	var r struct {
		lab.Summary
		Out, Report string
	}
	e = succeed(t, append(args, "--json")...)
	if !strings.Contains(e.stderr, "dropout was finished earlier") {
		t.Errorf("the session begins from the beginning:\n%s", e.stderr)
	}
	decodeOne(t, e.stdout, &r)
	if len(r.Experiments) != 2 || len(r.Missing) != len(lab.Names())-2 || r.Seed != 1 || r.Out != out || r.HeldOut == 0 {
		t.Fatalf("lab says %+v", r)
	}
	for _, x := range r.Experiments {
		if len(x.Figures) < 5 || x.Verdict == "" || x.Plots != nil {
			t.Errorf("%s has %d figures, verdict %q and %d plots", x.Name, len(x.Figures), x.Verdict, len(x.Plots))
		}
	}
	page, err := os.ReadFile(r.Report)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := os.ReadFile(filepath.Join(out, run.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Experiments {
		if !bytes.Contains(page, []byte(x.Title)) || !bytes.Contains(summary, []byte(x.Name)) {
			t.Errorf("the report or the summary lacks %s", x.Name)
		}
	}
	text := succeed(t, append(args, "--quiet")...).stdout
	if !strings.Contains(text, "of 2 experiments as claimed") || !strings.Contains(text, r.Report) {
		t.Errorf("lab prints\n%s", text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") && len([]rune(line)) > 80 {
			t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
		}
	}
	e = invoke(t, append(args, "--seed", "2")...)
	e.want(t, exitFailed, "holds experiments of another session: their seed is 1 and not 2")
	if !strings.Contains(e.stderr, "--fresh") {
		t.Errorf("nothing says what to do:\n%s", e.stderr)
	}
}

func TestLabRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "lab")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"lab", "dropin"}, exitUsage, `no experiment "dropin"; choose from batchnorm, dropout`},
		{[]string{"lab", "--size", "-1"}, exitUsage, "--size -1"},
		{[]string{"lab", "--full", "--tiny"}, exitUsage, "none of the others can be"},
		{[]string{"lab", "--source", folder(t, 30, true), "--no-cache"}, exitFailed, "experiments need at least 200"},
		{[]string{"lab", "--source", folder(t, 30, false), "--no-cache"}, exitFailed, "have no labels"},
		{[]string{"lab", "--source", filepath.Join(out, "gone")}, exitFailed, "check the name"},
	} {
		invoke(t, append(c.args, "--out", out)...).want(t, c.code, c.want)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a session that never began leaves a folder")
	}
}
