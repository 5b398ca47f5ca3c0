package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Constants of Philox4x32-10, as in hourglass/internal/random.
const (
	philoxMul0  = 0xD2511F53
	philoxMul1  = 0xCD9E8D57
	philoxWeyl0 = 0x9E3779B9
	philoxWeyl1 = 0xBB67AE85
)

// emitUniform writes the generator of uniform numbers. Each of two vectors
// holds one word of as many blocks as it has lanes of 64 bits, in their lower
// halves: that is where the widening product reads, and what is in the upper
// halves does not matter to it.
func emitUniform(m *machine) {
	name := "uniform" + m.suffix()
	TEXT(name, 4, "func(dst *float32, n int, key0, key1, block0, block1, counter0, counter1 uint32)")
	Doc(name+" gives numbers uniform on [0, 1), n of them, from the blocks of Philox4x32-10 from",
		"block on; n is a multiple of 64 and block0 does not overflow.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	n := Load(Param("n"), GP64())
	blocks := m.lanes() / 2 // a vector
	first, step := m.vector(), m.vector()
	m.broadcastParam("block0", first)
	m.add32(m.lanesOf(blocks), first)
	VPBROADCASTD(m.word(uint32(blocks)), step)
	var mul [2]Op
	var weyl [2]Op
	for i, c := range []uint32{philoxMul0, philoxMul1} {
		mul[i] = m.bits(c)
		weyl[i] = m.bits([]uint32{philoxWeyl0, philoxWeyl1}[i])
	}
	scale := m.bits(0x33800000) // 2^-24
	Label("loop")
	CMPQ(n, U8(8*blocks))
	JLT(LabelRef("end"))
	const vectors = 2
	var c [vectors][4]reg.VecVirtual
	for v := range c {
		for w := range c[v] {
			c[v][w] = m.vector()
		}
		m.move32(first, c[v][0])
		m.add32(step, first)
		m.broadcastParam("block1", c[v][1])
		m.broadcastParam("counter0", c[v][2])
		m.broadcastParam("counter1", c[v][3])
	}
	key := [2]reg.VecVirtual{m.vector(), m.vector()}
	m.broadcastParam("key0", key[0])
	m.broadcastParam("key1", key[1])
	for round := range 10 {
		if round > 0 {
			m.add32(weyl[0], key[0])
			m.add32(weyl[1], key[1])
		}
		for v := range c {
			p, q := m.vector(), m.vector()
			VPMULUDQ(mul[0], c[v][0], p)
			VPMULUDQ(mul[1], c[v][2], q)
			// The high word of one product meets the other pair's second word
			// and the key; the low words stay where they are.
			high := m.vector()
			VPSRLQ(U8(32), q, high)
			m.xor32(high, c[v][1])
			m.xor32(key[0], c[v][1])
			high = m.vector()
			VPSRLQ(U8(32), p, high)
			m.xor32(high, c[v][3])
			m.xor32(key[1], c[v][3])
			c[v] = [4]reg.VecVirtual{c[v][1], q, c[v][3], p}
		}
	}
	for v := range c {
		a, b := m.pairs(c[v][0], c[v][1]), m.pairs(c[v][2], c[v][3])
		low, high := m.vector(), m.vector()
		VPUNPCKLQDQ(b, a, low)
		VPUNPCKHQDQ(b, a, high)
		for i, r := range []reg.VecVirtual{low, high} {
			VPSRLD(U8(8), r, r)
			VCVTDQ2PS(r, r)
			VMULPS(scale, r, r)
			VMOVUPS(r, Mem{Base: dst, Disp: (2*v + i) * m.bytes()})
		}
	}
	ADDQ(U32(vectors*2*m.bytes()), dst)
	SUBQ(U32(vectors*4*blocks), n)
	JMP(LabelRef("loop"))
	Label("end")
	VZEROUPPER()
	RET()
}

// lanesOf returns the number of the block in each lane of 64 bits: those that
// VPUNPCKLQDQ takes come first, so that what it writes is in order.
func (m *machine) lanesOf(blocks int) Op {
	name := "blocks" + m.suffix()
	mem := GLOBL(name, 8|16)
	for lane := range blocks {
		DATA(8*lane, U64(uint64(lane/2+lane%2*blocks/2)))
	}
	if !m.wide {
		return mem
	}
	r := m.vector()
	VMOVDQU32(mem, r)
	return r
}

func (m *machine) broadcastParam(name string, r reg.VecVirtual) {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(p.Addr, r) // of the same bits
}

func (m *machine) add32(x, to Op) { VPADDD(x, to, to) }

func (m *machine) xor32(x, to Op) {
	if m.wide {
		VPXORD(x, to, to)
	} else {
		VPXOR(x, to, to)
	}
}

func (m *machine) move32(from, to Op) {
	if m.wide {
		VMOVDQA32(from, to)
	} else {
		VMOVDQA(from, to)
	}
}

// pairs returns the lower halves of a and b side by side in each lane.
func (m *machine) pairs(a, b reg.VecVirtual) reg.VecVirtual {
	VPSLLQ(U8(32), b, b)
	if m.wide {
		mask := GP32()
		MOVL(U32(0xaaaa), mask)
		KMOVW(mask, reg.K2)
		VMOVDQA32(b, reg.K2, a)
		return a
	}
	VPBLENDD(U8(0xaa), b, a, a)
	return a
}
