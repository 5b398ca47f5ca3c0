package cpu

import (
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// TestPatternsAreFound: the chains of a batch norm with an activation, as
// compilation leaves them, come down to the kernels made for them. What those
// compute is compared elsewhere.
func TestPatternsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		activation func(b *graph.Builder, x *graph.Node) *graph.Node
		want       []pattern
	}{
		"relu": {(*graph.Builder).Relu, []pattern{affineRelu, gradAffineRelu}},
		"silu": {func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Mul(x, b.Sigmoid(x)) },
			[]pattern{affine, silu, siluGrad, gradAffine}},
	} {
		b := graph.NewBuilder(name)
		x, w := b.Input("x", tensor.Float32, 2, 5, 5, 3), b.Variable("w", tensor.Float32, 1, 1, 3, 4)
		gamma, beta := b.Variable("gamma", tensor.Float32, 4), b.Variable("beta", tensor.Float32, 4)
		h := b.Conv2D(x, w, graph.Window{}, 1)
		h = c.activation(b, b.BatchNorm(h, b.Moments(h), gamma, beta, 1e-3))
		h = b.Conv2D(h, b.Variable("v", tensor.Float32, 1, 1, 4, 4), graph.Window{}, 1)
		grads, err := autodiff.Gradients(b.Sum(b.Square(h)), []*graph.Node{w, gamma, beta})
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range grads {
			b.Output([]string{"w", "gamma", "beta"}[i], g)
		}
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if g, err = compile.Optimize(g); err != nil {
			t.Fatal(err)
		}
		found := make(map[pattern]bool)
		for _, n := range g.Nodes {
			if a, ok := n.Attrs().(graph.FusedAttrs); ok {
				inputs := len(n.Inputs())
				for _, l := range findPatterns(inputs, a.Body, []int{inputs + len(a.Body) - 1}).links {
					if !l.gone {
						found[l.pattern] = true
					}
				}
			}
		}
		for _, p := range c.want {
			if !found[p] {
				t.Errorf("%s: pattern %d is not found in\n%v", name, p, g)
			}
		}
	}
}
