package tile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated runs the generators again and compares what they write with
// the files beside the kernels.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs the generators")
	}
	for _, g := range []struct {
		dir   string
		flags map[string]string // flag of the generator → file
	}{
		{"../../_asm/gemm/tile", map[string]string{"-out": "tile_amd64.s", "-decls": "tile_decls_amd64.go"}},
		{"../../_asm/depthwise", map[string]string{"-out": "../../depthwise/depthwise_amd64.s", "-decls": "../../depthwise/decls_amd64.go"}},
		{"../../_asm/bfloat", map[string]string{"-out": "../../bfloat/bfloat_amd64.s", "-stubs": "../../bfloat/stubs_amd64.go"}},
		{"../../_asm/gemm/peak", map[string]string{"-out": "../../peak/peak_amd64.s", "-stubs": "../../peak/peak_stubs_amd64.go"}},
	} {
		t.Run(filepath.Base(g.dir), func(t *testing.T) {
			tmp := t.TempDir()
			args := []string{"run", "."}
			for flag, file := range g.flags {
				args = append(args, flag, filepath.Join(tmp, filepath.Base(file)))
			}
			if _, ok := g.flags["-stubs"]; ok {
				args = append(args, "-pkg", filepath.Base(g.dir))
			}
			goCommand := func(args ...string) ([]byte, error) {
				cmd := exec.Command("go", args...)
				cmd.Dir = g.dir
				cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOOS=", "GOARCH=")
				return cmd.CombinedOutput()
			}
			if out, err := goCommand("list", "-deps", "."); err != nil {
				t.Skipf("the generators' modules are not in the module cache: run 'go mod download' in internal/kernel/_asm: %v\n%s", err, out)
			}
			if out, err := goCommand(args...); err != nil {
				t.Fatalf("go %v: %v\n%s", args, err, out)
			}
			for _, file := range g.flags {
				want, err := os.ReadFile(filepath.Join(tmp, filepath.Base(file)))
				if err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(body(got), body(want)) {
					t.Errorf("%s is not what its generator writes: run 'go generate ./...' in internal/kernel/_asm", file)
				}
			}
		})
	}
}

// body is a generated file without its first line, which names the command.
func body(file []byte) []byte {
	_, rest, _ := bytes.Cut(file, []byte("\n"))
	return rest
}
