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

func epsilonOf(n *graph.Node) float32 { return float32(n.Attrs().(graph.NormAttrs).Epsilon) }

// halves cuts a [2,C] value into its rows.
func halves(b *buffer) (first, second []float32) {
	c := b.size / 2
	return b.f32[:c], b.f32[c:]
}

func lowerMoments(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	rows, channels := rowsAndChannels(n.Input(0))
	plan, pool := norm.NewMoments(rows, channels, c.level), c.pool
	return kernel{func(scratch []float32) {
		plan.Run(pool, out.f32, in[0].f32, scratch)
	}, plan.Scratch(pool.Threads())}, nil
}

func lowerBatchNorm(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	rows, channels := rowsAndChannels(n)
	relu := n.Attrs().(graph.NormAttrs).Act == graph.ActRelu
	plan, pool := norm.NewNormalize(rows, channels, epsilonOf(n), relu, c.level), c.pool
	return kernel{func(scratch []float32) {
		mean, variance := halves(in[1])
		plan.Run(pool, out.f32, in[0].f32, mean, variance, in[2].f32, in[3].f32, scratch)
	}, plan.Scratch(pool.Threads())}, nil
}

func lowerBatchNormGradReduce(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	rows, channels := rowsAndChannels(n.Input(0))
	plan, pool := norm.NewGradReduce(rows, channels, epsilonOf(n), c.level), c.pool
	return kernel{func(scratch []float32) {
		mean, variance := halves(in[1])
		plan.Run(pool, out.f32, in[0].f32, in[2].f32, mean, variance, scratch)
	}, plan.Scratch(pool.Threads())}, nil
}

func lowerBatchNormGradInput(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	rows, channels := rowsAndChannels(n)
	plan, pool := norm.NewGradInput(rows, channels, epsilonOf(n), c.level), c.pool
	return kernel{func(scratch []float32) {
		mean, variance := halves(in[1])
		dgamma, dbeta := halves(in[4])
		plan.Run(pool, out.f32, in[3].f32, in[0].f32, mean, variance, in[2].f32, dgamma, dbeta, scratch)
	}, plan.Scratch(pool.Threads())}, nil
}
