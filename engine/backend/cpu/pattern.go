package cpu

import (
	"slices"

	"hourglass/engine/graph"
)

// pattern is a group of operations that one vector kernel does at once, with
// the same roundings.
type pattern uint8

const (
	single         pattern = iota
	affine                 // (x-m)·s + b
	affineRelu             // its rectifier
	mulStep                // x·step(z)
	gradAffine             // g·a + ((x-m)·b + c)
	silu                   // z·sigmoid(z)
	siluGrad               // its gradient times g
	gradAffineRelu         // the same of g·step((x-m)·s + t)
)

// link is an operation of a chain on its way to an instruction. An operation
// that has become part of a pattern is gone.
type link struct {
	op      graph.Op
	pattern pattern
	args    []int
	attrs   any
	gone    bool
}

// patterns finds groups of instructions in a body whose inner values nothing
// else reads, and drops what leads to none of the ends.
type patterns struct {
	inputs int
	links  []link
	ends   []int
	uses   []int
}

func findPatterns(inputs int, body []graph.Instruction, ends []int) *patterns {
	p := &patterns{inputs: inputs, ends: ends}
	for _, in := range body {
		l := link{op: in.Op, args: slices.Clone(in.Args), attrs: in.Attrs}
		if l.op == graph.OpStep && l.args[0] >= inputs && body[l.args[0]-inputs].Op == graph.OpRelu {
			l.args = slices.Clone(body[l.args[0]-inputs].Args) // step(relu(z)) is step(z)
		}
		p.links = append(p.links, l)
	}
	p.count()
	for i := range p.links {
		p.match(&p.links[i])
	}
	p.count()
	return p
}

// count counts the readers of each value, the ends among them, and drops what
// has none.
func (p *patterns) count() {
	p.uses = make([]int, p.inputs+len(p.links))
	for _, e := range p.ends {
		p.uses[e]++
	}
	for i := len(p.links) - 1; i >= 0; i-- {
		l := &p.links[i]
		if p.uses[p.inputs+i] == 0 {
			l.gone = true
		}
		if !l.gone {
			for _, a := range l.args {
				p.uses[a]++
			}
		}
	}
}

// inner returns the link that makes value v if it is of the given kind and
// nothing but one operand reads it.
func (p *patterns) inner(v int, op graph.Op, kind pattern) *link {
	if v < p.inputs || p.uses[v] != 1 {
		return nil
	}
	if l := &p.links[v-p.inputs]; !l.gone && l.op == op && l.pattern == kind {
		return l
	}
	return nil
}

// match turns l and what it reads into a pattern.
func (p *patterns) match(l *link) {
	if l.gone {
		return
	}
	switch l.op {
	case graph.OpMul:
		for i := range 2 {
			if s := p.inner(l.args[i], graph.OpStep, single); s != nil {
				l.pattern, l.args = mulStep, []int{l.args[1-i], s.args[0]}
				s.gone = true
				return
			}
			if s := p.inner(l.args[i], graph.OpSigmoid, single); s != nil && s.args[0] == l.args[1-i] {
				l.pattern, l.args = silu, s.args
				s.gone = true
				return
			}
		}
	case graph.OpAdd:
		p.siluGrad(l)
	case graph.OpMulAdd:
		x, s, b := l.args[0], l.args[1], l.args[2]
		if t := p.inner(x, graph.OpSub, single); t != nil {
			l.pattern, l.args = affine, []int{t.args[0], t.args[1], s, b}
			t.gone = true
		} else if p.maskedGrad(l) {
			return
		} else if t := p.inner(b, graph.OpMulAdd, affine); t != nil {
			l.pattern, l.args = gradAffine, []int{x, t.args[0], t.args[1], s, t.args[2], t.args[3]}
			t.gone = true
		}
	case graph.OpRelu:
		if t := p.inner(l.args[0], graph.OpMulAdd, affine); t != nil {
			l.pattern, l.args = affineRelu, t.args
			t.gone = true
		}
	}
}

// maskedGrad turns l into the gradient through a batch normalisation and the
// rectifier behind it, if it is that:
//
//	d = x - m,  l = g·step(d·s + t)·a + (d·b + c)
func (p *patterns) maskedGrad(l *link) bool {
	g, d, mask := p.rectified(l.args[0], 1)
	if g == nil || p.uses[g.args[1]] != 1 || p.uses[d] != 2 {
		return false
	}
	inner := p.inner(l.args[2], graph.OpMulAdd, single)
	if inner == nil || inner.args[0] != d {
		return false
	}
	sub := &p.links[d-p.inputs]
	l.pattern = gradAffineRelu
	l.args = []int{g.args[0], sub.args[0], sub.args[1], mask.args[1], mask.args[2], l.args[1], inner.args[1], inner.args[2]}
	g.gone, mask.gone, inner.gone, sub.gone = true, true, true, true
	return true
}

// rectified looks for v = g·step(d·s + t) with d a difference: it returns the
// links of v and of the step's operand, and the number of d. uses is how often
// v is read.
func (p *patterns) rectified(v, uses int) (g *link, d int, mask *link) {
	if v < p.inputs || p.uses[v] != uses {
		return nil, 0, nil
	}
	g = &p.links[v-p.inputs]
	if g.gone || g.pattern != mulStep {
		return nil, 0, nil
	}
	if mask = p.inner(g.args[1], graph.OpMulAdd, single); mask == nil || mask.args[0] < p.inputs {
		return nil, 0, nil
	}
	d = mask.args[0]
	if sub := &p.links[d-p.inputs]; sub.gone || sub.op != graph.OpSub {
		return nil, 0, nil
	}
	return g, d, mask
}

// siluGrad turns l into the gradient of a SiLU, if it is that:
//
//	s = sigmoid(z),  l = g·s + (g·z)·(s - s²)
func (p *patterns) siluGrad(l *link) {
	for i := range 2 {
		plain, curved := p.inner(l.args[i], graph.OpMul, single), p.inner(l.args[1-i], graph.OpMul, single)
		if plain == nil || curved == nil {
			continue
		}
		s, g := plain.args[1], plain.args[0]
		product, slope := p.inner(curved.args[0], graph.OpMul, single), p.inner(curved.args[1], graph.OpSub, single)
		if product == nil || slope == nil || s < p.inputs || p.uses[s] != 3 || slope.args[0] != s {
			continue
		}
		sigmoid, square := &p.links[s-p.inputs], p.inner(slope.args[1], graph.OpSquare, single)
		if sigmoid.gone || sigmoid.op != graph.OpSigmoid || square == nil || square.args[0] != s ||
			product.args[0] != g || product.args[1] != sigmoid.args[0] {
			continue
		}
		l.pattern, l.args = siluGrad, []int{g, sigmoid.args[0]}
		for _, part := range []*link{plain, curved, product, slope, sigmoid, square} {
			part.gone = true
		}
		return
	}
}
