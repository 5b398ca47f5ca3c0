package conv

import (
	"fmt"

	"hourglass/internal/isa"
)

// Algorithm is a way to compute a convolution or one of its gradients.
type Algorithm uint8

const (
	Auto      Algorithm = iota // the cheapest by a model of their costs
	Direct                     // the definition, as a product of matrices that are never formed
	Winograd2                  // tiles of 2×2 outputs, 16 instead of 36 products for each channel
	Winograd4                  // tiles of 4×4 outputs, 36 instead of 144 products for each channel
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
	}
	return fmt.Sprintf("conv.Algorithm(%d)", uint8(a))
}

// Options choose how to compute. The zero value chooses for the caller.
type Options struct{ Algorithm Algorithm }

// tileSize is the outputs along a side of the tiles of a Winograd algorithm.
func (a Algorithm) tileSize() int {
	if a == Winograd2 {
		return 2
	}
	return 4
}

// winogradFits reports whether Winograd's algorithm exists for a shape.
func (s Shape) winogradFits() bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 && s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1
}

// choose returns the algorithm for a shape with its defaults, and an error if
// the one that is asked for does not exist. gridH and gridW are how many
// outputs tiles are cut from.
func (o Options) choose(s Shape, level isa.Level, gridH, gridW int) (Algorithm, error) {
	switch o.Algorithm {
	case Direct:
		return Direct, nil
	case Auto:
		if !s.winogradFits() || level == isa.Generic {
			return Direct, nil
		}
		best, cost := Direct, directCost(s)
		for _, a := range []Algorithm{Winograd4, Winograd2} {
			if c := winogradCost(s, a.tileSize(), gridH, gridW); c < cost {
				best, cost = a, c
			}
		}
		return best, nil
	case Winograd2, Winograd4:
		if !s.winogradFits() {
			return 0, fmt.Errorf("conv: %v needs 3×3 filters without strides, dilation or groups, not %+v; use %v", o.Algorithm, s, Direct)
		}
		return o.Algorithm, nil
	}
	return 0, fmt.Errorf("conv: there is no algorithm %v; use %v", o.Algorithm, Auto)
}

// The cost of an algorithm, in multiply-adds of the tile kernels.

const (
	tileOverhead = 10 // steps of the reduction that beginning and ending a tile takes
	perValue     = 8  // for each frequency and channel of a transformed tile
	perWeight    = 8  // for each frequency of a transformed weight
)

func directCost(s Shape) float64 {
	oh, ow := s.Out()
	return float64(s.N*oh*ow) * 9 * float64(s.C*s.K)
}

func winogradCost(s Shape, size, gridH, gridW int) float64 {
	tiles := float64(newGrid(s.N, gridH, gridW, size).tiles())
	c, k := float64(s.C), float64(s.K)
	frequencies := float64((size + 2) * (size + 2))
	return frequencies * (tiles*((c+tileOverhead)*k+perValue*(c+k)) + perWeight*c*k)
}
