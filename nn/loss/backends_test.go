package loss

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
)

// testBackends returns the backends that golden files are checked on.
func testBackends(t *testing.T) []backend.Backend {
	t.Helper()
	return []backend.Backend{ref.New()}
}
