package data

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed writes a CSV file beside two images, a.png and sub/b.png.
func listed(t *testing.T, text string) string {
	t.Helper()
	dir := folderOf(t, member{name: "a.png", data: encodePNG(t, grayImage(9, 9, 40))},
		member{name: "sub/b.png", data: encodePNG(t, grayImage(9, 9, 200))}, member{name: "list.csv", data: []byte(text)})
	return filepath.Join(dir, "list.csv")
}

func TestCSV(t *testing.T) {
	for name, text := range map[string]string{
		"plain":   "sub/b.png,dark\na.png,bright\n",
		"header":  "Path,Label\nsub/b.png,dark\na.png,bright\n",
		"mark":    "\xef\xbb\xbffilename,label\r\n sub/b.png, dark\r\na.png,bright\r\n",
		"twice":   "a.png,bright\nsub/b.png,dark\na.png,bright\n",
		"missing": "sub/b.png,dark\na.png,bright\ngone.png,dark\n",
		"parts":   "sub/b.png,dark,test\na.png,bright,train\n",
	} {
		set, err := Open(t.Context(), listed(t, text), Options{NoCache: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(set.Names, []string{"a.png", "sub/b.png"}) || !slices.Equal(set.Classes, []string{"bright", "dark"}) ||
			!slices.Equal(set.Labels, []int32{0, 1}) {
			t.Errorf("%s: names %v, classes %v, labels %v", name, set.Names, set.Classes, set.Labels)
		}
		if missing := len(set.Skipped) == 1 && set.Skipped[0].Name == "gone.png"; missing != (name == "missing") || set.Found != 2+len(set.Skipped) {
			t.Errorf("%s: %d found, skipped %v", name, set.Found, set.Skipped)
		}
		if parts := slices.Equal(set.Parts, []Part{PartTrain, PartTest}); parts != (name == "parts") {
			t.Errorf("%s: parts %v", name, set.Parts)
		}
	}
}

func TestCSVIsCached(t *testing.T) {
	path, o := listed(t, "a.png,x\nsub/b.png,y\n"), Options{CacheDir: t.TempDir()}
	first, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), path, o)
	if err != nil || !again.FromCache || again.Fingerprint != first.Fingerprint || !slices.Equal(again.Labels, first.Labels) {
		t.Errorf("from the cache %t, %v", again != nil && again.FromCache, err)
	}
	if err := os.WriteFile(path, []byte("a.png,y\nsub/b.png,x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	other, err := Open(t.Context(), path, o)
	if err != nil || other.FromCache || other.Fingerprint == first.Fingerprint {
		t.Errorf("other labels give the same set, %v", err)
	}
}

func TestCSVErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "no rows",
		"path,label\n":              "no rows",
		"a.png\n":                   "line 1 has 1 columns",
		"a.png,x\n,y\n":             "line 2 lacks the path or the label",
		"a.png,x\nsub/b.png,\n":     "line 2 lacks",
		"a.png,x\na.png,y\n":        "names a.png twice",
		"a.png,x,half\n":            `the part "half"`,
		"\"a.png,x\n":               "no CSV file",
		"gone.png,x\nlost.png,y\n":  "gone.png: ",
		"list.csv,x\n":              "list.csv: ",
		"sub,x\n":                   "it is a folder",
		"a.png," + long(1<<15) + "": "the limit is",
	} {
		_, err := Open(t.Context(), listed(t, text), Options{NoCache: true})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want an error that says %q", text, err, want)
		}
	}
	if _, err := Open(t.Context(), listed(t, "gone.png,x\n"), Options{NoCache: true}); !errors.Is(err, ErrNoImages) {
		t.Errorf("nothing is left: %v, want ErrNoImages", err)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func FuzzCSV(f *testing.F) {
	for _, text := range []string{"a,b\n", "path,label\na.png,x,train\n", "\xef\xbb\xbfa,b", "\"", "a,\"b\nc\"\n", ",,\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := parseCSV(text, 100)
		if (err == nil) != (len(rows) > 0) || len(rows) > 100 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, r := range rows {
			if r.path == "" || r.label == "" || len(r.path) > maxCSVField {
				t.Fatalf("the row %+v was taken", r)
			}
		}
	})
}
