package arch

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// golden is what testdata/golden.py wrote.
type golden struct {
	Counts map[string]int
	Cases  []struct {
		Name         string
		Image, Shape tensor.Shape
		Y            []float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/networks.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// network returns a network of the golden file: as it is known, or in the
// smaller form whose results the file has.
func network(t *testing.T, name string, published bool) nn.Layer {
	t.Helper()
	classes, unet, unetClasses, codecWidth := 10, UNetOptions{Width: 8, Levels: 3}, 3, 8
	if published {
		classes, unet, unetClasses, codecWidth = 1000, UNetOptions{Width: 64}, 2, 64
	}
	var net nn.Layer
	var err error
	switch name {
	case "resnet18 small":
		net, err = ResNet18(10, ResNetOptions{Small: true})
	case "unet":
		net, err = UNet(unetClasses, unet)
	case "codec":
		var c Codec
		c, err = NewCodec(3, codecWidth, codecWidth)
		net = nn.Sequential{c.Analysis, c.Synthesis}
	default:
		net, err = Classifier(name, 224, 224, classes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func traceNetwork(t *testing.T, net nn.Layer, image tensor.Shape) (*graph.Graph, *nn.Context) {
	t.Helper()
	b := graph.NewBuilder("network")
	c := nn.NewContext(b, nn.Options{})
	b.Output("y", c.Layer("net", net, b.Input("x", tensor.Float32, image...)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, c
}

// hashed is the formula of golden.py for numbers in 0–1.
func hashed(key uint32, i int) float64 {
	h := uint32(i) + key*0x9E3779B1
	h = (h ^ h>>16) * 0x85EBCA6B
	h = (h ^ h>>13) * 0xC2B2AE35
	return float64(h^h>>16) / (1 << 32)
}

// setWeights gives each parameter the values of golden.py.
func setWeights(params []nn.Param, store *backend.Store) {
	for i, p := range params {
		v := store.Get(p.Name)
		s := v.Shape()
		scale, offset := 1.0, -0.5
		last := p.Name[strings.LastIndexByte(p.Name, '.')+1:]
		switch {
		case last == "running_var", last == "beta", last == "weight" && len(s) == 1:
			offset = 0.5
		case last == "gamma":
			scale, offset = 0.25, 0
		case last == "weight":
			bound := math.Sqrt(2/float64(s[:len(s)-1].Elements())) * math.Sqrt(3)
			scale, offset = 2*bound, -bound
		}
		for j := range v.Float32() {
			v.Float32()[j] = float32(hashed(uint32(i+1), j)*scale + offset)
		}
	}
}

// TestNetworksAgreeWithPyTorch compares results, at odd sizes too.
func TestNetworksAgreeWithPyTorch(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	covered := map[string]bool{}
	for _, gc := range readGolden(t).Cases {
		covered[gc.Name] = true
		t.Run(gc.Name, func(t *testing.T) {
			g, c := traceNetwork(t, network(t, gc.Name, false), gc.Image)
			store := backend.NewStore()
			p, err := e.Compile(g, store)
			if err != nil {
				t.Fatal(err)
			}
			setWeights(c.Params(), store)
			x := tensor.New(tensor.Float32, gc.Image...)
			for i := range x.Float32() {
				x.Float32()[i] = float32(hashed(0, i))
			}
			if err := p.Run([]*tensor.Tensor{x}); err != nil {
				t.Fatal(err)
			}
			y := p.Output(0)
			if !y.Shape().Equal(gc.Shape) {
				t.Fatalf("the result is %v, PyTorch's %v", y.Shape(), gc.Shape)
			}
			largest, worst := 0.0, 0.0
			for i, want := range gc.Y {
				largest = max(largest, math.Abs(want))
				worst = max(worst, math.Abs(float64(y.Float32()[i])-want))
			}
			t.Logf("greatest difference %.2g of %.3g", worst, largest)
			if !(worst <= 2e-5*largest) {
				t.Errorf("it differs by %v, where the greatest value is %v", worst, largest)
			}
		})
	}
	for _, name := range Classifiers() {
		if !covered[name] {
			t.Errorf("%s has no golden case", name)
		}
	}
}

// TestParameterCounts compares with PyTorch's networks, whose counts are those
// that were published.
func TestParameterCounts(t *testing.T) {
	for name, want := range readGolden(t).Counts {
		image := tensor.Shape{1, 224, 224, 3}
		_, c := traceNetwork(t, network(t, name, true), image)
		got := 0
		for _, p := range c.Trainable() {
			got += p.Node.Shape().Elements()
		}
		if got != want {
			t.Errorf("%s has %d parameters, PyTorch's %d", name, got, want)
		}
	}
}

func TestNetworksRefuse(t *testing.T) {
	for name, build := range map[string]func() error{
		"are 0 classes":          func() error { _, err := ResNet18(0, ResNetOptions{}); return err },
		"width is -1":            func() error { _, err := ResNet50(10, ResNetOptions{Width: -1}); return err },
		"levels":                 func() error { _, err := UNet(2, UNetOptions{Levels: 15}); return err },
		"width is 512":           func() error { _, err := UNet(2, UNetOptions{Width: 512}); return err },
		"classes; there":         func() error { _, err := MobileNetV2(1 << 20); return err },
		"0 image channels":       func() error { _, err := NewCodec(0, 64, 64); return err },
		"choose one of resnet18": func() error { _, err := Classifier("vgg", 32, 32, 10); return err },
		"images are 0x32":        func() error { _, err := Classifier("resnet18", 0, 32, 10); return err },
	} {
		if err := build(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error is %v, want one about %q", err, name)
		}
	}
}

// TestSmallImagesKeepTheirSize looks at the form that Classifier chooses.
func TestSmallImagesKeepTheirSize(t *testing.T) {
	for side, want := range map[int]int{32: 32, 96: 96, 97: 49} {
		net, err := Classifier("resnet18", side, side/2, 10)
		if err != nil {
			t.Fatal(err)
		}
		_, c := traceNetwork(t, net, tensor.Shape{1, side, side / 2, 3})
		if got := c.Rows()[0].Output[1]; got != want {
			t.Errorf("the first convolution makes %d rows of %d, want %d", got, side, want)
		}
	}
}

func TestNetworksStoredAndReadAgain(t *testing.T) {
	for _, gc := range readGolden(t).Cases {
		net := network(t, gc.Name, false)
		data, err := nn.Marshal(net)
		if err != nil {
			t.Fatal(err)
		}
		again, err := nn.Unmarshal(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(net, again); diff != "" {
			t.Errorf("%s changed on the way (-want +got):\n%s", gc.Name, diff)
		}
	}
}
