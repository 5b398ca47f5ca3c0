package emulate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"hourglass/internal/isa"
)

// Table is where kernels of a file of assembly are called from.
type Table struct {
	Path string // below internal/kernel
	// Kernels returns whatever leads to the kernels for AVX-512, as Replace
	// walks it. It is called only on processors with AVX2 and without AVX-512.
	Kernels func() any
}

// Levels returns a function that tests call for the instruction-set levels that
// they can run: those of this processor and, if it has AVX2 at least, AVX-512.
// If the processor lacks that, the kernels of some tables are emulated from then
// on; they are some hundred times slower, and allocate memory.
func Levels(tables ...Table) func() []isa.Level {
	return sync.OnceValue(func() []isa.Level {
		levels := isa.Available()
		if levels[len(levels)-1] != isa.AVX2 {
			return levels
		}
		root, err := moduleRoot()
		if err != nil {
			panic(err)
		}
		for _, t := range tables {
			f, err := Open(filepath.Join(root, "internal", "kernel", t.Path))
			if err != nil {
				panic(err)
			}
			if Replace(f, t.Kernels()) == 0 {
				panic(fmt.Sprintf("emulate: a table has no kernels of %s", t.Path))
			}
		}
		return append(levels, isa.AVX512)
	})
}

// Emulated reports whether this processor lacks a level.
func Emulated(level isa.Level) bool { return !slices.Contains(isa.Available(), level) }

// moduleRoot returns the folder of go.mod above the current one, which is that
// of the package under test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", fmt.Errorf("emulate: there is no go.mod above the current folder")
		}
		dir = above
	}
}
