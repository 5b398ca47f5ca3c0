package compile_test

import (
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// TestBiasBeforeNormHasNoGradient: the sum that autodiff makes of it is a
// literal zero, which the reference computes up to rounding.
func TestBiasBeforeNormHasNoGradient(t *testing.T) {
	t.Run("convolution", func(t *testing.T) {
		testBiasBeforeNorm(t, func(b *graph.Builder, x, bias *graph.Node) *graph.Node { return b.Add(x, bias) })
	})
	t.Run("dense", func(t *testing.T) { // which works on rows
		testBiasBeforeNorm(t, func(b *graph.Builder, x, bias *graph.Node) *graph.Node {
			return b.Reshape(b.Add(b.Reshape(x, 100, 3), bias), 4, 5, 5, 3)
		})
	})
}

func testBiasBeforeNorm(t *testing.T, add func(b *graph.Builder, x, bias *graph.Node) *graph.Node) {
	t.Helper()
	b := graph.NewBuilder("bias")
	x := b.Input("x", tensor.Float32, 4, 5, 5, 3)
	bias, gamma, beta := b.Variable("bias", tensor.Float32, 3), b.Variable("gamma", tensor.Float32, 3), b.Variable("beta", tensor.Float32, 3)
	y := add(b, x, bias)
	z := b.Relu(b.BatchNorm(y, b.Moments(y), gamma, beta, 1e-3))
	loss := b.ToScalar(b.Sum(b.Square(z)))
	grads, err := autodiff.Gradients(loss, []*graph.Node{bias, beta})
	if err != nil {
		t.Fatal(err)
	}
	b.Output("loss", loss)
	b.Output("bias", grads[0])
	b.Output("beta", grads[1])
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	feeds := randomFeeds(g)
	before, _ := evaluate(t, g, feeds)
	for _, v := range before["bias"] {
		if v > 1e-12 || v < -1e-12 {
			t.Fatalf("the reference gives %v", before["bias"])
		}
	}
	after, err := compile.Simplify(g)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := evaluate(t, after, feeds)
	if err := sameValues(got, map[string][]float64{"loss": before["loss"], "bias": {0, 0, 0}, "beta": before["beta"]}, 1e-12); err != nil {
		t.Error(err)
	}
	for _, n := range after.Nodes {
		if n.Op() == graph.OpReduceSum && n.Shape().Elements() == 3 {
			t.Errorf("the sum is still there:\n%v", after)
		}
	}
}

// A value without rows can be normalised too: each channel by itself.
func TestNormOfOneRow(t *testing.T) {
	b := graph.NewBuilder("row")
	x, gamma, beta := b.Input("x", tensor.Float32, 3), b.Variable("gamma", tensor.Float32, 3), b.Variable("beta", tensor.Float32, 3)
	loss := b.ToScalar(b.Sum(b.Square(b.BatchNorm(x, b.Moments(x), gamma, beta, 1e-3))))
	grads, err := autodiff.Gradients(loss, []*graph.Node{gamma, beta, x})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"gamma", "beta", "x"} {
		b.Output(name, grads[i])
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	feeds := randomFeeds(g)
	before, _ := evaluate(t, g, feeds)
	expanded, err := compile.ExpandNorm(g)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := evaluate(t, expanded, feeds)
	if err := sameValues(after, before, 1e-12); err != nil {
		t.Error(err)
	}
	// Sums that cancel leave their rounding, which is no gradient.
	if op := expanded.Outputs[2].Node.Op(); op != graph.OpBroadcast {
		t.Errorf("the gradient of x, which is zero, is computed by %v", op)
	}
}
