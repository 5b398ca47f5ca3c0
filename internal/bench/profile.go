package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// OpTime is the time of one operation of a compiled program.
type OpTime struct {
	Op     string  `json:"op"`
	Shape  []int   `json:"shape"` // of the result
	Times  int     `json:"times"` // that it runs in a run, for some of the images each
	MS     float64 `json:"ms"`    // of all of them, the median over runs
	Gflops float64 `json:"gflops"`
}

// copies names what ends a run: copies to outputs and variables.
const copies = "copies"

// profile runs a program, which has run before, for at least the given time
// and returns its operations in order. It fails with the context's error when that
// ends.
func profile(ctx context.Context, p backend.Program, inputs []*tensor.Tensor, least time.Duration) ([]OpTime, error) {
	profiler, ok := p.(backend.Profiler)
	if !ok {
		return nil, errors.New("this backend cannot time single operations")
	}
	var nodes []*graph.Node
	var often []int
	var seconds [][]float64
	begun := time.Now()
	for round := 0; round < leastRounds || (time.Since(begun) < least && round < mostRounds); round++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i := 0
		err := profiler.Profile(inputs, func(n *graph.Node, times int, d time.Duration) {
			if round == 0 {
				nodes, often, seconds = append(nodes, n), append(often, times), append(seconds, nil)
			}
			seconds[i] = append(seconds[i], d.Seconds())
			i++
		})
		if err != nil {
			return nil, err
		}
	}
	ops := make([]OpTime, len(nodes))
	for i, n := range nodes {
		s := median(seconds[i])
		ops[i] = OpTime{Op: copies, Shape: []int{}, Times: often[i], MS: s * 1e3}
		if n == nil {
			continue
		}
		ops[i].Op, ops[i].Shape = opName(n), n.Shape()
		if s > 0 {
			ops[i].Gflops = float64(often[i]) * float64(nodeFlops(n)) / 1e9 / s
		}
	}
	return ops, nil
}

// opName tells fused chains of different lengths apart.
func opName(n *graph.Node) string {
	if a, ok := n.Attrs().(graph.FusedAttrs); ok {
		return fmt.Sprintf("%v(%d)", n.Op(), len(a.Body))
	}
	return n.Op().String()
}
