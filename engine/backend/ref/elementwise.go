package ref

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// elementwise applies an operation to the elements of operands that
// broadcast to shape.
func elementwise(op graph.Op, attrs any, shape tensor.Shape, in []array) []float64 {
	out := make([]float64, shape.Elements())
	args := make([]float64, len(in))
	each(shape, func(index []int, place int) {
		for i, x := range in {
			args[i] = x.at(index)
		}
		out[place] = scalar(op, attrs, args)
	})
	return out
}

// fused runs a chain's instructions one after the other, each over its whole
// result.
func fused(n *graph.Node, in []array) []float64 {
	values := chain(n.Attrs().(graph.FusedAttrs).Body, in)
	return values[len(values)-1].data
}

// fusedSums adds up the rows of some of a chain's values.
func fusedSums(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.SumsAttrs)
	values := chain(a.Body, in)
	channels := n.Shape()[1]
	out := make([]float64, n.Shape().Elements())
	for k, v := range a.Sums {
		for i, x := range values[v].data {
			out[k*channels+i%channels] += x
		}
	}
	return out
}

// chain returns a chain's operands and the results of its instructions.
func chain(body []graph.Instruction, in []array) []array {
	values := in
	for _, instruction := range body {
		var shape tensor.Shape
		args := make([]array, len(instruction.Args))
		for i, arg := range instruction.Args {
			args[i] = values[arg]
			var err error
			if shape, err = tensor.Broadcast(shape, args[i].shape); err != nil {
				panic(err) // the shape rule has checked it
			}
		}
		values = append(values, array{shape, elementwise(instruction.Op, instruction.Attrs, shape, args)})
	}
	return values
}

// scalar computes one element of an element-wise operation.
func scalar(op graph.Op, attrs any, x []float64) float64 {
	switch len(x) {
	case 2:
		return scalar2(op, x[0], x[1])
	case 3:
		if op == graph.OpMulAdd {
			return x[0]*x[1] + x[2]
		}
		if x[0] != 0 {
			return x[1]
		}
		return x[2]
	}
	switch op {
	case graph.OpScale:
		return x[0] * attrs.(graph.FloatAttrs).Value
	case graph.OpAddScalar:
		return x[0] + attrs.(graph.FloatAttrs).Value
	case graph.OpLeakyRelu:
		if x[0] > 0 {
			return x[0]
		}
		return x[0] * attrs.(graph.FloatAttrs).Value
	}
	return scalar1(op, x[0])
}

func scalar1(op graph.Op, x float64) float64 {
	switch op {
	case graph.OpNeg:
		return -x
	case graph.OpAbs:
		return math.Abs(x)
	case graph.OpExp:
		return math.Exp(x)
	case graph.OpExpm1:
		return math.Expm1(x)
	case graph.OpLog:
		return math.Log(x)
	case graph.OpLog1p:
		return math.Log1p(x)
	case graph.OpSqrt:
		return math.Sqrt(x)
	case graph.OpRsqrt:
		return 1 / math.Sqrt(x)
	case graph.OpReciprocal:
		return 1 / x
	case graph.OpSquare:
		return x * x
	case graph.OpSigmoid:
		return 1 / (1 + math.Exp(-x))
	case graph.OpTanh:
		return math.Tanh(x)
	case graph.OpErf:
		return math.Erf(x)
	case graph.OpRelu:
		return relu(x)
	case graph.OpRelu6:
		return relu6(x)
	case graph.OpSign: // NaN and the zeros stay what they are
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	case graph.OpStep:
		return indicator(x > 0)
	case graph.OpFloor:
		return math.Floor(x)
	case graph.OpCast:
		return x
	}
	panic(fmt.Sprintf("ref: %v is no operation on one element", op))
}

func scalar2(op graph.Op, x, y float64) float64 {
	switch op {
	case graph.OpAdd:
		return x + y
	case graph.OpSub:
		return x - y
	case graph.OpMul:
		return x * y
	case graph.OpDiv:
		return x / y
	case graph.OpMax: // NaN if either is
		return max(x, y)
	case graph.OpMin:
		return min(x, y)
	case graph.OpPow:
		return math.Pow(x, y)
	case graph.OpGreater:
		return indicator(x > y)
	case graph.OpGreaterEqual:
		return indicator(x >= y)
	case graph.OpEqual:
		return indicator(x == y)
	}
	panic(fmt.Sprintf("ref: %v is no operation on two elements", op))
}

// relu keeps NaN.
func relu(x float64) float64 { return max(x, 0) }

func relu6(x float64) float64 { return min(relu(x), 6) }

func indicator(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}

// activate applies what a dense operation does to each element that it stores.
func activate(act graph.Activation, x float64) float64 {
	switch act {
	case graph.ActNone:
		return x
	case graph.ActRelu:
		return relu(x)
	case graph.ActRelu6:
		return relu6(x)
	}
	panic(fmt.Sprintf("ref: unknown activation %d", act))
}
