package arch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// trace builds both halves on a batch of two images.
func trace(a Autoencoder, training bool, image ...int) (c *nn.Context, z, y *graph.Node, err error) {
	b := graph.NewBuilder("autoencoder")
	x := b.Input("x", tensor.Float32, append([]int{2}, image...)...)
	c = nn.NewContext(b, nn.Options{Training: training})
	z = c.Layer("encoder", a.Encoder, x)
	y = c.Layer("decoder", a.Decoder, z)
	b.Output("y", y)
	g, err := b.Graph()
	if err == nil {
		err = g.Verify()
	}
	return c, z, y, err
}

func TestEveryShapeFits(t *testing.T) {
	sizes := [][3]int{{8, 8, 1}, {9, 13, 3}, {28, 28, 1}, {31, 17, 2}, {32, 32, 3}, {8, 200, 1}, {65, 129, 3}}
	for _, kind := range Kinds() {
		for _, decoder := range Decoders() {
			for _, s := range sizes {
				for i, o := range []Options{
					{}, {Upsample: "nearest", Norm: "none", Output: "linear"},
					{Upsample: "bilinear", Norm: "group", Blocks: 1}, {Upsample: "shuffle", Width: 5, MaxWidth: 7},
				} {
					o.Decoder = decoder
					name := fmt.Sprintf("%s/%s/%v/%d", kind, decoder, s, i)
					latent := 16
					if kind == "wide" {
						latent = s[0]*s[1]*s[2] + 1
					}
					a, err := New(kind, s[0], s[1], s[2], latent, o)
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					checkFits(t, name, kind, a, s)
				}
			}
		}
	}
}

func checkFits(t *testing.T, name, kind string, a Autoencoder, s [3]int) {
	t.Helper()
	want := tensor.Shape{2, a.Latent}
	if a.Grid != nil {
		want = append(tensor.Shape{2}, a.Grid...)
	}
	for _, training := range []bool{false, true} {
		_, z, y, err := trace(a, training, s[:]...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if !z.Shape().Equal(want) || z.Shape().Elements() != 2*a.Latent {
			t.Errorf("%s: the waist is %v, want %v of %d values", name, z.Shape(), want, a.Latent)
		}
		if !y.Shape().Equal(tensor.Shape{2, s[0], s[1], s[2]}) {
			t.Errorf("%s: the result is %v", name, y.Shape())
		}
	}
	pixels := s[0] * s[1] * s[2]
	if kind == "wide" != (a.Latent > pixels) || (kind != "wide" && a.Latent > 16) {
		t.Errorf("%s: %d values for the waist of an image of %d", name, a.Latent, pixels)
	}
}

func TestDefaultsAreOfReasonableSize(t *testing.T) {
	for _, c := range []struct {
		kind                  string
		h, w, c, latent       int
		maxParams, maxMillion int // parameters; multiply-adds for one image in millions
	}{
		{"conv", 28, 28, 1, 16, 800_000, 25},
		{"conv", 32, 32, 3, 128, 2_500_000, 45},
		{"conv", 128, 128, 3, 1024, 12_000_000, 400},
		{"dense", 28, 28, 1, 16, 1_200_000, 2},
		{"spatial", 28, 28, 1, 16, 3_000_000, 45},
		{"spatial", 128, 128, 3, 1024, 2_000_000, 400},
	} {
		a, err := New(c.kind, c.h, c.w, c.c, c.latent, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, _, _, err := trace(a, false, c.h, c.w, c.c)
		if err != nil {
			t.Fatal(err)
		}
		params, macs := 0, int64(0)
		for _, r := range ctx.Rows() {
			params += r.Parameters
			macs += r.MACs
		}
		t.Logf("%s %dx%dx%d to %d: %d parameters, %.1f million multiply-adds", c.kind, c.h, c.w, c.c, a.Latent, params, float64(macs)/1e6)
		if params > c.maxParams || macs > int64(c.maxMillion)*1e6 {
			t.Errorf("%s for %dx%dx%d has grown to %d parameters and %d multiply-adds", c.kind, c.h, c.w, c.c, params, macs)
		}
	}
}

func TestSpatialWaist(t *testing.T) {
	for _, c := range []struct {
		h, w, c, latent int
		grid            []int
	}{
		{28, 28, 1, 16, []int{2, 2, 4}},
		{32, 32, 3, 128, []int{4, 4, 8}},
		{128, 128, 3, 1024, []int{16, 16, 4}},
		{28, 28, 1, 15, []int{1, 1, 15}},
		{8, 8, 1, 64, []int{4, 4, 4}},
		{9, 9, 1, 1, []int{1, 1, 1}},
	} {
		a, err := New("spatial", c.h, c.w, c.c, c.latent, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.grid, a.Grid); diff != "" {
			t.Errorf("%dx%dx%d to %d: grid (-want +got)\n%s", c.h, c.w, c.c, c.latent, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		kind       string
		h, w, c, k int
		o          Options
		want       string
	}{
		{"conv", 7, 28, 1, 16, Options{}, "images are 7x28"},
		{"conv", 28, 1 << 20, 1, 16, Options{}, "images are 28x1048576"},
		{"conv", 28, 28, 0, 16, Options{}, "0 channels"},
		{"conv", maxSide, maxSide, maxChannels, 16, Options{}, "more than"},
		{"conv", 28, 28, 1, 785, Options{}, "latent is 785; it must be 1 to 784"},
		{"dense", 28, 28, 1, 0, Options{}, "latent is 0"},
		{"wide", 28, 28, 1, 784, Options{}, "more than the 784 values"},
		{"wide", 28, 28, 1, 1 << 40, Options{}, "at most"},
		{"gan", 28, 28, 1, 16, Options{}, `"gan" is unknown; choose one of conv, dense, spatial, wide`},
		{"conv", 28, 28, 1, 16, Options{Decoder: "magic"}, `decoder "magic" is unknown`},
		{"conv", 28, 28, 1, 16, Options{Norm: "magic"}, `norm "magic" is unknown`},
		{"conv", 28, 28, 1, 16, Options{Width: -1}, "widths -1"},
		{"conv", 28, 28, 1, 16, Options{Width: 64, MaxWidth: 32}, "widths 64 to 32"},
		{"conv", 28, 28, 1, 16, Options{Blocks: 65}, "blocks (65)"},
		{"dense", 28, 28, 1, 16, Options{Hidden: []int{0}}, "hidden width 0"},
	} {
		if _, err := New(c.kind, c.h, c.w, c.c, c.k, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%s, %d, %d, %d, %d, %+v): %v, want an error about %q", c.kind, c.h, c.w, c.c, c.k, c.o, err, c.want)
		}
	}
}

func TestStoredAndReadAgain(t *testing.T) {
	a, err := New("conv", 28, 28, 1, 16, Options{Blocks: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []nn.Layer{a.Encoder, a.Decoder} {
		data, err := nn.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		again, err := nn.Unmarshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, again); diff != "" {
			t.Errorf("the network changed on the way (-want +got):\n%s", diff)
		}
	}
}
