package conv

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/par"
)

// Forward is a convolution ready to run. It is not safe for concurrent use;
// several plans may share scratch memory as long as they run in turn.
type Forward struct{ c correlator }

// NewForward plans y = act(conv(x, w) + bias) for an instruction-set level. It
// fails if the shape does not validate, or if its dilations and padding are so
// large that copies of the image would take memory beyond reason.
func NewForward(s Shape, level isa.Level) (*Forward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s = s.withDefaults()
	oh, ow := s.Out()
	p := phase{gridH: oh, gridW: ow}
	for kh := range s.KH {
		for kw := range s.KW {
			p.offsets = append(p.offsets, offset{
				y: kh*s.DilationH - s.PadTop, x: kw*s.DilationW - s.PadLeft, filter: kh*s.KW + kw,
			})
		}
	}
	f := &Forward{correlator{
		name: "a convolution", filter: s,
		dstH: oh, dstW: ow, dstC: s.K, outH: 1, outW: 1,
		groups: s.Groups, depthwise: s.depthwise(),
		phases: []phase{p},
	}}
	groups := s.Groups
	if f.c.depthwise {
		groups = 1
	}
	f.c.src = newSource(s.N, s.H, s.W, s.C, groups, s.StrideH, s.StrideW, oh, ow, p.offsets)
	if err := f.c.build(level); err != nil {
		return nil, err
	}
	return f, nil
}

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
func (f *Forward) PackedLen() int { return f.c.packedLen }

// Pack rearranges w into packed, of length PackedLen, for RunPacked of a plan
// of the same shape and level. The batch size N may differ.
func (f *Forward) Pack(pool *par.Pool, packed, w []float32) { f.c.pack(pool, packed, w) }

// RunPacked is Run with a filter that Pack has rearranged.
func (f *Forward) RunPacked(pool *par.Pool, y, x, packed, scratch []float32, ep gemm.Epilogue) {
	f.c.run(pool, y, x, nil, packed, scratch, ep)
}
