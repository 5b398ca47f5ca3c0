package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// fold is a loop that leaves one number.
type fold struct {
	name, doc, args string
	start           float64
	// add takes the operands into the accumulator.
	add func(m *machine, acc Op, in []Op)
	// join takes one accumulator, of any width, into another.
	join func(m *machine, acc, other Op)
}

// accumulators is the number of chains that run beside each other: enough to
// hide the latency of an addition.
const accumulators = 4

func folds() []fold {
	sum := func(_ *machine, acc, other Op) { VADDPS(other, acc, acc) }
	return []fold{
		{"sum", "adds up a.", "a", 0, func(m *machine, acc Op, in []Op) { sum(m, acc, in[0]) }, sum},
		{"sumSquares", "adds up a*a.", "a", 0, func(_ *machine, acc Op, in []Op) { VFMADD231PS(in[0], in[0], acc) }, sum},
		{"dot", "adds up a*b.", "a b", 0, func(_ *machine, acc Op, in []Op) { VFMADD231PS(in[0], in[1], acc) }, sum},
	}
}

func (f fold) emit(m *machine) {
	args := strings.Fields(f.args)
	name := f.name + m.suffix()
	TEXT(name, 4, "func("+strings.Join(args, ", ")+" *float32, n int) float32")
	Doc(name + " " + f.doc)
	Pragma("noescape")
	pointers := map[string]reg.Register{}
	for _, a := range args {
		pointers[a] = Load(Param(a), GP64())
	}
	n := Load(Param("n"), GP64())
	var acc [accumulators]reg.VecVirtual
	for i := range acc {
		acc[i] = m.zero()
	}
	i := GP64()
	XORQ(i, i)
	operands := func(v int) []Op {
		var in []Op
		for _, a := range args {
			r := m.vector()
			VMOVUPS(Mem{Base: pointers[a], Index: i, Scale: 4, Disp: v * m.bytes()}, r)
			in = append(in, r)
		}
		return in
	}
	for _, vectors := range []int{accumulators, 1} {
		elements := vectors * m.lanes()
		loop, done := label("loop", vectors), label("done", vectors)
		CMPQ(n, U32(elements))
		JLT(LabelRef(done))
		Label(loop)
		for v := range vectors {
			f.add(m, acc[v], operands(v))
		}
		ADDQ(U32(elements), i)
		SUBQ(U32(elements), n)
		CMPQ(n, U32(elements))
		JGE(LabelRef(loop))
		Label(done)
	}
	TESTQ(n, n)
	JZ(LabelRef("end"))
	mask := m.tail(n)
	var in []Op
	for _, a := range args {
		in = append(in, m.loadMasked(Mem{Base: pointers[a], Index: i, Scale: 4}, mask))
	}
	f.add(m, acc[1], in)
	Label("end")
	f.join(m, acc[0], acc[1])
	f.join(m, acc[2], acc[3])
	f.join(m, acc[0], acc[2])
	f.finish(m, acc[0])
}

// finish joins the lanes of one vector and returns the result.
func (f fold) finish(m *machine, v reg.VecVirtual) {
	y := YMM()
	if m.wide {
		VEXTRACTF64X4(U8(1), v, y)
		f.join(m, y, v.AsY())
	} else {
		y = v
	}
	x := XMM()
	VEXTRACTF128(U8(1), y, x)
	f.join(m, x, y.AsX())
	s := XMM()
	VPERMILPS(U8(0x4e), x, s)
	f.join(m, x, s)
	VPERMILPS(U8(0xb1), x, s)
	f.join(m, x, s)
	Store(x, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// emitMaxOf writes the largest element, which starts from the first: n >= 1.
func emitMaxOf(m *machine) {
	name := "maxOf" + m.suffix()
	TEXT(name, 4, "func(a *float32, n int) float32")
	Doc(name + " finds the largest of at least one element, NaN if there is one.")
	Pragma("noescape")
	p := Load(Param("a"), GP64())
	n := Load(Param("n"), GP64())
	var acc [accumulators]reg.VecVirtual
	for i := range acc {
		acc[i] = m.vector()
		VBROADCASTSS(Mem{Base: p}, acc[i])
	}
	for _, vectors := range []int{accumulators, 1} {
		elements := vectors * m.lanes()
		loop, done := label("loop", vectors), label("done", vectors)
		CMPQ(n, U32(elements))
		JLT(LabelRef(done))
		Label(loop)
		for v := range vectors {
			r := m.vector()
			VMOVUPS(Mem{Base: p, Disp: v * m.bytes()}, r)
			m.pick(VMAXPS, acc[v], r)
		}
		ADDQ(U32(4*elements), p)
		SUBQ(U32(elements), n)
		CMPQ(n, U32(elements))
		JGE(LabelRef(loop))
		Label(done)
	}
	TESTQ(n, n)
	JZ(LabelRef("end"))
	mask := m.tail(n)
	r := m.vector()
	if m.wide {
		// Lanes beyond the end keep what the accumulator holds.
		VMOVAPS(acc[1], r)
		VMOVUPS(Mem{Base: p}, mask, r)
	} else {
		VMASKMOVPS(Mem{Base: p}, mask, r)
		VBLENDVPS(mask, r, acc[1], r)
	}
	m.pick(VMAXPS, acc[1], r)
	Label("end")
	f := fold{join: func(m *machine, acc, other Op) { m.pick(VMAXPS, acc, other) }}
	f.join(m, acc[0], acc[1])
	f.join(m, acc[2], acc[3])
	f.join(m, acc[0], acc[2])
	f.finish(m, acc[0])
}

// emitFromUint8 writes the conversion of n bytes, a whole number of vectors.
func emitFromUint8(m *machine) {
	name := "fromUint8" + m.suffix()
	TEXT(name, 4, "func(dst *float32, src *uint8, n int)")
	Doc(name + " converts bytes, n of them, a multiple of 16.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	i := GP64()
	XORQ(i, i)
	Label("loop")
	CMPQ(i, n)
	JGE(LabelRef("end"))
	for v := 0; v < 16; v += m.lanes() {
		r := m.vector()
		VPMOVZXBD(Mem{Base: src, Index: i, Scale: 1, Disp: v}, r)
		VCVTDQ2PS(r, r)
		VMOVUPS(r, Mem{Base: dst, Index: i, Scale: 4, Disp: 4 * v})
	}
	ADDQ(U32(16), i)
	JMP(LabelRef("loop"))
	Label("end")
	VZEROUPPER()
	RET()
}
