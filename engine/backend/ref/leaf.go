package ref

import (
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

func constant(n *graph.Node, _ []array) []float64 {
	return widen(n.Attrs().(graph.ConstantAttrs).Value)
}

// The random operations are defined by package random with the operand as
// counter, so that all backends give the same numbers.

func randomUniform(n *graph.Node, in []array) []float64 {
	return draw(n, in, random.Uniform)
}

func randomNormal(n *graph.Node, in []array) []float64 {
	return draw(n, in, random.Normal)
}

func draw(n *graph.Node, in []array, fill func(dst []float32, seed, stream, counter uint64)) []float64 {
	a := n.Attrs().(graph.RandomAttrs)
	t := tensor.New(tensor.Float32, a.Shape...)
	step := int32(in[0].data[0])
	fill(t.Float32(), a.Seed, a.Stream, uint64(uint32(step)))
	return widen(t)
}

// widen returns the elements of a tensor in float64.
func widen(t *tensor.Tensor) []float64 {
	out := make([]float64, t.Shape().Elements())
	for i := range out {
		switch t.DType() {
		case tensor.Float32:
			out[i] = float64(t.Float32()[i])
		case tensor.Int32:
			out[i] = float64(t.Int32()[i])
		case tensor.Uint8:
			out[i] = float64(t.Uint8()[i])
		}
	}
	return out
}

// narrow rounds elements to a tensor's type.
func narrow(t *tensor.Tensor, from []float64) {
	for i, v := range from {
		switch t.DType() {
		case tensor.Float32:
			t.Float32()[i] = float32(v)
		case tensor.Int32:
			t.Int32()[i] = int32(v)
		case tensor.Uint8:
			t.Uint8()[i] = uint8(v)
		}
	}
}
