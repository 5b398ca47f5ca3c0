// Package enginetest gives tests the engine that they compute on.
package enginetest

import (
	"testing"

	"hourglass/engine"
)

// New returns an engine on some threads, 0 for all, that ends with the test.
func New(t testing.TB, threads int) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}
