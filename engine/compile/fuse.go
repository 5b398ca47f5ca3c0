package compile

import (
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// FuseEpilogue moves a bias and a ReLU or ReLU6 that alone read the result of a
// convolution or a matrix product into that operation, which applies them to
// each element as it stores it.
func FuseEpilogue(g *graph.Graph) (*graph.Graph, error) {
	g, err := fuseBias(g)
	if err != nil {
		return nil, err
	}
	return fuseRelu(g)
}

func fuseBias(g *graph.Graph) (*graph.Graph, error) {
	count := uses(g)
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if n.Op() != graph.OpAdd {
			return nil
		}
		for i := range 2 {
			x, bias := n.Input(i), n.Input(1-i)
			switch x.Op() {
			case graph.OpMatMul, graph.OpConv2D, graph.OpConv2DGradInput:
			default:
				continue
			}
			channels := x.Shape()[len(x.Shape())-1]
			if count[x] == 1 && len(x.Inputs()) == 2 && !activated(x) && bias.Shape().Equal(tensor.Shape{channels}) &&
				x.Shape().Equal(n.Shape()) {
				return r.Node(x.Op(), x.Attrs(), append(r.mapped(x.Inputs()), r.to[bias])...)
			}
		}
		return nil
	})
}

// activated reports whether a product or a convolution has an activation
// inside: what follows can then no longer move into it.
func activated(n *graph.Node) bool {
	switch a := n.Attrs().(type) {
	case graph.MatMulAttrs:
		return a.Act != graph.ActNone
	case graph.ConvAttrs:
		return a.Act != graph.ActNone
	}
	return false
}

// activations are the operations that products and convolutions can apply as
// they store.
var activations = map[graph.Op]graph.Activation{graph.OpRelu: graph.ActRelu, graph.OpRelu6: graph.ActRelu6}

func fuseRelu(g *graph.Graph) (*graph.Graph, error) {
	count := uses(g)
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		act, ok := activations[n.Op()]
		if !ok || count[n.Input(0)] != 1 || activated(n.Input(0)) {
			return nil
		}
		x := n.Input(0)
		switch a := x.Attrs().(type) {
		case graph.MatMulAttrs:
			a.Act = act
			return r.Node(x.Op(), a, r.mapped(x.Inputs())...)
		case graph.ConvAttrs:
			if x.Op() == graph.OpConv2DGradWeight {
				return nil
			}
			a.Act = act
			return r.Node(x.Op(), a, r.mapped(x.Inputs())...)
		}
		return nil
	})
}
