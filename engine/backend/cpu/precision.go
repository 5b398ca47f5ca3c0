package cpu

import (
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/isa"
	"hourglass/internal/kernel/amx"
	"hourglass/internal/kernel/bfloat"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// Tiles reports whether tiles multiply at bfloat16 and a level of this processor.
func Tiles(level isa.Level) bool { return amx.Native(level) }

// halved reports whether a product is computed by kernels for bfloat16: at that
// precision, where the processor has them, and of a kind that they know.
func (c *compiler) halved(n *graph.Node) bool {
	if c.precision != backend.BF16 || !Tiles(c.level) {
		return false
	}
	switch a := n.Attrs().(type) {
	case graph.ConvAttrs:
		return a.Groups == 1
	case graph.MatMulAttrs:
		for _, in := range n.Inputs()[:2] {
			if s := in.Shape(); max(s[0], s[1]) > conv.MaxExtent {
				return false // which no convolution has
			}
		}
		bias, addend := graph.Extras(n)
		return !a.TransA || !a.TransB && bias < 0 && addend < 0 && activationOf(n) == gemm.None
	}
	return false
}

// algorithm returns how a convolution or a gradient of it is computed.
func (c *compiler) algorithm(n *graph.Node) conv.Options {
	if c.halved(n) {
		return conv.Options{Algorithm: conv.BFloat16}
	}
	return conv.Options{}
}

// atPrecision returns a lowering whose kernels compute at the backend's
// precision. Where there are no kernels for bfloat16 it is emulated: operands are
// rounded into scratch memory at each run, which takes longer than float32.
func (c *compiler) atPrecision(f lowering, n *graph.Node) lowering {
	if c.precision != backend.BF16 || n.Op().Class() != graph.ClassDense || c.halved(n) {
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
