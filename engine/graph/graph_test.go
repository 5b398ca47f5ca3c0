package graph

import (
	"errors"
	"strings"
	"testing"

	"hourglass/tensor"
)

func TestErrorNamesOpShapesAndCaller(t *testing.T) {
	b := NewBuilder("bad")
	x := b.Input("x", tensor.Float32, 2, 3)
	y := b.Input("y", tensor.Float32, 4, 5)
	z := b.MatMul(x, y, false, false)
	b.Output("z", b.Relu(b.Add(z, x))) // built on the broken node: must be ignored
	_, err := b.Graph()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	for _, want := range []string{"matmul", "[2 3], [4 5]", "graph_test.go:", "inner lengths 3 and 4 differ"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
}

// What is missing is an error like others, whichever method meets it.
func TestOperandsThatAreMissing(t *testing.T) {
	for name, build := range map[string]func(b *Builder, x *Node) *Node{
		"add":          func(b *Builder, x *Node) *Node { return b.Add(x, nil) },
		"cast":         func(b *Builder, x *Node) *Node { return b.Cast(nil) },
		"mean":         func(b *Builder, x *Node) *Node { return b.Mean(nil) },
		"sum":          func(b *Builder, x *Node) *Node { return b.Sum(nil) },
		"broadcast":    func(b *Builder, x *Node) *Node { return b.BroadcastTo(nil, 2) },
		"convolution":  func(b *Builder, x *Node) *Node { return b.Conv2D(x, nil, Window{}, 1) },
		"transposed":   func(b *Builder, x *Node) *Node { return b.ConvTranspose2D(nil, nil, Window{}, 1, 4, 4) },
		"pool":         func(b *Builder, x *Node) *Node { return b.MaxPool(nil, Window{}) },
		"constant":     func(b *Builder, x *Node) *Node { return b.Constant(nil) },
		"no operation": func(b *Builder, x *Node) *Node { return b.Node(0, nil, x) },
		"unknown":      func(b *Builder, x *Node) *Node { return b.Node(250, nil, x) },
	} {
		b := NewBuilder("missing")
		b.Output("y", build(b, b.Input("x", tensor.Float32, 1, 4, 4, 1)))
		var e *Error
		if _, err := b.Graph(); !errors.As(err, &e) {
			t.Errorf("%s: %v, want an *Error", name, err)
		}
	}
}

func TestShapeRules(t *testing.T) {
	b := NewBuilder("shapes")
	x := b.Input("x", tensor.Float32, 2, 9, 7, 6)
	w := b.Variable("w", tensor.Float32, 3, 2, 3, 8)
	win := Window{Stride: [2]int{2, 1}, PadBefore: [2]int{1, 0}, PadAfter: [2]int{1, 1}}
	y := b.Conv2D(x, w, win, 2)
	for _, c := range []struct {
		name string
		n    *Node
		want tensor.Shape
	}{
		{"conv", y, tensor.Shape{2, 5, 7, 8}},
		{"transposed conv", b.ConvTranspose2D(y, w, win, 2, 9, 7), tensor.Shape{2, 9, 7, 6}},
		{"sum", b.Sum(x, 1, 2), tensor.Shape{2, 1, 1, 6}},
		{"argmax", b.ArgMax(x), tensor.Shape{2, 9, 7}},
		{"moments", b.Moments(x), tensor.Shape{2, 6}},
		{"concat", b.Concat(3, x, x), tensor.Shape{2, 9, 7, 12}},
		{"transpose", b.Transpose(x, 3, 0, 1, 2), tensor.Shape{6, 2, 9, 7}},
		{"slice", b.Slice(x, []int{0, 1, 2, 3}, []int{1, 9, 4, 6}), tensor.Shape{1, 8, 2, 3}},
		{"pad", b.Pad(x, []int{0, 1, 0, 0}, []int{0, 2, 0, 1}), tensor.Shape{2, 12, 7, 7}},
		{"upsample", b.UpsampleNearest(x, 3), tensor.Shape{2, 27, 21, 6}},
		{"resize", b.ResizeBilinear(x, 4, 20), tensor.Shape{2, 4, 20, 6}},
		{"max pool", b.MaxPool(x, Window{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}), tensor.Shape{2, 4, 3, 6}},
	} {
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		if !c.n.Shape().Equal(c.want) {
			t.Errorf("%s: shape %v, want %v", c.name, c.n.Shape(), c.want)
		}
	}
}

func TestGraphDropsWhatNothingNeeds(t *testing.T) {
	b := NewBuilder("trim")
	x := b.Input("x", tensor.Float32, 3)
	v := b.Variable("v", tensor.Float32, 3)
	b.Exp(x)
	b.Update(v, b.Add(v, x))
	b.Output("y", b.Neg(x))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Verify(); err != nil {
		t.Fatal(err)
	}
	want := `graph trim
%0 = input {"x"} : f32[3]
%1 = variable {"v"} : f32[3]
%2 = add %1, %0 : f32[3]
%3 = neg %0 : f32[3]
output "y" %3
update %1 := %2
`
	if got := g.String(); got != want {
		t.Errorf("graph is\n%s\nwant\n%s", got, want)
	}
}

func TestEveryOpIsInTheTable(t *testing.T) {
	names := make(map[string]Op)
	for _, op := range Ops() {
		info := opTable[op]
		if info.name == "" || info.class == 0 || info.infer == nil {
			t.Errorf("operation %d has no complete entry", op)
		}
		if other, ok := names[info.name]; ok {
			t.Errorf("operations %d and %d are both called %s", op, other, info.name)
		}
		names[info.name] = op
	}
}

func TestUpdateIsChecked(t *testing.T) {
	for name, build := range map[string]func(b *Builder, x, v *Node){
		"no variable":  func(b *Builder, x, v *Node) { b.Update(x, v) },
		"other shape":  func(b *Builder, x, v *Node) { b.Update(v, b.Sum(x)) },
		"twice":        func(b *Builder, x, v *Node) { b.Update(v, x); b.Update(v, x) },
		"a taken name": func(b *Builder, x, v *Node) { b.Variable("x", tensor.Float32, 1) },
		"a foreign node": func(b *Builder, x, v *Node) {
			b.Add(x, NewBuilder("other").Input("x", tensor.Float32, 3))
		},
		"a foreign output": func(b *Builder, x, v *Node) {
			b.Output("y", NewBuilder("other").Input("x", tensor.Float32, 3))
		},
		"a foreign value": func(b *Builder, x, v *Node) {
			b.Update(v, NewBuilder("other").Input("x", tensor.Float32, 3))
		},
		"no output":  func(b *Builder, x, v *Node) { b.Output("y", nil) },
		"nothing":    func(b *Builder, x, v *Node) { b.Update(nil, x) },
		"by nothing": func(b *Builder, x, v *Node) { b.Update(v, nil) },
	} {
		b := NewBuilder("bad")
		x, v := b.Input("x", tensor.Float32, 3), b.Variable("v", tensor.Float32, 3)
		build(b, x, v)
		if b.Err() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
