package loss

import (
	"fmt"
	"strings"

	"hourglass/engine/graph"
)

// Pairwise compares a prediction with a target of its shape.
type Pairwise func(prediction, target *graph.Node, r Reduction) *graph.Node

// Names returns what [Named] knows.
func Names() []string { return []string{"mse", "l1", "huber", "bce"} }

// Named returns the loss of a name, huber with a delta of 1. Logits says that
// the loss takes the prediction before its sigmoid.
func Named(name string) (f Pairwise, logits bool, err error) {
	switch name {
	case "mse":
		return SquaredError, false, nil
	case "l1":
		return L1, false, nil
	case "huber":
		return func(prediction, target *graph.Node, r Reduction) *graph.Node {
			return Huber(prediction, target, 1, r)
		}, false, nil
	case "bce":
		return BinaryCrossEntropy, true, nil
	}
	return nil, false, fmt.Errorf("loss: %q is unknown; choose one of %s", name, strings.Join(Names(), ", "))
}
