package bench

import (
	"testing"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func TestFlops(t *testing.T) {
	b := graph.NewBuilder("count")
	x := b.Input("x", tensor.Float32, 2, 8, 8, 4)
	w := b.Variable("w", tensor.Float32, 3, 3, 2, 6) // two groups
	pad := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	y := b.Conv2D(x, w, pad, 2)
	b.Output("y", y)
	b.Output("p", b.MatMul(b.Reshape(x, 2, 256), b.Variable("v", tensor.Float32, 256, 5), false, false))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	conv := int64(2 * 2 * 8 * 8 * 6 * 3 * 3 * 2)
	product := int64(2 * 2 * 256 * 5)
	if got := Flops(g); got != conv+product {
		t.Errorf("counted %d operations, want %d", got, conv+product)
	}
	const word = 4
	inputs, variables := 2*8*8*4, 3*3*2*6+256*5
	results := 2*8*8*6 + 2*5
	if got, want := LeastBytes(g), int64(word*(inputs+variables+3*results)); got != want {
		t.Errorf("counted %d bytes, want %d", got, want)
	}
}
