package ref

import (
	"math"
	"strings"
	"testing"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// run evaluates what build makes of inputs x and, if it is given, y.
func run(t *testing.T, x, y []float64, xs, ys tensor.Shape, build func(b *graph.Builder, x, y *graph.Node) *graph.Node) []float64 {
	t.Helper()
	b := graph.NewBuilder("test")
	feeds := Values{"x": x, "y": y}
	xn := b.Input("x", tensor.Float32, xs...)
	var yn *graph.Node
	if y != nil {
		yn = b.Input("y", tensor.Float32, ys...)
	}
	b.Output("out", build(b, xn, yn))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	outputs, _, err := Evaluate(g, feeds)
	if err != nil {
		t.Fatal(err)
	}
	return outputs["out"]
}

func check(t *testing.T, name string, got []float64, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", name, got, want)
	}
	for i := range want {
		bothNaN := math.IsNaN(got[i]) && math.IsNaN(want[i])
		if !bothNaN && got[i] != want[i] && !(math.Abs(got[i]-want[i]) <= 1e-12) {
			t.Errorf("%s: element %d is %v, want %v (of %v)", name, i, got[i], want[i], got)
		}
	}
}

func count(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i + 1)
	}
	return out
}

func TestEveryOpHasAnEvaluation(t *testing.T) {
	for _, op := range graph.Ops() {
		_, ok := kernels[op]
		declared := op == graph.OpInput || op == graph.OpVariable
		if elementwise := op.Class() == graph.ClassElementwise; !ok && !declared && !elementwise {
			t.Errorf("operation %v has no evaluation", op)
		}
	}
}

// TestConvolutionByHand works a 3x3 image through a 2x2 kernel with padding
// above and to the left, then its two gradients.
func TestConvolutionByHand(t *testing.T) {
	image := count(9) // 1 2 3 / 4 5 6 / 7 8 9
	weights := []float64{1, 10, 100, 1000}
	win := graph.Window{Stride: [2]int{2, 2}, PadBefore: [2]int{1, 1}}
	xs, ws := tensor.Shape{1, 3, 3, 1}, tensor.Shape{2, 2, 1, 1}
	got := run(t, image, weights, xs, ws, func(b *graph.Builder, x, w *graph.Node) *graph.Node {
		return b.Conv2D(x, w, win, 1)
	})
	// Windows: [. . / . 1], [. . / 2 3], [. 4 / . 7], [5 6 / 8 9].
	check(t, "conv2d", got, 1000, 3200, 7040, 9865)

	dy := []float64{1, 2, 3, 4}
	got = run(t, dy, weights, tensor.Shape{1, 2, 2, 1}, ws, func(b *graph.Builder, x, w *graph.Node) *graph.Node {
		return b.ConvTranspose2D(x, w, win, 1, 3, 3)
	})
	check(t, "conv2d_grad_input", got, 1000, 200, 2000, 30, 4, 40, 3000, 400, 4000)

	got = run(t, image, dy, xs, tensor.Shape{1, 2, 2, 1}, func(b *graph.Builder, x, d *graph.Node) *graph.Node {
		attrs := graph.ConvAttrs{Window: win, Groups: 1, Height: 3, Width: 3}
		attrs.Kernel, attrs.Dilation = [2]int{2, 2}, [2]int{1, 1}
		return b.Node(graph.OpConv2DGradWeight, attrs, x, d)
	})
	// Tap (0,0) sees only 5; (0,1) sees 4 and 6; (1,0) sees 2 and 8; (1,1) all corners.
	check(t, "conv2d_grad_weight", got, 4*5, 3*4+4*6, 2*2+4*8, 1*1+2*3+3*7+4*9)
}

func TestGroupsAndDilationByHand(t *testing.T) {
	// Two channels, a group each: channel 0 counts, channel 1 counts by tens.
	image := []float64{1, 10, 2, 20, 3, 30, 4, 40}
	weights := []float64{1, 1, 2, 3} // [1,2,1,2]: tap 0 is (1,1), tap 1 is (2,3)
	got := run(t, image, weights, tensor.Shape{1, 1, 4, 2}, tensor.Shape{1, 2, 1, 2},
		func(b *graph.Builder, x, w *graph.Node) *graph.Node {
			return b.Conv2D(x, w, graph.Window{Dilation: [2]int{1, 2}}, 2)
		})
	check(t, "dilated groups", got, 1+2*3, 10+3*30, 2+2*4, 20+3*40)
}

func TestBiasAndActivation(t *testing.T) {
	got := run(t, []float64{1, 2, 3, 4}, []float64{1, 0, 0, -1}, tensor.Shape{2, 2}, tensor.Shape{2, 2},
		func(b *graph.Builder, x, y *graph.Node) *graph.Node {
			bias := b.Constant(tensor.Of([]float32{2, 3.5}, 2))
			return b.Node(graph.OpMatMul, graph.MatMulAttrs{TransA: true, Act: graph.ActRelu}, x, y, bias)
		})
	// xᵀy = [1 -3 / 2 -4]; with the bias [3 0.5 / 4 -0.5].
	check(t, "matmul", got, 3, 0.5, 4, 0)
	got = run(t, []float64{1, 2, 3, 4}, []float64{1, 0, 0, -1}, tensor.Shape{2, 2}, tensor.Shape{2, 2},
		func(b *graph.Builder, x, y *graph.Node) *graph.Node {
			bias := b.Constant(tensor.Of([]float32{-2, 3.5}, 2))
			return b.Node(graph.OpMatMul, graph.MatMulAttrs{TransB: true}, x, y, bias)
		})
	check(t, "matmul without activation", got, 1-2, -2+3.5, 3-2, -4+3.5)
}

func TestPoolingByHand(t *testing.T) {
	image := []float64{5, 5, 1, 2, 3, 9}
	shape := tensor.Shape{1, 2, 3, 1}
	win := graph.Window{Kernel: [2]int{2, 2}, Stride: [2]int{1, 2}, PadAfter: [2]int{0, 1}}
	attrs := graph.PoolAttrs{Window: win, Height: 2, Width: 3}
	attrs.Dilation = [2]int{1, 1}
	for _, c := range []struct {
		name  string
		build func(b *graph.Builder, x, dy *graph.Node) *graph.Node
		want  []float64
	}{
		{"max", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.MaxPool(x, win) }, []float64{5, 9}},
		{"average", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.AvgPool(x, win, false) }, []float64{15. / 4, 5}},
		{"average with padding", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.AvgPool(x, win, true) }, []float64{15. / 4, 2.5}},
		{"max gradient, first of a tie", func(b *graph.Builder, x, dy *graph.Node) *graph.Node {
			return b.Node(graph.OpMaxPoolGrad, attrs, x, dy)
		}, []float64{8, 0, 0, 0, 0, 6}},
		{"average gradient", func(b *graph.Builder, _, dy *graph.Node) *graph.Node {
			return b.Node(graph.OpAvgPoolGrad, attrs, dy)
		}, []float64{2, 2, 3, 2, 2, 3}},
	} {
		got := run(t, image, []float64{8, 6}, shape, tensor.Shape{1, 1, 2, 1}, c.build)
		check(t, c.name, got, c.want...)
	}
}

func TestResizeByHand(t *testing.T) {
	row := []float64{10, 20}
	double := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.ResizeBilinear(x, 1, 4) }
	check(t, "2 to 4", run(t, row, nil, tensor.Shape{1, 1, 2, 1}, nil, double), 10, 12.5, 17.5, 20)
	shrink := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.ResizeBilinear(x, 1, 2) }
	check(t, "3 to 2", run(t, []float64{0, 4, 8}, nil, tensor.Shape{1, 1, 3, 1}, nil, shrink), 1, 7)
	spread := func(b *graph.Builder, x, _ *graph.Node) *graph.Node {
		return b.Node(graph.OpResizeBilinearGrad, graph.ResizeAttrs{Height: 1, Width: 2}, x)
	}
	check(t, "gradient of 2 to 4", run(t, count(4), nil, tensor.Shape{1, 1, 4, 1}, nil, spread),
		1+0.75*2+0.25*3, 0.25*2+0.75*3+4)
	repeat := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.UpsampleNearest(x, 2) }
	check(t, "nearest", run(t, row, nil, tensor.Shape{1, 1, 2, 1}, nil, repeat), 10, 10, 20, 20, 10, 10, 20, 20)
}

func TestBatchNormByHand(t *testing.T) {
	x := []float64{1, 10, 3, 30} // two rows of two channels
	moments := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Moments(x) }
	check(t, "moments", run(t, x, nil, tensor.Shape{2, 2}, nil, moments), 2, 20, 1, 100)
	norm := func(b *graph.Builder, x, p *graph.Node) *graph.Node {
		gamma := b.Reshape(b.Slice(p, []int{0, 0}, []int{1, 2}), 2)
		beta := b.Reshape(b.Slice(p, []int{1, 0}, []int{2, 2}), 2)
		return b.BatchNorm(x, b.Moments(x), gamma, beta, 3)
	}
	r := 10 / math.Sqrt(103)
	check(t, "batch norm", run(t, x, []float64{2, 1, 5, 0}, tensor.Shape{2, 2}, tensor.Shape{2, 2}, norm),
		5-2./2, -r, 5+2./2, r)
}

func TestSpecialValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	x := []float64{nan, -inf, inf, -1, 0, 2, 7}
	shape := tensor.Shape{7}
	for _, c := range []struct {
		op   graph.Op
		want []float64
	}{
		{graph.OpRelu, []float64{nan, 0, inf, 0, 0, 2, 7}},
		{graph.OpRelu6, []float64{nan, 0, 6, 0, 0, 2, 6}},
		{graph.OpSign, []float64{nan, -1, 1, -1, 0, 1, 1}},
		{graph.OpStep, []float64{0, 0, 1, 0, 0, 1, 1}},
		{graph.OpSigmoid, []float64{nan, 0, 1, 1 / (1 + math.E), 0.5, 1 / (1 + math.Exp(-2)), 1 / (1 + math.Exp(-7))}},
	} {
		got := run(t, x, nil, shape, nil, func(b *graph.Builder, x, _ *graph.Node) *graph.Node {
			return b.Node(c.op, nil, x)
		})
		check(t, c.op.String(), got, c.want...)
	}
	top := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.ReduceMax(x) }
	check(t, "reduce_max", run(t, x, nil, shape, nil, top), nan)
	arg := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Cast(b.ArgMax(x)) }
	check(t, "arg_max of NaN", run(t, x, nil, shape, nil, arg), 0)
	check(t, "arg_max of a tie", run(t, []float64{1, 5, 5}, nil, tensor.Shape{3}, nil, arg), 1)
	soft := func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Softmax(x) }
	check(t, "softmax", run(t, []float64{1000, 1000, -inf}, nil, tensor.Shape{3}, nil, soft), 0.5, 0.5, 0)
}

func TestViewsByHand(t *testing.T) {
	x, shape := count(6), tensor.Shape{2, 3}
	for _, c := range []struct {
		name  string
		build func(b *graph.Builder, x, y *graph.Node) *graph.Node
		want  []float64
	}{
		{"transpose", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Transpose(x, 1, 0) }, []float64{1, 4, 2, 5, 3, 6}},
		{"slice", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Slice(x, []int{0, 1}, []int{2, 3}) }, []float64{2, 3, 5, 6}},
		{"pad", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Pad(x, []int{0, 1}, []int{1, 0}) }, []float64{0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0}},
		{"concat", func(b *graph.Builder, x, y *graph.Node) *graph.Node { return b.Concat(1, x, y) }, []float64{1, 2, 3, 7, 4, 5, 6, 8}},
		{"broadcast", func(b *graph.Builder, _, y *graph.Node) *graph.Node { return b.BroadcastTo(y, 2, 2) }, []float64{7, 7, 8, 8}},
		{"add", func(b *graph.Builder, x, y *graph.Node) *graph.Node { return b.Add(x, y) }, []float64{8, 9, 10, 12, 13, 14}},
		{"sum", func(b *graph.Builder, x, _ *graph.Node) *graph.Node { return b.Sum(x, 0) }, []float64{5, 7, 9}},
	} {
		check(t, c.name, run(t, x, []float64{7, 8}, shape, tensor.Shape{2, 1}, c.build), c.want...)
	}
}

func TestMissingFeedIsAnError(t *testing.T) {
	b := graph.NewBuilder("test")
	b.Output("y", b.Neg(b.Input("x", tensor.Float32, 2)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Evaluate(g, nil); err == nil || !strings.Contains(err.Error(), `"x" is not fed`) {
		t.Errorf("without a feed: %v", err)
	}
	if _, _, err := Evaluate(g, Values{"x": {1}}); err == nil || !strings.Contains(err.Error(), "1 elements") {
		t.Errorf("with a short feed: %v", err)
	}
}
