package data

import (
	"fmt"
	"strings"
	"testing"
)

func TestLabelNames(t *testing.T) {
	tests := []struct {
		names   string
		labels  string
		classes string
		parts   string
	}{
		{"a.png b.png", "[]", "[]", "[]"},
		{"x/a.png x/b.png", "[]", "[]", "[]"}, // one folder says nothing
		{"cat/a.png cat/b.png dog/a.png", "[0 0 1]", "[cat dog]", "[]"},
		{"dog/a.png cat/b.png", "[1 0]", "[cat dog]", "[]"},
		{"cat/a.png dog/b.png c.png", "[]", "[]", "[]"}, // not every image is in one
		{"set/cat/a.png set/dog/b.png", "[0 1]", "[cat dog]", "[]"},
		{"a/b/cat/1.png a/b/dog/2.png", "[0 1]", "[cat dog]", "[]"},
		{"train/cat/a.png train/dog/b.png test/cat/c.png", "[0 1 0]", "[cat dog]", "[train train test]"},
		{"set/Train/cat/a.png set/Validation/dog/b.png", "[0 1]", "[cat dog]", "[train val]"},
		{"train/a.png test/b.png val/c.png", "[]", "[]", "[train test val]"},
		{"train/a.png train/b.png", "[]", "[]", "[train train]"},
		{"train/cat/a.png train/dog/b.png", "[0 1]", "[cat dog]", "[train train]"},
		{"train/cat/a.png extra/b.png", "[0 1]", "[cat extra]", "[train none]"},
		{"cat/train/a.png dog/train/b.png", "[0 1]", "[cat/train dog/train]", "[]"}, // not at the top
		{"greek/c1/a.png greek/c2/b.png latin/c1/c.png", "[1 0 2]", "[c2 greek/c1 latin/c1]", "[]"},
		{"cat/x/a.png dog/b.png", "[1 0]", "[dog x]", "[]"},
	}
	for _, tt := range tests {
		labels, classes, parts := labelNames(strings.Fields(tt.names))
		if got := fmt.Sprint(labels, classes, parts); got != tt.labels+" "+tt.classes+" "+tt.parts {
			t.Errorf("%s:\n got %s\nwant %s %s %s", tt.names, got, tt.labels, tt.classes, tt.parts)
		}
	}
	if labels, classes, parts := labelNames(nil); labels != nil || classes != nil || parts != nil {
		t.Error("no names have labels")
	}
}
