package autodiff_test

import (
	"fmt"
	"math"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// operand is a differentiated input of a case and where its elements lie.
type operand struct {
	shape    tensor.Shape
	low, top float64
	kink     []float64 // points that elements stay away from
}

// real is an operand with elements of both signs and away from 0, where most
// kinks are.
func real(shape ...int) operand { return operand{shape: shape, low: -2, top: 2, kink: []float64{0}} }

// positive is an operand for roots, logarithms and divisors.
func positive(shape ...int) operand { return operand{shape: shape, low: 0.3, top: 2.5} }

// gradCase is one function whose gradient is compared with differences.
type gradCase struct {
	name     string
	operands []operand
	build    func(b *graph.Builder, x []*graph.Node) *graph.Node
}

// points returns elements for all operands together: no two of them are
// equal, so that maxima change no place within a difference's step.
func points(seed uint64, operands []operand) [][]float64 {
	total := 0
	for _, o := range operands {
		total += o.shape.Elements()
	}
	order := random.Perm(total, seed, 0)
	values := make([][]float64, len(operands))
	for i, o := range operands {
		for range o.shape.Elements() {
			v := o.low + (o.top-o.low)*(float64(order[0])+0.5)/float64(total)
			order = order[1:]
			for _, k := range o.kink {
				if math.Abs(v-k) < 2*step {
					v += 4 * step
				}
			}
			values[i] = append(values[i], v)
		}
	}
	return values
}

// step is the larger of the two steps of a difference.
const step = 1e-3

// difference returns f'(0) by central differences at two steps, joined so
// that the error falls with the fourth power of the step (Richardson).
func difference(f func(h float64) float64) float64 {
	wide := (f(step) - f(-step)) / (2 * step)
	narrow := (f(step/2) - f(-step/2)) / step
	return (4*narrow - wide) / 3
}

// checkGradient compares the gradient graph of Σ weights·y, y being what the
// case builds, with differences of the function itself, for every element of
// every operand. Both run in float64, so a wrong formula cannot hide.
func checkGradient(t *testing.T, seed uint64, c gradCase) {
	t.Helper()
	g, forward, feeds := gradientGraph(t, seed, c)
	gradients, _, err := ref.Evaluate(g, feeds)
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func() (loss, size float64) {
		outputs, _, err := ref.Evaluate(forward, feeds)
		if err != nil {
			t.Fatal(err)
		}
		return outputs["loss"][0], outputs["size"][0]
	}
	_, size := evaluate()
	// The difference loses about 1e-16·size/step to rounding and step⁴ times
	// a fifth derivative to truncation.
	tolerance := 1e-9 * (1 + size)
	for i, o := range c.operands {
		x, got := feeds[inputName(i)], gradients[inputName(i)]
		for j := range x {
			at := x[j]
			want := difference(func(h float64) float64 {
				x[j] = at + h
				loss, _ := evaluate()
				return loss
			})
			x[j] = at
			if !(math.Abs(got[j]-want) <= tolerance*(1+math.Abs(want))) {
				t.Fatalf("%s: gradient of operand %d %v at element %d is %v, differences say %v", c.name, i, o.shape, j, got[j], want)
			}
		}
	}
}

func inputName(i int) string { return fmt.Sprintf("x%d", i) }

// gradientGraph returns the program of the gradients and that of the loss
// with, as a scale for errors, the sum of the magnitudes in it, and the values
// to feed both with.
func gradientGraph(t *testing.T, seed uint64, c gradCase) (gradients, forward *graph.Graph, feeds ref.Values) {
	t.Helper()
	trace := func(b *graph.Builder) (loss, size *graph.Node, inputs []*graph.Node) {
		for i, o := range c.operands {
			inputs = append(inputs, b.Input(inputName(i), tensor.Float32, o.shape...))
		}
		y := c.build(b, inputs)
		terms := b.Mul(y, b.Input("weights", tensor.Float32, y.Shape()...))
		return b.Sum(terms), b.Sum(b.Abs(terms)), inputs
	}
	close := func(b *graph.Builder) *graph.Graph {
		g, err := b.Graph()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := g.Verify(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		return g
	}

	b := graph.NewBuilder("gradients")
	loss, _, inputs := trace(b)
	grads, err := autodiff.Gradients(loss, inputs)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	for i, n := range grads {
		if !n.Shape().Equal(inputs[i].Shape()) {
			t.Fatalf("%s: gradient of operand %d has shape %v, the operand %v", c.name, i, n.Shape(), inputs[i].Shape())
		}
		b.Output(inputName(i), n)
	}
	gradients = close(b)

	b = graph.NewBuilder("forward")
	loss, size, _ := trace(b)
	b.Output("loss", loss)
	b.Output("size", size)
	forward = close(b)

	feeds = make(ref.Values)
	for i, v := range points(seed, c.operands) {
		feeds[inputName(i)] = v
	}
	source := random.NewSource(seed, 1, 0)
	for _, n := range forward.Inputs() {
		if n.Name() == "weights" {
			for range n.Shape().Elements() {
				feeds["weights"] = append(feeds["weights"], source.NormFloat64())
			}
		}
	}
	return gradients, forward, feeds
}
