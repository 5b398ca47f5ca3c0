// Package backend defines what turns a graph into something that runs, and
// the store of variables that programs share.
package backend

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Backend compiles graphs for one kind of device.
type Backend interface {
	// Name returns the backend's short name, such as "cpu".
	Name() string
	// Compile prepares a verified graph. The program keeps its variables in
	// store, which is given a tensor of zeros for each variable that it lacks.
	Compile(g *graph.Graph, store *Store) (Program, error)
}

// Program is a compiled graph. It is not safe for concurrent use, and two
// programs that share a store must not run at once.
type Program interface {
	// Run computes outputs and updates from inputs, given in the order of
	// [graph.Graph.Inputs]. It fails if one has another shape or type. None may share
	// memory with an output of the program or a variable that it updates, where
	// results may be written before all of an input is read: give a clone.
	Run(inputs []*tensor.Tensor) error
	// Output returns output i of the last run. The tensor belongs to the
	// program and is overwritten by the next run.
	Output(i int) *tensor.Tensor
}

// Store holds variables by name, in the order in which they were first asked
// for. Programs compiled on one store share its tensors.
type Store struct {
	names  []string
	values map[string]*tensor.Tensor
	frozen bool
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{values: make(map[string]*tensor.Tensor)} }

// Names returns the names of the variables in order of their creation.
func (s *Store) Names() []string { return s.names }

// Get returns the named variable, nil if there is none. Writing to its
// elements sets the variable.
func (s *Store) Get(name string) *tensor.Tensor { return s.values[name] }

// Freeze promises that the variables keep their values from now on: those of a
// model in use. Programs compiled on the store afterwards compute what depends
// on variables alone once, and lay weights out as their kernels read them; none
// may update a variable, or have one that the store lacks. Programs compiled before
// must not be run after.
func (s *Store) Freeze() { s.frozen = true }

// Frozen reports whether the variables keep their values.
func (s *Store) Frozen() bool { return s.frozen }

// Variable returns the named variable, created as zeros if it is missing. It
// fails if the one there has another type or shape, or if it is missing from a
// frozen store.
func (s *Store) Variable(name string, dtype tensor.DType, shape tensor.Shape) (*tensor.Tensor, error) {
	if v, ok := s.values[name]; ok {
		if v.DType() != dtype || !v.Shape().Equal(shape) {
			return nil, fmt.Errorf("backend: variable %q is %v%v in the store and %v%v in the program",
				name, v.DType(), v.Shape(), dtype, shape)
		}
		return v, nil
	}
	if s.frozen {
		return nil, fmt.Errorf("backend: the program has a variable %q, which the frozen store lacks", name)
	}
	if err := shape.Validate(); err != nil {
		return nil, err
	}
	v := tensor.New(dtype, shape...)
	s.names = append(s.names, name)
	s.values[name] = v
	return v, nil
}

// Bind returns the tensor of each variable of g, in order, creating those
// that are missing. It fails if g updates a variable of a frozen store.
func (s *Store) Bind(g *graph.Graph) ([]*tensor.Tensor, error) {
	if s.frozen && len(g.Updates) > 0 {
		return nil, fmt.Errorf("backend: program %s updates variables of a frozen store", g.Name)
	}
	var bound []*tensor.Tensor
	for _, n := range g.Variables() {
		v, err := s.Variable(n.Name(), n.DType(), n.Shape())
		if err != nil {
			return nil, err
		}
		bound = append(bound, v)
	}
	return bound, nil
}

// CheckInputs reports an input of another number, type or shape than g has.
func CheckInputs(g *graph.Graph, declared []*graph.Node, inputs []*tensor.Tensor) error {
	if len(inputs) != len(declared) {
		return fmt.Errorf("backend: program %s takes %d inputs, it was given %d", g.Name, len(declared), len(inputs))
	}
	for i, n := range declared {
		if in := inputs[i]; in.DType() != n.DType() || !in.Shape().Equal(n.Shape()) {
			return fmt.Errorf("backend: input %q of program %s is %v%v, it was given %v%v",
				n.Name(), g.Name, n.DType(), n.Shape(), in.DType(), in.Shape())
		}
	}
	return nil
}
