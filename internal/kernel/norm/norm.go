// Package norm holds the statistics of batch normalisation over the last axis
// of a matrix [R, C], where R counts the batch and the places of an image:
// Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training
// by Reducing Internal Covariate Shift", 2015, algorithm 1. What is done with
// them is element-wise, and part of a backend's fused chains.
//
// The pass is bound by memory. Rows are joined to a wide one, so that a few
// channels run as fast as many. Work is cut into blocks of rows by the shape
// alone and joined in order; results have the same bits for any number of
// threads.
package norm

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
)

const (
	wide  = 1024     // about the width of a joined row, in elements
	piece = 16 << 10 // about the elements of a block
)

// grid is how a matrix is walked.
type grid struct {
	r, c   int
	width  int // elements of a joined row: a multiple of c
	block  int // elements of a block: a multiple of width
	blocks int
	set    *vec.Set
}

func newGrid(r, c int, level isa.Level) grid {
	if r < 1 || c < 1 {
		panic(fmt.Sprintf("norm: a matrix of %d rows and %d channels", r, c))
	}
	period := min(r, max(1, wide/c))
	g := grid{r: r, c: c, width: period * c, set: vec.At(level)}
	g.block = max(4, piece/g.width) * g.width
	g.blocks = (r*c + g.block - 1) / g.block
	return g
}

// bounds returns the elements [lo, hi) of a block.
func (g *grid) bounds(block int) (lo, hi int) {
	lo = block * g.block
	return lo, min(lo+g.block, g.r*g.c)
}

// repeat extends the c coefficients at the front of v over all of it.
func (g *grid) repeat(v []float32) {
	for n := g.c; n < len(v); n *= 2 {
		copy(v[n:], v[:n])
	}
}

// fold adds the rows of a joined row, upper half onto lower, until one is
// left at the front.
func (g *grid) fold(v []float32) {
	for rows := len(v) / g.c; rows > 1; {
		half := (rows + 1) / 2
		low := v[:(rows-half)*g.c]
		g.set.Add(low, low, v[half*g.c:rows*g.c])
		rows = half
	}
}
