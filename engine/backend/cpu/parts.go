package cpu

import (
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// nearBytes is how large the largest value of a program without updates may be
// before the program takes its images in turn, as many at once as stay below. What
// one operation writes then still lies in the third-level cache when the next reads
// it, and there is less of it. It does not depend on the machine: the algorithm of a
// convolution, and so its bits, may depend on the number of images.
var nearBytes = 20 << 20

// rowsAtOnce returns how many rows of a graph's outputs are best computed at once, 0
// if they have none.
func rowsAtOnce(g *graph.Graph) int {
	rows := compile.Rows(g)
	row := 0 // bytes of the largest value with rows
	for _, n := range g.Nodes {
		if shape := n.Shape(); n.Op() != graph.OpVariable && len(shape) > 0 && shape[0] == rows {
			row = max(row, shape.Elements()/rows*n.DType().Size())
		}
	}
	at := rows
	for at > 1 && (rows%at != 0 || at*row > nearBytes) {
		at--
	}
	return at
}

// parts is how a program runs part after part of its rows; the zero value has one
// part, all.
type parts struct {
	rowed   []bool           // which inputs have rows
	count   int              // of the parts
	outputs []*tensor.Tensor // with all rows
}

// repeated makes a program of some rows of a graph one of all of them.
func (p *Program) repeated(g *graph.Graph) *Program {
	rows := compile.Rows(g)
	part := p.outputs[0].Shape()[0]
	p.parts.count = rows / part
	inputs := g.Inputs()
	for i, n := range inputs {
		p.parts.rowed = append(p.parts.rowed, !n.Shape().Equal(p.inputs[i].Shape()))
	}
	p.graph, p.inputs = g, inputs
	for _, o := range g.Outputs {
		p.parts.outputs = append(p.parts.outputs, tensor.New(o.Node.DType(), o.Node.Shape()...))
	}
	p.written = append(p.written, p.parts.outputs...)
	return p
}

func (p *parts) number() int { return max(1, p.count) }

// narrow keeps of an input what a part has of it.
func (p *parts) narrow(input, part int, b *buffer) {
	if p.count > 1 && p.rowed[input] {
		b.f32, b.i32, b.u8 = cut(b.f32, part, p.count), cut(b.i32, part, p.count), cut(b.u8, part, p.count)
	}
}

// gather puts the outputs of a part where those of all rows lie.
func (p *parts) gather(part int, outputs []*tensor.Tensor) {
	for i, all := range p.outputs {
		copy(cut(all.Float32(), part, p.count), outputs[i].Float32())
		copy(cut(all.Int32(), part, p.count), outputs[i].Int32())
		copy(cut(all.Uint8(), part, p.count), outputs[i].Uint8())
	}
}

// cut returns one of count equal parts of s.
func cut[E any](s []E, part, count int) []E {
	n := len(s) / count
	return s[part*n : (part+1)*n]
}
