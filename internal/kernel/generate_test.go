// Package kernel_test checks what holds for the kernels of all packages below.
package kernel_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// generated matches the line that says how a generator is run.
var generated = regexp.MustCompile(`(?m)^//go:generate go run \. (.+)$`)

// TestGenerated runs every generator again and compares what it writes with
// the files beside the kernels; their first lines hold the command and are left
// out. No file of assembly is without a generator.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling the generators takes long")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to run the generators with")
	}
	made := make(map[string]bool)
	for dir, args := range generators(t) {
		for i, arg := range args {
			if strings.Contains(arg, "/") {
				args[i] = filepath.Join(dir, arg)
				made[args[i]] = true
			}
		}
		t.Run(filepath.Base(dir), func(t *testing.T) { regenerate(t, dir, args) })
	}
	assembly := filesOf(t, ".", ".s")
	if len(assembly) == 0 {
		t.Error("there is no assembly")
	}
	for _, path := range assembly {
		if !made[path] {
			t.Errorf("%s has no generator below _asm", path)
		}
	}
}

// generators returns the arguments of each generator by its folder.
func generators(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for _, path := range filesOf(t, "_asm", ".go") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if line := generated.FindSubmatch(text); line != nil {
			found[filepath.Dir(path)] = strings.Fields(string(line[1]))
		}
	}
	return found
}

// filesOf returns the paths below a folder that end in a given way.
func filesOf(t *testing.T, root, end string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, end) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// regenerate runs the generator in dir with files of a temporary folder in the
// place of those among its arguments.
func regenerate(t *testing.T, dir string, args []string) {
	goCommand := func(args ...string) ([]byte, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOOS=", "GOARCH=")
		return cmd.CombinedOutput()
	}
	if out, err := goCommand("list", "-deps", "."); err != nil {
		t.Skipf("the generators' modules are not in the module cache: run \"go mod download\" in internal/kernel/_asm: %s", out)
	}
	tmp := t.TempDir()
	fresh := make(map[string]string) // by the file that it is to equal
	command := []string{"run", "."}
	for _, arg := range args {
		if strings.Contains(arg, "/") {
			fresh[arg] = filepath.Join(tmp, filepath.Base(arg))
			arg = fresh[arg]
		}
		command = append(command, arg)
	}
	if out, err := goCommand(command...); err != nil {
		t.Fatalf("go %v: %v\n%s", command, err, out)
	}
	for old, fresh := range fresh {
		if !bytes.Equal(withoutHeader(t, old), withoutHeader(t, fresh)) {
			t.Errorf("%s is not what its generator writes: run \"go generate ./...\" in internal/kernel/_asm", old)
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
