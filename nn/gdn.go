package nn

import (
	"hourglass/engine/graph"
)

// GDN is generalised divisive normalisation of images [N,H,W,C] (Ballé et al.
// 2016, "Density modeling of images using a generalized normalization
// transformation", equation 3 with their exponents fixed to 2 and 1/2): each
// channel is divided by the root of a learned sum of all channels' squares at
// its place, y[i] = x[i] / sqrt(beta[i] + Σⱼ gamma[j,i]·x[j]²). Inverse
// multiplies by the root instead, one step of the inversion.
//
// What is learned are roots: beta is the square of the parameter "beta" [C]
// plus 1e-6, gamma that of "gamma" [C,C], input by output. Both thus stay
// positive, and a step of the optimiser that crosses zero is no dead end.
type GDN struct {
	Inverse bool `json:"inverse,omitempty"`
}

const (
	gdnBetaMin = 1e-6
	// A channel is normalised by itself at first (Ballé 2018, "Efficient
	// nonlinear transforms for lossy image compression", gives gamma 0.1).
	gdnGamma = 0.1
	// Roots of exactly zero would have no gradient.
	gdnSmallRoot = 1.0 / 512
)

// Kind returns "gdn".
func (GDN) Kind() string { return "gdn" }

// Apply implements [Layer].
func (l GDN) Apply(c *Context, x *graph.Node) *graph.Node {
	if !images(c, l, x) {
		return x
	}
	channels := x.Shape()[3]
	beta := c.Param("beta", Init{Kind: InitOnes}, channels)
	gamma := c.paramWithoutDecay("gamma", Init{Kind: initDiagonal, Value: gdnGamma}, channels, channels)
	b := c.b
	weights := b.Reshape(b.Square(gamma), 1, 1, channels, channels)
	sum := b.Conv2D(b.Square(x), weights, graph.Window{}, 1)
	c.CountMACs(int64(sum.Shape().Elements()/sum.Shape()[0]) * int64(channels))
	sum = b.Add(sum, b.AddScalar(b.Square(beta), gdnBetaMin))
	if l.Inverse {
		return b.Mul(x, b.Sqrt(sum))
	}
	return b.Mul(x, b.Rsqrt(sum))
}
