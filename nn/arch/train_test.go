package arch

import (
	"testing"

	"hourglass/engine"
	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
)

// blobs returns n images of 12×12 pixels, each a soft spot at a place of its
// own: two numbers describe an image.
func blobs(n int) []float32 {
	const side = 12
	at := make([]float32, 2*n)
	random.Uniform(at, 1, 2, 0)
	pixels := make([]float32, 0, n*side*side)
	for i := range n {
		cy, cx := 2+8*at[2*i], 2+8*at[2*i+1]
		for y := range side {
			for x := range side {
				dy, dx := float32(y)-cy, float32(x)-cx
				pixels = append(pixels, 1/(1+(dy*dy+dx*dx)/4))
			}
		}
	}
	return pixels
}

// compileTraining returns a program of one training step of Adam on a batch.
// Its outputs are the loss and that of the batch's mean image.
func compileTraining(t testing.TB, e *engine.Engine, a Autoencoder, batch ...int) backend.Program {
	t.Helper()
	b := graph.NewBuilder("train")
	x := b.Input("x", tensor.Float32, batch...)
	lr, step := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)
	c := nn.NewContext(b, nn.Options{Training: true, Step: step})
	y := c.Layer("decoder", a.Decoder, c.Layer("encoder", a.Encoder, x))
	l := loss.SquaredError(y, x, loss.MeanAll)
	var wrt []*graph.Node
	for _, p := range c.Trainable() {
		wrt = append(wrt, p.Node)
	}
	grads, err := autodiff.Gradients(l, wrt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := optim.Build(b, optim.Options{}, c.Trainable(), grads, lr, step); err != nil {
		t.Fatal(err)
	}
	b.Output("loss", l)
	b.Output("constant", loss.SquaredError(x, b.BroadcastTo(b.Mean(x, 0), batch...), loss.MeanAll))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	store := backend.NewStore()
	if err := nn.Initialize(c.Params(), store, 3); err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(g, store)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAutoencodersLearn trains each kind for a few steps: its error must fall
// well below that of the best constant image.
func TestAutoencodersLearn(t *testing.T) {
	const n, steps = 32, 60
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	images := tensor.Of(blobs(n), n, 12, 12, 1)
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			latent := 8
			if kind == "wide" {
				latent = 0
			}
			a, err := New(kind, 12, 12, 1, latent, Options{Width: 8, Hidden: []int{64, 32}})
			if err != nil {
				t.Fatal(err)
			}
			p := compileTraining(t, e, a, n, 12, 12, 1)
			for i := range steps {
				if err := p.Run([]*tensor.Tensor{images, tensor.Scalar(0.01), tensor.Of([]int32{int32(i)})}); err != nil {
					t.Fatal(err)
				}
			}
			got, constant := p.Output(0).Float32()[0], p.Output(1).Float32()[0]
			t.Logf("loss %.5f after %d steps, %.5f for the mean image", got, steps, constant)
			if !(got < 0.5*constant) {
				t.Errorf("the loss is %v after %d steps; the mean image has %v", got, steps, constant)
			}
		})
	}
}

// BenchmarkStep is a training step of the default network for 28×28 pixels on
// a batch of 64, by the way that the decoder grows the image.
func BenchmarkStep(b *testing.B) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	for _, upsample := range []string{"transpose", "nearest", "bilinear", "shuffle"} {
		b.Run(upsample, func(b *testing.B) {
			a, err := New("conv", 28, 28, 1, 16, Options{Upsample: upsample})
			if err != nil {
				b.Fatal(err)
			}
			p := compileTraining(b, e, a, 64, 28, 28, 1)
			images := tensor.New(tensor.Float32, 64, 28, 28, 1)
			random.Uniform(images.Float32(), 1, 2, 3)
			inputs := []*tensor.Tensor{images, tensor.Scalar(0.001), tensor.Of([]int32{0})}
			for b.Loop() {
				if err := p.Run(inputs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
