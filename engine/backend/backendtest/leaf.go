package backendtest

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func leafCases(op graph.Op) []testCase {
	switch op {
	case graph.OpInput:
		return anyType("input", func(b *graph.Builder, x []*graph.Node) *graph.Node { return x[0] }, tensor.Shape{3, 17})
	case graph.OpVariable:
		cases := anyType("variable", func(b *graph.Builder, x []*graph.Node) *graph.Node { return x[0] }, tensor.Shape{3, 17})
		for i := range cases {
			cases[i].operands[0] = cases[i].operands[0].kept()
		}
		return cases
	case graph.OpConstant:
		return constantCases()
	case graph.OpRandomUniform, graph.OpRandomNormal:
		return randomCases(op)
	}
	return nil
}

// constantCases use literals directly and as each kind of operand that a
// backend may prepare in advance.
func constantCases() []testCase {
	literal := func(shape ...int) *tensor.Tensor {
		t := tensor.New(tensor.Float32, shape...)
		for i := range t.Float32() {
			t.Float32()[i] = float32(i*7%19 - 9)
		}
		return t
	}
	return []testCase{
		{"constant as an output", nil,
			func(b *graph.Builder, _ []*graph.Node) *graph.Node { return b.Constant(literal(3, 17)) }, nil},
		{"constant of integers", nil,
			func(b *graph.Builder, _ []*graph.Node) *graph.Node {
				return b.Constant(tensor.Of([]int32{3, -1, math.MaxInt32}, 3))
			}, nil},
		{"scalar", []operand{wholes(-9, 9, 33)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Sub(b.Scalar(0.5), x[0]) }, nil},
		{"constant in a product", []operand{wholes(-9, 9, 5, 33)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.MatMul(x[0], b.Constant(literal(33, 17)), false, false)
			}, nil},
		{"constant in a convolution", []operand{wholes(-9, 9, 2, 7, 5, 3)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.Conv2D(x[0], b.Constant(literal(3, 3, 3, 17)), graph.Window{PadBefore: [2]int{1, 1}}, 1)
			}, nil},
		{"sum of a constant", nil,
			func(b *graph.Builder, _ []*graph.Node) *graph.Node { return b.Sum(b.Constant(literal(40, 50)), 0) }, nil},
	}
}

// randomCases compare with package random, number by number.
func randomCases(op graph.Op) []testCase {
	var cases []testCase
	for i, shape := range []tensor.Shape{{}, {1}, {17}, {3, 5, 7}, {1025}, {40000}} {
		attrs := graph.RandomAttrs{Seed: 1 << 40, Stream: uint64(i), Shape: shape}
		cases = append(cases, testCase{fmt.Sprintf("%v%v", op, shape),
			[]operand{wholes(0, math.MaxInt32).as(tensor.Int32)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, attrs, x[0]) }, nil})
	}
	return append(cases, testCase{"mask", []operand{wholes(0, 9).as(tensor.Int32), wholes(-9, 9, 33, 31)},
		func(b *graph.Builder, x []*graph.Node) *graph.Node {
			attrs := graph.RandomAttrs{Seed: 7, Stream: 8, Shape: tensor.Shape{33, 31}}
			return b.Mul(x[1], b.Greater(b.Node(op, attrs, x[0]), b.Scalar(0.25)))
		}, nil})
}
