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

// TestAdditionsMoveIntoProducts checks which additions a convolution makes as
// it stores.
func TestAdditionsMoveIntoProducts(t *testing.T) {
	pad := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	pooled := pad
	pooled.Kernel = [2]int{3, 3}
	for _, c := range []struct {
		name            string
		of              func(b *graph.Builder, inner, x *graph.Node) *graph.Node
		additions, left int // and those outside of convolutions
	}{
		{"block", func(b *graph.Builder, inner, x *graph.Node) *graph.Node { return b.Add(inner, x) }, 1, 0},
		{"other order", func(b *graph.Builder, inner, x *graph.Node) *graph.Node { return b.Add(x, inner) }, 1, 0},
		{"rectified", func(b *graph.Builder, inner, x *graph.Node) *graph.Node { return b.Relu(b.Add(inner, x)) }, 1, 0},
		{"rectified inside", func(b *graph.Builder, inner, x *graph.Node) *graph.Node { return b.Add(b.Relu(inner), x) }, 1, 1},
		{"two blocks", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			sum := b.Add(inner, x)
			return b.Add(b.Conv2D(b.Conv2D(sum, b.Variable("u", tensor.Float32, 1, 1, 4, 4), graph.Window{}, 1),
				b.Variable("s", tensor.Float32, 1, 1, 4, 4), graph.Window{}, 1), sum)
		}, 2, 0},
		{"element-wise after", func(b *graph.Builder, inner, x *graph.Node) *graph.Node { return b.Tanh(b.Add(inner, x)) }, 1, 1},
		{"read later", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			sum := b.Add(inner, x)
			b.Output("later", b.Transpose(x, 0, 2, 1, 3))
			return sum
		}, 1, 1},
		{"output", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			b.Output("x", x)
			return b.Add(inner, x)
		}, 1, 1},
		{"an output itself", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			sum := b.Add(inner, x)
			b.Output("sum", sum)
			return sum
		}, 1, 1},
		{"of variables", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			u := b.Variable("u", tensor.Float32, 16, 4)
			product := b.MatMul(u, b.Variable("s", tensor.Float32, 4, 4), false, false)
			return b.Add(b.Reshape(b.Add(product, b.Slice(b.Reshape(x, 60, 4), []int{0, 0}, []int{16, 4})), 2, 4, 2, 4), b.Slice(inner, []int{0, 0, 0, 0}, []int{2, 4, 2, 4}))
		}, 2, 2},
		{"read twice", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			b.Output("inner", inner)
			return b.Add(inner, x)
		}, 1, 1},
		{"over channels", func(b *graph.Builder, inner, x *graph.Node) *graph.Node { return b.Add(inner, b.Sum(x, 0, 1, 2)) }, 1, 1},
		{"two", func(b *graph.Builder, inner, x *graph.Node) *graph.Node {
			return b.Add(b.Add(inner, x), b.MaxPool(x, pooled))
		}, 2, 2},
	} {
		b := graph.NewBuilder(c.name)
		x := b.MaxPool(b.Input("x", tensor.Float32, 2, 6, 5, 4), pooled)
		w, v := b.Variable("w", tensor.Float32, 3, 3, 4, 4), b.Variable("v", tensor.Float32, 1, 1, 4, 4)
		inner := b.Conv2D(b.Relu(b.Conv2D(x, w, pad, 1)), v, graph.Window{}, 1)
		b.Output("y", b.MaxPool(c.of(b, b.Add(inner, b.Variable("bias", tensor.Float32, 4)), x), pooled))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if g, err = compile.FuseEpilogue(g); err != nil {
			t.Fatal(err)
		}
		left, moved := 0, 0
		for _, n := range g.Nodes {
			switch n.Op() {
			case graph.OpAdd:
				left++
			case graph.OpConv2D:
				if bias, addend := graph.Extras(n); addend >= 0 {
					moved++
					if bias != 2 && moved == 1 {
						t.Errorf("%s: the bias is lost: %v", c.name, g)
					}
				}
			}
		}
		if left != c.left || left+moved != c.additions {
			t.Errorf("%s: %d additions are left and %d are moved, want %d of %d left\n%v", c.name, left, moved, c.left, c.additions, g)
		}
	}
}
