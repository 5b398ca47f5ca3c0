// Package compile turns a traced graph into one that runs fast: an explicit,
// ordered list of passes, each a function from graph to graph, and the plan
// of where values lie in memory.
package compile

import (
	"fmt"

	"hourglass/engine/graph"
)

// Pass is one step of compilation. It returns a graph that computes the same
// outputs and updates.
type Pass struct {
	Name string
	Run  func(g *graph.Graph) (*graph.Graph, error)
}

// Passes returns all passes in the order in which they run.
func Passes() []Pass {
	return []Pass{
		{"simplify", Simplify},
		{"expand-norm", ExpandNorm},
		{"fold-norm", FoldNorm},
		{"share", Share},
		{"fuse-epilogue", FuseEpilogue},
		{"fuse-chains", FuseChains},
	}
}

// Optimize runs all passes.
func Optimize(g *graph.Graph) (*graph.Graph, error) {
	for _, p := range Passes() {
		next, err := p.Run(g)
		if err != nil {
			return nil, fmt.Errorf("compile: pass %s: %w", p.Name, err)
		}
		g = next
	}
	return g, nil
}

// rewriter copies a graph node by node into a new builder.
type rewriter struct {
	*graph.Builder
	to map[*graph.Node]*graph.Node // old to new
}

func newRewriter(g *graph.Graph) rewriter {
	return rewriter{graph.NewBuilder(g.Name), make(map[*graph.Node]*graph.Node, len(g.Nodes))}
}

// rewrite copies g. For each node that is no input or variable, replace may
// return what stands for it in the copy; nil means the node itself on its
// mapped operands. What nothing needs any more is dropped.
func rewrite(g *graph.Graph, replace func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node) (*graph.Graph, error) {
	r := newRewriter(g)
	for _, n := range g.Nodes {
		switch n.Op() {
		case graph.OpInput:
			r.to[n] = r.Input(n.Name(), n.DType(), n.Shape()...)
			continue
		case graph.OpVariable:
			r.to[n] = r.Variable(n.Name(), n.DType(), n.Shape()...)
			continue
		}
		in := r.mapped(n.Inputs())
		m := replace(&r, n, in)
		if m == nil {
			m = r.Node(n.Op(), n.Attrs(), in...)
		}
		if r.Err() == nil && (!m.Shape().Equal(n.Shape()) || m.DType() != n.DType()) {
			return nil, fmt.Errorf("%v%v %v was replaced by %v%v %v", n.DType(), n.Shape(), n.Op(), m.DType(), m.Shape(), m.Op())
		}
		r.to[n] = m
	}
	for _, o := range g.Outputs {
		r.Output(o.Name, r.to[o.Node])
	}
	for _, u := range g.Updates {
		r.Update(r.to[u.Variable], r.to[u.Value])
	}
	return r.Graph()
}

func (r *rewriter) mapped(nodes []*graph.Node) []*graph.Node {
	in := make([]*graph.Node, len(nodes))
	for i, n := range nodes {
		in[i] = r.to[n]
	}
	return in
}

// uses counts the readers of each node, outputs and updates included.
func uses(g *graph.Graph) map[*graph.Node]int {
	count := make(map[*graph.Node]int, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, in := range n.Inputs() {
			count[in]++
		}
	}
	for _, o := range g.Outputs {
		count[o.Node]++
	}
	for _, u := range g.Updates {
		count[u.Value]++
	}
	return count
}
