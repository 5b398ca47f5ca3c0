package conv

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// GradInput is the gradient of a convolution with respect to its input, ready
// to run; with an epilogue it is a transposed convolution, whose output is the
// shape's input. It is not safe for concurrent use; several plans may share
// scratch memory as long as they run in turn.
type GradInput struct {
	c         convolver
	algorithm Algorithm
}

// maxPhases bounds how many grids strides cut an image into: each has a plan of
// its own, and so do those that no filter reaches.
const maxPhases = 1 << 16

// NewGradInput plans dx = act(convᵀ(dy, w) + bias) for an instruction-set
// level. It fails if the shape does not validate, or if its strides or
// dilations are so large that the plan would take memory beyond reason.
func NewGradInput(s Shape, level isa.Level, o Options) (*GradInput, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s = s.withDefaults().flat()
	algorithm, err := o.choose(s, level, inputGradient)
	if err != nil {
		return nil, err
	}
	const name = "an input gradient"
	if algorithm.tileSize() > 0 {
		return &GradInput{newTiled(name, s, true, level, algorithm.tileSize()), algorithm}, nil
	}
	strideH, strideW := min(s.StrideH, s.H), min(s.StrideW, s.W)
	if strideH > maxPhases/strideW {
		return nil, fmt.Errorf("conv: strides of %d×%d leave %d×%d separate grids in an image of %d×%d; use smaller strides",
			s.StrideH, s.StrideW, strideH, strideW, s.H, s.W)
	}
	oh, ow := s.Out()
	c := &correlator{
		name: name, filter: s, transpose: true,
		dstH: s.H, dstW: s.W, dstC: s.C, outH: s.StrideH, outW: s.StrideW,
		groups: s.Groups, depthwise: s.depthwise(),
	}
	var all []offset
	for y0 := range strideH {
		for x0 := range strideW {
			p := phase{y0: y0, x0: x0, gridH: ceilDiv(s.H-y0, s.StrideH), gridW: ceilDiv(s.W-x0, s.StrideW)}
			for kh := range s.KH {
				// dy[oh,ow] reaches row y0+i·stride where oh·stride + kh·dilation
				// - pad equals it: for one kh in every stride of them.
				y := y0 + s.PadTop - kh*s.DilationH
				if y%s.StrideH != 0 {
					continue
				}
				for kw := range s.KW {
					if x := x0 + s.PadLeft - kw*s.DilationW; x%s.StrideW == 0 {
						p.offsets = append(p.offsets, offset{y: y / s.StrideH, x: x / s.StrideW, filter: kh*s.KW + kw})
					}
				}
			}
			all = append(all, p.offsets...)
			c.phases = append(c.phases, p)
		}
	}
	first := c.phases[0] // no other has a larger grid
	if algorithm == BFloat16 {
		h, err := newHalved(c, level, newPlanes(s.N, oh, ow, s.K, 1, 1, first.gridH, first.gridW, all))
		if err != nil {
			return nil, err
		}
		return &GradInput{h, algorithm}, nil
	}
	groups := s.Groups
	if c.depthwise {
		groups = 1
	}
	c.src = newSource(s.N, oh, ow, s.K, groups, 1, 1, first.gridH, first.gridW, all)
	if err := c.build(level); err != nil {
		return nil, err
	}
	return &GradInput{c, Direct}, nil
}

// Algorithm returns how the gradient is computed.
func (g *GradInput) Algorithm() Algorithm { return g.algorithm }

// Scratch returns how many float32s of scratch memory Run and RunPacked need
// with a pool of the given size.
func (g *GradInput) Scratch(threads int) int { return g.c.scratch(threads) }

// Run computes dx [N,H,W,C] from dy [N,OH,OW,K] and w [KH,KW,C/Groups,K]; the
// bias, if any, has C elements. dx must overlap none of the others. Run
// allocates nothing after its first call with a pool of that size, and its
// result does not depend on the pool.
func (g *GradInput) Run(pool *par.Pool, dx, dy, w, scratch []float32, ep gemm.Epilogue) {
	g.c.run(pool, dx, dy, w, nil, scratch, ep)
}

// PackedLen returns how many float32s a packed filter takes.
func (g *GradInput) PackedLen() int { return g.c.packedSize() }

// Pack rearranges w into packed, of length PackedLen, for RunPacked of a plan
// of the same shape, level and algorithm. The batch size N may differ.
func (g *GradInput) Pack(pool *par.Pool, packed, w []float32) { g.c.pack(pool, packed, w) }

// RunPacked is Run with a filter that Pack has rearranged.
func (g *GradInput) RunPacked(pool *par.Pool, dx, dy, packed, scratch []float32, ep gemm.Epilogue) {
	g.c.run(pool, dx, dy, nil, packed, scratch, ep)
}
