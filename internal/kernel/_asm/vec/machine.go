package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// machine emits the operations of one instruction-set level, so that a kernel
// is written once.
type machine struct {
	wide bool // AVX-512; else AVX2
	pool map[uint32]Mem
	next int // mask register to use next
}

func (m *machine) suffix() string {
	if m.wide {
		return "AVX512"
	}
	return "AVX2"
}

// lanes returns the number of float32s in a vector.
func (m *machine) lanes() int {
	if m.wide {
		return 16
	}
	return 8
}

// mask returns a mask register, in turn from six: no kernel keeps one while
// six more are taken. The allocator would take a comparison to read the mask it writes, and
// find them all alive at once. K1 is left for the tail.
func (m *machine) mask() reg.Register {
	m.next = (m.next + 1) % 6
	return []reg.Register{reg.K2, reg.K3, reg.K4, reg.K5, reg.K6, reg.K7}[m.next]
}

func (m *machine) bytes() int { return 4 * m.lanes() }

func (m *machine) vector() reg.VecVirtual {
	if m.wide {
		return ZMM()
	}
	return YMM()
}

// word returns a read-only vector of eight copies of a word.
func (m *machine) word(bits uint32) Mem {
	if mem, ok := m.pool[bits]; ok {
		return mem
	}
	mem := GLOBL(fmt.Sprintf("word%08x", bits), 8|16) // RODATA, NOPTR
	for i := range 8 {
		DATA(4*i, U32(bits))
	}
	m.pool[bits] = mem
	return mem
}

// constant returns a number as a second operand: in a register where there are
// many, in memory where there are few.
func (m *machine) constant(v float64) Op { return m.bits(math.Float32bits(float32(v))) }

func (m *machine) bits(b uint32) Op {
	if m.wide {
		return m.register(b)
	}
	return m.word(b)
}

// number returns a number in a register, as some operands must be.
func (m *machine) number(v float64) reg.VecVirtual {
	return m.register(math.Float32bits(float32(v)))
}

func (m *machine) register(b uint32) reg.VecVirtual {
	r := m.vector()
	VBROADCASTSS(m.word(b), r)
	return r
}

func (m *machine) zero() reg.VecVirtual {
	r := m.vector()
	VXORPS(r, r, r)
	return r
}

// scalar broadcasts a parameter.
func (m *machine) scalar(name string) reg.VecVirtual {
	r := m.vector()
	VBROADCASTSS(Load(Param(name), XMM()).(reg.VecVirtual), r)
	return r
}

// Predicates of VCMPPS: ordered and quiet but for notGreaterEqual, which is
// true of NaN, and notEqual likewise.
const (
	equal           = 0x00
	unordered       = 0x03
	notEqual        = 0x04
	notGreaterEqual = 0x19
	lessThan        = 0x11
	greaterEqual    = 0x1d
	greaterThan     = 0x1e
)

// compare returns the mask of a pred b: a mask register or a vector of ones.
func (m *machine) compare(pred int, a, b Op) Op {
	if m.wide {
		k := m.mask()
		VCMPPS(U8(pred), b, a, k)
		return k
	}
	r := YMM()
	VCMPPS(U8(pred), b, a, r)
	return r
}

// where returns yes where the mask holds, else no; yes may be in memory.
func (m *machine) where(mask, yes, no Op) reg.VecVirtual {
	if m.wide {
		// Not VBLENDMPS, which the allocator takes to read its destination.
		r := m.copy(no)
		VMOVAPS(yes, mask, r)
		return r
	}
	r := m.vector()
	VBLENDVPS(mask, yes, no, r)
	return r
}

// keep returns x where the mask holds, else zero.
func (m *machine) keep(mask, x Op) reg.VecVirtual {
	r := m.vector()
	if m.wide {
		VMOVUPS_Z(x, mask, r)
	} else {
		VANDPS(x, mask, r)
	}
	return r
}

// round rounds to whole numbers: mode 0 to nearest even, 1 down.
func (m *machine) round(x Op, mode int) reg.VecVirtual {
	r := m.vector()
	if m.wide {
		VRNDSCALEPS(U8(8|mode), x, r)
	} else {
		VROUNDPS(U8(8|mode), x, r)
	}
	return r
}

// pick is VMAXPS or VMINPS of a and b in place of a, but for NaN in either,
// which is kept.
func (m *machine) pick(f func(...Op), a, b Op) {
	if m.wide {
		k := m.mask()
		VCMPPS(U8(unordered), b, b, k)
		f(a, b, a) // b first, a second: the second wins where either is NaN
		VMOVAPS(b, k, a)
		return
	}
	r := m.like(a)
	VCMPPS(U8(unordered), b, b, r)
	f(a, b, a)
	VBLENDVPS(r, b, a, a)
}

// like returns a register as wide as another.
func (m *machine) like(a Op) reg.VecVirtual {
	switch a.(reg.Register).Size() {
	case 16:
		return XMM()
	case 32:
		return YMM()
	}
	return ZMM()
}

// horner multiplies p by x and adds c, for each coefficient c in turn. They
// stay in memory: the longest polynomials would not leave registers enough.
func (m *machine) horner(p, x Op, coefficients ...float64) {
	for _, v := range coefficients {
		c := m.word(math.Float32bits(float32(v)))
		if m.wide {
			VFMADD213PS_BCST(c, x, p)
		} else {
			VFMADD213PS(c, x, p)
		}
	}
}

func (m *machine) copy(x Op) reg.VecVirtual {
	r := m.vector()
	VMOVAPS(x, r)
	return r
}
