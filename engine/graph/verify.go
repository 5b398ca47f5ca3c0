package graph

import "fmt"

// Verify checks the invariants of a graph: operands stand before their users
// and belong to the graph, each node's shape and type are what its rule says,
// variables are updated by values of their own shape. Tests run it after each
// pass.
func (g *Graph) Verify() error {
	seen := make(map[*Node]bool, len(g.Nodes))
	names := make(map[string]bool)
	for i, n := range g.Nodes {
		where := func(reason string, args ...any) error {
			return fmt.Errorf("graph %s: node %d (%v): %s", g.Name, i, n.op, fmt.Sprintf(reason, args...))
		}
		if seen[n] {
			return where("stands twice")
		}
		for j, in := range n.inputs {
			if !seen[in] {
				return where("operand %d does not stand before it", j)
			}
		}
		seen[n] = true
		if n.op == OpInput || n.op == OpVariable {
			if names[n.Name()] {
				return where("the name %q is taken", n.Name())
			}
			names[n.Name()] = true
			continue
		}
		r, err := opTable[n.op].infer(n)
		if err != nil {
			return where("%v", err)
		}
		if !r.shape.Equal(n.shape) || r.dtype != n.dtype {
			return where("is %v%v, its rule says %v%v", n.dtype, n.shape, r.dtype, r.shape)
		}
	}
	for _, o := range g.Outputs {
		if !seen[o.Node] {
			return fmt.Errorf("graph %s: output %q is not in the graph", g.Name, o.Name)
		}
	}
	updated := make(map[*Node]bool)
	for _, u := range g.Updates {
		switch {
		case !seen[u.Variable] || !seen[u.Value]:
			return fmt.Errorf("graph %s: an update is not in the graph", g.Name)
		case u.Variable.op != OpVariable || updated[u.Variable]:
			return fmt.Errorf("graph %s: update of a node that is no variable or is updated already", g.Name)
		case !u.Variable.shape.Equal(u.Value.shape) || u.Variable.dtype != u.Value.dtype:
			return fmt.Errorf("graph %s: update of %q changes its shape or type", g.Name, u.Variable.Name())
		}
		updated[u.Variable] = true
	}
	return nil
}
