package latent

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/tensor"
)

// The encoder of a variational network gives twice as many numbers, and no
// network whose waist is a grid becomes one.
func TestNetworks(t *testing.T) {
	for _, kind := range Kinds() {
		for _, variational := range []bool{false, true} {
			a, err := Network(kind, Size{10, 9, 3}, 5, variational, arch.Options{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewCoder(enginetest.New(t, 2), Size{10, 9, 3}, 5, variational, a.Encoder, a.Decoder, backend.NewStore())
			if err != nil {
				t.Errorf("%s: %v", kind, err)
				continue
			}
			if _, err := m.Posterior(nil); (err == nil) != variational {
				t.Errorf("%s, variational %v: distributions of codes: %v", kind, variational, err)
			}
			_, err = NewCoder(enginetest.New(t, 2), Size{10, 9, 3}, 5, !variational, a.Encoder, a.Decoder, backend.NewStore())
			if err == nil || !strings.Contains(err.Error(), "the encoder gives") {
				t.Errorf("%s, variational %v, taken for the other: %v", kind, variational, err)
			}
		}
	}
	if _, err := Network("spatial", Size{16, 16, 1}, 8, true, arch.Options{}); err == nil || !strings.Contains(err.Error(), "no vector") {
		t.Errorf("a waist that is a grid: %v", err)
	}
}

// TestGradients compares the gradients of both stages' losses with differences
// of the losses. The random numbers are the same in every step of one number.
func TestGradients(t *testing.T) {
	e := enginetest.New(t, 2)
	size := Size{8, 8, 1}
	net, err := Network("dense", size, 3, true, arch.Options{Activation: "silu"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewCoder(e, size, 3, true, net.Encoder, net.Decoder, backend.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	encoder, decoder := secondNetworks(3)
	for name, loss := range map[string]func(ctx *nn.Context, x *graph.Node) *graph.Node{
		"first": func(ctx *nn.Context, x *graph.Node) *graph.Node { return m.Loss(ctx, x, 2) },
		"flow": func(ctx *nn.Context, x *graph.Node) *graph.Node {
			return flowLoss(ctx, scoped{"prior", flowNetwork(3)}, x)
		},
		"second": func(ctx *nn.Context, x *graph.Node) *graph.Node {
			return secondLoss(ctx, []scoped{{"e", encoder}, {"d", decoder}}, x)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := graph.NewBuilder(name)
			step := b.Input("step", tensor.Int32)
			shape := []int{4, 3}
			if name == "first" {
				shape = []int{4, 8, 8, 1}
			}
			x := b.Input("x", tensor.Float32, shape...)
			ctx := nn.NewContext(b, nn.Options{Training: true, Step: step, Seed: 3})
			l := loss(ctx, x)
			var weights []*graph.Node
			for _, p := range ctx.Trainable() {
				weights = append(weights, p.Node)
			}
			grads, err := autodiff.Gradients(l, weights)
			if err != nil {
				t.Fatal(err)
			}
			b.Output("loss", l)
			for i, g := range grads {
				b.Output(fmt.Sprint(i), g)
			}
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			store := backend.NewStore()
			p, err := e.Compile(g, store)
			if err != nil {
				t.Fatal(err)
			}
			if err := nn.Initialize(ctx.Params(), store, 5); err != nil {
				t.Fatal(err)
			}
			in := tensor.New(tensor.Float32, shape...)
			random.Uniform(in.Float32(), 1, 1, 0)
			value := func() float64 {
				if err := p.Run([]*tensor.Tensor{tensor.Of([]int32{7}), in}); err != nil {
					t.Fatal(err)
				}
				return float64(p.Output(0).Float32()[0])
			}
			value()
			for i, w := range ctx.Trainable() {
				slope := append([]float32(nil), p.Output(1+i).Float32()...)
				length := 0.0
				for _, v := range slope {
					length += float64(v) * float64(v)
				}
				if length = math.Sqrt(length); length < 1e-3 {
					continue // differences of float32 do not see it
				}
				// Along the gradient the loss changes by its length.
				v := store.Get(w.Name).Float32()
				saved := append([]float32(nil), v...)
				h := 3e-3 / (1 + length)
				at := func(s float64) float64 {
					for j := range v {
						v[j] = saved[j] + float32(s*float64(slope[j])/length)
					}
					return value()
				}
				got := (at(h) - at(-h)) / (2 * h)
				copy(v, saved)
				value()
				if math.Abs(got-length) > 0.06*length+1e-3 {
					t.Errorf("%s: the loss changes by %v along the gradient, whose length is %v", w.Name, got, length)
				}
			}
		})
	}
}
