package compile

import (
	"slices"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// FuseEpilogue moves a bias, an addition and a ReLU or ReLU6 that alone read
// the result of a convolution or a matrix product into that operation, which
// applies them to each element as it stores it.
func FuseEpilogue(g *graph.Graph) (*graph.Graph, error) {
	for _, fuse := range []func(*graph.Graph) (*graph.Graph, error){fuseBias, fuseAddend, fuseRelu} {
		var err error
		if g, err = fuse(g); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// finishable reports whether an operation can do more to its result as it
// stores it.
func finishable(n *graph.Node) bool {
	switch n.Op() {
	case graph.OpMatMul, graph.OpConv2D, graph.OpConv2DGradInput:
		return !activated(n)
	}
	return false
}

func fuseBias(g *graph.Graph) (*graph.Graph, error) {
	count := uses(g)
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if n.Op() != graph.OpAdd {
			return nil
		}
		for i := range 2 {
			x, bias := n.Input(i), n.Input(1-i)
			if !finishable(x) || count[x] != 1 || len(x.Inputs()) != 2 {
				continue
			}
			channels := x.Shape()[len(x.Shape())-1]
			if bias.Shape().Equal(tensor.Shape{channels}) && x.Shape().Equal(n.Shape()) {
				return r.Node(x.Op(), x.Attrs(), append(r.mapped(x.Inputs()), r.to[bias])...)
			}
		}
		return nil
	})
}

// fuseAddend moves the addition of a value that nothing reads later, such as
// that around a residual block, into the product or convolution beside it,
// which can then add to that value where it lies. Where other element-wise
// operations follow, these read both terms as they pass, and there is nothing
// to save. Convolutions of groups are left alone: most are depthwise, whose
// kernels add nothing.
func fuseAddend(g *graph.Graph) (*graph.Graph, error) {
	count, users := uses(g), g.Users()
	dies := func(x, n *graph.Node) bool { // n is the last to read x, and there is memory to reuse
		u := users[x]
		return u[len(u)-1] == n && count[x] == len(u) && x.Op().Class() != graph.ClassLeaf
	}
	varies := make(map[*graph.Node]bool) // from run to run: the others may be computed once
	for _, n := range g.Nodes {
		varies[n] = n.Op() != graph.OpVariable && n.Op() != graph.OpConstant && len(n.Inputs()) == 0 ||
			slices.ContainsFunc(n.Inputs(), func(in *graph.Node) bool { return varies[in] })
	}
	into := func(n *graph.Node) int { // the operand of a sum that can add the other one, or -1
		order := []int{0, 1}
		if n.Input(1).ID() > n.Input(0).ID() {
			order = []int{1, 0} // the later one has the shorter way to the sum
		}
		for _, i := range order {
			x, addend := n.Input(i), n.Input(1-i)
			a, isConv := x.Attrs().(graph.ConvAttrs)
			_, has := graph.Extras(x)
			switch {
			case !finishable(x) || !varies[x] || count[x] != 1 || has >= 0 || isConv && a.Groups > 1:
			case !addend.Shape().Equal(n.Shape()) || !x.Shape().Equal(n.Shape()) || slices.Contains(x.Inputs(), addend):
			case dies(addend, n):
				return i
			}
		}
		return -1
	}
	moved := make(map[*graph.Node]int) // sums, and which operand they move into
	ends := func(n *graph.Node) bool { // as far as element-wise operations go
		for _, u := range users[n] {
			_, isActivation := activations[u.Op()]
			_, isMoved := moved[u]
			if u.Op().Class() == graph.ClassElementwise && !isMoved && !(isActivation && count[n] == 1) {
				return false
			}
		}
		return true
	}
	for _, n := range slices.Backward(g.Nodes) {
		if n.Op() != graph.OpAdd || !ends(n) || count[n] != len(users[n]) {
			continue // an output or a new value of a variable has a place of its own
		}
		if i := into(n); i >= 0 {
			moved[n] = i
		}
	}
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		i, ok := moved[n]
		if !ok {
			return nil
		}
		x := n.Input(i)
		return r.Node(x.Op(), x.Attrs(), append(r.mapped(x.Inputs()), in[1-i])...)
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
