package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/random"
)

func lowerRandom(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.RandomAttrs)
	fill := random.UniformAt
	if n.Op() == graph.OpRandomNormal {
		fill = random.NormalAt
	}
	step, pool := in[0], c.pool
	parts := (out.size + partSize - 1) / partSize
	work := func(_, part int) {
		begin := part * partSize
		end := min(begin+partSize, out.size)
		fill(out.f32[begin:end], a.Seed, a.Stream, uint64(uint32(step.i32[0])), uint64(begin))
	}
	return kernel{run: func([]float32) { pool.Run(parts, work) }}, nil
}
