package backendtest

import "hourglass/engine/graph"

// Bounds are rigorous for float32 arithmetic in any order of summation, fused
// or not (Higham 2002, Accuracy and Stability of Numerical Algorithms, section
// 3.1): a sum of n products is off by at most about n·u·Σ|terms|. They are
// built as graphs, so that the reference computes them beside the result.
const (
	unit = 0x1p-24 // u: the largest relative error of one rounding
	ulp  = 2 * unit

	// smallest is the least normal number: a backend may flush what is below.
	smallest = 0x1p-126
)

// within allows a number of ulps of the result.
func within(ulps float64) func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node {
	return func(b *graph.Builder, _ []*graph.Node, y *graph.Node) *graph.Node {
		return b.Scale(b.Abs(y), ulps*ulp)
	}
}

// sumOf allows the error of sums of n terms; magnitude builds the sums of the
// terms' magnitudes out of the operands'.
func sumOf(n int, magnitude func(b *graph.Builder, x []*graph.Node) *graph.Node) func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node {
	return func(b *graph.Builder, x []*graph.Node, _ *graph.Node) *graph.Node {
		return b.Scale(magnitude(b, magnitudes(b, x)), float64(n+2)*unit)
	}
}

// minimalFiltering allows the error of Winograd's algorithm with tiles of at
// most 4×4 outputs and the points of package winograd, which a backend may use
// for 3×3 filters of stride 1. It sums n products of transformed operands. Each
// of these and the sum's transform back multiply rounding errors by the
// magnitudes of their matrices: with |A|, |G| and |B| in place of A, G and B, one
// product of ones becomes at most amplified. The transforms of both sides of a
// tile take at most 40 roundings one after the other (N. Higham, section 3.1
// again, applied to each step).
func minimalFiltering(n int, amplified float64) func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node {
	return func(b *graph.Builder, x []*graph.Node, _ *graph.Node) *graph.Node {
		m := magnitudes(b, x)
		bound := b.Mul(b.ReduceMax(m[0]), b.ReduceMax(m[1]))
		bound = b.Scale(bound, float64(n)*amplified*float64(n+40)*unit)
		for _, more := range m[2:] {
			bound = b.Add(bound, b.Scale(b.ReduceMax(more), 4*unit))
		}
		return bound
	}
}

// toWhole allows less than what one product of whole numbers too many or too
// few changes.
func toWhole(b *graph.Builder, _ []*graph.Node, _ *graph.Node) *graph.Node { return b.Scalar(0.25) }

func magnitudes(b *graph.Builder, x []*graph.Node) []*graph.Node {
	out := make([]*graph.Node, len(x))
	for i, n := range x {
		out[i] = b.Abs(n)
	}
	return out
}

// total adds nodes up.
func total(b *graph.Builder, x ...*graph.Node) *graph.Node {
	sum := x[0]
	for _, n := range x[1:] {
		sum = b.Add(sum, n)
	}
	return sum
}

// product multiplies nodes.
func product(b *graph.Builder, x ...*graph.Node) *graph.Node {
	p := x[0]
	for _, n := range x[1:] {
		p = b.Mul(p, n)
	}
	return p
}
