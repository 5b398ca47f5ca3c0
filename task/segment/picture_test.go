package segment

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/data"
	"hourglass/train/run"
)

func TestColorsAreApart(t *testing.T) {
	l := data.ClassList{Classes: make([]data.Class, 20)}
	l.Classes[3].Color = "#010203"
	colors := Colors(l)
	if colors[3] != [3]uint8{1, 2, 3} {
		t.Errorf("a given colour became %v", colors[3])
	}
	for i, a := range colors {
		for j, b := range colors[:i] {
			d := 0
			for k := range a {
				d += (int(a[k]) - int(b[k])) * (int(a[k]) - int(b[k]))
			}
			if d < 20*20 {
				t.Errorf("classes %d and %d have %v and %v", j, i, b, a)
			}
		}
	}
}

func TestOverlay(t *testing.T) {
	colors := [][3]uint8{{255, 0, 0}, {0, 255, 0}}
	got := Overlay([]uint8{100, 100, 100}, []uint8{0, 1, data.Ignored}, colors)
	if want := []uint8{100, 100, 100, 45, 185, 45, 100, 100, 100}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got = Overlay([]uint8{0, 100, 200}, []uint8{0}, append(colors, [3]uint8{}))
	if want := []uint8{140, 45, 90}; !slices.Equal(got, want) {
		t.Errorf("of three classes: got %v, want %v", got, want)
	}
}

func TestKeep(t *testing.T) {
	l := data.ClassList{Classes: []data.Class{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	if keep, err := Keep(l, nil); err != nil || !slices.Equal(keep, []bool{false, true, true}) {
		t.Errorf("by default %v, %v", keep, err)
	}
	if keep, err := Keep(l, []string{"c", " a"}); err != nil || !slices.Equal(keep, []bool{true, false, true}) {
		t.Errorf("by name %v, %v", keep, err)
	}
	if _, err := Keep(l, []string{"d"}); err == nil || !strings.Contains(err.Error(), `no class "d": choose from a, b, c`) {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestLabels(t *testing.T) {
	dir := t.TempDir()
	if l, err := Labels(dir, "", nil, []int{255}); err != nil || len(l.Classes) != 0 || len(l.Ignored) != 1 {
		t.Errorf("nothing said: %+v, %v", l, err)
	}
	file := filepath.Join(dir, ClassFile)
	if err := os.WriteFile(file, []byte("sky\nroad\nvoid ignore\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", file} {
		if l, err := Labels(dir, name, nil, []int{255}); err != nil || !slices.Equal(l.Names(), []string{"sky", "road"}) || len(l.Ignored) != 2 {
			t.Errorf("by file %q: %+v, %v", name, l, err)
		}
	}
	if l, err := Labels(dir, "", []string{"a", "b"}, nil); err != nil || !slices.Equal(l.Names(), []string{"a", "b"}) {
		t.Errorf("by names: %+v, %v", l, err)
	}
	for want, call := range map[string]func() (data.ClassList, error){
		"give one of them":         func() (data.ClassList, error) { return Labels(dir, file, []string{"a"}, nil) },
		"--ignore 256":             func() (data.ClassList, error) { return Labels(dir, "", nil, []int{256}) },
		`both have the value 1`:    func() (data.ClassList, error) { return Labels(dir, "", nil, []int{1}) },
		`two classes are called`:   func() (data.ClassList, error) { return Labels(dir, "", []string{"a", "a"}, nil) },
		"other.txt does not exist": nil,
	} {
		if call == nil {
			if _, err := Labels(dir, filepath.Join(dir, "other.txt"), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one about %q", err, want)
			}
			continue
		}
		if _, err := call(); !errors.Is(err, run.ErrChoice) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}
