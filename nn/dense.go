package nn

import (
	"hourglass/engine/graph"
)

// Dense multiplies the last axis by a weight matrix [In,Out] and adds a bias.
// Leading axes stay as they are.
type Dense struct {
	// Out is the number of results; 0 means as many as the input has.
	Out    int      `json:"out,omitempty"`
	NoBias bool     `json:"no_bias,omitempty"`
	Init   InitKind `json:"init,omitempty"`
}

// Kind returns "dense".
func (Dense) Kind() string { return "dense" }

// Apply implements [Layer].
func (l Dense) Apply(c *Context, x *graph.Node) *graph.Node {
	rank := x.Shape().Rank()
	if rank < 2 {
		return c.Fail(l, x, "it needs [N,…,In]")
	}
	shape := x.Shape().Clone()
	in, out := shape[rank-1], l.Out
	if out == 0 {
		out = in
	}
	if out < 0 {
		return c.Fail(l, x, "out is %d; it must not be negative", out)
	}
	w := c.Param("weight", Init{Kind: l.Init}, in, out)
	rows := shape.Elements() / in
	y := x
	if rank != 2 {
		y = c.b.Reshape(x, rows, in)
	}
	y = c.b.MatMul(y, w, false, false)
	if !l.NoBias {
		y = c.b.Add(y, c.Param("bias", biasInit(l.Init, in), out))
	}
	if rank != 2 {
		shape[rank-1] = out
		y = c.b.Reshape(y, shape...)
	}
	c.CountMACs(int64(rows/shape[0]) * int64(in) * int64(out))
	return y
}
