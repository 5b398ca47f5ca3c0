// Package bfloat rounds float32 numbers to bfloat16, which has the exponent of
// a float32 and 8 bits of precision.
package bfloat

import (
	"math"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// Round returns the bfloat16 nearest to x, the even one of two, as a float32.
// What is beyond the largest becomes infinite, a NaN stays one and becomes
// quiet.
func Round(x float32) float32 {
	bits := math.Float32bits(x)
	if x != x {
		return math.Float32frombits((bits | 0x00400000) & 0xffff0000)
	}
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) & 0xffff0000)
}

// Plan rounds arrays of one length. It is not safe for concurrent use.
type Plan struct {
	n    int
	kern *kernel // nil if there is none

	dst, src []float32
	part     func(worker, part int)
}

// kernel rounds n numbers, a multiple of its lanes and not 0.
type kernel struct {
	lanes int
	round func(dst, src *float32, n int)
}

// NewPlan plans the rounding of n numbers.
func NewPlan(n int, level isa.Level) *Plan {
	p := &Plan{n: n, kern: kernelFor(level)}
	p.part = p.round
	return p
}

const partLen = 1 << 14

// Run rounds src to dst, both of at least the plan's length. They may be the
// same, and must not overlap otherwise. Run allocates nothing.
func (p *Plan) Run(pool *par.Pool, dst, src []float32) {
	p.dst, p.src = dst[:p.n], src[:p.n]
	pool.Run((p.n+partLen-1)/partLen, p.part)
	p.dst, p.src = nil, nil
}

func (p *Plan) round(_, part int) {
	begin, end := part*partLen, min((part+1)*partLen, p.n)
	dst, src := p.dst[begin:end], p.src[begin:end]
	done := 0
	if k := p.kern; k != nil && len(src) >= k.lanes {
		done = len(src) / k.lanes * k.lanes
		k.round(&dst[0], &src[0], done)
	}
	for i, v := range src[done:] {
		dst[done+i] = Round(v)
	}
}
