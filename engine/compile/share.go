package compile

import (
	"fmt"
	"strings"

	"hourglass/engine/graph"
)

// Share computes equal expressions once: nodes with the same operation,
// attributes and operands become one node.
func Share(g *graph.Graph) (*graph.Graph, error) {
	known := make(map[string]*graph.Node)
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		key := shareKey(n, in)
		if m, ok := known[key]; ok {
			return m
		}
		m := r.Node(n.Op(), n.Attrs(), in...)
		known[key] = m
		return m
	})
}

func shareKey(n *graph.Node, in []*graph.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", n.Op())
	for _, x := range in {
		fmt.Fprintf(&b, " %d", x.ID())
	}
	switch a := n.Attrs().(type) {
	case graph.ConstantAttrs:
		if v, ok := literal(n); ok {
			fmt.Fprintf(&b, " %v %v", v, n.Shape())
		} else {
			fmt.Fprintf(&b, " %p", a.Value) // larger literals are equal if they are one tensor
		}
	default:
		fmt.Fprintf(&b, " %+v", a)
	}
	return b.String()
}
