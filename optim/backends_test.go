package optim

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/backend/ref"
	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// namedBackend is a backend that golden files are checked on.
type namedBackend struct {
	name string
	backend.Backend
}

// testBackends returns the reference and, for each set of instructions that
// this machine has, the CPU backend.
func testBackends(t *testing.T) []namedBackend {
	t.Helper()
	pool := par.New(2)
	t.Cleanup(pool.Close)
	backends := []namedBackend{{"ref", ref.New()}}
	for _, level := range isa.Available() {
		backends = append(backends, namedBackend{"cpu-" + level.String(), cpu.New(cpu.Options{Pool: pool, Level: level})})
	}
	return backends
}
