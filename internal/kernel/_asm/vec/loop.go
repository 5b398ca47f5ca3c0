package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// kernel is an element-wise loop over slices of equal length.
type kernel struct {
	name   string
	doc    string
	args   string // pointer parameters, in order
	loads  string // those that are read
	stores string // those that are written
	scalar string // a float32 parameter, if any
	ints   bool   // the second pointer is to int32
	unroll int
	// prepare emits what comes before the loop and returns the body, which
	// may overwrite the registers it is given and returns those to store.
	prepare func(m *machine) func(in []Op) []Op
}

// emit writes the kernel for one level: an unrolled loop, a loop over single
// vectors, and one masked vector for the rest, all with the same arithmetic.
func (k kernel) emit(m *machine) {
	signature := "func("
	args := strings.Fields(k.args)
	for i, a := range args {
		typ := " *float32, "
		if k.ints && i == 1 {
			typ = " *int32, "
		}
		signature += a + typ
	}
	signature += "n int"
	if k.scalar != "" {
		signature += ", " + k.scalar + " float32"
	}
	name := k.name + m.suffix()
	TEXT(name, 4, signature+")") // NOSPLIT
	Doc(name + " " + k.doc)
	Pragma("noescape")
	pointers := map[string]reg.Register{}
	for _, a := range args {
		pointers[a] = Load(Param(a), GP64())
	}
	n := Load(Param("n"), GP64())
	body := k.prepare(m)
	i := GP64()
	XORQ(i, i)
	at := func(arg string, vector int) Mem {
		return Mem{Base: pointers[arg], Index: i, Scale: 4, Disp: vector * m.bytes()}
	}
	step := func(vectors int) {
		for v := range vectors {
			var in []Op
			for _, a := range strings.Fields(k.loads) {
				r := m.vector()
				VMOVUPS(at(a, v), r)
				in = append(in, r)
			}
			out := body(in)
			for j, a := range strings.Fields(k.stores) {
				VMOVUPS(out[j], at(a, v))
			}
		}
	}
	unroll := max(1, k.unroll)
	for _, vectors := range []int{unroll, 1} {
		loop, done := label("loop", vectors), label("done", vectors)
		elements := vectors * m.lanes()
		CMPQ(n, U32(elements))
		JLT(LabelRef(done))
		Label(loop)
		step(vectors)
		ADDQ(U32(elements), i)
		SUBQ(U32(elements), n)
		CMPQ(n, U32(elements))
		JGE(LabelRef(loop))
		Label(done)
		if unroll == 1 {
			break
		}
	}
	TESTQ(n, n)
	JZ(LabelRef("end"))
	mask := m.tail(n)
	var in []Op
	for _, a := range strings.Fields(k.loads) {
		in = append(in, m.loadMasked(at(a, 0), mask))
	}
	out := body(in)
	for j, a := range strings.Fields(k.stores) {
		if m.wide {
			VMOVUPS(out[j], mask, at(a, 0))
		} else {
			VMASKMOVPS(out[j], mask, at(a, 0))
		}
	}
	Label("end")
	VZEROUPPER()
	RET()
}

func label(what string, vectors int) string {
	if vectors == 1 {
		return what + "1"
	}
	return what
}

// tail returns the mask of the first n lanes, 0 < n < lanes.
func (m *machine) tail(n reg.Register) Op {
	if m.wide {
		ones := GP32()
		MOVL(U32(1<<16-1), ones)
		BZHIL(n.(reg.GPVirtual).As32(), ones, ones)
		KMOVW(ones, reg.K1)
		return reg.K1
	}
	if m.pool[tailKey] == (Mem{}) {
		table := GLOBL("tail", 8|16)
		for j := range 16 {
			DATA(4*j, U32([]uint32{0xffffffff, 0}[j/8]))
		}
		m.pool[tailKey] = table
	}
	base, index := GP64(), GP64()
	LEAQ(m.pool[tailKey], base)
	MOVQ(U32(8), index)
	SUBQ(n, index)
	r := YMM()
	VMOVDQU(Mem{Base: base, Index: index, Scale: 4}, r)
	return r
}

// tailKey is a word that no constant has: the table of tail masks is kept
// under it.
const tailKey = 0xffc0dead

// loadMasked reads the lanes of the mask; the others are zero.
func (m *machine) loadMasked(at Mem, mask Op) Op {
	r := m.vector()
	if m.wide {
		VMOVUPS_Z(at, mask, r)
	} else {
		VMASKMOVPS(at, mask, r)
	}
	return r
}
