package nn

import (
	"hourglass/engine/graph"
)

// Dropout zeroes each element with probability Rate in training and divides
// the others by 1−Rate, so that use, where it does nothing, needs no change
// (Srivastava et al. 2014, section 10). The mask is a function of the seed,
// the layer's path and the step alone.
type Dropout struct {
	Rate float64 `json:"rate,omitempty"` // at least 0 and less than 1; 0 does nothing
}

// Kind returns "dropout".
func (Dropout) Kind() string { return "dropout" }

// Apply implements [Layer].
func (l Dropout) Apply(c *Context, x *graph.Node) *graph.Node {
	if !(l.Rate >= 0 && l.Rate < 1) {
		return c.Fail(l, x, "rate is %v; it must be at least 0 and less than 1", l.Rate)
	}
	if !c.o.Training || l.Rate == 0 {
		return x
	}
	if c.o.Step == nil {
		return c.Fail(l, x, "training it needs the step's number in the context's options")
	}
	b := c.b
	u := c.Uniform("dropout", x.Shape()...)
	kept := b.GreaterEqual(u, b.Scalar(l.Rate))
	return b.Mul(x, b.Scale(kept, 1/(1-l.Rate)))
}
