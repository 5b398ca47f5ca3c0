package ref

import (
	"math"

	"hourglass/engine/graph"
)

func reduceSum(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	reduce(n, in[0], func(to int, v float64) { out[to] += v })
	return out
}

func reduceMax(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	for i := range out {
		out[i] = math.Inf(-1)
	}
	reduce(n, in[0], func(to int, v float64) { out[to] = max(out[to], v) })
	return out
}

// reduce calls f with each element of x and its place in the result: its
// index with 0 along the reduced axes.
func reduce(n *graph.Node, x array, f func(to int, v float64)) {
	to := make([]int, len(x.shape))
	each(x.shape, func(index []int, place int) {
		copy(to, index)
		for _, axis := range n.Ints() {
			to[axis] = 0
		}
		f(offset(n.Shape(), to...), x.data[place])
	})
}

// argMax finds the first maximum of each row, where NaN is above everything.
func argMax(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	for r, row := range rows(in[0]) {
		best := 0
		for i, v := range row {
			if above(v, row[best]) {
				best = i
			}
		}
		out[r] = float64(best)
	}
	return out
}

// above reports whether v takes the place of the maximum so far.
func above(v, best float64) bool {
	return v > best || (math.IsNaN(v) && !math.IsNaN(best))
}

// rows cuts a value into its rows along the last axis.
func rows(x array) [][]float64 {
	length := x.shape[len(x.shape)-1]
	out := make([][]float64, len(x.data)/length)
	for r := range out {
		out[r] = x.data[r*length : (r+1)*length]
	}
	return out
}
