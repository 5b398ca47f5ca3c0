package conv

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// GradWeight is the gradient of a convolution with respect to its filter,
// ready to run. It is not safe for concurrent use; several plans may share
// scratch memory as long as they run in turn.
type GradWeight struct {
	s         Shape
	g         weightGradient
	algorithm Algorithm
}

// weightGradient is what all algorithms for a filter's gradient can do.
type weightGradient interface {
	scratch(threads int) int
	run(pool *par.Pool, dw, x, dy, scratch []float32)
}

// NewGradWeight plans dw for an instruction-set level. It fails as NewForward
// does.
func NewGradWeight(s Shape, level isa.Level, o Options) (*GradWeight, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s = s.withDefaults()
	algorithm, err := o.choose(s, level, filterGradient)
	if err != nil {
		return nil, err
	}
	switch algorithm {
	case BFloat16:
		g, err := newHalvedWeight(s, level)
		if err != nil {
			return nil, err
		}
		return &GradWeight{s, g, algorithm}, nil
	case Winograd2, Winograd4:
		return &GradWeight{s, newTiledWeight(s, level, algorithm.tileSize()), algorithm}, nil
	}
	g, err := newDirectWeight(s, level)
	if err != nil {
		return nil, err
	}
	return &GradWeight{s, g, Direct}, nil
}

// Algorithm returns how the gradient is computed.
func (g *GradWeight) Algorithm() Algorithm { return g.algorithm }

// Scratch returns how many float32s of scratch memory Run needs with a pool of
// the given size.
func (g *GradWeight) Scratch(threads int) int { return g.g.scratch(threads) }

// Run computes dw [KH,KW,C/Groups,K] from x [N,H,W,C] and dy [N,OH,OW,K]. dw
// must overlap none of the others. Run allocates nothing after its first call
// with a pool of that size, and its result does not depend on the pool.
func (g *GradWeight) Run(pool *par.Pool, dw, x, dy, scratch []float32) {
	switch s := g.s; {
	case len(dw) < s.filterLen():
		panic(fmt.Sprintf("conv: the filter gradient holds %d elements, want %d for %+v", len(dw), s.filterLen(), s))
	case len(x) < s.inputLen():
		panic(fmt.Sprintf("conv: the input holds %d elements, want %d for %+v", len(x), s.inputLen(), s))
	case len(dy) < s.outputLen():
		panic(fmt.Sprintf("conv: the output gradient holds %d elements, want %d for %+v", len(dy), s.outputLen(), s))
	}
	checkScratch("a filter gradient", g.s, scratch, g.Scratch(pool.Threads()), pool.Threads())
	g.g.run(pool, dw, x, dy, scratch)
}

// Tasks that share the rows of a matrix have whole tiles of any height and whole runs
// of channels, so that what the tiles are told of rows that lie side by side holds in
// each task.
const (
	rowsUnit = 48
	manyRows = 2 * rowsUnit // more are divided
)

// halfOf returns about half as many rows.
func halfOf(rows int) int { return ceilDiv(rows/2, rowsUnit) * rowsUnit }
