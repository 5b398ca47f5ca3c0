package compile

import (
	"slices"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// FuseEpilogue moves a bias and a ReLU that alone read the result of a
// convolution, a matrix product or a batch normalisation into that operation,
// which applies them to each element as it stores it.
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

func fuseRelu(g *graph.Graph) (*graph.Graph, error) {
	count := uses(g)
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if n.Op() != graph.OpRelu || count[n.Input(0)] != 1 {
			return nil
		}
		x := n.Input(0)
		switch a := x.Attrs().(type) {
		case graph.MatMulAttrs:
			a.Act = graph.ActRelu
			return r.Node(x.Op(), a, r.mapped(x.Inputs())...)
		case graph.ConvAttrs:
			if x.Op() == graph.OpConv2DGradWeight {
				return nil
			}
			a.Act = graph.ActRelu
			return r.Node(x.Op(), a, r.mapped(x.Inputs())...)
		case graph.NormAttrs:
			if x.Op() != graph.OpBatchNorm {
				return nil
			}
			a.Act = graph.ActRelu
			return r.Node(x.Op(), a, r.mapped(x.Inputs())...)
		}
		return nil
	})
}

// Limits of a fused chain: its tiles should stay in the first-level cache.
const (
	maxFusedInputs = 12
	maxFusedBody   = 32
)

// FuseElementwise joins element-wise operations of one shape into chains that
// run tile by tile, so that what lies between them never goes to memory. A
// value joins its reader if nothing else reads it. Every element-wise
// operation ends in an OpFused, alone if need be, so that backends have one
// way to run them.
func FuseElementwise(g *graph.Graph) (*graph.Graph, error) {
	root := fusionRoots(g)
	members := make(map[*graph.Node][]*graph.Node)
	for _, n := range g.Nodes {
		if r := root[n]; r != nil {
			members[r] = append(members[r], n)
		}
	}
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if n.Op().Class() != graph.ClassElementwise || n.Op() == graph.OpFused {
			return nil
		}
		if root[n] != n {
			return placeholder(r, n, in)
		}
		inputs, body := chain(members[n])
		return r.Node(graph.OpFused, graph.FusedAttrs{Body: body}, r.mapped(inputs)...)
	})
}

// placeholder stands for a node inside a chain: nothing reads it in the copy,
// so it is dropped there.
func placeholder(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
	return r.Node(n.Op(), n.Attrs(), in...)
}

// fusionRoots assigns each element-wise node the last node of its chain.
func fusionRoots(g *graph.Graph) map[*graph.Node]*graph.Node {
	count := uses(g)
	users := g.Users()
	root := make(map[*graph.Node]*graph.Node)
	inputs := make(map[*graph.Node]map[*graph.Node]bool)
	size := make(map[*graph.Node]int)
	for _, n := range slices.Backward(g.Nodes) {
		if n.Op().Class() != graph.ClassElementwise || n.Op() == graph.OpFused {
			continue
		}
		// All readers must be in one chain; an output or update is a reader
		// outside of every chain.
		var r *graph.Node
		if len(users[n]) == count[n] {
			for i, u := range users[n] {
				if i == 0 {
					r = root[u]
				} else if root[u] != r {
					r = nil
				}
				if r == nil {
					break
				}
			}
		}
		if r != nil && r.Shape().Equal(n.Shape()) && size[r] < maxFusedBody {
			grown := len(inputs[r]) - 1
			for _, in := range n.Inputs() {
				if !inputs[r][in] {
					grown++
				}
			}
			if grown <= maxFusedInputs {
				delete(inputs[r], n)
				for _, in := range n.Inputs() {
					inputs[r][in] = true
				}
				root[n] = r
				size[r]++
				continue
			}
		}
		root[n], size[n] = n, 1
		inputs[n] = make(map[*graph.Node]bool)
		for _, in := range n.Inputs() {
			inputs[n][in] = true
		}
	}
	return root
}

// chain numbers the inputs and instructions of a chain's members, which are
// in order with the root last.
func chain(members []*graph.Node) (inputs []*graph.Node, body []graph.Instruction) {
	inside := make(map[*graph.Node]int, len(members))
	for i, n := range members {
		inside[n] = i
	}
	position := make(map[*graph.Node]int)
	for _, n := range members {
		for _, in := range n.Inputs() {
			if _, ok := inside[in]; ok {
				continue
			}
			if _, ok := position[in]; !ok {
				position[in] = len(inputs)
				inputs = append(inputs, in)
			}
		}
	}
	for _, n := range members {
		args := make([]int, len(n.Inputs()))
		for i, in := range n.Inputs() {
			if j, ok := inside[in]; ok {
				args[i] = len(inputs) + j
			} else {
				args[i] = position[in]
			}
		}
		body = append(body, graph.Instruction{Op: n.Op(), Args: args, Attrs: n.Attrs()})
	}
	return inputs, body
}
