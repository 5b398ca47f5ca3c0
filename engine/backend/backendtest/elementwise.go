package backendtest

import (
	"math"
	"slices"

	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// lengths lie around the widths of vectors and the sizes of tiles.
var lengths = []int{1, 15, 16, 17, 1023, 1025, 40000}

// patterns are the ways in which two operands broadcast.
var patterns = [][2]tensor.Shape{
	{{}, {}},
	{{129}, {}},
	{{}, {129}},
	{{2, 5, 7, 17}, {17}},
	{{17}, {2, 5, 7, 17}},
	{{3, 5, 7, 17}, {3, 1, 1, 17}},
	{{2, 31, 33, 17}, {17}},
	{{2, 31, 33, 1}, {2, 1, 1, 1}},
	{{2, 5, 7, 3}, {1, 5, 7, 1}},
	{{2, 5, 7, 16}, {2, 5, 7, 1}},
	{{31, 33}, {31, 1}},
	{{31, 1}, {1, 33}},
	{{1025, 1}, {1, 3}},
	{{3, 1, 5, 1}, {1, 4, 1, 6}},
	{{2, 3, 4, 5, 6}, {4, 1, 6}},
	{{1, 1, 1}, {7}},
	{{200, 200}, {200}},
	{{200, 200}, {200, 1}},
	{{40000}, {1}},
	{{8, 5000}, {5000}}, // a repetition longer than a tile
	{{5, 1, 3001}, {2, 3001}},
	{{3, 5000}, {3, 1}},
}

// unary describes an operation on one element: where it is tested and how
// many ulps it may be off, 0 if it must be rounded correctly.
type unary struct {
	low, high float64
	ulps      float64
	attrs     any
}

var unaries = map[graph.Op]unary{
	graph.OpNeg:        {-3, 3, 0, nil},
	graph.OpAbs:        {-3, 3, 0, nil},
	graph.OpExp:        {-20, 20, 4, nil},
	graph.OpExpm1:      {-3, 3, 4, nil},
	graph.OpLog:        {0.01, 9, 4, nil},
	graph.OpLog1p:      {-0.9, 9, 4, nil},
	graph.OpSqrt:       {0, 9, 1, nil},
	graph.OpRsqrt:      {0.01, 9, 2, nil},
	graph.OpReciprocal: {-4, -0.1, 1, nil},
	graph.OpSquare:     {-3, 3, 0, nil},
	graph.OpSigmoid:    {-20, 20, 4, nil},
	graph.OpTanh:       {-5, 5, 4, nil},
	graph.OpErf:        {-4, 4, 4, nil},
	graph.OpRelu:       {-3, 3, 0, nil},
	graph.OpRelu6:      {-3, 9, 0, nil},
	graph.OpSign:       {-3, 3, 0, nil},
	graph.OpStep:       {-3, 3, 0, nil},
	graph.OpFloor:      {-9, 9, 0, nil},
	graph.OpScale:      {-3, 3, 0, graph.FloatAttrs{Value: -0.375}},
	graph.OpAddScalar:  {-3, 3, 0, graph.FloatAttrs{Value: 2.75}},
	graph.OpLeakyRelu:  {-3, 3, 0, graph.FloatAttrs{Value: 0.125}},
}

// binaries maps operations on two elements to the ulps that they may be off.
var binaries = map[graph.Op]float64{
	graph.OpAdd: 0, graph.OpSub: 0, graph.OpMul: 0, graph.OpDiv: 1, graph.OpMax: 0, graph.OpMin: 0,
	graph.OpPow: 4, graph.OpGreater: 0, graph.OpGreaterEqual: 0, graph.OpEqual: 0,
}

func elementwiseCases(op graph.Op) []testCase {
	if u, ok := unaries[op]; ok {
		return unaryCases(op, u)
	}
	if ulps, ok := binaries[op]; ok {
		return binaryCases(op, ulps)
	}
	switch op {
	case graph.OpCast:
		return castCases()
	case graph.OpSelect:
		return selectCases()
	case graph.OpMulAdd:
		return mulAddCases()
	case graph.OpFused:
		return fusedCases()
	}
	return nil
}

// rounding returns the bound of an operation, nil if it is to be exact.
func rounding(ulps float64) func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node {
	if ulps == 0 {
		return nil
	}
	return within(ulps)
}

func unaryCases(op graph.Op, u unary) []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, u.attrs, x[0]) }
	shapes := []tensor.Shape{{}, {2, 3, 5, 7}}
	for _, n := range lengths {
		shapes = append(shapes, tensor.Shape{n})
	}
	var cases []testCase
	for _, shape := range shapes {
		cases = append(cases, testCase{op.String() + shape.String(),
			[]operand{reals(u.low, u.high, shape...)}, build, rounding(u.ulps)})
	}
	return append(cases, testCase{op.String() + " of special values",
		[]operand{list(specials, 3)}, build, rounding(u.ulps)})
}

func binaryCases(op graph.Op, ulps float64) []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, nil, x...) }
	shapes := slices.Clone(patterns)
	for _, n := range lengths {
		shapes = append(shapes, [2]tensor.Shape{{n}, {n}})
	}
	var cases []testCase
	for _, s := range shapes {
		x, y := reals(-3, 3, s[0]...), reals(-3, 3, s[1]...)
		switch op {
		case graph.OpPow:
			x = reals(0.1, 4, s[0]...)
		case graph.OpGreater, graph.OpGreaterEqual, graph.OpEqual, graph.OpMax, graph.OpMin:
			x, y = wholes(-2, 2, s[0]...), wholes(-2, 2, s[1]...) // with ties
		}
		cases = append(cases, testCase{op.String() + s[0].String() + s[1].String(), []operand{x, y}, build, rounding(ulps)})
	}
	// Every special value with every other.
	rows, columns := list(specials, 1), list(specials, 1)
	rows.shape = tensor.Shape{len(specials), 1}
	return append(cases, testCase{op.String() + " of special values", []operand{rows, columns}, build, rounding(ulps)})
}

// specials are values at which functions change or end. Denormal numbers are
// not among them, nor are arguments whose results lie at the edge of overflow.
var specials = []float64{
	math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 6, 6.5, -7,
	2, 3, 1e-30, -1e-30, 3e38, -3e38, 88, -88, 100, -200, 1e-7,
}

// list is an operand of given values, repeated a number of times so that they
// meet other lanes of a vector.
func list(values []float64, times int) operand {
	return operand{dtype: tensor.Float32, shape: tensor.Shape{len(values) * times},
		fill: func(_ *random.Source, i int) float64 { return values[i%len(values)] }}
}

func castCases() []testCase {
	cast := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Cast(x[0]) }
	cases := []testCase{
		{"cast of large i32", []operand{list([]float64{math.MaxInt32, math.MinInt32, 1<<24 + 1, -(1<<24 + 3), 0, 7}, 1).as(tensor.Int32)}, cast, nil},
		{"cast of a scalar", []operand{wholes(-9, 9).as(tensor.Int32)}, cast, nil},
		{"cast and scale of pixels", []operand{wholes(0, 255, 2, 5, 7, 3).as(tensor.Uint8)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Scale(b.Cast(x[0]), 1.0/256) }, nil},
		{"cast of f32", []operand{reals(-2, 2, 17)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.Node(graph.OpCast, graph.CastAttrs{To: tensor.Float32}, x[0])
			}, nil},
	}
	for _, n := range lengths {
		cases = append(cases,
			testCase{"cast of i32", []operand{wholes(-1000, 1000, n).as(tensor.Int32)}, cast, nil},
			testCase{"cast of u8", []operand{wholes(0, 255, n).as(tensor.Uint8)}, cast, nil})
	}
	return cases
}

func selectCases() []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Select(x[0], x[1], x[2]) }
	some := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, -2}
	cond, x, y := list(some, 1), list(some, 1), list(some, 1)
	cond.shape, x.shape = tensor.Shape{len(some), 1, 1}, tensor.Shape{len(some), 1}
	cases := []testCase{{"select of special values", []operand{cond, x, y}, build, nil}}
	for _, s := range [][3]tensor.Shape{
		{{17}, {17}, {17}}, {{40000}, {40000}, {40000}}, {{2, 5, 7, 17}, {17}, {}},
		{{}, {1025}, {1025}}, {{3, 1, 1}, {5, 1}, {1, 7}}, {{33}, {31, 33}, {31, 1}},
	} {
		cases = append(cases, testCase{"select" + s[0].String() + s[1].String() + s[2].String(),
			[]operand{wholes(0, 1, s[0]...), reals(-3, 3, s[1]...), reals(-3, 3, s[2]...)}, build, nil})
	}
	return cases
}

// mulAddCases are exact on whole numbers, whether the product is rounded or
// not.
func mulAddCases() []testCase {
	build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.MulAdd(x[0], x[1], x[2]) }
	some := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, -2}
	x, y, z := list(some, 1), list(some, 1), list(some, 1)
	x.shape, y.shape = tensor.Shape{len(some), 1, 1}, tensor.Shape{len(some), 1}
	cases := []testCase{{"mul_add of special values", []operand{x, y, z}, build, nil}}
	for _, s := range [][3]tensor.Shape{
		{{17}, {17}, {17}}, {{40000}, {40000}, {40000}}, {{2, 5, 7, 17}, {17}, {}},
		{{}, {1025}, {1025}}, {{3, 1, 1}, {5, 1}, {1, 7}}, {{2, 31, 33, 17}, {17}, {17}},
	} {
		cases = append(cases, testCase{"mul_add" + s[0].String() + s[1].String() + s[2].String(),
			[]operand{wholes(-99, 99, s[0]...), wholes(-99, 99, s[1]...), wholes(-99, 99, s[2]...)}, build, nil})
	}
	return cases
}

// fusedCases are chains as compilation makes them and, since nodes may be
// built by hand, others that it would not make. Whole numbers make them exact.
func fusedCases() []testCase {
	fused := func(body ...graph.Instruction) func(b *graph.Builder, x []*graph.Node) *graph.Node {
		return func(b *graph.Builder, x []*graph.Node) *graph.Node {
			return b.Node(graph.OpFused, graph.FusedAttrs{Body: body}, x...)
		}
	}
	do := func(op graph.Op, args ...int) graph.Instruction { return graph.Instruction{Op: op, Args: args} }
	literal := func(op graph.Op, v float64, args ...int) graph.Instruction {
		return graph.Instruction{Op: op, Args: args, Attrs: graph.FloatAttrs{Value: v}}
	}
	cast := graph.Instruction{Op: graph.OpCast, Args: []int{0}, Attrs: graph.CastAttrs{To: tensor.Float32}}
	multiplyAdd := fused(do(graph.OpMul, 0, 1), do(graph.OpAdd, 3, 2), do(graph.OpRelu, 4))
	var cases []testCase
	for _, s := range [][3]tensor.Shape{
		{{1}, {1}, {1}}, {{17}, {17}, {17}}, {{40000}, {40000}, {40000}}, {{2, 31, 33, 17}, {17}, {17}},
		{{2, 5, 7, 17}, {2, 1, 1, 17}, {}}, {{1025, 3}, {1025, 1}, {1, 3}}, {{5, 1}, {1, 7}, {5, 7}}, {{7, 31}, {}, {31}},
	} {
		cases = append(cases, testCase{"fused relu(x·y+z) of " + s[0].String() + s[1].String() + s[2].String(),
			[]operand{wholes(-9, 9, s[0]...), wholes(-9, 9, s[1]...), wholes(-9, 9, s[2]...)}, multiplyAdd, nil})
	}
	long := []graph.Instruction{do(graph.OpAdd, 0, 1)}
	for i := range 30 { // a long chain whose first values are read at its end
		long = append(long, do([]graph.Op{graph.OpMax, graph.OpSub, graph.OpAdd}[i%3], 2+i, i%2))
	}
	long = append(long, do(graph.OpAdd, 2, 2+30), do(graph.OpSub, 2+31, 3))
	return append(cases,
		testCase{"fused alone", []operand{wholes(-9, 9, 1025)}, fused(do(graph.OpNeg, 0)), nil},
		testCase{"fused pixels", []operand{wholes(0, 255, 3, 5, 7).as(tensor.Uint8), wholes(-9, 9, 7)},
			fused(cast, literal(graph.OpScale, 0.5, 2), do(graph.OpSub, 3, 1)), nil},
		testCase{"fused labels", []operand{wholes(-9, 9, 333).as(tensor.Int32), wholes(-9, 9, 333)},
			fused(cast, do(graph.OpEqual, 2, 1)), nil},
		testCase{"fused with one argument twice", []operand{wholes(-9, 9, 1023)},
			fused(do(graph.OpAdd, 0, 0), do(graph.OpMul, 1, 1), do(graph.OpSub, 2, 0)), nil},
		testCase{"fused select", []operand{wholes(-2, 2, 4, 33), wholes(-9, 9, 33), wholes(-9, 9, 4, 1)},
			fused(do(graph.OpGreater, 0, 1), do(graph.OpSelect, 3, 2, 0), literal(graph.OpLeakyRelu, 0.25, 4)), nil},
		testCase{"fused with a value that nothing reads", []operand{wholes(-9, 9, 129)},
			fused(do(graph.OpSquare, 0), literal(graph.OpAddScalar, 3, 0)), nil},
		testCase{"fused long", []operand{wholes(-2, 2, 2049), wholes(-2, 2, 2049)}, fused(long...), nil},
	)
}
