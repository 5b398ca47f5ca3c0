package compile_test

import (
	"testing"

	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// TestActivationsMoveIntoProducts checks what a product applies as it stores,
// and that a second activation stays outside.
func TestActivationsMoveIntoProducts(t *testing.T) {
	for _, c := range []struct {
		name string
		of   func(b *graph.Builder, x *graph.Node) *graph.Node
		act  graph.Activation
		left int // operations besides the product
	}{
		{"relu", (*graph.Builder).Relu, graph.ActRelu, 0},
		{"relu6", (*graph.Builder).Relu6, graph.ActRelu6, 0},
		{"relu of relu6", func(b *graph.Builder, x *graph.Node) *graph.Node { return b.Relu(b.Relu6(x)) }, graph.ActRelu6, 1},
	} {
		b := graph.NewBuilder(c.name)
		x, w := b.Input("x", tensor.Float32, 8, 4), b.Variable("w", tensor.Float32, 4, 2)
		b.Output("y", c.of(b, b.MatMul(x, w, false, false)))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if g, err = compile.FuseEpilogue(g); err != nil {
			t.Fatal(err)
		}
		left := -1
		var act graph.Activation
		for _, n := range g.Nodes {
			switch n.Op() {
			case graph.OpInput, graph.OpVariable:
				continue
			case graph.OpMatMul:
				act = n.Attrs().(graph.MatMulAttrs).Act
			}
			left++
		}
		if act != c.act || left != c.left {
			t.Errorf("%s: activation %d and %d more operations, want %d and %d\n%v", c.name, act, left, c.act, c.left, g)
		}
	}
}
