// Package ref is the definition of every operation: an interpreter in float64
// whose loops are as plain as the formulas. It is slow by intent. Other
// backends are tested against it, and gradients are checked numerically on
// it.
package ref

import (
	"fmt"
	"math"
	"slices"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Values holds the elements of named values in row-major order. Integers are
// held exactly.
type Values map[string][]float64

// array is a value with its shape. Its elements are never changed once it is
// made, so views may share them.
type array struct {
	shape tensor.Shape
	data  []float64
}

// kernel computes the elements of a node from its operands.
type kernel func(n *graph.Node, in []array) []float64

// Evaluate runs a graph once in float64. Feeds holds the inputs and variables
// by name; names that the graph does not declare are ignored. It returns the
// outputs by name and, by the name of the variable, the values that updates
// leave; feeds is not changed. It fails if a feed is missing or has another
// number of elements than the graph says.
func Evaluate(g *graph.Graph, feeds Values) (outputs, updates Values, err error) {
	return evaluateAt(backend.Float32, g, feeds)
}

func evaluateAt(p backend.Precision, g *graph.Graph, feeds Values) (outputs, updates Values, err error) {
	values := make(map[*graph.Node]array, len(g.Nodes))
	for _, n := range g.Nodes {
		data, err := evaluate(p, n, values, feeds)
		if err != nil {
			return nil, nil, fmt.Errorf("ref: program %s: %w", g.Name, err)
		}
		if len(data) != n.Shape().Elements() {
			panic(fmt.Sprintf("ref: %v gave %d elements for shape %v", n.Op(), len(data), n.Shape()))
		}
		values[n] = array{n.Shape(), data}
	}
	outputs, updates = make(Values, len(g.Outputs)), make(Values, len(g.Updates))
	for _, o := range g.Outputs {
		outputs[o.Name] = slices.Clone(values[o.Node].data)
	}
	for _, u := range g.Updates {
		updates[u.Variable.Name()] = slices.Clone(values[u.Value].data)
	}
	return outputs, updates, nil
}

func evaluate(p backend.Precision, n *graph.Node, values map[*graph.Node]array, feeds Values) ([]float64, error) {
	switch n.Op() {
	case graph.OpInput, graph.OpVariable:
		data, ok := feeds[n.Name()]
		if !ok {
			return nil, fmt.Errorf("%v %q is not fed", n.Op(), n.Name())
		}
		if len(data) != n.Shape().Elements() {
			return nil, fmt.Errorf("%v %q has shape %v, it is fed %d elements", n.Op(), n.Name(), n.Shape(), len(data))
		}
		return data, nil
	case graph.OpFused:
		return fused(n, operands(n, values)), nil
	}
	if n.Op().Class() == graph.ClassElementwise {
		return elementwise(n.Op(), n.Attrs(), n.Shape(), operands(n, values)), nil
	}
	k, ok := kernels[n.Op()]
	if !ok {
		return nil, fmt.Errorf("operation %v has no reference evaluation", n.Op())
	}
	in := operands(n, values)
	if p == backend.BF16 && n.Op().Class() == graph.ClassDense {
		in[0], in[1] = toBF16(in[0]), toBF16(in[1])
	}
	return k(n, in), nil
}

// toBF16 rounds to float32 and that to the nearest number of 8 bits, the even
// one of two.
func toBF16(a array) array {
	out := array{a.shape, make([]float64, len(a.data))}
	for i, v := range a.data {
		v = float64(float32(v))
		if v != 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
			_, exponent := math.Frexp(v)
			exponent = max(exponent, -125) // below the normal numbers the last bit stays where it is
			scale := math.Ldexp(1, 8-exponent)
			v = float64(float32(math.RoundToEven(v*scale) / scale)) // infinite if too large
		}
		out.data[i] = v
	}
	return out
}

func operands(n *graph.Node, values map[*graph.Node]array) []array {
	in := make([]array, len(n.Inputs()))
	for i, x := range n.Inputs() {
		in[i] = values[x]
	}
	return in
}

// kernels holds what is neither a declared leaf nor element-wise.
var kernels = map[graph.Op]kernel{
	graph.OpConstant:      constant,
	graph.OpRandomUniform: randomUniform,
	graph.OpRandomNormal:  randomNormal,

	graph.OpReduceSum: reduceSum,
	graph.OpReduceMax: reduceMax,
	graph.OpArgMax:    argMax,
	graph.OpFusedSums: fusedSums,

	graph.OpReshape:   reshape,
	graph.OpTranspose: transpose,
	graph.OpBroadcast: broadcast,
	graph.OpConcat:    concat,
	graph.OpSlice:     slice,
	graph.OpPad:       pad,
	graph.OpOneHot:    oneHot,

	graph.OpMatMul:           matMul,
	graph.OpConv2D:           conv2D,
	graph.OpConv2DGradInput:  conv2DGradInput,
	graph.OpConv2DGradWeight: conv2DGradWeight,

	graph.OpMaxPool:             maxPool,
	graph.OpMaxPoolGrad:         maxPoolGrad,
	graph.OpAvgPool:             avgPool,
	graph.OpAvgPoolGrad:         avgPoolGrad,
	graph.OpUpsampleNearest:     upsampleNearest,
	graph.OpUpsampleNearestGrad: upsampleNearestGrad,
	graph.OpResizeBilinear:      resizeBilinear,
	graph.OpResizeBilinearGrad:  resizeBilinearGrad,

	graph.OpSoftmax:             softmax,
	graph.OpLogSoftmax:          logSoftmax,
	graph.OpMoments:             moments,
	graph.OpBatchNorm:           batchNorm,
	graph.OpBatchNormGradReduce: batchNormGradReduce,
	graph.OpBatchNormGradInput:  batchNormGradInput,
}
