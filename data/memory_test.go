package data

import (
	"strings"
	"testing"
)

func TestNewSet(t *testing.T) {
	pixels, labels, classes := make([]uint8, 5*3*2), []int32{0, 1, 1, 0, 1}, []string{"a", "b"}
	set := func(change uint8, labels []int32) *Set {
		pixels := append([]uint8(nil), pixels...)
		pixels[7] = change
		s, err := NewSet(pixels, 3, 2, 1, labels, classes)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := set(0, labels)
	if s.Len() != 5 || s.Found != 5 || s.ImageBytes() != 6 || s.Names[4] != "4" {
		t.Errorf("%d images (%d found) of %d bytes, called %q", s.Len(), s.Found, s.ImageBytes(), s.Names)
	}
	if train, heldout := s.Split(SplitOptions{}); len(train) != 4 || len(heldout) != 1 {
		t.Errorf("divided into %v and %v", train, heldout)
	}
	if again := set(0, labels); again.Fingerprint != s.Fingerprint {
		t.Error("the same images have another fingerprint")
	}
	for name, other := range map[string]*Set{"pixels": set(1, labels), "labels": set(0, []int32{1, 1, 1, 0, 1}), "no labels": set(0, nil)} {
		if other.Fingerprint == s.Fingerprint {
			t.Errorf("other %s have the same fingerprint", name)
		}
	}
	for _, c := range []struct {
		pixels                  int
		height, width, channels int
		labels                  []int32
		want                    string
	}{
		{0, 3, 2, 1, nil, "no images"},
		{31, 3, 2, 1, nil, "no images"},
		{30, 0, 2, 1, nil, "at least a pixel"},
		{30, 3, 2, 4, nil, "1 or 3 channels"},
		{30, 1 << 62, 1 << 62, 3, nil, "no images"},
		{30, 3, 2, 1, labels[:4], "4 labels of 5 images"},
		{30, 3, 2, 1, []int32{0, 1, 2, 0, 0}, "image 2 has the label 2 of 2 classes"},
		{30, 3, 2, 1, []int32{0, -1, 0, 0, 0}, "image 1 has the label -1"},
	} {
		if _, err := NewSet(make([]uint8, c.pixels), c.height, c.width, c.channels, c.labels, classes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error about %q", c, err, c.want)
		}
	}
}
