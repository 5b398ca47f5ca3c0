package backendtest

import (
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// testOwnUpdates: a variable takes a value made of itself by operations that
// read more than one place of it for each that they write, so that they must
// not write into it while they read.
func testOwnUpdates(t *testing.T, be backend.Backend) {
	for _, c := range []struct {
		name  string
		shape tensor.Shape
		build func(b *graph.Builder, v *graph.Node) *graph.Node
	}{
		{"transpose", tensor.Shape{33, 33}, func(b *graph.Builder, v *graph.Node) *graph.Node { return b.Transpose(v, 1, 0) }},
		{"product", tensor.Shape{17, 17}, func(b *graph.Builder, v *graph.Node) *graph.Node { return b.MatMul(v, v, false, false) }},
		{"product with a transpose", tensor.Shape{17, 17}, func(b *graph.Builder, v *graph.Node) *graph.Node { return b.MatMul(v, v, true, false) }},
		{"convolution", tensor.Shape{1, 9, 9, 3}, func(b *graph.Builder, v *graph.Node) *graph.Node {
			w := tensor.New(tensor.Float32, 3, 3, 3, 3)
			for i := range w.Float32() {
				w.Float32()[i] = float32(i%3 - 1)
			}
			return b.Conv2D(v, b.Constant(w), graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}, 1)
		}},
		{"maximum", tensor.Shape{1, 9, 9, 3}, func(b *graph.Builder, v *graph.Node) *graph.Node {
			return b.MaxPool(v, graph.Window{Kernel: [2]int{3, 3}, PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}})
		}},
		{"minus its mean", tensor.Shape{16, 3}, func(b *graph.Builder, v *graph.Node) *graph.Node {
			return b.Sub(v, b.Mean(v, 0))
		}},
		{"shift", tensor.Shape{1, 1025}, func(b *graph.Builder, v *graph.Node) *graph.Node {
			return b.Pad(b.Slice(v, []int{0, 0}, []int{1, 1024}), []int{0, 1}, []int{0, 0})
		}},
		{"half and half", tensor.Shape{40, 3}, func(b *graph.Builder, v *graph.Node) *graph.Node {
			return b.Concat(0, b.Slice(v, []int{20, 0}, []int{40, 3}), b.Slice(v, []int{0, 0}, []int{20, 3}))
		}},
		{"spread of its first row", tensor.Shape{5, 33}, func(b *graph.Builder, v *graph.Node) *graph.Node {
			return b.Add(v, b.Slice(v, []int{0, 0}, []int{1, 33}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := graph.NewBuilder("test")
			v := b.Variable("v", tensor.Float32, c.shape...)
			b.Update(v, c.build(b, v))
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			store := backend.NewStore()
			p, err := be.Compile(g, store)
			if err != nil {
				t.Fatal(err)
			}
			start := wholes(-3, 3, c.shape...).make(random.NewSource(1, 0, 0))
			if err := store.Get("v").CopyFrom(start); err != nil {
				t.Fatal(err)
			}
			_, want, err := ref.Evaluate(g, ref.Values{"v": widen(start)})
			if err != nil {
				t.Fatal(err)
			}
			mustRun(t, p)
			if err := compare(store.Get("v"), want["v"], nil); err != nil {
				t.Error(err)
			}
		})
	}
}
