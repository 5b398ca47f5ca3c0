package isa

import "testing"

func TestSelect(t *testing.T) {
	available := Available()
	if available[0] != Generic {
		t.Fatalf("lowest level is %v, want generic", available[0])
	}
	for _, l := range available {
		got, err := Select(l.String())
		if err != nil || got != l {
			t.Errorf("Select(%q) = %v, %v", l, got, err)
		}
	}
	if got, err := Select(""); err != nil || got != available[len(available)-1] {
		t.Errorf("Select(\"\") = %v, %v, want the highest of %v", got, err, available)
	}
	if _, err := Select("sse9"); err == nil {
		t.Error("an unknown level was accepted")
	}
	for l := available[len(available)-1] + 1; l <= AVX512; l++ {
		if _, err := Select(l.String()); err == nil {
			t.Errorf("Select(%q) succeeded on a machine without it", l)
		}
	}
}
