package winograd

import (
	"bytes"
	"os"
	"regexp"
	"testing"
)

// TestRegisters makes sure that functions for AVX2 use no register that only
// AVX-512 has: the generator's allocator takes them when it runs out of others,
// and a machine with AVX-512 would not show it.
func TestRegisters(t *testing.T) {
	data, err := os.ReadFile("winograd_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	beyond := regexp.MustCompile(`\b([XYZ](1[6-9]|2[0-9]|3[01])|Z[0-9]+|K[0-7])\b`)
	functions := 0
	for _, f := range bytes.Split(data, []byte("\nTEXT "))[1:] {
		name, body, _ := bytes.Cut(f, []byte("\n"))
		if !bytes.Contains(name, []byte("AVX2")) {
			continue
		}
		functions++
		if r := beyond.Find(body); r != nil {
			t.Errorf("%s uses %s", name, r)
		}
	}
	if functions != 10 {
		t.Errorf("found %d functions for AVX2, want 10", functions)
	}
}
