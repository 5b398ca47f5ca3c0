package nn

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// everyLayer holds each kind with every field set to something that is not
// its default.
func everyLayer() Sequential {
	return Sequential{
		Residual{Body: Sequential{ReLU{}}, Shortcut: Conv{Out: 1}},
		Residual{Body: Concat{Branches: []Layer{Tanh{}, Sequential(nil)}, Crop: true}},
		Dense{Out: 7, NoBias: true, Init: InitHeNormal},
		Conv{8, 5, 3, 2, 1, 2, 3, Pads(1, 2, 3, 4), Depthwise, true, InitOrthogonal},
		ConvTranspose{8, 5, 3, 2, 1, 2, 3, Valid(), 1, 2, 9, 10, 4, true, InitGlorotUniform},
		BatchNorm{0.2, 1e-3, true}, Affine{[]float64{2}, []float64{3}}, LayerNorm{1e-6}, GroupNorm{4, 1e-4}, L2Normalize{1e-6}, GDN{true}, Dropout{0.25},
		LeakyReLU{0.2}, ReLU6{}, SiLU{}, GELU{true}, GELU{}, Sigmoid{}, Softmax{},
		MaxPool{3, 2, 2, 1, Same()}, AvgPool{3, 2, 2, 1, Pads(1, 1, 1, 1), true}, GlobalAvgPool{},
		UpsampleNearest{3}, UpsampleBilinear{Factor: 2}, UpsampleBilinear{Height: 5, Width: 7}, PixelShuffle{3},
		Reshape{[]int{2, 3}}, Flatten{}, Crop{1, 2, 3, 4}, Pad{1, 2, 3, 4},
	}
}

func TestEveryKindIsCovered(t *testing.T) {
	seen := map[string]bool{}
	var walk func(l Layer)
	walk = func(l Layer) {
		seen[l.Kind()] = true
		if c, ok := l.(composite); ok {
			for _, p := range c.parts() {
				walk(p)
			}
		}
	}
	walk(everyLayer())
	kinds := map[string]bool{}
	for _, k := range Kinds() {
		if kinds[k] {
			t.Errorf("two layers are called %s", k)
		}
		kinds[k] = true
		if !seen[k] {
			t.Errorf("layer %s is not in the test's list", k)
		}
	}
}

func TestMarshalRoundTrip(t *testing.T) {
	want := everyLayer()
	data, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) {
		t.Fatalf("not JSON: %s", data)
	}
	got, err := Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Layer(want), got); diff != "" {
		t.Errorf("the network changed on the way (-want +got):\n%s", diff)
	}
}

func TestMarshalForm(t *testing.T) {
	data, err := Marshal(Sequential{Conv{Out: 64, Kernel: 3, Padding: Pads(1, 1, 0, 0)}, Residual{Body: ReLU{}}})
	want := `{"kind":"sequential","layers":[{"kind":"conv","out":64,"kernel":3,"padding":[1,1,0,0]},` +
		`{"kind":"residual","body":{"kind":"relu"}}]}`
	if err != nil || string(data) != want {
		t.Errorf("got %s, %v\nwant %s", data, err, want)
	}
}

// Networks are traced through pointers too, and so they are written.
func TestMarshalOfPointers(t *testing.T) {
	want, err := Marshal(Sequential{Dense{Out: 2}, Residual{Body: ReLU{}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Marshal(&Sequential{&Dense{Out: 2}, &Residual{Body: &ReLU{}}})
	if err != nil || string(got) != string(want) {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

type foreign struct{ ReLU }

func TestMarshalErrors(t *testing.T) {
	deep := Layer(ReLU{})
	for range maxDepth + 1 {
		deep = Residual{Body: deep}
	}
	for _, c := range []struct {
		l    Layer
		want string
	}{
		{nil, "missing"},
		{Sequential{nil}, "missing"},
		{foreign{}, "no JSON form"},
		{(*Dense)(nil), "missing"},
		{LeakyReLU{math.NaN()}, "leaky_relu"},
		{deep, "nested"},
		{Conv{Padding: Padding{Mode: 9}}, "padding mode 9"},
	} {
		if data, err := Marshal(c.l); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Marshal(%T) = %s, %v, want an error about %q", c.l, data, err, c.want)
		}
	}
}

func TestUnmarshalErrors(t *testing.T) {
	deep := strings.Repeat(`{"kind":"residual","body":`, maxDepth+1) + `{"kind":"relu"}` + strings.Repeat("}", maxDepth+1)
	many := `{"kind":"sequential","layers":[` + strings.Repeat(`{"kind":"relu"},`, maxLayers) + `{"kind":"relu"}]}`
	for _, c := range []struct{ in, want string }{
		{``, "must be a JSON object"},
		{`[]`, "must be a JSON object"},
		{`null`, `no "kind"`},
		{`{}`, `no "kind"`},
		{`{"kind":3}`, `no "kind"`},
		{`{"kind":"warp"}`, `"warp" is unknown`},
		{`{"kind":"conv","colour":1}`, `unknown field "colour"`},
		{`{"kind":"conv","out":"many"}`, "layer conv"},
		{`{"kind":"conv","padding":"round"}`, "padding"},
		{`{"kind":"conv","padding":[1,2]}`, "padding"},
		{`{"kind":"residual"}`, "must be a JSON object"},
		{`{"kind":"sequential","layers":[{"kind":"relu"},{}]}`, `no "kind"`},
		{deep, "nested more than"},
		{many, "more than 20000 layers"},
		{strings.Repeat(" ", maxBytes+1), "bytes"},
	} {
		if l, err := Unmarshal([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Unmarshal(%.60q) = %v, %v, want an error about %q", c.in, l, err, c.want)
		}
	}
}

// FuzzUnmarshal holds that whatever is read can be written and read again as
// the same network, and that applying it ends in a graph or an error.
func FuzzUnmarshal(f *testing.F) {
	data, err := Marshal(everyLayer())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, l := range everyLayer() {
		if data, err = Marshal(l); err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"kind":"conv","out":-1,"kernel":-3,"padding":[-1,1,1,9223372036854775807]}`))
	f.Add([]byte(`{"kind":"conv_transpose","kernel":9223372036854775807,"stride":65536,"height":-5}`))
	f.Add([]byte(`{"kind":"max_pool","kernel":2,"padding":[2,2,2,2],"kernel":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Unmarshal(data)
		if err != nil {
			return
		}
		out, err := Marshal(l)
		if err != nil {
			t.Fatalf("what was read from %s cannot be written: %v", data, err)
		}
		again, err := Unmarshal(out)
		if err != nil {
			t.Fatalf("what was written, %s, cannot be read: %v", out, err)
		}
		if diff := cmp.Diff(l, again); diff != "" {
			t.Fatalf("the network changed on the way (-first +second):\n%s", diff)
		}
		for _, training := range []bool{false, true} {
			b := graph.NewBuilder("fuzz")
			x := b.Input("x", tensor.Float32, 2, 6, 5, 4)
			step := b.Input("step", tensor.Int32)
			c := NewContext(b, Options{Training: training, Step: step})
			b.Output("y", c.Layer("net", l, x))
			if g, err := b.Graph(); err == nil {
				if err := g.Verify(); err != nil {
					t.Fatalf("%s gives a graph that does not hold: %v", data, err)
				}
			}
		}
	})
}
