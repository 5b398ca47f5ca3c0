package backendtest

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// anyType returns the same case for each element type. Views move elements
// and must keep every one of them.
func anyType(name string, build func(b *graph.Builder, x []*graph.Node) *graph.Node, shapes ...tensor.Shape) []testCase {
	var cases []testCase
	for _, dtype := range []tensor.DType{tensor.Float32, tensor.Int32, tensor.Uint8} {
		var operands []operand
		for _, s := range shapes {
			operands = append(operands, wholes(0, 255, s...).as(dtype))
		}
		cases = append(cases, testCase{name + " of " + dtype.String() + fmt.Sprint(shapes), operands, build, nil})
	}
	return cases
}

// floatOnly is anyType for f32 alone.
func floatOnly(name string, build func(b *graph.Builder, x []*graph.Node) *graph.Node, shapes ...tensor.Shape) []testCase {
	return anyType(name, build, shapes...)[:1]
}

func viewCases(op graph.Op) []testCase {
	switch op {
	case graph.OpReshape:
		return reshapeCases()
	case graph.OpTranspose:
		return transposeCases()
	case graph.OpBroadcast:
		return broadcastCases()
	case graph.OpConcat:
		return concatCases()
	case graph.OpSlice:
		return sliceCases()
	case graph.OpPad:
		return padCases()
	case graph.OpOneHot:
		return oneHotCases()
	}
	return nil
}

func reshapeCases() []testCase {
	to := func(shape ...int) func(b *graph.Builder, x []*graph.Node) *graph.Node {
		return func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Reshape(x[0], shape...) }
	}
	cases := anyType("reshape", to(7, 30), tensor.Shape{2, 3, 5, 7})
	cases = append(cases, floatOnly("reshape to a scalar", to(), tensor.Shape{1, 1})...)
	return append(cases, floatOnly("reshape of a result", func(b *graph.Builder, x []*graph.Node) *graph.Node {
		return b.Neg(b.Reshape(b.Neg(x[0]), 1025))
	}, tensor.Shape{25, 41})...)
}

func transposeCases() []testCase {
	var cases []testCase
	for i, c := range []struct {
		shape tensor.Shape
		perm  []int
	}{
		{tensor.Shape{31, 33}, []int{1, 0}},
		{tensor.Shape{2, 5, 7, 17}, []int{0, 3, 1, 2}}, // to NCHW
		{tensor.Shape{1, 17}, []int{1, 0}},
		{tensor.Shape{1025, 1}, []int{1, 0}},
		{tensor.Shape{129, 257}, []int{1, 0}},
		{tensor.Shape{300, 517}, []int{1, 0}},
		{tensor.Shape{3, 16, 16}, []int{0, 2, 1}},
		{tensor.Shape{5, 7, 11}, []int{2, 1, 0}},
		{tensor.Shape{5, 7, 11}, []int{1, 0, 2}},
		{tensor.Shape{5, 7, 11}, []int{1, 2, 0}},
		{tensor.Shape{2, 17, 31, 33}, []int{0, 2, 3, 1}}, // to NHWC
		{tensor.Shape{2, 3, 4, 5, 6, 2}, []int{0, 1, 3, 2, 4, 5}},
		{tensor.Shape{2, 3, 4, 5, 6}, []int{4, 2, 0, 1, 3}},
		{tensor.Shape{2, 5, 7, 2, 2, 3}, []int{0, 1, 3, 2, 4, 5}}, // pixel shuffle
		{tensor.Shape{4, 4, 3}, []int{0, 1, 2}},
		{tensor.Shape{}, []int{}},
	} {
		build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Transpose(x[0], c.perm...) }
		name := fmt.Sprintf("transpose by %v", c.perm)
		if i < 2 {
			cases = append(cases, anyType(name, build, c.shape)...)
		} else {
			cases = append(cases, floatOnly(name, build, c.shape)...)
		}
	}
	return cases
}

func broadcastCases() []testCase {
	var cases []testCase
	for i, c := range []struct{ from, to tensor.Shape }{
		{tensor.Shape{17}, tensor.Shape{2, 5, 7, 17}},
		{tensor.Shape{}, tensor.Shape{40000}},
		{tensor.Shape{2, 1, 1, 17}, tensor.Shape{2, 5, 7, 17}},
		{tensor.Shape{2, 5, 7, 1}, tensor.Shape{2, 5, 7, 17}},
		{tensor.Shape{31, 1}, tensor.Shape{31, 33}},
		{tensor.Shape{3, 1, 5, 1}, tensor.Shape{2, 3, 4, 5, 6}},
		{tensor.Shape{1}, tensor.Shape{1, 1, 1}},
	} {
		build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.BroadcastTo(x[0], c.to...) }
		name := "broadcast to " + c.to.String()
		if i < 1 {
			cases = append(cases, anyType(name, build, c.from)...)
		} else {
			cases = append(cases, floatOnly(name, build, c.from)...)
		}
	}
	return cases
}

func concatCases() []testCase {
	along := func(axis int) func(b *graph.Builder, x []*graph.Node) *graph.Node {
		return func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Concat(axis, x...) }
	}
	cases := anyType("concat along 3", along(3), tensor.Shape{2, 5, 7, 17}, tensor.Shape{2, 5, 7, 1}, tensor.Shape{2, 5, 7, 16})
	for _, c := range [][]testCase{
		anyType("concat along 0", along(0), tensor.Shape{3, 5}, tensor.Shape{1, 5}),
		floatOnly("concat along 1", along(1), tensor.Shape{2, 1, 33}, tensor.Shape{2, 30, 33}, tensor.Shape{2, 2, 33}),
		floatOnly("concat of one", along(0), tensor.Shape{1025}),
		floatOnly("concat of many", along(0), tensor.Shape{1}, tensor.Shape{2}, tensor.Shape{3}, tensor.Shape{1023}, tensor.Shape{16}),
		floatOnly("concat of one value twice", func(b *graph.Builder, x []*graph.Node) *graph.Node {
			y := b.Neg(x[0])
			return b.Concat(1, y, x[0], y)
		}, tensor.Shape{33, 17}),
	} {
		cases = append(cases, c...)
	}
	return cases
}

func sliceCases() []testCase {
	var cases []testCase
	for i, c := range []struct {
		shape      tensor.Shape
		begin, end []int
	}{
		{tensor.Shape{2, 31, 33, 17}, []int{0, 1, 2, 3}, []int{2, 30, 33, 16}},
		{tensor.Shape{1025}, []int{1}, []int{1024}},
		{tensor.Shape{7, 5}, []int{6, 4}, []int{7, 5}},
		{tensor.Shape{40, 1000}, []int{3, 0}, []int{39, 1000}}, // whole rows
		{tensor.Shape{2, 4, 6, 3, 5}, []int{0, 1, 0, 2, 0}, []int{2, 3, 6, 3, 4}},
		{tensor.Shape{4, 3}, []int{0, 0}, []int{4, 3}},
		{tensor.Shape{}, []int{}, []int{}},
	} {
		build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Slice(x[0], c.begin, c.end) }
		name := fmt.Sprintf("slice %v to %v", c.begin, c.end)
		if i < 1 {
			cases = append(cases, anyType(name, build, c.shape)...)
		} else {
			cases = append(cases, floatOnly(name, build, c.shape)...)
		}
	}
	return cases
}

func padCases() []testCase {
	var cases []testCase
	for i, c := range []struct {
		shape         tensor.Shape
		before, after []int
	}{
		{tensor.Shape{2, 7, 5, 17}, []int{0, 1, 2, 0}, []int{0, 3, 0, 0}},
		{tensor.Shape{1025}, []int{17}, []int{1}},
		{tensor.Shape{3, 5}, []int{0, 1}, []int{2, 0}},
		{tensor.Shape{2, 3, 2, 3, 2}, []int{1, 0, 0, 2, 1}, []int{0, 1, 0, 0, 1}},
		{tensor.Shape{4, 3}, []int{0, 0}, []int{0, 0}},
		{tensor.Shape{1, 1}, []int{100, 200}, []int{50, 130}},
	} {
		build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Pad(x[0], c.before, c.after) }
		name := fmt.Sprintf("pad by %v and %v", c.before, c.after)
		if i < 1 {
			cases = append(cases, anyType(name, build, c.shape)...)
		} else {
			cases = append(cases, floatOnly(name, build, c.shape)...)
		}
	}
	return cases
}

func oneHotCases() []testCase {
	var cases []testCase
	for _, shape := range []tensor.Shape{{}, {1}, {64}, {3, 5}, {1025}} {
		for _, depth := range []int{1, 10, 17} {
			// Labels on both sides of the range give rows of zeros.
			cases = append(cases, testCase{fmt.Sprintf("one_hot%v of %d", shape, depth),
				[]operand{wholes(-2, depth+1, shape...).as(tensor.Int32)},
				func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.OneHot(x[0], depth) }, nil})
		}
	}
	return cases
}
