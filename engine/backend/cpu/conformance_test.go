package cpu_test

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/backendtest"
	"hourglass/engine/backend/cpu"
	"hourglass/internal/kernel/emulate"
	"hourglass/internal/kernel/emulate/avx512"
	"hourglass/internal/par"
)

func TestConformance(t *testing.T) {
	for _, level := range avx512.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			mk := func(t *testing.T, threads int) backend.Backend {
				pool := par.New(threads)
				t.Cleanup(pool.Close)
				return cpu.New(cpu.Options{Pool: pool, Level: level})
			}
			options := []backendtest.Option{backendtest.Threads(mk)}
			if !emulate.Emulated(level) {
				options = append(options, backendtest.AllocationFree())
			}
			backendtest.Run(t, func(t *testing.T) backend.Backend { return mk(t, 0) }, options...)
		})
	}
}
