package backendtest

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func normCases(op graph.Op) []testCase {
	switch op {
	case graph.OpSoftmax, graph.OpLogSoftmax:
		return softmaxCases(op)
	case graph.OpMoments:
		return momentsCases()
	}
	var cases []testCase
	for _, shape := range []tensor.Shape{{64, 17}, {2, 31, 33, 17}, {2, 1}, {5, 16}, {2, 7, 1025}, {40000, 1}, {3000, 3}, {2, 5, 5, 64}, {4, 3, 2, 2, 33}} {
		cases = append(cases, batchNormCase(op, shape))
	}
	return cases
}

func softmaxCases(op graph.Op) []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, nil, x[0]) }
	var cases []testCase
	for _, shape := range []tensor.Shape{{1}, {10}, {17}, {1025}, {64, 10}, {333, 3}, {5, 1}, {3, 5, 7, 17}, {2, 1023}, {3, 5000}, {5000, 2}} {
		n := shape[len(shape)-1]
		for _, size := range []float64{3, 60} {
			cases = append(cases, testCase{fmt.Sprintf("%v of %v up to %v", op, shape, size), []operand{reals(-size, size, shape...)}, build,
				func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node {
					// The difference to the maximum is rounded once, the
					// exponentials are off by 4 ulps, the sum by its length.
					relative := float64(n+16)*unit + 2*2*size*unit
					if op == graph.OpSoftmax {
						return b.Scale(b.Abs(y), relative)
					}
					return b.AddScalar(b.Scale(b.Abs(y), 4*unit), relative)
				}})
		}
	}
	low, high := math.Inf(-1), 3e38
	extremes := list([]float64{0, low, low, high, high, -high, 0, 200, -200, math.NaN(), 0, 1, low, low, low, math.Inf(1), 0, 0}, 1)
	extremes.shape = tensor.Shape{6, 3}
	return append(cases, testCase{op.String() + " of extremes", []operand{extremes}, build, within(8)})
}

// Moments and normalisations are linear in what the errors of the moments do
// to them. Over n rows a float32 mean is off by n·u·mean|x|, a variance about
// that mean by n·u of itself and the square of the mean's error.

func momentsCases() []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Moments(x[0]) }
	var cases []testCase
	for _, shape := range []tensor.Shape{{1}, {6}, {5, 1}, {1, 16}, {64, 17}, {2, 31, 33, 17}, {2, 7, 1025}, {40000, 3}, {40000, 1}, {1025, 64}} {
		for _, x := range []operand{
			reals(-1, 1, shape...),
			reals(99, 101, shape...), // a mean that dwarfs the deviation
			list([]float64{0.1}, 1),  // no deviation
		} {
			x.shape = shape
			cases = append(cases, testCase{"moments of " + shape.String(), []operand{x}, build,
				func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node { return momentsBound(b, x[0], y) }})
		}
	}
	return cases
}

// momentsBound returns [2,C].
func momentsBound(b *graph.Builder, x, moments *graph.Node) *graph.Node {
	shape := x.Shape()
	channels := shape[len(shape)-1]
	n := shape.Elements() / channels
	mean := b.Mean(b.Reshape(b.Abs(x), n, channels), 0)
	offset := b.Scale(mean, float64(n+2)*unit)
	variance := b.Slice(moments, []int{1, 0}, []int{2, channels})
	spread := b.Add(b.Scale(variance, float64(n+8)*unit), b.Scale(b.Square(offset), 4))
	return b.Concat(0, offset, spread)
}

// batchNormCase takes its moments from its first operand where the operation
// asks for that, else as an operand of any values.
func batchNormCase(op graph.Op, shape tensor.Shape) testCase {
	channels := shape[len(shape)-1]
	n := float64(shape.Elements() / channels)
	attrs := graph.NormAttrs{Epsilon: 1e-3}
	x, dy := reals(-2, 3, shape...), reals(-1, 1, shape...)
	moments := reals(0.3, 2, 2, channels)
	gamma, beta := reals(-2, 2, channels), reals(-1, 1, channels)
	c := testCase{name: fmt.Sprintf("%v of %v", op, shape)}
	switch op {
	case graph.OpBatchNorm:
		c.operands = []operand{x, gamma.kept(), beta.kept()}
		c.build = func(b *graph.Builder, x []*graph.Node) *graph.Node {
			return b.Node(op, attrs, x[0], b.Moments(x[0]), x[1], x[2])
		}
		c.bound = func(b *graph.Builder, x []*graph.Node, _ *graph.Node) *graph.Node {
			m := b.Moments(x[0])
			return batchNormBound(b, x[0], m, x[1], x[2], momentsBound(b, x[0], m), attrs.Epsilon)
		}
		return c
	case graph.OpBatchNormGradReduce:
		c.operands = []operand{x, moments, dy}
		c.bound = func(b *graph.Builder, x []*graph.Node, _ *graph.Node) *graph.Node {
			_, rstd, size := normParts(b, x[0], x[1], attrs.Epsilon)
			rows := func(v *graph.Node) *graph.Node { return b.Reshape(v, int(n), channels) }
			dgamma := b.Sum(rows(product(b, b.Abs(x[2]), size, rstd)), 0)
			dbeta := b.Sum(rows(b.Abs(x[2])), 0)
			return b.Scale(b.Concat(0, dgamma, dbeta), (n+8)*unit)
		}
	case graph.OpBatchNormGradInput:
		c.operands = []operand{x, moments, gamma, dy, reals(-4, 4, 2, channels)}
		c.bound = func(b *graph.Builder, x []*graph.Node, _ *graph.Node) *graph.Node {
			_, rstd, size := normParts(b, x[0], x[1], attrs.Epsilon)
			row := func(i int) *graph.Node { return b.Scale(b.Abs(rowOf(b, x[4], i)), 1/n) }
			terms := total(b, b.Abs(x[3]), row(1), product(b, size, rstd, row(0)))
			return b.Scale(product(b, terms, rstd, b.Abs(x[2])), 16*unit)
		}
	}
	c.build = func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, attrs, x...) }
	return c
}

// rowOf returns row i of a [2,C] value as [C].
func rowOf(b *graph.Builder, m *graph.Node, i int) *graph.Node {
	channels := m.Shape()[1]
	return b.Reshape(b.Slice(m, []int{i, 0}, []int{i + 1, channels}), channels)
}

// normParts returns |x-mean|, 1/sqrt(variance+epsilon), and |x|+|mean|, whose
// units bound the error of a difference.
func normParts(b *graph.Builder, x, moments *graph.Node, epsilon float64) (distance, rstd, size *graph.Node) {
	mean, variance := rowOf(b, moments, 0), rowOf(b, moments, 1)
	return b.Abs(b.Sub(x, mean)), b.Rsqrt(b.AddScalar(variance, epsilon)), b.Add(b.Abs(x), b.Abs(mean))
}

// batchNormBound adds up what the errors of the mean and the variance and the
// roundings of the formula may do to an element.
func batchNormBound(b *graph.Builder, x, moments, gamma, beta, off *graph.Node, epsilon float64) *graph.Node {
	distance, rstd, size := normParts(b, x, moments, epsilon)
	scale := b.Mul(rstd, b.Abs(gamma))
	ofMean := b.Mul(rowOf(b, off, 0), scale)
	// 1/sqrt(v) changes by half the relative error of v; twice that leaves
	// room for the second order.
	ofVariance := product(b, distance, scale, rowOf(b, off, 1), b.Square(rstd))
	ofFormula := b.Scale(total(b, b.Mul(size, scale), b.Abs(beta)), 8*unit)
	return total(b, ofMean, ofVariance, ofFormula)
}
