package arch

import (
	"strings"
	"testing"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
)

// Logits must have the image's size, whatever it is.
func TestSegmentersKeepTheSize(t *testing.T) {
	for _, name := range Segmenters() {
		for _, size := range [][2]int{{180, 240}, {13, 18}, {33, 47}, {1, 1}, {16, 64}} {
			net, err := Segmenter(name, 5, 8)
			if err != nil {
				t.Fatal(err)
			}
			b := graph.NewBuilder(name)
			y := nn.NewContext(b, nn.Options{}).Layer("net", net, b.Input("x", tensor.Float32, 2, size[0], size[1], 3))
			if err := b.Err(); err != nil {
				t.Fatal(err)
			}
			if want := (tensor.Shape{2, size[0], size[1], 5}); !y.Shape().Equal(want) {
				t.Errorf("%s gives %v for %v", name, y.Shape(), size)
			}
		}
	}
}

// What the networks cost is what their names promise.
func TestSegmentersCost(t *testing.T) {
	for name, most := range map[string]int64{"fast": 1_420_000_000, "unet": 8_200_000_000} {
		net, err := Segmenter(name, 11, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, c := traceNetwork(t, net, tensor.Shape{1, 180, 240, 3})
		macs := int64(0)
		for _, row := range c.Rows() {
			macs += row.MACs
		}
		if macs > most || macs < most*9/10 {
			t.Errorf("%s takes %d multiply-adds for an image of 240×180, want about %d", name, macs, most)
		}
	}
}

func TestSegmenterErrors(t *testing.T) {
	for want, build := range map[string]func() error{
		"choose one of fast, unet":        func() error { _, err := Segmenter("deep", 2, 0); return err },
		"of 1 levels":                     func() error { _, err := ResUNet(2, ResUNetOptions{Levels: 1}); return err },
		"must be a multiple of 4":         func() error { _, err := ResUNet(2, ResUNetOptions{Width: 6}); return err },
		"width is 1024; it must be 1 to":  func() error { _, err := Segmenter("fast", 2, 1024); return err },
		"there are 0 classes":             func() error { _, err := Segmenter("fast", 0, 0); return err },
		"arch: there are 100000 classes;": func() error { _, err := Segmenter("unet", 100000, 0); return err },
	} {
		if err := build(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}

func BenchmarkSegmenters(b *testing.B) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	for _, name := range Segmenters() {
		net, err := Segmenter(name, 11, 0)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("use/"+name, func(b *testing.B) {
			build := graph.NewBuilder(name)
			build.Output("y", nn.NewContext(build, nn.Options{}).Layer("net", net, build.Input("x", tensor.Float32, 1, 180, 240, 3)))
			g, err := build.Graph()
			if err != nil {
				b.Fatal(err)
			}
			p, err := e.Compile(g, backend.NewStore())
			if err != nil {
				b.Fatal(err)
			}
			x := []*tensor.Tensor{tensor.New(tensor.Float32, 1, 180, 240, 3)}
			for b.Loop() {
				if err := p.Run(x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
		b.Run("training/"+name, func(b *testing.B) {
			t, err := train.New(e, backend.NewStore(), train.Problem{
				Name: name,
				Trace: func(c *nn.Context) *graph.Node {
					x := c.Builder().Input("images", tensor.Float32, 8, 180, 240, 3)
					y := c.Builder().Input("labels", tensor.Int32, 8, 180, 240)
					z := c.Layer("net", net, x)
					return c.Builder().Add(loss.WeightedCrossEntropy(z, y, nil), loss.SoftDice(z, y))
				},
				Batch: func(epoch, step int, in []*tensor.Tensor) {},
				Steps: 1,
			}, train.Options{Epochs: 1, Seed: 1, LR: 1e-3, Schedule: optim.Constant{}})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := t.Time(1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(8*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
