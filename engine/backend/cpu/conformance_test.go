package cpu_test

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/backendtest"
	"hourglass/engine/backend/cpu"
	"hourglass/internal/isa"
	"hourglass/internal/par"
)

func TestConformance(t *testing.T) {
	for _, level := range isa.Available() {
		t.Run(level.String(), func(t *testing.T) {
			mk := func(t *testing.T, threads int) backend.Backend {
				pool := par.New(threads)
				t.Cleanup(pool.Close)
				return cpu.New(cpu.Options{Pool: pool, Level: level})
			}
			backendtest.Run(t, func(t *testing.T) backend.Backend { return mk(t, 0) },
				backendtest.Threads(mk), backendtest.AllocationFree())
		})
	}
}
