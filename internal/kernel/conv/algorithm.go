package conv

import (
	"fmt"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/gemm/tile"
)

// Algorithm is a way to compute a convolution or one of its gradients.
type Algorithm uint8

const (
	Auto      Algorithm = iota // the cheapest by a model of their costs
	Direct                     // the definition, as a product of matrices that are never formed
	Winograd2                  // tiles of 2×2 outputs, 16 instead of 36 products for each channel
	Winograd4                  // tiles of 4×4 outputs, 36 instead of 144 products for each channel
	BFloat16                   // the definition with operands rounded to bfloat16, by package amx
)

// String returns the algorithm's name.
func (a Algorithm) String() string {
	switch a {
	case Auto:
		return "auto"
	case Direct:
		return "direct"
	case Winograd2:
		return "winograd2"
	case Winograd4:
		return "winograd4"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("conv.Algorithm(%d)", uint8(a))
}

// Options choose how to compute. The zero value chooses for the caller.
type Options struct{ Algorithm Algorithm }

// tileSize is the outputs along a side of the tiles of a Winograd algorithm, and
// 0 for any other.
func (a Algorithm) tileSize() int {
	switch a {
	case Winograd2:
		return 2
	case Winograd4:
		return 4
	}
	return 0
}

// winogradFits reports whether Winograd's algorithm exists for a shape.
func (s Shape) winogradFits() bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 && s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1
}

// choose returns the algorithm for a shape with its defaults, and an error if
// the one that is asked for does not exist.
func (o Options) choose(s Shape, level isa.Level, r result) (Algorithm, error) {
	switch o.Algorithm {
	case Direct:
		return Direct, nil
	case Auto:
		best := Direct
		if !s.winogradFits() || level == isa.Generic || min(s.C, s.K) < leastChannels {
			return best, nil
		}
		columns := tile.For(level).Columns()
		least := winogradGain * directCost(s, r, columns)
		for _, a := range []Algorithm{Winograd4, Winograd2} {
			if c := winogradCost(s, r, columns, a.tileSize()); c < least {
				best, least = a, c
			}
		}
		return best, nil
	case Winograd2, Winograd4:
		if !s.winogradFits() {
			return 0, fmt.Errorf("conv: %v needs 3×3 filters without strides, dilation or groups, not %+v; use %v", o.Algorithm, s, Direct)
		}
		return o.Algorithm, nil
	case BFloat16:
		if s.Groups != 1 {
			return 0, fmt.Errorf("conv: %v is for one group of channels, not %d; round the operands and use %v", o.Algorithm, s.Groups, Direct)
		}
		return o.Algorithm, nil
	}
	return 0, fmt.Errorf("conv: there is no algorithm %v; use %v", o.Algorithm, Auto)
}

// result is what is computed from two of the three tensors of a convolution.
type result uint8

const (
	output result = iota
	inputGradient
	filterGradient
)

// The costs of the algorithms, in multiply-adds of the tile kernels at their
// best rate. The model follows from the shape and the level alone, so that the
// same program computes the same bits everywhere. Its constants were fitted to
// BenchmarkChoice on one core of an AMD EPYC (Zen 3, AVX2); what they weigh,
// vectors of multiply-adds against vectors of transforms, changes little with
// the length of vectors.
const (
	winogradGain  = 0.9 // of the direct cost: what is not worth its rounding errors
	leastChannels = 8   // fewer leave vectors of a transform half empty

	tileOverhead = 10 // steps of the reduction that beginning and ending a tile takes
	perValue     = 11 // a frequency of a value of an image, there and back
	perWeight    = 10 // a frequency of a weight
	packWeight   = 15 // a weight in the direct algorithm

	// The same for the gradient of a filter.
	directGradient = 1.35 // per multiply-add: the reduction strides through memory
	tiledGradient  = 1.1
	gradientValue  = 13
	gradientWeight = 16
)

// channels returns how many channels the tiles' columns and rows stand for:
// columns come in whole vectors of tiles.
func channels(s Shape, r result, columns int) (from, to int) {
	up := func(n int) int { return ceilDiv(n, columns) * columns }
	if r == inputGradient {
		return s.K, up(s.C)
	}
	return s.C, up(s.K)
}

// directCost leaves out the products with pixels outside the image, which the
// direct algorithm skips where it pays, except in a filter's gradient.
func directCost(s Shape, r result, columns int) float64 {
	oh, ow := s.Out()
	from, to := channels(s, r, columns)
	weights := float64(from * to)
	if r == filterGradient {
		return directGradient * weights * 9 * float64(s.N*oh*ow)
	}
	inside := func(size, out, pad int) int {
		n := 0
		for k := range 3 {
			n += max(0, min(out, size+pad-k)-max(0, pad-k))
		}
		return n
	}
	products := float64(s.N * inside(s.H, oh, s.PadTop) * inside(s.W, ow, s.PadLeft))
	return weights * (products + 9*packWeight)
}

func winogradCost(s Shape, r result, columns, size int) float64 {
	h, w := s.Out()
	if r == inputGradient {
		h, w = s.H, s.W
	}
	tiles := float64(newGrid(s.N, h, w, size).tiles())
	from, to := channels(s, r, columns)
	weights, values := float64(from*to), float64(s.C+s.K)
	frequencies := float64((size + 2) * (size + 2))
	if r == filterGradient {
		return frequencies * (tiles*(tiledGradient*weights+gradientValue*values) + gradientWeight*weights)
	}
	return frequencies * (tiles*(weights+tileOverhead*float64(to)+perValue*values) + perWeight*weights)
}
