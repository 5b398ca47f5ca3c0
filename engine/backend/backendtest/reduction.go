package backendtest

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func reductionCases(op graph.Op) []testCase {
	if op == graph.OpArgMax {
		return argMaxCases()
	}
	if op == graph.OpFusedSums {
		return fusedSumsCases()
	}
	var cases []testCase
	for _, c := range []struct {
		shape tensor.Shape
		axes  []int
	}{
		{tensor.Shape{1}, []int{0}}, {tensor.Shape{15}, []int{0}}, {tensor.Shape{17}, []int{0}},
		{tensor.Shape{1023}, []int{0}}, {tensor.Shape{1025}, []int{0}}, {tensor.Shape{40000}, []int{0}},
		{tensor.Shape{1025, 17}, []int{0}}, {tensor.Shape{1025, 17}, []int{1}}, {tensor.Shape{1025, 17}, []int{0, 1}},
		{tensor.Shape{17, 1025}, []int{0}}, {tensor.Shape{17, 1025}, []int{1}},
		{tensor.Shape{16, 1}, []int{0}}, {tensor.Shape{1, 16}, []int{0}}, {tensor.Shape{1, 16}, []int{1}},
		{tensor.Shape{2, 31, 33, 17}, []int{0, 1, 2}}, {tensor.Shape{2, 31, 33, 17}, []int{1, 2}},
		{tensor.Shape{2, 31, 33, 17}, []int{3}}, {tensor.Shape{2, 31, 33, 17}, []int{0}},
		{tensor.Shape{2, 31, 33, 17}, []int{1, 2, 3}}, {tensor.Shape{2, 31, 33, 17}, []int{0, 1, 2, 3}},
		{tensor.Shape{3, 5, 7, 11}, []int{0, 2}}, {tensor.Shape{3, 5, 7, 11}, []int{1, 3}}, {tensor.Shape{3, 5, 7, 11}, []int{0, 3}},
		{tensor.Shape{2, 3, 4, 5, 6}, []int{0, 2, 4}}, {tensor.Shape{1, 5, 1, 3}, []int{0, 2}},
		{tensor.Shape{7, 9001}, []int{0}}, {tensor.Shape{2, 20011}, []int{1}}, {tensor.Shape{2, 5, 4100}, []int{1}},
		{tensor.Shape{5000, 3}, []int{1}}, {tensor.Shape{}, nil}, {tensor.Shape{3, 4}, nil}, {tensor.Shape{1, 1, 1, 1}, []int{1}},
	} {
		build := func(b *graph.Builder, x []*graph.Node) *graph.Node {
			return b.Node(op, graph.ListAttrs{Values: c.axes}, x[0])
		}
		name := fmt.Sprintf("%v of %v over %v", op, c.shape, c.axes)
		cases = append(cases, testCase{name, []operand{wholes(-9, 9, c.shape...)}, build, nil})
		if op == graph.OpReduceSum {
			terms := 1
			for _, axis := range c.axes {
				terms *= c.shape[axis]
			}
			cases = append(cases, testCase{name + " of reals", []operand{reals(-1, 2, c.shape...)}, build,
				sumOf(terms, build)})
		}
	}
	special := func(axes ...int) func(b *graph.Builder, x []*graph.Node) *graph.Node {
		return func(b *graph.Builder, x []*graph.Node) *graph.Node {
			return b.Node(op, graph.ListAttrs{Values: axes}, x[0])
		}
	}
	// Every row and every column has its own special value among ordinary ones.
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -3e38} {
		square := operandWith(value, 21)
		cases = append(cases,
			testCase{fmt.Sprintf("%v of rows with %v", op, value), []operand{square}, special(1), nil},
			testCase{fmt.Sprintf("%v of columns with %v", op, value), []operand{square}, special(0), nil})
	}
	return append(cases, testCase{fmt.Sprintf("%v of nothing but -Inf", op),
		[]operand{list([]float64{math.Inf(-1)}, 35)}, special(0), nil})
}

// fusedSumsCases sum operands and results of chains; whole numbers make them
// exact. Some have the form of the gradients of a batch normalisation, which
// backends may know.
func fusedSumsCases() []testCase {
	do := func(op graph.Op, args ...int) graph.Instruction { return graph.Instruction{Op: op, Args: args} }
	var cases []testCase
	for _, shape := range []tensor.Shape{{1}, {17}, {5, 1}, {16, 1}, {40000, 1}, {20000, 3}, {64, 17}, {2, 31, 33, 17}, {9, 9, 64},
		{40, 513}, {7, 2048}, {1, 16}, {2, 5, 5, 1025}} {
		channels := shape[len(shape)-1]
		image, row := wholes(-3, 3, shape...), wholes(-3, 3, channels)
		for _, c := range []struct {
			name     string
			operands []operand
			attrs    graph.SumsAttrs
		}{
			{"operand", []operand{image}, graph.SumsAttrs{Sums: []int{0}}},
			{"product and operand", []operand{image, image, row},
				graph.SumsAttrs{Body: []graph.Instruction{do(graph.OpSub, 0, 2), do(graph.OpMul, 1, 3)}, Sums: []int{4, 1}}},
			{"rectified gradient", []operand{image, image, row, row, row},
				graph.SumsAttrs{Body: []graph.Instruction{
					do(graph.OpSub, 0, 2), do(graph.OpMulAdd, 5, 3, 4), do(graph.OpStep, 6), do(graph.OpMul, 1, 7), do(graph.OpMul, 8, 5),
				}, Sums: []int{9, 8}}},
			{"results twice", []operand{image},
				graph.SumsAttrs{Body: []graph.Instruction{do(graph.OpAbs, 0), do(graph.OpNeg, 0)}, Sums: []int{2, 0, 1, 2}}},
		} {
			cases = append(cases, testCase{fmt.Sprintf("fused_sums of %v: %s", shape, c.name), c.operands,
				func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(graph.OpFusedSums, c.attrs, x...) }, nil})
		}
	}
	return cases
}

// operandWith is a square of ones with a value on its diagonal, except in the
// last row and column.
func operandWith(value float64, side int) operand {
	values := make([]float64, side*side)
	for i := range values {
		values[i] = 1
		if row, column := i/side, i%side; row == column && row < side-1 {
			values[i] = value
		}
	}
	o := list(values, 1)
	o.shape = tensor.Shape{side, side}
	return o
}

func argMaxCases() []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.ArgMax(x[0]) }
	var cases []testCase
	for _, shape := range []tensor.Shape{{1}, {5}, {17}, {1025}, {64, 10}, {333, 3}, {3, 5, 7, 17}, {7, 1}, {5, 1023}} {
		name := "arg_max of " + shape.String()
		cases = append(cases,
			testCase{name, []operand{reals(-3, 3, shape...)}, build, nil},
			testCase{name + " with ties", []operand{wholes(-2, 2, shape...)}, build, nil})
	}
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		cases = append(cases, testCase{fmt.Sprintf("arg_max of rows with %v", value), []operand{operandWith(value, 21)}, build, nil})
	}
	return append(cases, testCase{"arg_max as numbers", []operand{wholes(-9, 9, 33, 17)},
		func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Scale(b.Cast(b.ArgMax(x[0])), 2) }, nil})
}
