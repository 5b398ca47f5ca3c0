package nn

import (
	"math"
	"slices"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// use runs a layer in use on the reference backend.
func use(t *testing.T, l Layer, x *tensor.Tensor) []float32 {
	t.Helper()
	b := graph.NewBuilder("test")
	c := NewContext(b, Options{})
	b.Output("y", c.Layer("net", l, b.Input("x", tensor.Float32, x.Shape()...)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	store := backend.NewStore()
	if err := Initialize(c.Params(), store, 1); err != nil {
		t.Fatal(err)
	}
	p, err := ref.New().Compile(g, store)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run([]*tensor.Tensor{x}); err != nil {
		t.Fatal(err)
	}
	return p.Output(0).Float32()
}

func TestAffine(t *testing.T) {
	x := tensor.New(tensor.Float32, 2, 2)
	copy(x.Float32(), []float32{1, 2, 3, 4})
	for _, c := range []struct {
		l    Affine
		want []float32
	}{
		{Affine{}, []float32{1, 2, 3, 4}},
		{Affine{Scale: []float64{2}}, []float32{2, 4, 6, 8}},
		{Affine{[]float64{2, 10}, []float64{1, -1}}, []float32{3, 19, 7, 39}},
		{Standardize([]float64{2, 3}, []float64{1, 0.5}), []float32{-1, -2, 1, 2}},
	} {
		if got := use(t, c.l, x); !slices.Equal(got, c.want) {
			t.Errorf("%+v gives %v, want %v", c.l, got, c.want)
		}
	}
	for _, l := range []Affine{{Scale: []float64{1, 2, 3}}, {Offset: []float64{math.NaN()}}, {Scale: []float64{1e300}}} {
		if _, _, _, err := trace(l, Options{}, 2, 2); err == nil {
			t.Errorf("%+v was applied to two channels", l)
		}
	}
}

// A dirac convolution hands its input on in its first channels.
func TestDirac(t *testing.T) {
	x := tensor.New(tensor.Float32, 1, 3, 4, 2)
	for i := range x.Float32() {
		x.Float32()[i] = float32(i + 1)
	}
	y := use(t, Conv{Out: 5, NoBias: true, Init: InitDirac}, x)
	for i := range 12 {
		if !slices.Equal(y[i*5:i*5+2], x.Float32()[i*2:i*2+2]) {
			t.Fatalf("place %d is %v, want %v at first", i, y[i*5:i*5+5], x.Float32()[i*2:i*2+2])
		}
		if y[i*5+2] == 0 {
			t.Errorf("place %d of a further channel is 0", i)
		}
	}
}

// Without a learned scale a normalisation is one whose scale stays at 1.
func TestBatchNormWithoutScale(t *testing.T) {
	x := tensor.New(tensor.Float32, 3, 2)
	copy(x.Float32(), []float32{1, 2, 3, 4, 5, 6})
	if got, want := use(t, BatchNorm{NoScale: true}, x), use(t, BatchNorm{}, x); !slices.Equal(got, want) {
		t.Errorf("it gives %v, want %v", got, want)
	}
	c, _, _, err := trace(BatchNorm{NoScale: true}, Options{Training: true}, 3, 2)
	if err != nil || len(c.Trainable()) != 1 || c.Trainable()[0].Name != "net.bias" {
		t.Errorf("it learns %v, %v", c.Trainable(), err)
	}
}
