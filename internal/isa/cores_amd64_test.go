//go:build amd64 && !noasm

package isa

import "testing"

func TestZen(t *testing.T) {
	for _, x := range []struct {
		family, model int
		want          string
	}{
		{0x17, 0x01, "Zen"}, {0x17, 0x31, "Zen 2"}, {0x17, 0x71, "Zen 2"},
		{0x19, 0x01, "Zen 3"}, {0x19, 0x21, "Zen 3"}, {0x19, 0x11, "Zen 4"}, {0x19, 0xa0, "Zen 4"},
		{0x1a, 0x02, "Zen 5"}, {0x1a, 0x44, "Zen 5"}, {0x1a, 0x50, ""}, {0x15, 0x01, ""},
	} {
		if got := zen(x.family, x.model); got != x.want {
			t.Errorf("family %#x, model %#x: %q, want %q", x.family, x.model, got, x.want)
		}
	}
}
