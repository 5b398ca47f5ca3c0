package latent

import (
	"hourglass/data"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
)

// Problem describes to the training loop how the second stage learns from
// codes of images, of which a batch is drawn anew in each step; round is the
// number of steps after which it is judged by those of other images. Seed is
// that of the order in which images come. Measure must have been called.
//
// A normal distribution takes no training: it is fitted at once, and ok is
// false.
func (p *Prior) Problem(codes, judged *Posterior, batch, round int, seed uint64) (problem train.Problem, ok bool, err error) {
	var loss func(ctx *nn.Context, z *graph.Node) *graph.Node
	var validate func(codes []float32) (float64, error)
	switch s := p.stage.(type) {
	case *normal:
		return problem, false, s.fit(p, codes)
	case *second:
		loss = func(ctx *nn.Context, z *graph.Node) *graph.Node { return secondLoss(ctx, p.nets, z) }
		validate = s.validate
	case *flow:
		loss = func(ctx *nn.Context, z *graph.Node) *graph.Node { return flowLoss(ctx, p.nets[0], z) }
		validate = s.validate
	}
	n, k := codes.Len(), p.k
	picked, places := make([]int32, batch), make([]int, n)
	for i := range places {
		places[i] = i
	}
	// The loader deals out places only: images of no pixels.
	loader := data.NewLoader(&data.Set{Names: make([]string, n)}, places, batch, seed)
	shift, scale := tensor.New(tensor.Float32, k), tensor.New(tensor.Float32, k)
	for i := range k {
		shift.Float32()[i], scale.Float32()[i] = float32(-p.shift[i]), float32(1/p.scale[i])
	}
	problem = train.Problem{
		Name: "second stage",
		Trace: func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			mean, logVariance := b.Input("mean", tensor.Float32, batch, k), b.Input("log_variance", tensor.Float32, batch, k)
			z := drawn(ctx, "code", mean, logVariance)
			return loss(ctx, b.Mul(b.Add(z, b.Constant(shift)), b.Constant(scale)))
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) {
			step += epoch * round
			loader.Fill(step/loader.Batches(), step%loader.Batches(), nil, nil, picked)
			for row, i := range picked {
				copy(in[0].Float32()[row*k:(row+1)*k], codes.Mean[int(i)*k:])
				copy(in[1].Float32()[row*k:(row+1)*k], codes.LogVariance[int(i)*k:])
			}
		},
		Steps: round,
	}
	if judged != nil {
		known := p.standard(judged.Mean)
		problem.Validate = func() (float64, error) { return validate(known) }
	}
	return problem, true, nil
}

// Settle measures, once the second stage is taught, what follows from its
// networks for codes of images.
func (p *Prior) Settle(codes *Posterior) error {
	if s, ok := p.stage.(*second); ok {
		_, err := s.validate(p.standard(codes.Mean)) // notes the deviation
		return err
	}
	return nil
}

// drawn returns codes of given means and logarithms of variances, other ones in
// every step and for every purpose.
func drawn(ctx *nn.Context, purpose string, mean, logVariance *graph.Node) *graph.Node {
	b := ctx.Builder()
	return b.Add(mean, b.Mul(b.Exp(b.Scale(logVariance, 0.5)), ctx.Normal(purpose, mean.Shape()...)))
}
