// Package backendtest is the one suite that every backend must pass: each
// operation over many shapes against the reference, and the rules of programs
// that no single operation shows.
package backendtest

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
)

// Option states what a backend promises beyond the common contract.
type Option func(*suite)

// AllocationFree says that a program allocates nothing after its first run.
func AllocationFree() Option { return func(s *suite) { s.allocationFree = true } }

// Threads gives a way to make the backend with a number of threads. Results
// must then agree bit for bit for 1, 2 and 3 of them.
func Threads(mk func(t *testing.T, threads int) backend.Backend) Option {
	return func(s *suite) { s.threads = mk }
}

type suite struct {
	mk             func(t *testing.T) backend.Backend
	threads        func(t *testing.T, threads int) backend.Backend
	allocationFree bool
}

// Run tests the backend that mk makes; mk is called once for each subtest and
// may register clean-ups with it.
func Run(t *testing.T, mk func(t *testing.T) backend.Backend, options ...Option) {
	s := &suite{mk: mk}
	for _, o := range options {
		o(s)
	}
	for _, op := range graph.Ops() {
		cases := casesOf(op)
		if len(cases) == 0 {
			t.Errorf("operation %v has no case", op)
		}
		t.Run(op.String(), func(t *testing.T) {
			backends := s.backends(t)
			for i, c := range cases {
				c.check(t, backends, uint64(op)<<16+uint64(i))
			}
		})
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, be backend.Backend)
	}{
		{"updates", testUpdates},
		{"updates from themselves", testOwnUpdates},
		{"outputs", testOutputs},
		{"leaves", testLeaves},
		{"stores", testStores},
		{"wrong inputs", testWrongInputs},
		{"random programs", testRandomPrograms},
		{"training step", testTrainingStep},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, mk(t)) })
	}
	if s.allocationFree {
		t.Run("allocations", func(t *testing.T) { testAllocations(t, mk(t)) })
	}
	if s.threads != nil {
		t.Run("training step by threads", func(t *testing.T) { testThreads(t, s.backends(t)) })
	}
}

// backends returns the backend under test and, if its number of threads can be
// chosen, that of 1, 2 and 3, which must give the same bits.
func (s *suite) backends(t *testing.T) []backend.Backend {
	if s.threads == nil {
		return []backend.Backend{s.mk(t)}
	}
	var list []backend.Backend
	for n := 1; n <= 3; n++ {
		list = append(list, s.threads(t, n))
	}
	return list
}

// casesOf returns the cases of one operation.
func casesOf(op graph.Op) []testCase {
	switch op.Class() {
	case graph.ClassLeaf:
		return leafCases(op)
	case graph.ClassElementwise:
		return elementwiseCases(op)
	case graph.ClassReduction:
		return reductionCases(op)
	case graph.ClassView:
		return viewCases(op)
	case graph.ClassDense:
		return denseCases(op)
	case graph.ClassWindow:
		return windowCases(op)
	case graph.ClassNorm:
		return normCases(op)
	}
	return nil
}
