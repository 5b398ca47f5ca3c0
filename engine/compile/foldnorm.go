package compile

import (
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// FoldNorm moves a factor per output channel from behind a convolution or a
// matrix product into its weights: (x*w)·s = x*(w·s). In use, batch
// normalisation is such a factor and an offset, so it disappears (the offset
// becomes a bias in FuseEpilogue). The product w·s is over the weights, not
// over the image.
func FoldNorm(g *graph.Graph) (*graph.Graph, error) {
	count := uses(g)
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if n.Op() != graph.OpMul {
			return nil
		}
		for i := range 2 {
			x, s := n.Input(i), n.Input(1-i)
			if count[x] != 1 || len(s.Shape()) != 1 || !x.Shape().Equal(n.Shape()) {
				continue
			}
			if y := scaled(r, count, x, r.to[s]); y != nil {
				return y
			}
		}
		return nil
	})
}

// scaled returns x·s with s inside the weights of x, nil if x is not of the
// kind.
func scaled(r *rewriter, count map[*graph.Node]int, x, s *graph.Node) *graph.Node {
	channels := x.Shape()[len(x.Shape())-1]
	if s.Shape()[0] != channels {
		return nil
	}
	switch x.Op() {
	case graph.OpAdd: // a bias between them: (x*w + b)·s = x*(w·s) + b·s
		for i := range 2 {
			dense, bias := x.Input(i), x.Input(1-i)
			if count[dense] != 1 || !bias.Shape().Equal(tensor.Shape{channels}) || !dense.Shape().Equal(x.Shape()) {
				continue
			}
			if y := scaled(r, count, dense, s); y != nil {
				return r.Add(y, r.Mul(r.to[bias], s))
			}
		}
		return nil
	case graph.OpMatMul:
		if x.Attrs().(graph.MatMulAttrs).TransB {
			s = r.Reshape(s, channels, 1)
		}
	case graph.OpConv2D:
	case graph.OpConv2DGradInput:
		// Its output channels are axis 2 of the weights, within each group.
		if x.Attrs().(graph.ConvAttrs).Groups != 1 {
			return nil
		}
		s = r.Reshape(s, channels, 1)
	default:
		return nil
	}
	if len(x.Inputs()) != 2 || activated(x) {
		return nil
	}
	return r.Node(x.Op(), x.Attrs(), r.to[x.Input(0)], r.Mul(r.to[x.Input(1)], s))
}
