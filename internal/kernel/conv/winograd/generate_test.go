package winograd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestGenerated writes the assembly again and compares. The first lines hold
// the command and are left out.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling the generator takes long")
	}
	source := filepath.Join("..", "..", "_asm", "winograd")
	run := func(args ...string) ([]byte, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
		return cmd.CombinedOutput()
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to run the generator with")
	}
	if out, err := run("list", "-deps", "."); err != nil {
		t.Skipf("the generator's modules are not in the module cache: run \"go mod download\" in internal/kernel/_asm: %s", out)
	}
	dir := t.TempDir()
	assembly, stubs := filepath.Join(dir, "winograd_amd64.s"), filepath.Join(dir, "stubs_amd64.go")
	if out, err := run("run", ".", "-out", assembly, "-stubs", stubs, "-pkg", "winograd"); err != nil {
		t.Fatalf("the generator failed: %v\n%s", err, out)
	}
	for _, fresh := range []string{assembly, stubs} {
		name := filepath.Base(fresh)
		if !bytes.Equal(withoutHeader(t, fresh), withoutHeader(t, name)) {
			t.Errorf("%s is not what its generator writes: run \"go generate ./winograd\" in internal/kernel/_asm", name)
		}
	}
}

func withoutHeader(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := bytes.Cut(data, []byte("\n"))
	if !found {
		t.Fatalf("%s has one line", path)
	}
	return rest
}

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
