package large

import "testing"

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
