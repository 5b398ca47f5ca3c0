package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/random"
)

func lowerRandom(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.RandomAttrs)
	step, pool, v, key := in[0], c.pool, c.vec, random.Key(a.Seed, a.Stream)
	parts := (out.size + partSize - 1) / partSize
	work := func(_, part int) {
		begin := part * partSize
		dst := out.f32[begin:min(begin+partSize, out.size)]
		counter := uint64(uint32(step.i32[0]))
		if n.Op() == graph.OpRandomNormal {
			random.NormalAt(dst, a.Seed, a.Stream, counter, uint64(begin))
		} else {
			v.Uniform(dst, key, counter, uint64(begin))
		}
	}
	return kernel{run: func([]float32) { pool.Run(parts, work) }}, nil
}
