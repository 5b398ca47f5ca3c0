// Package graph is the intermediate representation of programs: immutable
// nodes with inferred shapes and types. It knows no backend.
//
// A [Builder] traces a computation into nodes; [Builder.Graph] closes it. A
// graph is data: the passes of engine/compile map one graph to another, and a
// backend turns the last one into something that runs.
package graph

import (
	"fmt"
	"strings"

	"hourglass/tensor"
)

// Node is one value of a graph and the operation that makes it. Nodes never
// change after they are built.
type Node struct {
	id     int
	op     Op
	attrs  any
	inputs []*Node
	shape  tensor.Shape
	dtype  tensor.DType
	owner  *Builder
}

// ID returns the node's number, unique in its graph; operands have smaller
// numbers than what uses them.
func (n *Node) ID() int { return n.id }

// Op returns the operation.
func (n *Node) Op() Op { return n.op }

// Attrs returns the static parameters, one of the *Attrs types or nil.
func (n *Node) Attrs() any { return n.attrs }

// Inputs returns the operands, which must not be changed.
func (n *Node) Inputs() []*Node { return n.inputs }

// Input returns operand i.
func (n *Node) Input(i int) *Node { return n.inputs[i] }

// Shape returns the shape of the value, which must not be changed.
func (n *Node) Shape() tensor.Shape { return n.shape }

// DType returns the element type of the value.
func (n *Node) DType() tensor.DType { return n.dtype }

// Builder returns the builder that made the node.
func (n *Node) Builder() *Builder { return n.owner }

// Name returns the name of an input or a variable, "" for other nodes.
func (n *Node) Name() string {
	if a, ok := n.attrs.(NameAttrs); ok {
		return a.Name
	}
	return ""
}

// Float returns the literal of a scale, add_scalar or leaky_relu node.
func (n *Node) Float() float64 { return n.attrs.(FloatAttrs).Value }

// Ints returns the integers of a node with [ListAttrs].
func (n *Node) Ints() []int { return n.attrs.(ListAttrs).Values }

// Output is a value that a run hands back under a name.
type Output struct {
	Name string
	Node *Node
}

// Update gives a variable the value that it has after the run.
type Update struct {
	Variable, Value *Node
}

// Graph is a closed program: all nodes that outputs and updates need, operands
// before users.
type Graph struct {
	Name    string
	Nodes   []*Node
	Outputs []Output
	Updates []Update
}

// Inputs returns the input nodes in order.
func (g *Graph) Inputs() []*Node { return g.leaves(OpInput) }

// Variables returns the variable nodes in order.
func (g *Graph) Variables() []*Node { return g.leaves(OpVariable) }

func (g *Graph) leaves(op Op) []*Node {
	var found []*Node
	for _, n := range g.Nodes {
		if n.op == op {
			found = append(found, n)
		}
	}
	return found
}

// Users returns, for each node, the nodes that read it, in order: once for each
// operand.
func (g *Graph) Users() map[*Node][]*Node {
	users := make(map[*Node][]*Node, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, in := range n.inputs {
			users[in] = append(users[in], n)
		}
	}
	return users
}

// String prints the graph, a node a line, in a form fit for golden files.
func (g *Graph) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "graph %s\n", g.Name)
	number := make(map[*Node]int, len(g.Nodes))
	for i, n := range g.Nodes {
		number[n] = i
		fmt.Fprintf(&b, "%%%d = %v", i, n.op)
		if s := attrString(n.attrs); s != "" {
			fmt.Fprintf(&b, " {%s}", s)
		}
		for j, in := range n.inputs {
			sep := ", "
			if j == 0 {
				sep = " "
			}
			fmt.Fprintf(&b, "%s%%%d", sep, number[in])
		}
		fmt.Fprintf(&b, " : %v%v\n", n.dtype, n.shape)
	}
	for _, o := range g.Outputs {
		fmt.Fprintf(&b, "output %q %%%d\n", o.Name, number[o.Node])
	}
	for _, u := range g.Updates {
		fmt.Fprintf(&b, "update %%%d := %%%d\n", number[u.Variable], number[u.Value])
	}
	return b.String()
}

func attrString(attrs any) string {
	switch a := attrs.(type) {
	case nil:
		return ""
	case NameAttrs:
		return fmt.Sprintf("%q", a.Name)
	case ConstantAttrs:
		if n := a.Value.Shape().Elements(); n > 4 {
			return fmt.Sprintf("%d values", n)
		}
		switch a.Value.DType() {
		case tensor.Float32:
			return fmt.Sprint(a.Value.Float32())
		case tensor.Int32:
			return fmt.Sprint(a.Value.Int32())
		}
		return fmt.Sprint(a.Value.Uint8())
	case FloatAttrs:
		return fmt.Sprint(a.Value)
	case ListAttrs:
		return fmt.Sprint(a.Values)
	case FusedAttrs:
		return strings.Join(bodyStrings(a.Body), "; ")
	case SumsAttrs:
		return strings.Join(append(bodyStrings(a.Body), fmt.Sprintf("sum%v", a.Sums)), "; ")
	}
	return strings.Trim(fmt.Sprintf("%+v", attrs), "{}")
}

func bodyStrings(body []Instruction) []string {
	parts := make([]string, len(body))
	for i, in := range body {
		parts[i] = fmt.Sprintf("%v%v", in.Op, in.Args)
		if s := attrString(in.Attrs); s != "" {
			parts[i] += " " + s
		}
	}
	return parts
}
