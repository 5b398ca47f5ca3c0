package nn

import (
	"cmp"

	"hourglass/engine/graph"
)

// BatchNorm normalises each channel (Ioffe & Szegedy 2015). In training it
// uses the moments of the batch over all axes but the last and moves its
// running statistics towards them; in use it reads the running statistics
// only, as one product and one sum, which compilation folds into a
// convolution before it.
type BatchNorm struct {
	// Momentum is the weight of the new statistics, PyTorch's sense; 0 means
	// 0.1. The running variance takes the unbiased estimate.
	Momentum float64 `json:"momentum,omitempty"`
	// Epsilon is added to the variance; 0 means 1e-5.
	Epsilon float64 `json:"epsilon,omitempty"`
	// NoScale leaves the learned factor of each channel out and keeps the
	// offset.
	NoScale bool `json:"no_scale,omitempty"`
}

// Kind returns "batch_norm".
func (BatchNorm) Kind() string { return "batch_norm" }

// Apply implements [Layer].
func (l BatchNorm) Apply(c *Context, x *graph.Node) *graph.Node {
	momentum, epsilon := cmp.Or(l.Momentum, 0.1), cmp.Or(l.Epsilon, 1e-5)
	if x.Shape().Rank() < 2 {
		return c.Fail(l, x, "it needs [N,…,C]")
	}
	if !(momentum > 0 && momentum <= 1) || !(float32(epsilon) > 0) {
		return c.Fail(l, x, "momentum is %v and must lie in (0,1]; epsilon is %v and must be a positive float32", momentum, epsilon)
	}
	channels := x.Shape()[x.Shape().Rank()-1]
	b := c.b
	var gamma, beta *graph.Node
	if l.NoScale {
		gamma, beta = b.BroadcastTo(b.Scalar(1), channels), c.Param("bias", Init{Kind: InitZeros}, channels)
	} else {
		gamma, beta = scaleOffset(c, channels)
	}
	mean := c.State("running_mean", 0, channels)
	variance := c.State("running_var", 1, channels)
	if !c.o.Training {
		s := b.Mul(gamma, b.Rsqrt(b.AddScalar(variance, epsilon)))
		return b.Add(b.Mul(x, s), b.Sub(beta, b.Mul(mean, s)))
	}
	values := x.Shape().Elements() / channels
	if values < 2 {
		return c.Fail(l, x, "one value a channel has no variance; train with a batch of at least 2")
	}
	moments := b.Moments(x)
	batchMean, batchVar := row(b, moments, 0), row(b, moments, 1)
	unbiased := momentum * float64(values) / float64(values-1)
	c.Update(mean, b.Add(b.Scale(mean, 1-momentum), b.Scale(batchMean, momentum)))
	c.Update(variance, b.Add(b.Scale(variance, 1-momentum), b.Scale(batchVar, unbiased)))
	return b.BatchNorm(x, moments, gamma, beta, epsilon)
}

// row returns row i of a matrix as a vector.
func row(b *graph.Builder, m *graph.Node, i int) *graph.Node {
	if b.Err() != nil {
		return m
	}
	cols := m.Shape()[1]
	return b.Reshape(b.Slice(m, []int{i, 0}, []int{i + 1, cols}), cols)
}

// scaleOffset declares the learned factor and offset of a normalisation.
func scaleOffset(c *Context, channels int) (gamma, beta *graph.Node) {
	return c.Param("weight", Init{Kind: InitOnes}, channels), c.Param("bias", Init{Kind: InitZeros}, channels)
}

// LayerNorm normalises the last axis of each position by its own mean and
// variance (Ba, Kiros & Hinton 2016) and applies a learned scale and offset.
type LayerNorm struct {
	Epsilon float64 `json:"epsilon,omitempty"` // added to the variance; 0 means 1e-5
}

// Kind returns "layer_norm".
func (LayerNorm) Kind() string { return "layer_norm" }

// Apply implements [Layer].
func (l LayerNorm) Apply(c *Context, x *graph.Node) *graph.Node {
	epsilon := cmp.Or(l.Epsilon, 1e-5)
	rank := x.Shape().Rank()
	if rank < 2 {
		return c.Fail(l, x, "it needs [N,…,C]")
	}
	if !(float32(epsilon) > 0) {
		return c.Fail(l, x, "epsilon is %v; it must be a positive float32", epsilon)
	}
	gamma, beta := scaleOffset(c, x.Shape()[rank-1])
	return c.b.Add(c.b.Mul(standardise(c.b, x, epsilon, rank-1), gamma), beta)
}

// GroupNorm normalises groups of channels of each image by their mean and
// variance over the group and all positions (Wu & He 2018) and applies a
// learned scale and offset to each channel.
type GroupNorm struct {
	Groups  int     `json:"groups,omitempty"`  // 0 means 32, or all channels in one group where there are fewer
	Epsilon float64 `json:"epsilon,omitempty"` // added to the variance; 0 means 1e-5
}

// Kind returns "group_norm".
func (GroupNorm) Kind() string { return "group_norm" }

// Apply implements [Layer].
func (l GroupNorm) Apply(c *Context, x *graph.Node) *graph.Node {
	epsilon := cmp.Or(l.Epsilon, 1e-5)
	shape := x.Shape()
	if shape.Rank() < 2 {
		return c.Fail(l, x, "it needs [N,…,C]")
	}
	channels := shape[shape.Rank()-1]
	groups := l.Groups
	if groups == 0 {
		groups = 32
		if channels < groups {
			groups = 1
		}
	}
	if groups < 1 || channels%groups != 0 || !(float32(epsilon) > 0) {
		return c.Fail(l, x, "%d channels must divide into the %d groups, and epsilon (%v) must be a positive float32", channels, groups, epsilon)
	}
	gamma, beta := scaleOffset(c, channels)
	b := c.b
	positions := shape.Elements() / shape[0] / channels
	y := standardise(b, b.Reshape(x, shape[0], positions, groups, channels/groups), epsilon, 1, 3)
	return b.Add(b.Mul(b.Reshape(y, shape...), gamma), beta)
}

// standardise returns (x−mean)/sqrt(variance+epsilon) with the moments over
// the axes.
func standardise(b *graph.Builder, x *graph.Node, epsilon float64, axes ...int) *graph.Node {
	d := b.Sub(x, b.Mean(x, axes...))
	variance := b.Mean(b.Square(d), axes...)
	return b.Mul(d, b.Rsqrt(b.AddScalar(variance, epsilon)))
}

// L2Normalize scales the last axis of each position to length 1. A vector
// shorter than Epsilon is divided by Epsilon instead.
type L2Normalize struct {
	Epsilon float64 `json:"epsilon,omitempty"` // 0 means 1e-12
}

// Kind returns "l2_normalize".
func (L2Normalize) Kind() string { return "l2_normalize" }

// Apply implements [Layer].
func (l L2Normalize) Apply(c *Context, x *graph.Node) *graph.Node {
	epsilon := cmp.Or(l.Epsilon, 1e-12)
	rank := x.Shape().Rank()
	if rank < 1 || !(epsilon >= 1e-18) {
		// The square of anything smaller is not a normal float32.
		return c.Fail(l, x, "it needs an axis, and an epsilon of at least 1e-18 (it is %v)", epsilon)
	}
	b := c.b
	squares := b.Sum(b.Square(x), rank-1)
	return b.Mul(x, b.Rsqrt(b.Max(squares, b.Scalar(epsilon*epsilon))))
}
