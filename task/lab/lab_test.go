package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/enginetest"
	"hourglass/internal/random"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// stripes makes a folder of grey images of two classes: stripes across, and
// stripes down, with some noise.
func stripes(t testing.TB, n int) string {
	t.Helper()
	const side = 12
	dir := t.TempDir()
	u := make([]float32, side*side)
	for i := range n {
		random.Uniform(u, 5, uint64(i), 0)
		m := image.NewGray(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				at := y
				if i%2 == 1 {
					at = x
				}
				light := 40 * u[y*side+x]
				if (at+i/2)%4 < 2 {
					light += 180
				}
				m.SetGray(x, y, color.Gray{Y: uint8(light)})
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, []string{"across", "down"}[i%2], fmt.Sprintf("%03d.png", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func tinyOptions(source, dir string, names ...string) Options {
	return Options{Names: names, Scale: Tiny, Seed: 1, Source: source, Dir: dir, Data: data.Options{NoCache: true}}
}

// Every function that returns an experiment stands in the list, and every
// experiment is complete.
func TestEveryExperimentIsListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Type.Results == nil || len(fn.Type.Results.List) != 1 {
				continue
			}
			if id, ok := fn.Type.Results.List[0].Type.(*ast.Ident); ok && id.Name == "Experiment" {
				declared = append(declared, fn.Name.Name)
				if file != fn.Name.Name+".go" {
					t.Errorf("experiment %s is in %s, where nobody looks for it", fn.Name.Name, file)
				}
			}
		}
	}
	listed := slices.Sorted(slices.Values(Names()))
	slices.Sort(declared)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("experiments declared and listed differ (-declared +listed)\n%s", diff)
	}
	for _, x := range Experiments() {
		if x.Title == "" || !strings.HasSuffix(x.Claim, ".") || x.Recipe == nil || x.Run == nil || x.Verdict == nil || x.Minutes <= 0 {
			t.Errorf("experiment %s is not complete: %+v", x.Name, x)
		}
	}
}

// finish runs all experiments at the Tiny scale.
func finish(t *testing.T, e *engine.Engine, source, dir string) *Outcome {
	t.Helper()
	out, err := Run(t.Context(), e, tinyOptions(source, dir), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// withoutTimes leaves out what differs from one run to the next.
func withoutTimes(r *Result) *Result {
	c := *r
	c.Seconds = 0
	c.Plots = nil
	for _, p := range r.Plots {
		if !p.Time {
			c.Plots = append(c.Plots, p)
		}
	}
	c.Tables = nil
	for _, t := range r.Tables {
		for k, column := range t.Columns {
			if column.Time {
				t.Rows = slices.Clone(t.Rows)
				for i := range t.Rows {
					t.Rows[i].Values = slices.Clone(t.Rows[i].Values)
					t.Rows[i].Values[k] = 0
				}
			}
		}
		c.Tables = append(c.Tables, t)
	}
	c.Figures = slices.DeleteFunc(slices.Clone(r.Figures), func(f Figure) bool { return f.Time })
	return &c
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Everything but times is the same for any number of threads, every number
// that is shown is one, and the names of all figures are as they were.
func TestExperiments(t *testing.T) {
	source := stripes(t, 300)
	dir := t.TempDir()
	one, three := finish(t, enginetest.New(t, 1), source, dir), finish(t, enginetest.New(t, 3), source, t.TempDir())
	var names []string
	for i, r := range one.Results {
		if diff := cmp.Diff(asJSON(t, withoutTimes(r)), asJSON(t, withoutTimes(three.Results[i]))); diff != "" {
			t.Errorf("%s depends on the number of threads (-one +three)\n%s", r.Name, diff)
		}
		checkResult(t, r)
		for _, f := range r.Figures {
			// Which rates are borne is a matter of the data.
			if !strings.Contains(f.Name, "only_normalised_") {
				names = append(names, r.Name+" "+f.Name)
			}
		}
	}
	if len(one.Results) != len(Experiments()) || len(one.Summary.Missing) != 0 {
		t.Fatalf("%d experiments ran, %v are missing", len(one.Results), one.Summary.Missing)
	}
	golden := filepath.Join("testdata", "figures.txt")
	got := strings.Join(names, "\n") + "\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the names of figures differ from %s (rewrite it with -update if that is meant)\n%s", golden, diff)
	}

	// What was kept is what was found, and none of it is run again.
	begun := 0
	again, err := Run(t.Context(), enginetest.New(t, 2), tinyOptions(source, dir), Hooks{Begin: func(Experiment, int, int) { begun++ }})
	if err != nil {
		t.Fatal(err)
	}
	if begun != 0 {
		t.Errorf("%d experiments are run again", begun)
	}
	for i, r := range again.Results {
		if diff := cmp.Diff(asJSON(t, one.Results[i]), asJSON(t, r)); diff != "" {
			t.Errorf("%s was kept as something else\n%s", r.Name, diff)
		}
	}
	for _, r := range again.Summary.Experiments {
		if r.Pictures != nil {
			t.Errorf("the summary of %s has pictures", r.Name)
		}
	}
	for _, r := range again.Summary.Brief().Experiments {
		if r.Plots != nil || r.Tables != nil || len(r.Figures) == 0 {
			t.Errorf("the brief result of %s has %d plots, %d tables, %d figures", r.Name, len(r.Plots), len(r.Tables), len(r.Figures))
		}
	}
}

// checkResult reports what an experiment should not leave.
func checkResult(t *testing.T, r *Result) {
	t.Helper()
	if len(r.Figures) == 0 || len(r.Plots)+len(r.Tables) == 0 || r.Headline.Value == "" || len(r.Recipe) < 4 {
		t.Errorf("%s found %d figures, %d plots, %d tables, headline %+v", r.Name, len(r.Figures), len(r.Plots), len(r.Tables), r.Headline)
	}
	title, text := r.Finding()
	if (title == "As claimed") != r.Holds || len(text) < 40 || !strings.HasSuffix(text, ".") {
		t.Errorf("%s: verdict %q, holds %v", r.Name, r.Verdict, r.Holds)
	}
	seen := map[string]bool{}
	for _, f := range r.Figures {
		if seen[f.Name] || f.About == "" {
			t.Errorf("%s: figure %q stands twice, or says nothing: %q", r.Name, f.Name, f.About)
		}
		seen[f.Name] = true
		if strings.Contains(f.Name, "accuracy") && !(f.Value >= 0 && f.Value <= 1) {
			t.Errorf("%s: %s is %v", r.Name, f.Name, f.Value)
		}
	}
	for _, p := range r.Plots {
		points := 0
		for _, s := range p.Series {
			if len(s.X) != len(s.Y) {
				t.Errorf("%s: %q has %d x and %d y", r.Name, p.Title, len(s.X), len(s.Y))
			}
			for i := range s.Y {
				if !math.IsNaN(float64(s.X[i])) && !math.IsNaN(float64(s.Y[i])) {
					points++
				}
			}
		}
		if points == 0 || p.X.Label == "" || p.Y.Label == "" {
			t.Errorf("%s: %q shows %d points over %q by %q", r.Name, p.Title, points, p.X.Label, p.Y.Label)
		}
	}
	for _, table := range r.Tables {
		for _, row := range table.Rows {
			if len(row.Values) != len(table.Columns) || row.Name == "" {
				t.Errorf("%s: row %q of %q has %d values for %d columns", r.Name, row.Name, table.Title, len(row.Values), len(table.Columns))
			}
		}
	}
	for _, p := range r.Pictures {
		for _, row := range p.Rows {
			for _, m := range row.Images {
				if len(row.Images) != len(p.Columns) || len(m) != row.Height*row.Width*row.Channels {
					t.Errorf("%s: a row of %q has %d pictures, one of %d bytes", r.Name, p.Title, len(row.Images), len(m))
				}
			}
		}
	}
}

// The session that is interrupted keeps what was finished, and goes on with
// what was not, to the same figures.
func TestInterruptedSessionGoesOn(t *testing.T) {
	source, dir := stripes(t, 300), t.TempDir()
	names := []string{"batchnorm", "augmentation", "optimizers"}
	ctx, cancel := context.WithCancel(t.Context())
	running := 0
	_, err := Run(ctx, enginetest.New(t, 2), tinyOptions(source, dir, names...), Hooks{
		Begin: func(x Experiment, at, of int) {
			if running = at; of != 3 || x.Name != names[at-1] {
				t.Errorf("%s is said to be experiment %d of %d", x.Name, at, of)
			}
		},
		Progress: func(p Progress) {
			if running == 2 && p.Share > 0.3 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || running != 2 {
		t.Fatalf("experiment %d ran to %v", running, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ExperimentDir, "augmentation.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an experiment that was interrupted is kept: %v", err)
	}
	var begun, before []string
	out, err := Run(t.Context(), enginetest.New(t, 2), tinyOptions(source, dir, names...), Hooks{
		Begin: func(x Experiment, at, of int) { begun = append(begun, x.Name) },
		Kept:  func(r *Result) { before = append(before, r.Name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"batchnorm"}, {"augmentation", "optimizers"}}, [][]string{before, begun}); diff != "" {
		t.Errorf("kept and begun: (-want +got)\n%s", diff)
	}
	whole, err := Run(t.Context(), enginetest.New(t, 2), tinyOptions(source, t.TempDir(), names...), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out.Results {
		if diff := cmp.Diff(asJSON(t, withoutTimes(whole.Results[i])), asJSON(t, withoutTimes(r))); diff != "" {
			t.Errorf("%s: (-uninterrupted +resumed)\n%s", r.Name, diff)
		}
	}
	if diff := cmp.Diff([]string{"dropout", "bottleneck", "projection", "generation"}, out.Summary.Missing); diff != "" {
		t.Errorf("missing: %s", diff)
	}

	// One that is run anew leaves the others.
	anew := tinyOptions(source, dir, "batchnorm")
	anew.Fresh = true
	begun, before = nil, nil
	if out, err := Run(t.Context(), enginetest.New(t, 2), anew, Hooks{Begin: func(x Experiment, at, of int) { begun = append(begun, x.Name) }}); err != nil || len(begun) != 1 || len(out.Results) != 3 {
		t.Errorf("one anew: %v, %v began, %d results", err, begun, len(out.Results))
	}

	// Other choices do not mix with these, unless all begin anew.
	other := tinyOptions(source, dir, "batchnorm")
	other.Seed = 2
	var setting *SettingError
	if _, err := Run(t.Context(), enginetest.New(t, 1), other, Hooks{}); !errors.As(err, &setting) || !strings.Contains(err.Error(), "their seed is 1 and not 2") {
		t.Errorf("another seed: %v", err)
	}
	for _, name := range names[1:] {
		if err := os.Remove(filepath.Join(dir, ExperimentDir, name+".json")); err != nil {
			t.Fatal(err)
		}
	}
	other.Fresh = true
	fresh, err := Run(t.Context(), enginetest.New(t, 1), other, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if len(fresh.Results) != 1 || len(fresh.Summary.Missing) != len(Experiments())-1 {
		t.Errorf("a fresh session has %d results and lacks %v", len(fresh.Results), fresh.Summary.Missing)
	}
	if asJSON(t, fresh.Results[0].Figures) == asJSON(t, whole.Results[0].Figures) {
		t.Error("another seed gives the same figures")
	}

	// What an older program claimed is run again; what is no experiment is not
	// written over.
	path := filepath.Join(dir, ExperimentDir, "batchnorm.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(text), `"claim": "With`, `"claim": "Of old, with`, 1)
	if err := os.WriteFile(path, []byte(older), 0o666); err != nil {
		t.Fatal(err)
	}
	other.Fresh, begun = false, nil
	if _, err := Run(t.Context(), enginetest.New(t, 1), other, Hooks{Begin: func(x Experiment, _, _ int) { begun = append(begun, x.Name) }}); err != nil || len(begun) != 1 {
		t.Errorf("an older experiment is taken for this one: %v, %v", begun, err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), enginetest.New(t, 1), other, Hooks{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("half an experiment: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	e := enginetest.New(t, 1)
	flat := t.TempDir()
	sets := map[string]string{"few": stripes(t, 40), "flat": flat}
	entries, err := filepath.Glob(filepath.Join(sets["few"], "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range entries {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(flat, filepath.Base(path)), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	large := tinyOptions(sets["few"], t.TempDir())
	large.Data.Size = 65
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"unknown name": {tinyOptions(sets["few"], t.TempDir(), "dropout", "dropin"), `no experiment "dropin"; choose from batchnorm, dropout, augmentation, optimizers, bottleneck`},
		"few images":   {tinyOptions(sets["few"], t.TempDir()), "experiments need at least 200 and 20"},
		"no labels":    {tinyOptions(flat, t.TempDir()), "have no labels"},
		"large images": {large, "65×65 pixels"},
		"no source":    {tinyOptions(filepath.Join(flat, "gone"), t.TempDir()), "check the name"},
	} {
		if _, err := Run(t.Context(), e, c.o, Hooks{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// The time left is first what experiments are said to take, then follows the
// pace of the one that runs.
func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		share   float64
		elapsed time.Duration
		want    time.Duration
	}{
		{0, 0, 3 * time.Minute},
		{0.01, time.Second, 3 * time.Minute},
		{0.5, 30 * time.Second, 150 * time.Second}, // as fast as was said
		{0.5, time.Minute, 5 * time.Minute},        // half as fast
		{1, time.Minute, 2 * time.Minute},
	} {
		if got := left(1, 2, c.share, c.elapsed); (got - c.want).Abs() > time.Second {
			t.Errorf("left after %v of the work in %v: %v, want %v", c.share, c.elapsed, got, c.want)
		}
	}
}
