package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// window is a loop over windows of two by two pixels of c channels, side by
// side in two rows. Parameters named with a digit are the rows, of 2*n pixels;
// the other is the small image's row, of n pixels.
type window struct {
	name, doc string
	small     string
	rows      string // those that are read, then those that are written
	scalar    string
	forward   bool // writes the small row
	// prepare returns the body, which is given the operands (for each row the
	// left and the right pixel, then the small row's if it is read) and
	// returns what is written, in the same order.
	prepare func(m *machine) body
}

func windows() []window {
	return []window{
		{name: "max2x2", doc: "takes the maximum of each window.", small: "dst", rows: "x0 x1", forward: true,
			prepare: plain(func(m *machine, in []Op) []Op {
				m.pick(VMAXPS, in[0], in[1])
				m.pick(VMAXPS, in[2], in[3])
				m.pick(VMAXPS, in[0], in[2])
				return in[:1]
			})},
		{name: "sum2x2", doc: "adds up each window and multiplies by scale.", small: "dst", rows: "x0 x1", scalar: "scale", forward: true,
			prepare: func(m *machine) body {
				scale := m.scalar("scale")
				return func(in []Op) []Op {
					VADDPS(in[1], in[0], in[0])
					VADDPS(in[3], in[2], in[2])
					VADDPS(in[2], in[0], in[0])
					VMULPS(scale, in[0], in[0])
					return in[:1]
				}
			}},
		{name: "maxGrad2x2", doc: "hands grad to the first largest pixel of each window.", small: "grad", rows: "dx0 dx1 x0 x1",
			prepare: plain(maxGrad)},
		{name: "spread2x2", doc: "hands grad times scale to the four pixels of each window.", small: "grad", rows: "dx0 dx1", scalar: "scale",
			prepare: func(m *machine) body {
				scale := m.scalar("scale")
				return func(in []Op) []Op {
					g := in[0]
					VMULPS(scale, g, g)
					return []Op{g, g, g, g}
				}
			}},
	}
}

func maxGrad(m *machine, in []Op) []Op {
	grad := in[4]
	best := m.copy(in[0])
	for _, x := range in[1:4] {
		m.pick(VMAXPS, best, x)
	}
	out := make([]Op, 4)
	// A pixel is the largest if it equals the maximum or is NaN itself; an
	// earlier one takes the gradient from a later one, and the last gets what
	// is left.
	taken, _ := m.largest(in[0], best)
	out[0] = m.keep(taken, grad)
	for i, x := range in[1:3] {
		is, first := m.largest(x, best)
		if m.wide {
			KANDNW(is, taken, first)
			KORW(is, taken, taken)
		} else {
			VANDNPS(is, taken, first)
			VORPS(is, taken, taken)
		}
		out[i+1] = m.keep(first, grad)
	}
	if m.wide {
		KNOTW(taken, taken)
		out[3] = m.keep(taken, grad)
		return out
	}
	last := YMM()
	VANDNPS(grad, taken, last)
	out[3] = last
	return out
}

// largest returns the mask of where x equals best or is NaN, and a second mask
// that is free for use.
func (m *machine) largest(x, best Op) (is, spare Op) {
	is, nan := m.compare(equal, x, best), m.compare(unordered, x, x)
	if m.wide {
		KORW(nan, is, is)
	} else {
		VORPS(nan, is, is)
	}
	return is, nan
}

func (w window) emit(m *machine) {
	rows := strings.Fields(w.rows)
	signature := "func(" + strings.Join(append([]string{w.small}, rows...), ", ") + " *float32, n, c int"
	if w.scalar != "" {
		signature += ", " + w.scalar + " float32"
	}
	name := w.name + m.suffix()
	TEXT(name, 4, signature+")")
	Doc(name+" "+w.doc, "n is the number of windows, c that of channels.")
	Pragma("noescape")
	pointers := map[string]reg.Register{}
	for _, a := range append([]string{w.small}, rows...) {
		pointers[a] = Load(Param(a), GP64())
	}
	n := Load(Param("n"), GP64())
	c := Load(Param("c"), GP64())
	do := w.prepare(m)
	whole, rest := GP64(), GP64()
	MOVQ(c, whole)
	ANDQ(I8(-m.lanes()), whole)
	MOVQ(c, rest)
	SUBQ(whole, rest)
	mask := m.tail(rest)
	left, right := GP64(), GP64()

	var reads, writes []string
	for _, r := range rows {
		if strings.HasPrefix(r, "d") {
			writes = append(writes, r)
		} else {
			reads = append(reads, r)
		}
	}
	at := func(r string, index reg.Register) Mem { return Mem{Base: pointers[r], Index: index, Scale: 4} }
	step := func(masked bool) {
		read := func(mem Mem) Op {
			if masked {
				return m.loadMasked(mem, mask)
			}
			r := m.vector()
			VMOVUPS(mem, r)
			return r
		}
		write := func(v Op, mem Mem) {
			switch {
			case !masked:
				VMOVUPS(v, mem)
			case m.wide:
				VMOVUPS(v, mask, mem)
			default:
				VMASKMOVPS(v, mask, mem)
			}
		}
		var in []Op
		for _, r := range reads {
			in = append(in, read(at(r, left)), read(at(r, right)))
		}
		if !w.forward {
			in = append(in, read(at(w.small, left)))
		}
		out := do(in)
		if w.forward {
			write(out[0], at(w.small, left))
		}
		for i, r := range writes {
			write(out[2*i], at(r, left))
			write(out[2*i+1], at(r, right))
		}
	}

	TESTQ(n, n)
	JZ(LabelRef("end"))
	Label("window")
	XORQ(left, left)
	MOVQ(c, right)
	Label("channels")
	CMPQ(left, whole)
	JGE(LabelRef("rest"))
	step(false)
	ADDQ(U32(m.lanes()), left)
	ADDQ(U32(m.lanes()), right)
	JMP(LabelRef("channels"))
	Label("rest")
	TESTQ(rest, rest)
	JZ(LabelRef("next"))
	step(true)
	Label("next")
	LEAQ(Mem{Base: pointers[w.small], Index: c, Scale: 4}, pointers[w.small])
	for _, r := range rows {
		LEAQ(Mem{Base: pointers[r], Index: c, Scale: 8}, pointers[r])
	}
	DECQ(n)
	JNZ(LabelRef("window"))
	Label("end")
	VZEROUPPER()
	RET()
}
