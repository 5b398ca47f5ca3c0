package ref

import "hourglass/engine/graph"

func reshape(_ *graph.Node, in []array) []float64 { return in[0].data }

func transpose(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	from := make([]int, len(n.Shape()))
	each(n.Shape(), func(index []int, place int) {
		for i, axis := range n.Ints() {
			from[axis] = index[i]
		}
		out[place] = in[0].data[offset(in[0].shape, from...)]
	})
	return out
}

func broadcast(n *graph.Node, in []array) []float64 {
	out := make([]float64, n.Shape().Elements())
	each(n.Shape(), func(index []int, place int) { out[place] = in[0].at(index) })
	return out
}

func concat(n *graph.Node, in []array) []float64 {
	axis := n.Attrs().(graph.AxisAttrs).Axis
	out := make([]float64, n.Shape().Elements())
	to := make([]int, len(n.Shape()))
	begin := 0
	for _, x := range in {
		each(x.shape, func(index []int, place int) {
			copy(to, index)
			to[axis] += begin
			out[offset(n.Shape(), to...)] = x.data[place]
		})
		begin += x.shape[axis]
	}
	return out
}

func slice(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.SliceAttrs)
	out := make([]float64, n.Shape().Elements())
	from := make([]int, len(n.Shape()))
	each(n.Shape(), func(index []int, place int) {
		for axis := range index {
			from[axis] = a.Begin[axis] + index[axis]
		}
		out[place] = in[0].data[offset(in[0].shape, from...)]
	})
	return out
}

func pad(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.PadAttrs)
	out := make([]float64, n.Shape().Elements())
	to := make([]int, len(n.Shape()))
	each(in[0].shape, func(index []int, place int) {
		for axis := range index {
			to[axis] = a.Before[axis] + index[axis]
		}
		out[offset(n.Shape(), to...)] = in[0].data[place]
	})
	return out
}

func oneHot(n *graph.Node, in []array) []float64 {
	depth := n.Attrs().(graph.OneHotAttrs).Depth
	out := make([]float64, n.Shape().Elements())
	for i, label := range in[0].data {
		if label >= 0 && label < float64(depth) {
			out[i*depth+int(label)] = 1
		}
	}
	return out
}
