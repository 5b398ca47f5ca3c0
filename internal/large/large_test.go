package large

import (
	"math"
	"strings"
	"testing"
)

// TestFloats asks for sizes about the least that is advised, and writes to the ends.
func TestFloats(t *testing.T) {
	for _, n := range []int{0, 1, least/4 - 1, least / 4, least/4 + 1, least/2 + 12345} {
		s := Floats(n)
		if len(s) != n {
			t.Fatalf("%d floats instead of %d", len(s), n)
		}
		for i, v := range s {
			if v != 0 {
				t.Fatalf("of %d floats number %d is %v", n, i, v)
			}
			s[i] = 1
		}
	}
}

// What cannot fit is refused where what is free is known, and little never is.
func TestCheck(t *testing.T) {
	for _, n := range []int{0, 1, most / 4} {
		if err := Check(n); err != nil {
			t.Errorf("%d floats: %v", n, err)
		}
	}
	free := room()
	if free == math.MaxInt64 {
		t.Skip("what is free is not known here")
	}
	if free < 0 || free > 1<<50 {
		t.Errorf("%d bytes are free", free)
	}
	if err := Check(1 << 48); err == nil || !strings.Contains(err.Error(), "GB are free") {
		t.Errorf("a petabyte: %v", err)
	}
}
