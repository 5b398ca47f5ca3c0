package latent

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"hourglass/engine"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// normal is a normal distribution with a full covariance matrix, which no training
// takes: codes are normal numbers times a matrix whose rows are the principal
// axes, each as long as the deviation along it.
type normal struct {
	k       int
	axes    []float32 // [k,k], of the store
	forward *engine.Function
}

// normalNetwork returns the layer that is the matrix.
func normalNetwork(k int) nn.Layer { return nn.Dense{Out: k, NoBias: true} }

func newNormal(e *engine.Engine, p *Prior) (*normal, error) {
	b := graph.NewBuilder("normal")
	ctx := nn.NewContext(b, nn.Options{})
	y := ctx.Layer(p.nets[0].scope, p.nets[0].net, b.Input("x", tensor.Float32, 1, p.k))
	if err := b.Err(); err != nil {
		return nil, err
	}
	p.params, p.rows = ctx.Params(), ctx.Rows()
	if len(p.params) != 1 || !p.params[0].Node.Shape().Equal(tensor.Shape{p.k, p.k}) || !y.Shape().Equal(tensor.Shape{1, p.k}) {
		return nil, fmt.Errorf("the second stage is no matrix of %d×%d", p.k, p.k)
	}
	axes, err := p.store.Variable(p.params[0].Name, tensor.Float32, p.params[0].Node.Shape())
	if err != nil {
		return nil, err
	}
	s := &normal{k: p.k, axes: axes.Float32()}
	s.forward = e.NewFunction("normal", p.store, func(b *graph.Builder, batch int) {
		b.Output("codes", nn.NewContext(b, nn.Options{}).Layer(p.nets[0].scope, p.nets[0].net, b.Input("x", tensor.Float32, batch, p.k)))
	})
	return s, nil
}

// fit sets the axes to those of the codes of images: mean 0 and deviation 1.
func (s *normal) fit(p *Prior, q *Posterior) error {
	k := s.k
	z := p.standard(q.Mean)
	sums := make([]float64, k*k)
	for at := 0; at < len(z); at += k {
		for i, v := range z[at : at+k] {
			for j := i; j < k; j++ {
				sums[i*k+j] += float64(v) * float64(z[at+j])
			}
			sums[i*k+i] += math.Exp(float64(q.LogVariance[at+i])) / (p.scale[i] * p.scale[i])
		}
	}
	for i := range sums {
		sums[i] /= float64(q.Len())
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(k, sums), true) {
		return fmt.Errorf("the covariance of the codes has no principal axes: choose the prior %s", PriorFlow)
	}
	values := eigen.Values(nil)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	for i := range k {
		length := math.Sqrt(max(values[i], 1e-8))
		for j := range k {
			s.axes[i*k+j] = float32(length * vectors.At(j, i))
		}
	}
	return nil
}

func (s *normal) noise() int { return s.k }

func (s *normal) codes(noise []float32) ([]float32, error) {
	return padded(s.forward, codeBatch, noise, s.k, s.k)
}

// noises divides what codes have along each axis by its length.
func (s *normal) noises(codes []float32) ([]float32, error) {
	u := make([]float32, len(codes))
	for i := range s.k {
		axis := s.axes[i*s.k : (i+1)*s.k]
		square := 0.0
		for _, v := range axis {
			square += float64(v) * float64(v)
		}
		for at := 0; at < len(codes); at += s.k {
			sum := 0.0
			for j, v := range codes[at : at+s.k] {
				sum += float64(v) * float64(axis[j])
			}
			if square > 0 {
				u[at+i] = float32(sum / square)
			}
		}
	}
	return u, nil
}
