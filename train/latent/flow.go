package latent

import (
	"fmt"

	"hourglass/engine"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/tensor"
)

// flow is flow matching on straight paths (Lipman et al. 2023, section 4.1;
// Liu et al. 2023): a network learns the velocity at which codes z = (1−t)·u +
// t·z₁ move that go from normal numbers u at t = 0 to codes z₁ of images at
// t = 1, in a straight line, whichever u and z₁ are paired. The velocities of
// all lines through a place average to a field that carries the normal
// distribution into that of the codes; following it backward gives the numbers
// that a code is made of.
type flow struct {
	k        int
	velocity *engine.Function // of x [N,k] at times t [N,1]
}

const (
	flowWidth  = 256 // of the network
	flowBlocks = 3   // residual ones
	flowSteps  = 32  // of the midpoint rule from noise to code
	// bumps are what the network is told the time by: a bell curve around each
	// of so many times from 0 to 1.
	bumps = 16
)

// flowNetwork returns the layers of the velocity.
func flowNetwork(k int) nn.Layer {
	net := nn.Sequential{nn.Dense{Out: flowWidth}}
	for range flowBlocks {
		net = append(net, nn.Residual{Body: nn.Sequential{
			nn.LayerNorm{}, nn.SiLU{}, nn.Dense{Out: flowWidth}, nn.SiLU{}, nn.Dense{Out: flowWidth},
		}})
	}
	return append(net, nn.LayerNorm{}, nn.SiLU{}, nn.Dense{Out: k, Init: nn.InitZeros})
}

func newFlow(e *engine.Engine, p *Prior) (*flow, error) {
	f := &flow{k: p.k}
	net := p.nets[0]
	b := graph.NewBuilder("flow")
	ctx := nn.NewContext(b, nn.Options{})
	y := velocity(ctx, net, b.Input("x", tensor.Float32, 1, p.k), b.Input("t", tensor.Float32, 1, 1))
	if err := b.Err(); err != nil {
		return nil, err
	}
	if want := (tensor.Shape{1, p.k}); !y.Shape().Equal(want) {
		return nil, fmt.Errorf("the second stage gives %v for a code of %d numbers", y.Shape(), p.k)
	}
	p.params, p.rows = ctx.Params(), ctx.Rows()
	f.velocity = e.NewFunction("velocity", p.store, func(b *graph.Builder, batch int) {
		x, t := b.Input("x", tensor.Float32, batch, p.k), b.Input("t", tensor.Float32, batch, 1)
		b.Output("velocity", velocity(nn.NewContext(b, nn.Options{}), net, x, t))
	})
	return f, nil
}

// velocity applies the network to codes x [N,k] at times t [N,1].
func velocity(ctx *nn.Context, net scoped, x, t *graph.Node) *graph.Node {
	b := ctx.Builder()
	centres := tensor.New(tensor.Float32, 1, bumps)
	for i := range bumps {
		centres.Float32()[i] = float32(i) / (bumps - 1)
	}
	apart := b.Scale(b.Sub(t, b.Constant(centres)), bumps-1)
	return ctx.Layer(net.scope, net.net, b.Concat(1, x, b.Exp(b.Scale(b.Square(apart), -0.5))))
}

// flowLoss returns the mean squared difference between the velocity and that
// of the line from normal numbers to codes.
func flowLoss(ctx *nn.Context, net scoped, codes *graph.Node) *graph.Node {
	b := ctx.Builder()
	n, k := codes.Shape()[0], codes.Shape()[1]
	noise, t := ctx.Normal("flow noise", n, k), ctx.Uniform("flow time", n, 1)
	along := b.Sub(codes, noise)
	v := velocity(ctx, net, b.Add(noise, b.Mul(along, t)), t)
	return b.ToScalar(b.Mean(b.Square(b.Sub(v, along))))
}

// validate returns flowLoss for codes of mean 0 and deviation 1, each at
// several times, always the same.
func (f *flow) validate(codes []float32) (float64, error) {
	const times = 4
	n := len(codes) / f.k
	noise, t := make([]float32, n*f.k), make([]float32, n)
	x, along := make([]float32, n*f.k), make([]float32, n*f.k)
	sum := 0.0
	for round := range times {
		random.Normal(noise, 0, flowStream, uint64(round))
		for i := range t {
			t[i] = (float32(i%codeBatch)+0.5)/codeBatch/times + float32(round)/times
		}
		for i, z := range codes {
			along[i] = z - noise[i]
			x[i] = noise[i] + t[i/f.k]*along[i]
		}
		v, err := f.at(x, func(i int) float32 { return t[i] })
		if err != nil {
			return 0, err
		}
		for i, w := range v {
			d := float64(w) - float64(along[i])
			sum += d * d
		}
	}
	return sum / float64(times*len(codes)), nil
}

// at returns the velocities of codes [N,k] at the times of each.
func (f *flow) at(x []float32, time func(i int) float32) ([]float32, error) {
	n := len(x) / f.k
	v := make([]float32, len(x))
	in, t := tensor.New(tensor.Float32, codeBatch, f.k), tensor.New(tensor.Float32, codeBatch, 1)
	for at := 0; at < n; at += codeBatch {
		count := min(codeBatch, n-at)
		copy(in.Float32(), x[at*f.k:(at+count)*f.k])
		for i := range count {
			t.Float32()[i] = time(at + i)
		}
		p, err := f.velocity.Run(codeBatch, in, t)
		if err != nil {
			return nil, err
		}
		copy(v[at*f.k:(at+count)*f.k], p.Output(0).Float32())
	}
	return v, nil
}

func (f *flow) noise() int { return f.k }

func (f *flow) codes(noise []float32) ([]float32, error) { return f.follow(noise, 0, 1) }

func (f *flow) noises(codes []float32) ([]float32, error) { return f.follow(codes, 1, 0) }

// follow moves codes along the field from one time to another by the midpoint
// rule.
func (f *flow) follow(start []float32, from, to float64) ([]float32, error) {
	x, middle := append([]float32(nil), start...), make([]float32, len(start))
	h := (to - from) / flowSteps
	for i := range flowSteps {
		t := from + float64(i)*h
		v, err := f.at(x, func(int) float32 { return float32(t) })
		if err != nil {
			return nil, err
		}
		for j, w := range v {
			middle[j] = x[j] + float32(h/2)*w
		}
		if v, err = f.at(middle, func(int) float32 { return float32(t + h/2) }); err != nil {
			return nil, err
		}
		for j, w := range v {
			x[j] += float32(h) * w
		}
	}
	return x, nil
}
