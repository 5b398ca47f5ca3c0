package backendtest

import (
	"fmt"
	"math"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// testCase is a function of its operands. bound gives, in the same graph, how
// far each element of y may lie from the exact value; nil means that every
// element must be the exact value rounded once, which whole numbers allow even
// for long sums.
type testCase struct {
	name     string
	operands []operand
	build    func(b *graph.Builder, x []*graph.Node) *graph.Node
	bound    func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node
}

// operand is an input, or a variable, of a case.
type operand struct {
	dtype    tensor.DType
	shape    tensor.Shape
	fill     func(s *random.Source, i int) float64 // element i
	variable bool
}

// reals is an operand of numbers between low and high.
func reals(low, high float64, shape ...int) operand {
	return operand{dtype: tensor.Float32, shape: shape, fill: func(s *random.Source, _ int) float64 {
		return low + (high-low)*s.Float64()
	}}
}

// wholes is an operand of whole numbers from low to high.
func wholes(low, high int, shape ...int) operand {
	return operand{dtype: tensor.Float32, shape: shape, fill: func(s *random.Source, _ int) float64 {
		return float64(low + s.IntN(high-low+1))
	}}
}

// as returns the operand with another element type.
func (o operand) as(dtype tensor.DType) operand {
	o.dtype = dtype
	return o
}

// kept returns the operand as a variable.
func (o operand) kept() operand {
	o.variable = true
	return o
}

func (o operand) make(s *random.Source) *tensor.Tensor {
	t := tensor.New(o.dtype, o.shape...)
	for i := range o.shape.Elements() {
		v := o.fill(s, i)
		switch o.dtype {
		case tensor.Float32:
			t.Float32()[i] = float32(v)
		case tensor.Int32:
			t.Int32()[i] = int32(v)
		case tensor.Uint8:
			t.Uint8()[i] = uint8(v)
		}
	}
	return t
}

func operandName(i int) string { return fmt.Sprintf("x%d", i) }

// trace builds the case, with its bound if the reference is to run it.
func (c testCase) trace(t *testing.T, withBound bool) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("case")
	var x []*graph.Node
	for i, o := range c.operands {
		declare := b.Input
		if o.variable {
			declare = b.Variable
		}
		x = append(x, declare(operandName(i), o.dtype, o.shape...))
	}
	y := c.build(b, x)
	b.Output("y", y)
	if withBound && c.bound != nil {
		b.Output("bound", b.BroadcastTo(c.bound(b, x, y), y.Shape()...))
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return g
}

// check runs the case twice on each backend, with other values the second
// time, and compares the results with the reference and with each other. What
// one run may leave behind for the next shows on small values; large ones run
// once.
func (c testCase) check(t *testing.T, backends []backend.Backend, seed uint64) {
	t.Helper()
	oracle := c.trace(t, true)
	programs := make([]*running, len(backends))
	for i, be := range backends {
		programs[i] = c.start(t, be)
	}
	rounds, elements := uint64(2), 0
	for _, o := range c.operands {
		elements += o.shape.Elements()
	}
	if elements > 5000 {
		rounds = 1
	}
	for round := range rounds {
		source := random.NewSource(seed, 0, round)
		var values []*tensor.Tensor
		feeds := make(ref.Values)
		for i, o := range c.operands {
			v := o.make(source)
			values = append(values, v)
			feeds[operandName(i)] = widen(v)
		}
		want, _, err := ref.Evaluate(oracle, feeds)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var firstBits []uint32
		for i, p := range programs {
			if round > 0 {
				spoil(p.program.Output(0))
			}
			got := p.run(t, c, values)
			if err := compare(got, want["y"], want["bound"]); err != nil {
				t.Errorf("%s, run %d: %v", c.name, round, err)
				return
			}
			if i == 0 {
				firstBits = bits(got)
			} else if at := firstDifference(firstBits, bits(got)); at >= 0 {
				t.Errorf("%s: element %d differs in its bits between 1 and %d threads", c.name, at, i+1)
				return
			}
		}
	}
}

// running is a compiled case.
type running struct {
	program backend.Program
	store   *backend.Store
}

func (c testCase) start(t *testing.T, be backend.Backend) *running {
	t.Helper()
	r := &running{store: backend.NewStore()}
	var err error
	if r.program, err = be.Compile(c.trace(t, false), r.store); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return r
}

// run sets variables and gives inputs, and makes sure that a run leaves both
// as they are.
func (r *running) run(t *testing.T, c testCase, values []*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	var inputs, originals []*tensor.Tensor
	for i, v := range values {
		given := v.Clone()
		if c.operands[i].variable {
			given = r.store.Get(operandName(i))
			if err := given.CopyFrom(v); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		} else {
			inputs = append(inputs, given)
		}
		originals = append(originals, given)
	}
	if err := r.program.Run(inputs); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	for i, given := range originals {
		if at := firstDifference(bits(given), bits(values[i])); at >= 0 {
			t.Errorf("%s: the run changed element %d of operand %d", c.name, at, i)
		}
	}
	return r.program.Output(0)
}

// spoil overwrites the result of a run: the next must write every element of
// its own.
func spoil(x *tensor.Tensor) {
	for i := range x.Float32() {
		x.Float32()[i] = float32(math.NaN())
	}
	for i := range x.Int32() {
		x.Int32()[i] = -1
	}
	for i := range x.Uint8() {
		x.Uint8()[i] = 99
	}
}

// compare checks each element against the exact value and how far it may lie
// from it.
func compare(got *tensor.Tensor, want, bound []float64) error {
	values := widen(got)
	if len(values) != len(want) {
		return fmt.Errorf("the result has %d elements, want %d", len(values), len(want))
	}
	for i, w := range want {
		v := values[i]
		if rounded := float64(float32(w)); v == rounded || v == w || (math.IsNaN(v) && math.IsNaN(w)) {
			continue
		}
		allowed := 0.0
		if bound != nil {
			allowed = bound[i] + ulp*math.Abs(w) + smallest
		}
		if !(math.Abs(v-w) <= allowed) {
			return fmt.Errorf("element %d of %v is %v, want %v within %v", i, got.Shape(), v, w, allowed)
		}
	}
	return nil
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

// bits returns the bits of each element. A NaN is a NaN, whatever its payload.
func bits(t *tensor.Tensor) []uint32 {
	out := make([]uint32, t.Shape().Elements())
	for i := range out {
		switch t.DType() {
		case tensor.Float32:
			v := t.Float32()[i]
			if v != v {
				v = float32(math.NaN())
			}
			out[i] = math.Float32bits(v)
		case tensor.Int32:
			out[i] = uint32(t.Int32()[i])
		case tensor.Uint8:
			out[i] = uint32(t.Uint8()[i])
		}
	}
	return out
}

// firstDifference returns the first place where two slices differ, -1 if they
// are equal.
func firstDifference(a, b []uint32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}
