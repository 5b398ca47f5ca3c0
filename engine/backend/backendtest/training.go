package backendtest

import (
	"fmt"
	"math"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// trainingStep returns one step of gradient descent with momentum on a small
// convolutional autoencoder with batch normalisation, a dropout mask, pooling
// and a classifying head: most of what a real step is made of.
func trainingStep(t testing.TB) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("step")
	images := b.Input("images", tensor.Uint8, 8, 12, 12, 3)
	labels := b.Input("labels", tensor.Int32, 8)
	step := b.Input("step", tensor.Int32)
	var params []*graph.Node
	param := func(name string, shape ...int) *graph.Node {
		params = append(params, b.Variable(name, tensor.Float32, shape...))
		return params[len(params)-1]
	}
	x := b.AddScalar(b.Scale(b.Cast(images), 1.0/128), -1)

	same := graph.Window{PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	h := b.Conv2D(x, param("conv1", 3, 3, 3, 17), same, 1)
	m := b.Moments(h)
	h = b.Relu(b.BatchNorm(h, m, param("gamma", 17), param("beta", 17), 1e-3))
	h = b.MaxPool(h, graph.Window{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}})
	h = b.Relu(b.Add(b.Conv2D(h, param("depthwise", 3, 3, 1, 17), same, 17), param("bias1", 17)))
	flat := b.Reshape(h, 8, 6*6*17)
	z := b.Add(b.MatMul(flat, param("down", 6*6*17, 7), false, false), param("bias2", 7))
	mask := b.Greater(b.RandomUniform(step, 1, 2, 8, 7), b.Scalar(0.25))
	z = b.Mul(z, b.Scale(mask, 1/0.75))
	up := b.Reshape(b.MatMul(z, param("up", 7, 6*6*5), false, false), 8, 6, 6, 5)
	halve := graph.Window{Stride: [2]int{2, 2}, PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	y := b.Tanh(b.ConvTranspose2D(up, param("deconv", 4, 4, 3, 5), halve, 1, 12, 12))
	logits := b.MatMul(z, param("head", 4, 7), false, true)
	loss := b.Add(b.Mean(b.Square(b.Sub(y, x))),
		b.Scale(b.Sum(b.Mul(b.OneHot(labels, 4), b.LogSoftmax(logits))), -1.0/80))
	loss = b.ToScalar(loss)

	grads, err := autodiff.Gradients(loss, params)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range params {
		v := b.Variable("velocity."+p.Name(), tensor.Float32, p.Shape()...)
		next := b.Add(b.Scale(v, 0.875), grads[i])
		b.Update(v, next)
		b.Update(p, b.Sub(p, b.Scale(next, 0.0625)))
	}
	running := b.Variable("running", tensor.Float32, 2, 17)
	b.Update(running, b.Add(b.Scale(running, 0.875), b.Scale(m, 0.125)))
	b.Output("loss", loss)
	b.Output("logits", logits)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// training is a compiled training step with its parameters set.
type training struct {
	program backend.Program
	store   *backend.Store
	inputs  []*tensor.Tensor
}

func startTraining(t *testing.T, be backend.Backend) *training {
	t.Helper()
	g := trainingStep(t)
	r := &training{store: backend.NewStore()}
	var err error
	if r.program, err = be.Compile(g, r.store); err != nil {
		t.Fatal(err)
	}
	for i, name := range r.store.Names() {
		v := r.store.Get(name)
		source := random.NewSource(3, uint64(i), 0)
		// Weights shrink with the length of the sums that they are in.
		size := 1 / math.Sqrt(float64(max(v.Shape().Elements()/v.Shape()[len(v.Shape())-1], 1)))
		for j := range v.Float32() {
			v.Float32()[j] = float32(size * source.NormFloat64())
		}
		if len(name) > 8 && name[:8] == "velocity" {
			clear(v.Float32())
		}
	}
	source := random.NewSource(4, 0, 0)
	r.inputs = []*tensor.Tensor{
		wholes(0, 255, 8, 12, 12, 3).as(tensor.Uint8).make(source),
		wholes(0, 3, 8).as(tensor.Int32).make(source),
		tensor.New(tensor.Int32),
	}
	return r
}

func (r *training) steps(t *testing.T, n int) {
	t.Helper()
	for range n {
		mustRun(t, r.program, r.inputs...)
		r.inputs[2].Int32()[0]++
	}
}

// testTrainingStep follows the reference over a few steps. Errors grow from
// step to step by no law that is worth deriving; what a wrong kernel does is
// thousands of times the tolerance.
func testTrainingStep(t *testing.T, be backend.Backend) {
	got, want := startTraining(t, be), startTraining(t, ref.New())
	for range 3 {
		got.steps(t, 1)
		want.steps(t, 1)
		if err := near(got.program.Output(0), want.program.Output(0)); err != nil {
			t.Errorf("loss: %v", err)
		}
	}
	for _, name := range want.store.Names() {
		if err := near(got.store.Get(name), want.store.Get(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// near compares within 1e-4 of the largest magnitude.
func near(got, want *tensor.Tensor) error {
	g, w := widen(got), widen(want)
	largest := 0.0
	for _, v := range w {
		largest = max(largest, math.Abs(v))
	}
	for i := range w {
		if !(math.Abs(g[i]-w[i]) <= 1e-4*largest) {
			return fmt.Errorf("element %d is %v, want %v", i, g[i], w[i])
		}
	}
	return nil
}

func testAllocations(t *testing.T, be backend.Backend) {
	r := startTraining(t, be)
	r.steps(t, 1)
	var err error
	if n := testing.AllocsPerRun(5, func() { err = r.program.Run(r.inputs) }); n != 0 || err != nil {
		t.Errorf("a run allocates %v times (error %v)", n, err)
	}
}

// testThreads: whole steps agree bit for bit.
func testThreads(t *testing.T, backends []backend.Backend) {
	first := startTraining(t, backends[0])
	first.steps(t, 3)
	for i, be := range backends[1:] {
		r := startTraining(t, be)
		r.steps(t, 3)
		for _, name := range first.store.Names() {
			if at := firstDifference(bits(first.store.Get(name)), bits(r.store.Get(name))); at >= 0 {
				t.Errorf("%s: element %d differs between 1 and %d threads", name, at, i+2)
			}
		}
		if at := firstDifference(bits(first.program.Output(1)), bits(r.program.Output(1))); at >= 0 {
			t.Errorf("logits: element %d differs between 1 and %d threads", at, i+2)
		}
	}
}
