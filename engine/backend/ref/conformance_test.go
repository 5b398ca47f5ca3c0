package ref_test

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/backendtest"
	"hourglass/engine/backend/ref"
)

// TestConformance holds the interpreter as a backend to the rules of programs.
// For single operations it is its own measure, so there the suite shows only
// that every case can be evaluated.
func TestConformance(t *testing.T) {
	backendtest.Run(t, func(*testing.T) backend.Backend { return ref.New() })
}
