package nn

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// trace applies a layer to an input of the given shape.
func trace(l Layer, o Options, shape ...int) (*Context, *graph.Node, *graph.Graph, error) {
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, shape...)
	if o.Training {
		o.Step = b.Input("step", tensor.Int32)
	}
	c := NewContext(b, o)
	y := c.Layer("net", l, x)
	b.Output("y", y)
	g, err := b.Graph()
	if err == nil {
		err = g.Verify()
	}
	return c, y, g, err
}

func TestOutputShapes(t *testing.T) {
	for _, c := range []struct {
		l        Layer
		in, want tensor.Shape
	}{
		{Conv{}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 7, 8, 3}},
		{Conv{Out: 4, Stride: 2}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 4, 4, 4}},
		{Conv{Out: 4, Stride: 2, StrideWidth: 1, Kernel: 1, KernelWidth: 5}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 4, 8, 4}},
		{Conv{Out: 6, Padding: Valid(), Dilation: 2, Groups: 3}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 3, 4, 6}},
		{Conv{Groups: Depthwise, Padding: Pads(0, 1, 2, 3)}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 6, 11, 3}},
		{ConvTranspose{Out: 4}, tensor.Shape{2, 4, 5, 3}, tensor.Shape{2, 8, 10, 4}},
		{ConvTranspose{Kernel: 3, Height: 7, Width: 10}, tensor.Shape{2, 4, 5, 3}, tensor.Shape{2, 7, 10, 3}},
		{ConvTranspose{Kernel: 1, Stride: 3}, tensor.Shape{2, 4, 5, 3}, tensor.Shape{2, 12, 15, 3}},
		{ConvTranspose{Padding: Valid()}, tensor.Shape{2, 4, 5, 3}, tensor.Shape{2, 10, 12, 3}},
		{ConvTranspose{Kernel: 3, Padding: Pads(1, 1, 1, 1), OutputPadding: 1}, tensor.Shape{2, 4, 5, 3}, tensor.Shape{2, 8, 10, 3}},
		{Dense{Out: 5}, tensor.Shape{2, 7}, tensor.Shape{2, 5}},
		{Dense{}, tensor.Shape{2, 3, 4, 7}, tensor.Shape{2, 3, 4, 7}},
		{MaxPool{}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 3, 4, 3}},
		{MaxPool{Kernel: 3, Stride: 2, Padding: Same()}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 4, 4, 3}},
		{AvgPool{Kernel: 2, KernelWidth: 4}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 3, 2, 3}},
		{GlobalAvgPool{}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 3}},
		{UpsampleNearest{}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 14, 16, 3}},
		{UpsampleBilinear{Height: 9, Width: 5}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 9, 5, 3}},
		{PixelShuffle{3}, tensor.Shape{2, 7, 8, 18}, tensor.Shape{2, 21, 24, 2}},
		{Reshape{[]int{4, 3}}, tensor.Shape{2, 12}, tensor.Shape{2, 4, 3}},
		{Flatten{}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 168}},
		{Crop{Top: 1, Width: 2}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 6, 2, 3}},
		{Pad{1, 0, 2, 3}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 8, 13, 3}},
		{GroupNorm{}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 7, 8, 3}},
		{Concat{Branches: []Layer{Conv{Out: 5}, Sequential{}}}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 7, 8, 8}},
		{Concat{Branches: []Layer{Sequential{}, Pad{0, 2, 0, 1}, Pad{0, 0, 0, 3}}, Crop: true}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 7, 8, 9}},
		{Residual{Body: Conv{Out: 5}, Shortcut: Conv{Out: 5, Kernel: 1}}, tensor.Shape{2, 7, 8, 3}, tensor.Shape{2, 7, 8, 5}},
	} {
		for _, training := range []bool{false, true} {
			_, y, _, err := trace(c.l, Options{Training: training}, c.in...)
			if err != nil {
				t.Errorf("%s on %v: %v", c.l.Kind(), c.in, err)
			} else if !y.Shape().Equal(c.want) {
				t.Errorf("%s on %v gives %v, want %v", c.l.Kind(), c.in, y.Shape(), c.want)
			}
		}
	}
}

func TestErrorsNameTheLayer(t *testing.T) {
	image := tensor.Shape{2, 6, 6, 4}
	for _, c := range []struct {
		l    Layer
		in   tensor.Shape
		want string
	}{
		{Conv{}, tensor.Shape{2, 3}, "it needs images [N,H,W,C]"},
		{Conv{Out: -1}, image, "out is -1"},
		{Conv{Out: 3, Groups: 2}, image, "do not both divide into 2 groups"},
		{Conv{Groups: -2}, image, "-2 groups"},
		{Conv{Kernel: -1}, image, "kernel height is -1"},
		{Conv{Kernel: 9, Padding: Valid()}, image, "does not fit"},
		{Conv{Padding: Pads(-1, 0, 0, 0)}, image, "padding over the height is -1"},
		{Conv{Padding: Padding{Mode: 9}}, image, "padding mode 9"},
		{Conv{Padding: Padding{Top: 5}}, image, "use Pads"},
		{MaxPool{Padding: Padding{Mode: PadSame, Left: 1}}, image, "use Pads"},
		{Conv{Out: 1 << 40}, image, "more than"},
		{ConvTranspose{Stride: -1}, image, "must be 1 to"},
		{ConvTranspose{OutputPadding: 1}, image, "name the output's height"},
		{ConvTranspose{OutputPadding: 2, Padding: Valid()}, image, "0 to stride-1"},
		{ConvTranspose{Width: 1 << 62}, image, "out of range"},
		{ConvTranspose{Height: 20}, image, "no output of 20x12"},
		{ConvTranspose{Height: 12, OutputPadding: 1, Padding: Valid()}, image, "name one of them"},
		{ConvTranspose{Kernel: 1, Padding: Pads(9, 9, 9, 9)}, image, "places long"},
		{Dense{}, tensor.Shape{2}, "it needs [N,…,In]"},
		{Dense{Out: -3}, tensor.Shape{2, 3}, "out is -3"},
		{BatchNorm{Momentum: 2}, image, "momentum is 2"},
		{BatchNorm{}, tensor.Shape{1, 5}, "at least 2"},
		{LayerNorm{Epsilon: -1}, image, "epsilon is -1"},
		{GroupNorm{Groups: 3}, image, "4 channels must divide into the 3 groups"},
		{L2Normalize{Epsilon: 1e-30}, image, "at least 1e-18"},
		{Dropout{Rate: 1}, image, "rate is 1"},
		{MaxPool{Kernel: 7}, image, "does not fit"},
		{AvgPool{Padding: Pads(2, 0, 0, 0)}, image, "less than the kernel"},
		{UpsampleNearest{Factor: -1}, image, "factor is -1"},
		{UpsampleBilinear{Height: 3}, image, "positive height and width"},
		{PixelShuffle{Factor: 3}, image, "multiple of 9"},
		{Reshape{[]int{5}}, image, "do not fill [2 5]"},
		{Crop{Top: 6}, image, "do not lie in it"},
		{Crop{Left: 3, Width: 4}, image, "do not lie in it"},
		{Pad{Top: -1}, image, "padding is -1"},
		{Residual{Body: Conv{Out: 5}}, image, "they must agree"},
		{Residual{}, image, "net.body is missing"},
		{Concat{}, image, "at least one branch"},
		{Concat{Branches: []Layer{ReLU{}, MaxPool{}}}, image, "last axis only"},
		{Concat{Branches: []Layer{Sequential{}, MaxPool{}}, Crop: true}, image, "last axis only"},
		{Sequential{ReLU{}, nil}, image, "net.1 is missing"},
		{Sequential{ReLU{}, Sequential{Flatten{}, MaxPool{}}}, image, "net.1.1 (max_pool) got f32[2 144]"},
	} {
		_, _, _, err := trace(c.l, Options{Training: true}, c.in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on %v: error %v, want one about %q", c.l.Kind(), c.in, err, c.want)
		} else if !strings.Contains(err.Error(), "net") && !strings.Contains(err.Error(), "graph:") {
			t.Errorf("%s: error %q does not name the layer", c.l.Kind(), err)
		}
	}
}

// What the graph refuses names the layer, and what that got.
func TestErrorsOfTheGraphNameTheLayer(t *testing.T) {
	for _, l := range []Layer{Conv{}, Dense{}, Sequential{ReLU{}}, Residual{Body: Flatten{}, Shortcut: Sequential{BatchNorm{}}}} {
		b := graph.NewBuilder("bytes")
		NewContext(b, Options{}).Layer("net", l, b.Input("images", tensor.Uint8, 1, 4, 4, 1))
		if err := b.Err(); err == nil || !strings.Contains(err.Error(), "layer net") || !strings.Contains(err.Error(), "got u8[1 4 4 1]") {
			t.Errorf("%s of bytes: %v", l.Kind(), err)
		}
	}
	b := graph.NewBuilder("earlier")
	x := b.Add(b.Input("x", tensor.Float32, 2), b.Input("y", tensor.Float32, 3))
	NewContext(b, Options{}).Layer("net", ReLU{}, x)
	if err := b.Err(); err == nil || strings.Contains(err.Error(), "in layer") {
		t.Errorf("what failed before the layer: %v", err)
	}
	b = graph.NewBuilder("nothing")
	b.Output("y", NewContext(b, Options{}).Layer("net", ReLU{}, nil))
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "layer net has no input") {
		t.Errorf("without an input: %v", err)
	}
}

func TestDropoutNeedsStep(t *testing.T) {
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, 2, 3)
	NewContext(b, Options{Training: true}).Layer("drop", Dropout{Rate: 0.5}, x)
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "drop (dropout)") {
		t.Errorf("dropout without a step: %v", err)
	}
}

func TestDropoutStreamsDiffer(t *testing.T) {
	_, _, g, err := trace(Sequential{Dropout{0.5}, Dropout{0.5}}, Options{Training: true, Seed: 7}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	var streams []uint64
	for _, n := range g.Nodes {
		if a, ok := n.Attrs().(graph.RandomAttrs); ok {
			streams = append(streams, a.Stream)
			if a.Seed != 7 {
				t.Errorf("a mask is drawn with seed %d, want 7", a.Seed)
			}
		}
	}
	if len(streams) != 2 || streams[0] == streams[1] {
		t.Errorf("the two masks have the streams %v", streams)
	}
}

func TestParamsAndRows(t *testing.T) {
	net := Sequential{
		Conv{Out: 8}, BatchNorm{}, ReLU{},
		Residual{Body: Conv{Groups: Depthwise, NoBias: true}},
		Flatten{}, Dense{Out: 10},
	}
	c, _, _, err := trace(net, Options{}, 2, 4, 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	var params []string
	for _, p := range c.Params() {
		params = append(params, fmt.Sprintf("%s %v trainable=%v decay=%v", p.Name, p.Node.Shape(), p.Trainable, p.Decay))
	}
	wantParams := []string{
		"net.0.weight [3 3 3 8] trainable=true decay=true",
		"net.0.bias [8] trainable=true decay=false",
		"net.1.weight [8] trainable=true decay=false",
		"net.1.bias [8] trainable=true decay=false",
		"net.1.running_mean [8] trainable=false decay=false",
		"net.1.running_var [8] trainable=false decay=false",
		"net.3.body.weight [3 3 1 8] trainable=true decay=true",
		"net.5.weight [160 10] trainable=true decay=true",
		"net.5.bias [10] trainable=true decay=false",
	}
	if !slices.Equal(params, wantParams) {
		t.Errorf("parameters are\n%s\nwant\n%s", strings.Join(params, "\n"), strings.Join(wantParams, "\n"))
	}
	if n := len(c.Trainable()); n != len(wantParams)-2 {
		t.Errorf("%d trainable parameters, want %d", n, len(wantParams)-2)
	}
	var rows []string
	for _, r := range c.Rows() {
		rows = append(rows, fmt.Sprintf("%s %s %v %d %d", r.Name, r.Kind, r.Output, r.Parameters, r.MACs))
	}
	wantRows := []string{
		"net.0 conv [2 4 5 8] 224 4320",
		"net.1 batch_norm [2 4 5 8] 16 0",
		"net.2 relu [2 4 5 8] 0 0",
		"net.3.body conv [2 4 5 8] 72 1440",
		"net.4 flatten [2 160] 0 0",
		"net.5 dense [2 10] 1610 1600",
	}
	if !slices.Equal(rows, wantRows) {
		t.Errorf("rows are\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(wantRows, "\n"))
	}
}

// Layers that are applied again must read the variables that they read at
// first, whatever the size of what they are given, and no others.
func TestAgain(t *testing.T) {
	net := Sequential{Conv{Out: 4}, BatchNorm{}, ReLU{}}
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, 1, 6, 8, 3)
	c := NewContext(b, Options{})
	y := c.Layer("net", net, x)
	again := c.Again()
	z := again.Layer("net", net, b.ResizeBilinear(x, 3, 4))
	var third *graph.Node
	c.Scope("net", func() { third = c.Again().Again().Layer("0", net[0], x) }) // in a scope, and once more
	b.Output("y", y)
	b.Output("z", z)
	b.Output("third", third)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if variables, n := len(g.Variables()), len(c.Params()); variables != n || len(again.Params()) != 0 {
		t.Errorf("%d variables, %d parameters declared at first and %d again", variables, n, len(again.Params()))
	}
	if r := again.Rows(); len(r) != 3 || !r[0].Output.Equal(tensor.Shape{1, 3, 4, 4}) || r[0].MACs != 3*4*27*4 {
		t.Errorf("the rows are %+v", r)
	}
	for name, apply := range map[string]func(*Context){
		"other.0.weight of shape [3 3 3 4]": func(c *Context) { c.Layer("other", net, x) },
		"net.0.weight of shape [3 3 3 5]":   func(c *Context) { c.Layer("net", Sequential{Conv{Out: 5}}, x) },
	} {
		b := graph.NewBuilder("test")
		x = b.Input("x", tensor.Float32, 1, 6, 8, 3)
		c := NewContext(b, Options{})
		c.Layer("net", net, x)
		apply(c.Again())
		if err := b.Err(); err == nil || !strings.Contains(err.Error(), "no parameter "+name) {
			t.Errorf("error %v, want one about %q", err, name)
		}
	}
}

// A convolution that is later folded with the normalisation after it must be
// followed by one product and one sum with vectors.
func TestBatchNormInUseIsAffine(t *testing.T) {
	_, y, g, err := trace(BatchNorm{}, Options{}, 2, 4, 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	channels := tensor.Shape{3}
	if y.Op() != graph.OpAdd || !y.Input(1).Shape().Equal(channels) {
		t.Fatalf("the result is %v, want a sum with a vector:\n%s", y.Op(), g)
	}
	if m := y.Input(0); m.Op() != graph.OpMul || m.Input(0).Op() != graph.OpInput || !m.Input(1).Shape().Equal(channels) {
		t.Errorf("the image is not scaled by a vector:\n%s", g)
	}
	if len(g.Updates) != 0 {
		t.Errorf("use updates %d variables", len(g.Updates))
	}
}
