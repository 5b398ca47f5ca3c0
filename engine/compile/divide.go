package compile

import (
	"slices"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// A divider copies a graph whose values have rows along their first axis for a part
// of these rows.
type divider struct {
	rewriter
	rows, part int
	rowed      map[*graph.Node]bool // which of the old have rows; the others are the same for all
}

// Rows returns how many rows the outputs of a graph have along their first axis, 0
// if their numbers differ or there is an output without.
func Rows(g *graph.Graph) int {
	rows := 0
	for i, o := range g.Outputs {
		shape := o.Node.Shape()
		if len(shape) == 0 || i > 0 && shape[0] != rows {
			return 0
		}
		rows = shape[0]
	}
	return rows
}

// Divide returns the graph that computes part of the [Rows] of g's outputs from the
// same rows of those inputs that have as many: run for one part after the other it
// gives what g does, from values that fit into nearer caches. It reports false if
// part does not divide the rows, if g updates variables, or if a row of an output
// may depend on another row of an input: of the operations on rows it knows those
// that networks in use are made of.
func Divide(g *graph.Graph, part int) (*graph.Graph, bool) {
	rows := Rows(g)
	if part < 1 || rows <= part || rows%part != 0 || len(g.Updates) > 0 {
		return nil, false
	}
	d := &divider{newRewriter(g), rows, part, make(map[*graph.Node]bool)}
	for _, n := range g.Nodes {
		switch n.Op() {
		case graph.OpInput:
			shape := n.Shape()
			if d.rowed[n] = d.has(shape); d.rowed[n] {
				shape = d.ofPart(shape)
			}
			d.to[n] = d.Input(n.Name(), n.DType(), shape...)
			continue
		case graph.OpVariable:
			d.to[n] = d.Variable(n.Name(), n.DType(), n.Shape()...)
			continue
		}
		attrs := n.Attrs()
		if slices.ContainsFunc(n.Inputs(), func(in *graph.Node) bool { return d.rowed[in] }) {
			var ok bool
			if attrs, ok = d.byRows(n); !ok {
				return nil, false
			}
			d.rowed[n] = true
		}
		d.to[n] = d.Node(n.Op(), attrs, d.mapped(n.Inputs())...)
	}
	for _, o := range g.Outputs {
		if !d.rowed[o.Node] {
			return nil, false
		}
		d.Output(o.Name, d.to[o.Node])
	}
	divided, err := d.Graph()
	return divided, err == nil
}

// has reports whether values of a shape have the rows of the outputs.
func (d *divider) has(shape tensor.Shape) bool { return len(shape) > 0 && shape[0] == d.rows }

// ofPart returns a list that begins with the number of rows, for a part of them.
func (d *divider) ofPart(list []int) []int {
	list = slices.Clone(list)
	list[0] = d.part
	return list
}

// byRows returns the attributes of an operation on a part of the rows. It reports
// false if it is not known to compute each row from the same row of its operands,
// or from those that have none.
func (d *divider) byRows(n *graph.Node) (attrs any, ok bool) {
	if !d.has(n.Shape()) {
		return nil, false
	}
	attrs, rank := n.Attrs(), len(n.Shape())
	switch n.Op() {
	case graph.OpReduceSum, graph.OpReduceMax:
		return attrs, !slices.Contains(n.Ints(), 0)
	case graph.OpArgMax, graph.OpOneHot:
		return attrs, true // the first of more axes stays
	case graph.OpSoftmax, graph.OpLogSoftmax:
		return attrs, rank > 1
	case graph.OpReshape, graph.OpBroadcast:
		// What a broadcast gives its rows has them, or its rank is another.
		in := n.Input(0).Shape()
		return graph.ListAttrs{Values: d.ofPart(n.Ints())}, n.Op() == graph.OpReshape || len(in) == rank
	case graph.OpTranspose:
		return attrs, n.Ints()[0] == 0
	case graph.OpConcat:
		return attrs, attrs.(graph.AxisAttrs).Axis != 0 && d.all(n)
	case graph.OpSlice: // all rows, as the result has them
		a := attrs.(graph.SliceAttrs)
		return graph.SliceAttrs{Begin: a.Begin, End: d.ofPart(a.End)}, true
	case graph.OpPad: // likewise
		return attrs, true
	case graph.OpMatMul:
		return attrs, !attrs.(graph.MatMulAttrs).TransA && d.firstOnly(n)
	case graph.OpConv2D, graph.OpConv2DGradInput:
		return attrs, d.firstOnly(n)
	case graph.OpMaxPool, graph.OpAvgPool, graph.OpUpsampleNearest, graph.OpResizeBilinear:
		return attrs, true
	}
	if n.Op().Class() != graph.ClassElementwise || n.Op() == graph.OpFused {
		return nil, false
	}
	for _, in := range n.Inputs() {
		shape := in.Shape()
		if d.rowed[in] && len(shape) != rank || !d.rowed[in] && len(shape) == rank && shape[0] != 1 {
			return nil, false
		}
	}
	return attrs, true
}

// all reports whether every operand has rows.
func (d *divider) all(n *graph.Node) bool {
	return !slices.ContainsFunc(n.Inputs(), func(in *graph.Node) bool { return !d.rowed[in] })
}

// firstOnly reports whether the first operand has rows and no other does.
func (d *divider) firstOnly(n *graph.Node) bool {
	return d.rowed[n.Input(0)] && !slices.ContainsFunc(n.Inputs()[1:], func(in *graph.Node) bool { return d.rowed[in] })
}
