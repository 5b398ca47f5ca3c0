package latent

import (
	"math"

	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/train/model"
)

// Loss returns what training makes less for pixels in 0–1: of a variational
// coder the negative evidence lower bound, with β times the divergence (Kingma &
// Welling 2014, eq. 10; Higgins et al. 2017, eq. 4) and the best variance for
// the batch, in bits a dimension of images of 8 bits; of a plain one the squared
// error.
func (m *Coder) Loss(ctx *nn.Context, x *graph.Node, beta float64) *graph.Node {
	y := m.trace(ctx, x)
	b := ctx.Builder()
	if !m.variational || b.Err() != nil {
		return loss.SquaredError(ctx.Layer("decoder", m.Decoder, y), x, loss.MeanAll)
	}
	mean, logVariance := m.halves(y)
	z := drawn(ctx, "code", mean, logVariance)
	likelihood := loss.OptimalNormal(ctx.Layer("decoder", m.Decoder, z), x)
	divergence := loss.NormalDivergence(mean, logVariance, loss.SumPerImageMeanBatch)
	nats := b.Add(likelihood, b.Scale(divergence, beta/float64(m.size.Elements())))
	return b.AddScalar(b.Scale(nats, 1/math.Ln2), byteBits)
}

// Streams of random numbers that are drawn where nothing learns.
const (
	drawStream = 0x47454e<<32 + iota
	flowStream
	secondStream
	validateStream
	pixelStream
)

// Validate returns the loss of images of bytes, each with one code, always
// drawn by the same numbers.
func (m *Coder) Validate(images []uint8, beta float64) (float64, error) {
	d := m.size.Elements()
	if !m.variational {
		codes, err := m.Encode(images)
		if err != nil {
			return 0, err
		}
		return m.SquaredError(images, codes)
	}
	p, err := m.Posterior(images)
	if err != nil {
		return 0, err
	}
	noise := make([]float32, len(p.Mean))
	random.Normal(noise, 0, validateStream, 0)
	mse, err := m.SquaredError(images, p.Sample(noise))
	if err != nil {
		return 0, err
	}
	each, _ := p.Divergence()
	return objective(mse, mean(each), beta, d), nil
}

// SquaredError returns the mean squared error of images of bytes from what
// their codes are decoded to, on 0–1.
func (m *Coder) SquaredError(images []uint8, codes []float32) (float64, error) {
	d, k := m.size.Elements(), m.k
	sum := 0.0
	block := model.Block(d)
	for at := 0; at*k < len(codes); at += block {
		end := min((at+block)*k, len(codes))
		back, err := m.Decode(codes[at*k : end])
		if err != nil {
			return 0, err
		}
		for i, v := range back {
			e := float64(images[at*d+i])/255 - float64(v)
			sum += e * e
		}
	}
	return sum / float64(len(images)), nil
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
