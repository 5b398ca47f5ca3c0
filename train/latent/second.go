package latent

import (
	"fmt"
	"math"

	"hourglass/engine"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
)

// second is a second variational autoencoder whose data are the codes of the
// first (Dai & Wipf 2019, section 4): since its own code has as many numbers
// as its data, the distribution of its codes can become N(0, 1), which that of
// the first one's cannot. A code of an image is made of k normal numbers for
// its code and k for the noise around what that is decoded to.
type second struct {
	k              int
	gamma          float64 // deviation of the noise
	encode, decode *engine.Function
}

// secondWidth is the width of the two hidden layers of either side.
const secondWidth = 256

// secondNetworks returns the layers of the encoder and the decoder.
func secondNetworks(k int) (encoder, decoder nn.Layer) {
	hidden := func(out int) nn.Layer {
		return nn.Sequential{
			nn.Dense{Out: secondWidth}, nn.LayerNorm{}, nn.SiLU{},
			nn.Dense{Out: secondWidth}, nn.LayerNorm{}, nn.SiLU{}, nn.Dense{Out: out},
		}
	}
	return hidden(2 * k), hidden(k)
}

func newSecond(e *engine.Engine, p *Prior, gamma float64) (*second, error) {
	s := &second{k: p.k, gamma: gamma}
	if !(gamma > 0) || math.IsInf(gamma, 0) {
		return nil, fmt.Errorf("the deviation of its codes is %v, which is no positive number", gamma)
	}
	b := graph.NewBuilder("second")
	ctx := nn.NewContext(b, nn.Options{})
	y := ctx.Layer(p.nets[0].scope, p.nets[0].net, b.Input("x", tensor.Float32, 1, p.k))
	back := ctx.Layer(p.nets[1].scope, p.nets[1].net, b.Input("z", tensor.Float32, 1, p.k))
	if err := b.Err(); err != nil {
		return nil, err
	}
	if !y.Shape().Equal(tensor.Shape{1, 2 * p.k}) || !back.Shape().Equal(tensor.Shape{1, p.k}) {
		return nil, fmt.Errorf("the second stage gives %v and %v for codes of %d numbers", y.Shape(), back.Shape(), p.k)
	}
	p.params, p.rows = ctx.Params(), ctx.Rows()
	part := func(name string, net scoped) *engine.Function {
		return e.NewFunction(name, p.store, func(b *graph.Builder, batch int) {
			b.Output(name, nn.NewContext(b, nn.Options{}).Layer(net.scope, net.net, b.Input("x", tensor.Float32, batch, p.k)))
		})
	}
	s.encode, s.decode = part("encode", p.nets[0]), part("decode", p.nets[1])
	return s, nil
}

// secondLoss returns the loss of the first stage, with codes in the place of
// images, in nats for each number of a code.
func secondLoss(ctx *nn.Context, nets []scoped, codes *graph.Node) *graph.Node {
	b := ctx.Builder()
	n, k := codes.Shape()[0], codes.Shape()[1]
	y := ctx.Layer(nets[0].scope, nets[0].net, codes)
	mean, logVariance := b.Slice(y, []int{0, 0}, []int{n, k}), b.Slice(y, []int{0, k}, []int{n, 2 * k})
	logVariance = b.Max(b.Min(logVariance, b.Scalar(greatestLogVariance)), b.Scalar(leastLogVariance))
	z := drawn(ctx, "second code", mean, logVariance)
	back := ctx.Layer(nets[1].scope, nets[1].net, z)
	return b.Add(loss.OptimalNormal(back, codes), loss.NormalDivergence(mean, logVariance, loss.MeanAll))
}

// validate returns secondLoss for codes of mean 0 and deviation 1, always with
// the same noise, and notes the best deviation.
func (s *second) validate(codes []float32) (float64, error) {
	y, err := padded(s.encode, codeBatch, codes, s.k, 2*s.k)
	if err != nil {
		return 0, err
	}
	noise := make([]float32, len(codes))
	random.Normal(noise, 0, secondStream, 0)
	z := make([]float32, len(codes))
	divergence := 0.0
	for i := range codes {
		row, at := i/s.k, i%s.k
		mean := float64(y[2*row*s.k+at])
		v := max(leastLogVariance, min(greatestLogVariance, float64(y[(2*row+1)*s.k+at])))
		divergence += (mean*mean + math.Expm1(v) - v) / 2
		z[i] = float32(mean + math.Exp(v/2)*float64(noise[i]))
	}
	back, err := padded(s.decode, codeBatch, z, s.k, s.k)
	if err != nil {
		return 0, err
	}
	mse := 0.0
	for i, v := range back {
		d := float64(v) - float64(codes[i])
		mse += d * d / float64(len(back))
	}
	s.gamma = math.Sqrt(mse + 1e-6)
	return (1+math.Log(2*math.Pi*(mse+1e-6)))/2 + divergence/float64(len(codes)), nil
}

func (s *second) noise() int { return 2 * s.k }

func (s *second) codes(noise []float32) ([]float32, error) {
	n := len(noise) / (2 * s.k)
	u := make([]float32, n*s.k)
	for i := range n {
		copy(u[i*s.k:(i+1)*s.k], noise[2*i*s.k:])
	}
	z, err := padded(s.decode, codeBatch, u, s.k, s.k)
	if err != nil {
		return nil, err
	}
	for i := range z {
		z[i] += float32(s.gamma) * noise[(2*(i/s.k)+1)*s.k+i%s.k]
	}
	return z, nil
}

func (s *second) noises(codes []float32) ([]float32, error) {
	y, err := padded(s.encode, codeBatch, codes, s.k, 2*s.k)
	if err != nil {
		return nil, err
	}
	n := len(codes) / s.k
	u := make([]float32, n*s.k)
	for i := range n {
		copy(u[i*s.k:(i+1)*s.k], y[2*i*s.k:])
	}
	back, err := padded(s.decode, codeBatch, u, s.k, s.k)
	if err != nil {
		return nil, err
	}
	out := make([]float32, 2*len(codes))
	for i, v := range codes {
		row, at := i/s.k, i%s.k
		out[2*row*s.k+at] = u[i]
		out[(2*row+1)*s.k+at] = (v - back[i]) / float32(s.gamma)
	}
	return out, nil
}
