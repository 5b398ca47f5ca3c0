package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/norm"
)

// rowsAndChannels reads an image as a matrix over its last axis.
func rowsAndChannels(n *graph.Node) (rows, channels int) {
	shape := n.Shape()
	channels = shape[len(shape)-1]
	return shape.Elements() / channels, channels
}

func lowerMoments(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	rows, channels := rowsAndChannels(n.Input(0))
	plan, pool := norm.NewMoments(rows, channels, c.level), c.pool
	return kernel{run: func(scratch []float32) {
		plan.Run(pool, out.f32, in[0].f32, scratch)
	}, scratch: plan.Scratch(pool.Threads())}, nil
}
