package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// machine emits one function for one instruction-set level.
type machine struct {
	wide    bool // AVX-512; else AVX2
	numbers map[uint32]vec
	mask    Op // of a vector's channels that exist
	masked  bool
	tmp     reg.Register // a tile of vectors
}

func newMachine(wide bool) *machine { return &machine{wide: wide, numbers: map[uint32]vec{}} }

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

func (m *machine) bytes() int { return 4 * m.lanes() }

func (m *machine) vector() vec {
	if m.wide {
		return ZMM()
	}
	return YMM()
}

func (m *machine) copy(x vec) vec {
	r := m.vector()
	VMOVAPS(x, r)
	return r
}

// words holds the constants of all functions.
var words = map[uint32]Mem{}

// number returns a number that load has put into a register.
func (m *machine) number(v float64) vec {
	r, ok := m.numbers[math.Float32bits(float32(v))]
	if !ok {
		panic(fmt.Sprintf("number %v was not declared", v))
	}
	return r
}

// load puts numbers into registers, once for the whole function.
func (m *machine) load(numbers []float64) {
	for _, v := range numbers {
		bits := math.Float32bits(float32(v))
		if _, ok := words[bits]; !ok {
			words[bits] = GLOBL(fmt.Sprintf("word%08x", bits), 8|16) // RODATA, NOPTR
			DATA(0, U32(bits))
		}
		r := m.vector()
		VBROADCASTSS(words[bits], r)
		m.numbers[bits] = r
	}
}

// numbersOf returns the numbers that a function's transforms use.
func numbersOf(what string, size int) []float64 {
	switch {
	case size == 2 && (what == "filter" || what == "unfilter"):
		return []float64{0.5}
	case size == 2:
		return nil
	}
	return map[string][]float64{
		"input":    {aa * bb, aa + bb, aa, bb, a, b},
		"spread":   {aa, bb, a, b},
		"filter":   {1 / atZero, 1 / atA, 1 / atB, aa, bb, a, b},
		"output":   {a, b, aa, bb, a * aa, b * bb},
		"unfilter": {1 / atZero, 1 / atA, 1 / atB, aa, bb, a, b},
	}[what]
}

// read loads a vector of a tensor: of its channels, those that exist.
func (m *machine) read(from Mem) vec {
	r := m.vector()
	switch {
	case !m.masked:
		VMOVUPS(from, r)
	case m.wide:
		VMOVUPS_Z(from, m.mask, r)
	default:
		VMASKMOVPS(from, m.mask, r)
	}
	return r
}

// write stores a vector of a tensor.
func (m *machine) write(v vec, to Mem) {
	switch {
	case !m.masked:
		VMOVUPS(v, to)
	case m.wide:
		VMOVUPS(v, m.mask, to)
	default:
		VMASKMOVPS(v, m.mask, to)
	}
}

var tails Mem

// setMask makes the mask of the first n channels, 0 < n < lanes.
func (m *machine) setMask(n reg.Register) {
	if m.wide {
		ones := GP32()
		MOVL(U32(1<<16-1), ones)
		BZHIL(n.(reg.GPVirtual).As32(), ones, ones)
		KMOVW(ones, reg.K1)
		m.mask = reg.K1
		return
	}
	if tails == (Mem{}) {
		tails = GLOBL("tails", 8|16)
		for i := range 16 {
			DATA(4*i, U32([]uint32{0xffffffff, 0}[i/8]))
		}
	}
	base, index := GP64(), GP64()
	LEAQ(tails, base)
	MOVQ(U32(8), index)
	SUBQ(n, index)
	r := YMM()
	VMOVDQU(Mem{Base: base, Index: index, Scale: 4}, r)
	m.mask = r
}

// slot is a place in the tile between the two passes.
func (m *machine) slot(i int) Mem { return Mem{Base: m.tmp, Disp: i * m.bytes()} }

// each emits body for whole vectors of n channels in a loop, and for the rest.
// advance moves pointers on by a vector.
func (m *machine) each(n reg.Register, advance func(), body func()) {
	CMPQ(n, U32(m.lanes()))
	JLT(LabelRef("rest"))
	Label("loop")
	body()
	advance()
	SUBQ(U32(m.lanes()), n)
	CMPQ(n, U32(m.lanes()))
	JGE(LabelRef("loop"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	m.setMask(n)
	m.masked = true
	body()
	Label("end")
	VZEROUPPER()
	RET()
}

// strided is pointers to values that lie a stride apart in memory.
type strided struct{ base, stride, by3, by5 reg.Register }

// newStrided prepares the multiples of a stride in bytes.
func newStrided(base, stride reg.Register) strided {
	s := strided{base, stride, GP64(), GP64()}
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, s.by3)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 4}, s.by5)
	return s
}

// at returns the place i strides past a pointer, for i from 0 to 5.
func (s strided) at(p reg.Register, i int) Mem {
	switch i {
	case 0:
		return Mem{Base: p}
	case 3:
		return Mem{Base: p, Index: s.by3, Scale: 1}
	case 5:
		return Mem{Base: p, Index: s.by5, Scale: 1}
	}
	return Mem{Base: p, Index: s.stride, Scale: uint8(i)}
}

// next moves a pointer on by n strides: 3, 4 or 6.
func (s strided) next(p reg.Register, n int) {
	switch n {
	case 3:
		ADDQ(s.by3, p)
	case 4:
		LEAQ(Mem{Base: p, Index: s.stride, Scale: 4}, p)
	case 6:
		LEAQ(Mem{Base: p, Index: s.by3, Scale: 2}, p)
	}
}
