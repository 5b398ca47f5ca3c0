package conv

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// Forward is a convolution ready to run. It is not safe for concurrent use;
// several plans may share scratch memory as long as they run in turn.
type Forward struct {
	c         convolver
	algorithm Algorithm
}

// convolver is what all algorithms for a convolution and for its input gradient
// can do.
type convolver interface {
	scratch(threads int) int
	run(pool *par.Pool, to, from, w, packed, scratch []float32, ep gemm.Epilogue)
	packedSize() int
	pack(pool *par.Pool, packed, w []float32)
}

// NewForward plans y = act(conv(x, w) + bias) for an instruction-set level. It
// fails if the shape does not validate, or if its dilations and padding are so
// large that copies of the image would take memory beyond reason.
func NewForward(s Shape, level isa.Level, o Options) (*Forward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s = s.withDefaults().flat()
	oh, ow := s.Out()
	algorithm, err := o.choose(s, level, output)
	if err != nil {
		return nil, err
	}
	const name = "a convolution"
	if algorithm.tileSize() > 0 {
		return &Forward{newTiled(name, s, false, level, algorithm.tileSize()), algorithm}, nil
	}
	p := phase{gridH: oh, gridW: ow, offsets: s.offsets()}
	c := &correlator{
		name: name, filter: s,
		dstH: oh, dstW: ow, dstC: s.K, outH: 1, outW: 1,
		groups: s.Groups, depthwise: s.depthwise(),
		phases: []phase{p},
	}
	if algorithm == BFloat16 {
		h, err := newHalved(c, level, newPlanes(s.N, s.H, s.W, s.C, s.StrideH, s.StrideW, oh, ow, p.offsets))
		if err != nil {
			return nil, err
		}
		return &Forward{h, algorithm}, nil
	}
	groups := s.Groups
	if c.depthwise {
		groups = 1
	}
	c.src = newSource(s.N, s.H, s.W, s.C, groups, s.StrideH, s.StrideW, oh, ow, p.offsets)
	if err := c.build(level); err != nil {
		return nil, err
	}
	return &Forward{c, Direct}, nil
}

// Algorithm returns how the convolution is computed.
func (f *Forward) Algorithm() Algorithm { return f.algorithm }

// Scratch returns how many float32s of scratch memory Run and RunPacked need
// with a pool of the given size.
func (f *Forward) Scratch(threads int) int { return f.c.scratch(threads) }

// Run computes y [N,OH,OW,K] from x [N,H,W,C] and w [KH,KW,C/Groups,K]; the
// bias, if any, has K elements. y must overlap none of the others. Run
// allocates nothing after its first call with a pool of that size, and its
// result does not depend on the pool.
func (f *Forward) Run(pool *par.Pool, y, x, w, scratch []float32, ep gemm.Epilogue) {
	f.c.run(pool, y, x, w, nil, scratch, ep)
}

// PackedLen returns how many float32s a packed filter takes.
func (f *Forward) PackedLen() int { return f.c.packedSize() }

// Pack rearranges w into packed, of length PackedLen, for RunPacked of a plan
// of the same shape, level and algorithm. The batch size N may differ.
func (f *Forward) Pack(pool *par.Pool, packed, w []float32) { f.c.pack(pool, packed, w) }

// RunPacked is Run with a filter that Pack has rearranged.
func (f *Forward) RunPacked(pool *par.Pool, y, x, packed, scratch []float32, ep gemm.Epilogue) {
	f.c.run(pool, y, x, nil, packed, scratch, ep)
}
