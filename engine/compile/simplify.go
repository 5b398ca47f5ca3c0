package compile

import (
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Simplify removes what computes nothing (factors of 1, addends of 0, views
// that change nothing, repetitions that an element-wise operation does by
// itself) and turns operations on literal scalars into their cheaper forms.
// Differentiation leaves many of these behind.
func Simplify(g *graph.Graph) (*graph.Graph, error) {
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if n.Op().Class() == graph.ClassElementwise && n.Op() != graph.OpFused {
			in = unrepeat(n, in)
		}
		if m := simpler(r, n, in); m != nil && m.Shape().Equal(n.Shape()) {
			return m
		}
		return r.Node(n.Op(), n.Attrs(), in...)
	})
}

// unrepeat takes the operands of an element-wise operation before their
// repetition along axes, where the result keeps its shape without it.
func unrepeat(n *graph.Node, in []*graph.Node) []*graph.Node {
	out := append([]*graph.Node(nil), in...)
	for i, x := range in {
		if x.Op() != graph.OpBroadcast {
			continue
		}
		out[i] = x.Input(0)
		shape := out[0].Shape()
		for _, o := range out[1:] {
			var err error
			if shape, err = tensor.Broadcast(shape, o.Shape()); err != nil {
				return in
			}
		}
		if !shape.Equal(n.Shape()) {
			out[i] = x
		}
	}
	return out
}

func simpler(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
	switch n.Op() {
	case graph.OpScale:
		return scale(r, in[0], n.Float())
	case graph.OpAddScalar:
		if n.Float() == 0 {
			return in[0]
		}
	case graph.OpNeg:
		return scale(r, in[0], -1)
	case graph.OpMul:
		if v, ok := literal(in[1]); ok {
			return scale(r, in[0], v)
		}
		if v, ok := literal(in[0]); ok {
			return scale(r, in[1], v)
		}
	case graph.OpDiv:
		// These have an exact reciprocal, whatever is divided; others keep their
		// division.
		if v, ok := literal(in[1]); ok && (v == 1 || v == -1) {
			return scale(r, in[0], v)
		}
	case graph.OpAdd:
		if v, ok := literal(in[1]); ok {
			return addScalar(r, in[0], v)
		}
		if v, ok := literal(in[0]); ok {
			return addScalar(r, in[1], v)
		}
	case graph.OpSub:
		if v, ok := literal(in[1]); ok {
			return addScalar(r, in[0], -v)
		}
	case graph.OpReshape, graph.OpBroadcast:
		x := in[0]
		for x.Op() == n.Op() {
			x = x.Input(0)
		}
		if x.Shape().Equal(n.Shape()) {
			return x
		}
		return r.Node(n.Op(), n.Attrs(), x)
	case graph.OpReduceSum:
		if n.Shape().Equal(in[0].Shape()) {
			return in[0]
		}
		if centred(sameChannels(in[0])) && overRows(n) {
			return r.BroadcastTo(r.Scalar(0), n.Shape()...)
		}
	case graph.OpSlice, graph.OpPad, graph.OpTranspose:
		if identity(n) {
			return in[0]
		}
	case graph.OpConcat:
		if len(in) == 1 {
			return in[0]
		}
	}
	return nil
}

func scale(r *rewriter, x *graph.Node, factor float64) *graph.Node {
	if x.Op() == graph.OpScale && joins(factor*x.Float()) {
		factor *= x.Float()
		x = x.Input(0)
	}
	if factor == 1 {
		return x
	}
	if v, ok := literal(x); ok && len(x.Shape()) == 0 {
		return r.Scalar(v * factor)
	}
	return r.Scale(x, factor)
}

// joins reports whether a product of two factors is a normal float32, so that
// scaling by it goes beyond no range that scaling by one after the other stays
// within.
func joins(product float64) bool {
	return math.Abs(product) >= 0x1p-126 && math.Abs(product) <= math.MaxFloat32
}

func addScalar(r *rewriter, x *graph.Node, addend float64) *graph.Node {
	if addend == 0 {
		return x
	}
	return r.AddScalar(x, addend)
}

// centred reports whether the elements of each channel of x add up to zero:
// those of the gradient through a batch normalisation do, since adding a
// number to a channel does not change what its normalisation makes of it
// (Ioffe & Szegedy 2015, section 3.2). The bias of a layer before it has thus
// no gradient, where rounding would leave one, which Adam takes for real.
func centred(x *graph.Node) bool {
	if x.Op() != graph.OpBatchNormGradInput {
		return false
	}
	image, moments, dy, sums := x.Input(0), x.Input(1), x.Input(3), x.Input(4)
	return moments.Op() == graph.OpMoments && moments.Input(0) == image &&
		sums.Op() == graph.OpBatchNormGradReduce && sums.Attrs() == x.Attrs() &&
		sums.Input(0) == image && sums.Input(1) == moments && sums.Input(2) == dy
}

// sameChannels returns what x reshapes, as far back as the last axis is the
// same: a dense layer on more than two axes reshapes its gradient.
func sameChannels(x *graph.Node) *graph.Node {
	last := func(s tensor.Shape) int {
		if len(s) == 0 {
			return 0
		}
		return s[len(s)-1]
	}
	for x.Op() == graph.OpReshape && last(x.Input(0).Shape()) == last(x.Shape()) {
		x = x.Input(0)
	}
	return x
}

// overRows reports whether a reduction leaves the last axis alone.
func overRows(n *graph.Node) bool {
	shape := n.Shape()
	return shape.Elements() == shape[len(shape)-1] && shape[len(shape)-1] == n.Input(0).Shape()[len(shape)-1]
}

// literal returns the value of a constant f32 with one element.
func literal(n *graph.Node) (float64, bool) {
	a, ok := n.Attrs().(graph.ConstantAttrs)
	if !ok || a.Value.DType() != tensor.Float32 || a.Value.Shape().Elements() != 1 {
		return 0, false
	}
	return float64(a.Value.Float32()[0]), true
}

func identity(n *graph.Node) bool {
	switch a := n.Attrs().(type) {
	case graph.ListAttrs:
		for i, axis := range a.Values {
			if axis != i {
				return false
			}
		}
		return true
	}
	return n.Shape().Equal(n.Input(0).Shape())
}
