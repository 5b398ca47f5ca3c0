package ref

import (
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// windows calls f for each element of a pooled image with its place and the
// places of the image's elements under its window, in row-major order.
// Padding has no places.
func windows(a graph.PoolAttrs, image, pooled tensor.Shape, f func(to int, from []int)) {
	each(pooled, func(index []int, to int) {
		b, oy, ox, c := index[0], index[1], index[2], index[3]
		var from []int
		for ky := range a.Kernel[0] {
			for kx := range a.Kernel[1] {
				y := oy*a.Stride[0] + ky - a.PadBefore[0]
				x := ox*a.Stride[1] + kx - a.PadBefore[1]
				if y >= 0 && y < a.Height && x >= 0 && x < a.Width {
					from = append(from, offset(image, b, y, x, c))
				}
			}
		}
		f(to, from)
	})
}

// firstMax returns which of the places holds the first maximum; NaN is above
// everything.
func firstMax(data []float64, places []int) int {
	best := places[0]
	for _, p := range places[1:] {
		if above(data[p], data[best]) {
			best = p
		}
	}
	return best
}

func maxPool(n *graph.Node, in []array) []float64 {
	x := in[0]
	out := make([]float64, n.Shape().Elements())
	windows(n.Attrs().(graph.PoolAttrs), x.shape, n.Shape(), func(to int, from []int) {
		out[to] = x.data[firstMax(x.data, from)]
	})
	return out
}

func maxPoolGrad(n *graph.Node, in []array) []float64 {
	x, dy := in[0], in[1]
	out := make([]float64, n.Shape().Elements())
	windows(n.Attrs().(graph.PoolAttrs), x.shape, dy.shape, func(to int, from []int) {
		out[firstMax(x.data, from)] += dy.data[to]
	})
	return out
}

func avgPool(n *graph.Node, in []array) []float64 {
	a, x := n.Attrs().(graph.PoolAttrs), in[0]
	out := make([]float64, n.Shape().Elements())
	windows(a, x.shape, n.Shape(), func(to int, from []int) {
		for _, p := range from {
			out[to] += x.data[p]
		}
		out[to] /= divisor(a, from)
	})
	return out
}

func avgPoolGrad(n *graph.Node, in []array) []float64 {
	a, dy := n.Attrs().(graph.PoolAttrs), in[0]
	out := make([]float64, n.Shape().Elements())
	windows(a, n.Shape(), dy.shape, func(to int, from []int) {
		for _, p := range from {
			out[p] += dy.data[to] / divisor(a, from)
		}
	})
	return out
}

func divisor(a graph.PoolAttrs, covered []int) float64 {
	if a.IncludePad {
		return float64(a.Kernel[0] * a.Kernel[1])
	}
	return float64(len(covered))
}
