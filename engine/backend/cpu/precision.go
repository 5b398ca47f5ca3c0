package cpu

import (
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/kernel/bfloat"
	"hourglass/internal/par"
)

// atPrecision returns a lowering whose kernels compute at the backend's
// precision. bfloat16 is emulated: operands are rounded into scratch memory at
// each run, which takes longer than float32. Kernels for processors with
// AVX512_BF16 (see isa.HasBFloat16) would take the place of the one that is
// wrapped here.
func (c *compiler) atPrecision(f lowering, op graph.Op) lowering {
	if c.precision != backend.BF16 || op.Class() != graph.ClassDense {
		return f
	}
	return func(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
		factors := []*factor{newFactor(c, in[0]), newFactor(c, in[1])}
		k, err := f(c, n, out, append([]*buffer{&factors[0].rounded, &factors[1].rounded}, in[2:]...))
		if err != nil {
			return kernel{}, err
		}
		size := k.scratch
		for _, o := range factors {
			size += o.rounded.size
		}
		pool := c.pool
		return kernel{run: func(scratch []float32) {
			at := k.scratch
			for _, o := range factors {
				o.round(pool, scratch[at:])
				at += o.rounded.size
			}
			k.run(scratch[:k.scratch])
		}, scratch: size}, nil
	}
}

// factor is an operand of a product and its rounded copy.
type factor struct {
	exact   *buffer
	rounded buffer
	plan    *bfloat.Plan
}

func newFactor(c *compiler, b *buffer) *factor {
	return &factor{exact: b, rounded: buffer{dtype: b.dtype, size: b.size}, plan: bfloat.NewPlan(b.size, c.level)}
}

func (o *factor) round(pool *par.Pool, scratch []float32) {
	o.rounded.f32 = scratch[:o.rounded.size]
	o.plan.Run(pool, o.rounded.f32, o.exact.f32)
}
