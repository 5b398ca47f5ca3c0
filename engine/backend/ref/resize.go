package ref

import (
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func upsampleNearest(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	factor := n.Attrs().(graph.ResizeAttrs).Factor
	each(n.Shape(), func(i []int, place int) {
		out[place] = in[0].data[offset(in[0].shape, i[0], i[1]/factor, i[2]/factor, i[3])]
	})
	return out
}

func upsampleNearestGrad(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	factor := n.Attrs().(graph.ResizeAttrs).Factor
	each(in[0].shape, func(i []int, place int) {
		out[offset(n.Shape(), i[0], i[1]/factor, i[2]/factor, i[3])] += in[0].data[place]
	})
	return out
}

// tap is a neighbour on one axis and its share of the result.
type tap struct {
	at    int
	share float64
}

// taps returns the two neighbours of element o of an axis resized from length
// from to length to. Centres lie at half pixels; beyond the outermost centres
// the border is repeated.
func taps(o, from, to int) [2]tap {
	centre := (float64(o)+0.5)*float64(from)/float64(to) - 0.5
	centre = min(max(centre, 0), float64(from-1))
	low := int(math.Floor(centre))
	high := min(low+1, from-1)
	right := centre - float64(low)
	return [2]tap{{low, 1 - right}, {high, right}}
}

// interpolation calls f with each pair of places of a resized image and its
// original, and the share that the second has in the first.
func interpolation(original, resized tensor.Shape, f func(to, from int, share float64)) {
	each(resized, func(i []int, to int) {
		for _, y := range taps(i[1], original[1], resized[1]) {
			for _, x := range taps(i[2], original[2], resized[2]) {
				f(to, offset(original, i[0], y.at, x.at, i[3]), y.share*x.share)
			}
		}
	})
}

func resizeBilinear(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	interpolation(in[0].shape, n.Shape(), func(to, from int, share float64) {
		out[to] += share * in[0].data[from]
	})
	return out
}

func resizeBilinearGrad(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	interpolation(n.Shape(), in[0].shape, func(to, from int, share float64) {
		out[from] += share * in[0].data[to]
	})
	return out
}
