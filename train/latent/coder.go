// Package latent learns codes of images and how these are distributed: a
// variational autoencoder, and what its codes come from, so that random numbers
// can be turned into codes of likely images.
package latent

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/tensor"
	"hourglass/train/model"
)

// Size is that of images [H,W,C].
type Size struct{ Height, Width, Channels int }

// Elements returns d, the numbers of an image.
func (s Size) Elements() int { return s.Height * s.Width * s.Channels }

// Kinds returns the networks that a variational autoencoder can be made of:
// those of [arch.Kinds] whose waist is a vector.
func Kinds() []string { return []string{"conv", "dense"} }

// Network returns the layers of an autoencoder of a kind with codes of k
// numbers. The encoder of a variational one gives two numbers for each of the
// code: the means, then the logarithms of the variances.
func Network(kind string, s Size, k int, variational bool, o arch.Options) (arch.Autoencoder, error) {
	a, err := arch.New(kind, s.Height, s.Width, s.Channels, k, o)
	if err != nil || !variational {
		return a, err
	}
	layers, ok := a.Encoder.(nn.Sequential)
	if ok && len(layers) > 0 {
		if last, ok := layers[len(layers)-1].(nn.Dense); ok {
			last.Out = 2 * k
			a.Encoder = append(layers[:len(layers)-1:len(layers)-1], last)
			return a, nil
		}
	}
	return a, fmt.Errorf("latent: the waist of %s is no vector; choose one of %s", kind, strings.Join(Kinds(), ", "))
}

// Coder is an encoder from images to codes, or to what they are distributed
// by, and a decoder back.
type Coder struct {
	Encoder, Decoder nn.Layer

	size        Size
	k           int
	variational bool
	store       *backend.Store

	batch                    int // images that pass through together
	encode, decode           *engine.Function
	encoderRows, decoderRows []nn.Row
	params                   []nn.Param
}

// NewCoder makes the functions of a coder on a store that holds its parameters
// or is about to.
func NewCoder(e *engine.Engine, s Size, k int, variational bool, encoder, decoder nn.Layer, store *backend.Store) (*Coder, error) {
	m := &Coder{Encoder: encoder, Decoder: decoder, size: s, k: k, variational: variational, store: store}
	b := graph.NewBuilder("coder")
	ctx := nn.NewContext(b, nn.Options{})
	y := ctx.Layer("encoder", encoder, b.Input("x", tensor.Float32, 1, s.Height, s.Width, s.Channels))
	rows := len(ctx.Rows())
	back := ctx.Layer("decoder", decoder, b.Input("z", tensor.Float32, 1, k))
	if err := b.Err(); err != nil {
		return nil, err
	}
	if want := (tensor.Shape{1, m.given()}); !y.Shape().Equal(want) {
		return nil, fmt.Errorf("the encoder gives %v for an image and not %v", y.Shape(), want)
	}
	if want := (tensor.Shape{1, s.Height, s.Width, s.Channels}); !back.Shape().Equal(want) {
		return nil, fmt.Errorf("the decoder gives %v for a code and not %v", back.Shape(), want)
	}
	var err error
	if m.batch, err = model.Batch(s.Elements(), ctx.Rows()); err != nil {
		return nil, err
	}
	m.encoderRows, m.decoderRows, m.params = ctx.Rows()[:rows], ctx.Rows()[rows:], ctx.Params()
	m.encode = e.NewFunction("encode", store, func(b *graph.Builder, batch int) {
		images := b.Input("images", tensor.Uint8, batch, s.Height, s.Width, s.Channels)
		b.Output("codes", m.trace(nn.NewContext(b, nn.Options{}), model.Pixels(b, images)))
	})
	m.decode = e.NewFunction("decode", store, func(b *graph.Builder, batch int) {
		codes := b.Input("codes", tensor.Float32, batch, k)
		b.Output("images", nn.NewContext(b, nn.Options{}).Layer("decoder", decoder, codes))
	})
	return m, nil
}

// Rows describes the layers of the encoder and the decoder.
func (m *Coder) Rows() (encoder, decoder []nn.Row) { return m.encoderRows, m.decoderRows }

// Params returns the parameters and states of both.
func (m *Coder) Params() []nn.Param { return m.params }

// Store returns what holds them.
func (m *Coder) Store() *backend.Store { return m.store }

// given is how many numbers the encoder gives for an image.
func (m *Coder) given() int {
	if m.variational {
		return 2 * m.k
	}
	return m.k
}

// Bounds of the logarithm of a code's variance: what lies beyond makes no
// difference, and its exponential could overflow.
const (
	leastLogVariance    = -14
	greatestLogVariance = 8
)

// trace applies the encoder to pixels in 0–1 and keeps the variances within
// bounds.
func (m *Coder) trace(ctx *nn.Context, pixels *graph.Node) *graph.Node {
	y := ctx.Layer("encoder", m.Encoder, pixels)
	if !m.variational || ctx.Builder().Err() != nil {
		return y
	}
	mean, logVariance := m.halves(y)
	b := ctx.Builder()
	return b.Concat(1, mean, b.Max(b.Min(logVariance, b.Scalar(greatestLogVariance)), b.Scalar(leastLogVariance)))
}

// halves divides [N,2k] into means and logarithms of variances.
func (m *Coder) halves(y *graph.Node) (mean, logVariance *graph.Node) {
	n, k := y.Shape()[0], m.k
	b := y.Builder()
	return b.Slice(y, []int{0, 0}, []int{n, k}), b.Slice(y, []int{0, k}, []int{n, 2 * k})
}

// Encode returns what the encoder gives for images [N,H,W,C]: codes [N,k], or
// for a variational one means and logarithms of variances [N,2k]. A full batch always passes through, so that the result for an
// image does not depend on how many there are.
func (m *Coder) Encode(images []uint8) ([]float32, error) {
	d, k := m.size.Elements(), m.given()
	if len(images)%d != 0 {
		return nil, fmt.Errorf("latent: %d bytes are no whole number of %d×%d×%d images", len(images), m.size.Height, m.size.Width, m.size.Channels)
	}
	n := len(images) / d
	out := make([]float32, n*k)
	in := tensor.New(tensor.Uint8, m.batch, m.size.Height, m.size.Width, m.size.Channels)
	for at := 0; at < n; at += m.batch {
		count := min(m.batch, n-at)
		copy(in.Uint8(), images[at*d:(at+count)*d])
		p, err := m.encode.Run(m.batch, in)
		if err != nil {
			return nil, err
		}
		copy(out[at*k:(at+count)*k], p.Output(0).Float32())
	}
	return out, nil
}

// Decode returns the images [N,H,W,C], in 0–1, of codes [N,k].
func (m *Coder) Decode(codes []float32) ([]float32, error) {
	return padded(m.decode, m.batch, codes, m.k, m.size.Elements())
}

// padded runs a function of one input [batch,in] over rows [N,in] and returns
// its rows [N,out]. A full batch always passes through.
func padded(f *engine.Function, batch int, rows []float32, in, out int) ([]float32, error) {
	if len(rows)%in != 0 {
		return nil, fmt.Errorf("latent: %d numbers are no whole number of codes of length %d", len(rows), in)
	}
	n := len(rows) / in
	all := make([]float32, n*out)
	x := tensor.New(tensor.Float32, batch, in)
	for at := 0; at < n; at += batch {
		count := min(batch, n-at)
		copy(x.Float32(), rows[at*in:(at+count)*in])
		p, err := f.Run(batch, x)
		if err != nil {
			return nil, err
		}
		copy(all[at*out:(at+count)*out], p.Output(0).Float32())
	}
	return all, nil
}

// Posterior says how the codes of images are distributed: independently, by
// normal distributions.
type Posterior struct {
	K                 int
	Mean, LogVariance []float32 // [N,K]
}

// Len returns N, the number of images.
func (p *Posterior) Len() int { return len(p.Mean) / p.K }

// Posterior returns the distributions of the codes of images [N,H,W,C]. It fails if
// the coder is not variational.
func (m *Coder) Posterior(images []uint8) (*Posterior, error) {
	if !m.variational {
		return nil, errors.New("latent: a plain autoencoder gives codes, and no distributions of them")
	}
	raw, err := m.Encode(images)
	if err != nil {
		return nil, err
	}
	k := m.k
	n := len(raw) / (2 * k)
	p := &Posterior{k, make([]float32, n*k), make([]float32, n*k)}
	for i := range n {
		copy(p.Mean[i*k:(i+1)*k], raw[2*i*k:])
		copy(p.LogVariance[i*k:(i+1)*k], raw[(2*i+1)*k:])
	}
	return p, nil
}

// Append adds the distributions of others.
func (p *Posterior) Append(q *Posterior) {
	p.Mean, p.LogVariance = append(p.Mean, q.Mean...), append(p.LogVariance, q.LogVariance...)
}

// Sample draws a code for each image: element i takes normal number i of a
// sequence.
func (p *Posterior) Sample(noise []float32) []float32 {
	z := make([]float32, len(p.Mean))
	for i, m := range p.Mean {
		z[i] = m + float32(math.Exp(float64(p.LogVariance[i])/2))*noise[i]
	}
	return z
}

// Divergence returns the Kullback–Leibler divergence of each image's codes
// from N(0, 1), in nats, and its mean for each number of the code.
func (p *Posterior) Divergence() (images, numbers []float64) {
	images, numbers = make([]float64, p.Len()), make([]float64, p.K)
	for i, m := range p.Mean {
		v := float64(p.LogVariance[i])
		kl := (float64(m)*float64(m) + math.Expm1(v) - v) / 2
		images[i/p.K] += kl
		numbers[i%p.K] += kl / float64(p.Len())
	}
	return images, numbers
}
