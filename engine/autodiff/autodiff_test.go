package autodiff_test

import (
	"fmt"
	"strings"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// TestComposed differentiates whole networks, whose values are used more than
// once.
func TestComposed(t *testing.T) {
	for i, c := range []gradCase{
		{"x·x + x, x used three times", []operand{real(2, 3)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Add(b.Mul(x[0], x[0]), x[0]) }},
		{"x divided by its norm", []operand{real(3, 4)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.Mul(x[0], b.Rsqrt(b.Sum(b.Square(x[0]), 1)))
			}},
		{"layer norm", []operand{real(3, 5), real(5), real(5)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				d := b.Sub(x[0], b.Mean(x[0], 1))
				d = b.Mul(d, b.Rsqrt(b.AddScalar(b.Mean(b.Square(d), 1), 1e-3)))
				return b.Add(b.Mul(d, x[1]), x[2])
			}},
		{"batch norm whose moments are an output too", []operand{real(2, 2, 2, 3), real(3), real(3)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				m := b.Moments(x[0])
				y := b.BatchNorm(x[0], m, x[1], x[2], 1e-2)
				return b.Add(b.Sum(y, 0, 1, 2), b.Reshape(b.Slice(m, []int{1, 0}, []int{2, 3}), 1, 1, 1, 3))
			}},
		{"convolution, batch norm, activation, pooling, head", []operand{
			real(2, 5, 5, 2), real(3, 3, 2, 4), real(4), real(4), real(16, 3)}, classifier},
		{"autoencoder", []operand{real(2, 4, 4, 1), real(3, 3, 1, 3), real(3, 3, 1, 3), real(1)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				win := graph.Window{Stride: [2]int{2, 2}, PadBefore: [2]int{1, 1}}
				z := b.Tanh(b.Conv2D(x[0], x[1], win, 1))
				y := b.Sigmoid(b.Add(b.ConvTranspose2D(z, x[2], win, 1, 4, 4), x[3]))
				return b.Mean(b.Square(b.Sub(y, x[0])))
			}},
		{"gradient of a gradient, through the convolutions", []operand{real(1, 4, 4, 2), real(2, 2, 2, 2)},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				y := b.Conv2D(x[0], x[1], graph.Window{Stride: [2]int{2, 1}}, 1)
				grads, err := autodiff.Gradients(b.Sum(b.Square(y)), x)
				if err != nil {
					b.Fail(err)
					return y
				}
				return b.Add(b.Sum(b.Square(grads[0])), b.Sum(b.Square(grads[1])))
			}},
	} {
		t.Run(c.name, func(t *testing.T) { checkGradient(t, 1000+uint64(i), c) })
	}
}

func classifier(b *graph.Builder, x []*graph.Node) *graph.Node {
	y := b.Conv2D(x[0], x[1], graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}, 1)
	y = b.LeakyRelu(b.BatchNorm(y, b.Moments(y), x[2], x[3], 1e-3), 0.1)
	y = b.AvgPool(y, graph.Window{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}}, false)
	logits := b.MatMul(b.Reshape(y, 2, 16), x[4], false, false)
	labels := b.OneHot(b.Constant(tensor.Of([]int32{2, 0}, 2)), 3)
	return b.Neg(b.Sum(b.Mul(labels, b.LogSoftmax(logits)), 1))
}

func TestUnreachedNodesGetZeros(t *testing.T) {
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, 2)
	y := b.Input("y", tensor.Float32, 3, 2)
	blocked := b.Floor(x)
	loss := b.Sum(b.Mul(x, b.Floor(b.Scalar(2.5))))
	grads, err := autodiff.Gradients(loss, []*graph.Node{x, y, loss, blocked})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range grads {
		b.Output(fmt.Sprint(i), n)
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	outputs, _, err := ref.Evaluate(g, ref.Values{"x": {1, 2}, "y": make([]float64, 6)})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float64{{2, 2}, {0, 0, 0, 0, 0, 0}, {1}, {0, 0}} {
		if got := outputs[fmt.Sprint(i)]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("gradient %d is %v, want %v", i, got, want)
		}
	}
}

// TestBlockedPathsAreErrors puts every operation without a derivative, as far
// as it has an f32 operand, between a parameter and the loss.
func TestBlockedPathsAreErrors(t *testing.T) {
	norm := graph.NormAttrs{Epsilon: 1e-5}
	builds := map[graph.Op]func(b *graph.Builder, x *graph.Node) *graph.Node{
		graph.OpSign:         (*graph.Builder).Sign,
		graph.OpStep:         (*graph.Builder).Step,
		graph.OpFloor:        (*graph.Builder).Floor,
		graph.OpGreater:      func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Greater(x, b.Neg(x)) },
		graph.OpGreaterEqual: func(b *graph.Builder, x *graph.Node) *graph.Node { return b.GreaterEqual(x, b.Neg(x)) },
		graph.OpEqual:        func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Equal(x, b.Neg(x)) },
		graph.OpCast:         func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Cast(b.ArgMax(x)) },
		graph.OpOneHot:       func(b *graph.Builder, x *graph.Node) *graph.Node { return b.OneHot(b.ArgMax(x), 3) },
		graph.OpMaxPoolGrad: func(b *graph.Builder, x *graph.Node) *graph.Node {
			a := graph.PoolAttrs{Height: 2, Width: 2}
			a.Kernel, a.Stride, a.Dilation = [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}
			return b.Node(graph.OpMaxPoolGrad, a, x, x)
		},
		graph.OpBatchNormGradReduce: func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Node(graph.OpBatchNormGradReduce, norm, x, b.Moments(x), x)
		},
		graph.OpBatchNormGradInput: func(b *graph.Builder, x *graph.Node) *graph.Node {
			m := b.Moments(x)
			gamma := b.Constant(tensor.New(tensor.Float32, 3))
			return b.Node(graph.OpBatchNormGradInput, norm, x, m, gamma, x, m)
		},
		graph.OpFused: func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Node(graph.OpFused, graph.FusedAttrs{Body: []graph.Instruction{{Op: graph.OpExp, Args: []int{0}}}}, x)
		},
		graph.OpFusedSums: func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Node(graph.OpFusedSums, graph.SumsAttrs{Sums: []int{0}}, x)
		},
	}
	for _, op := range graph.Ops() {
		ok, reason := autodiff.Differentiable(op)
		lowest, _ := op.Arity()
		build := builds[op]
		if build == nil {
			// Leaves have nothing to differentiate, and whatever reads integers
			// is reached through arg_max alone.
			if !ok && lowest > 0 && op.Class() != graph.ClassLeaf && op != graph.OpArgMax {
				t.Errorf("%v is not tested", op)
			}
			continue
		}
		b := graph.NewBuilder("test")
		x := b.Input("x", tensor.Float32, 2, 2, 2, 3)
		loss := b.Sum(build(b, x))
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := autodiff.Gradients(loss, []*graph.Node{x}); err == nil || !strings.Contains(err.Error(), op.String()) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%v: error %v, want the operation and %q", op, err, reason)
		}
	}
}

func TestConditionNeedsNoDerivative(t *testing.T) {
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, 3)
	loss := b.Sum(b.Select(b.Greater(x, b.Scalar(0)), x, b.Scalar(0)))
	if _, err := autodiff.Gradients(loss, []*graph.Node{x}); err != nil {
		t.Errorf("a condition on a parameter is refused: %v", err)
	}
}

func TestWrongLossIsAnError(t *testing.T) {
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, 3)
	if _, err := autodiff.Gradients(b.Square(x), []*graph.Node{x}); err == nil || !strings.Contains(err.Error(), "[3]") {
		t.Errorf("a loss of three elements: %v", err)
	}
	if _, err := autodiff.Gradients(b.ArgMax(x), []*graph.Node{x}); err == nil || !strings.Contains(err.Error(), "i32") {
		t.Errorf("a loss of integers: %v", err)
	}
	broken := b.Add(x, b.Input("y", tensor.Float32, 4))
	if _, err := autodiff.Gradients(broken, []*graph.Node{x}); err == nil || !strings.Contains(err.Error(), "broadcast") {
		t.Errorf("a broken builder: %v", err)
	}
}

// TestFinishedOperationsAreErrors: biases and activations inside dense
// operations are the work of compilation, and the table does not know them.
func TestFinishedOperationsAreErrors(t *testing.T) {
	for name, build := range map[string]func(b *graph.Builder, x *graph.Node) *graph.Node{
		"bias": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Node(graph.OpMatMul, graph.MatMulAttrs{}, x, x, b.Constant(tensor.New(tensor.Float32, 3)))
		},
		"activation of a product": func(b *graph.Builder, x *graph.Node) *graph.Node {
			return b.Node(graph.OpMatMul, graph.MatMulAttrs{Act: graph.ActRelu}, x, x)
		},
		"activation of a convolution": func(b *graph.Builder, x *graph.Node) *graph.Node {
			a := graph.ConvAttrs{Groups: 1, Height: 3, Width: 3, Act: graph.ActRelu}
			a.Kernel, a.Stride, a.Dilation = [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}
			return b.Node(graph.OpConv2D, a, b.Reshape(x, 1, 3, 3, 1), b.Constant(tensor.New(tensor.Float32, 1, 1, 1, 2)))
		},
	} {
		b := graph.NewBuilder("test")
		x := b.Input("x", tensor.Float32, 3, 3)
		loss := b.Sum(build(b, x))
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := autodiff.Gradients(loss, []*graph.Node{x}); err == nil || !strings.Contains(err.Error(), "made by compilation") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
