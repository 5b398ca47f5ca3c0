package data

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
)

func TestReadClasses(t *testing.T) {
	got, err := ReadClasses(strings.NewReader("\ufeff# street scenes\n\nsky 128 128 128\nSign Symbol #C08080\n7 fence\nvoid ignore\n255 border #FFFFFF ignore\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := ClassList{
		Classes: []Class{{"sky", 0, "#808080"}, {"Sign Symbol", 1, "#c08080"}, {"fence", 7, ""}},
		Ignored: []Class{{"void", 8, ""}, {"border", 255, "#ffffff"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	for text, want := range map[string]string{
		strings.Repeat("# long\n", 1<<18) + "a\nb": "larger than",
		"":                         "names no class",
		"a ignore":                 "names no class",
		"a\na":                     `two classes are called "a"`,
		"1 a\n1 b":                 `"a" and "b" both have the value 1`,
		"a #000000\nb 0 0 0":       `both have the colour #000000`,
		"300 a":                    "line 1: the value 300",
		"255 a\nb":                 "line 2: the value 256",
		"a #12345":                 "is no colour",
		strings.Repeat("x", 1<<17): "token too long",
	} {
		if _, err := ReadClasses(strings.NewReader(text)); !errors.Is(err, ErrClasses) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want one about %q", text, err, want)
		}
	}
	if _, err := ReadClassFile("testdata/no-such-file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestNamedClasses(t *testing.T) {
	got, err := NamedClasses([]string{"a", " b", "c"}, 1, 255)
	want := ClassList{
		Classes: []Class{{Name: "a"}, {Name: "b", Value: 2}, {Name: "c", Value: 3}},
		Ignored: []Class{{Name: "ignored 1", Value: 1}, {Name: "ignored 255", Value: 255}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := NamedClasses(make([]string, 300)); !errors.Is(err, ErrClasses) {
		t.Errorf("300 classes: %v", err)
	}
	if _, err := NamedClasses([]string{"a", ""}); !errors.Is(err, ErrClasses) {
		t.Errorf("a class without a name: %v", err)
	}
}

func FuzzReadClasses(f *testing.F) {
	f.Add("sky 128 128 128\n3 Sign Symbol #c08080\nvoid ignore\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ReadClasses(strings.NewReader(text))
		if err != nil {
			return
		}
		if err := l.Check(); err != nil || len(l.Classes) == 0 {
			t.Errorf("it was read as %+v, which is no list: %v", l, err)
		}
	})
}
