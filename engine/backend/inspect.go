package backend

import (
	"time"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Sizer is a program that knows how much memory it works in.
type Sizer interface {
	// Memory returns the bytes that the program holds for intermediate values;
	// variables, inputs and outputs are not among them.
	Memory() int
}

// Profiler is a program that can time its operations one by one.
type Profiler interface {
	// Profile does what [Program.Run] does and then calls observe for each
	// operation, in order, with its node in the compiled graph, how many times
	// it ran, and the time that this took altogether. The node is nil for the
	// copies to outputs and variables that end a run.
	Profile(inputs []*tensor.Tensor, observe func(n *graph.Node, times int, d time.Duration)) error
}
