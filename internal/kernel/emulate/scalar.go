package emulate

import (
	"math"
	"strings"
)

// scalar is an instruction on general registers, or one that has no variants.
// The letters say what its operands may be: a constant, a general register,
// memory, a label, a mask register k.
type scalar struct {
	operands []string
	run      func(m *machine, args []operand)
}

// takes reports whether the operands are such as it takes.
func (s *scalar) takes(args []operand) bool {
	if len(args) != len(s.operands) {
		return false
	}
	for i, o := range args {
		if !strings.ContainsRune(s.operands[i], rune("cgvkml"[o.kind])) {
			return false
		}
	}
	return true
}

var (
	intoRegister = []string{"cgm", "g"}
	both         = []string{"cgm", "cgm"}
	place        = []string{"l"}
)

var scalars = map[string]*scalar{
	"MOVQ": {[]string{"cgm", "gm"}, func(m *machine, a []operand) { m.setWord(&a[1], m.word(&a[0])) }},
	"MOVL": {[]string{"cg", "g"}, func(m *machine, a []operand) { m.setWord(&a[1], m.word(&a[0])&math.MaxUint32) }},
	"MOVB": {intoRegister, func(m *machine, a []operand) {
		r := &m.general[a[1].n]
		*r = *r&^0xff | uint64(m.byteOf(&a[0]))
	}},
	"MOVBLZX": {[]string{"gm", "g"}, func(m *machine, a []operand) { m.setWord(&a[1], uint64(m.byteOf(&a[0]))) }},
	"MOVWLZX": {[]string{"gm", "g"}, func(m *machine, a []operand) { m.setWord(&a[1], uint64(m.shortOf(&a[0]))) }},
	"LEAQ":    {[]string{"m", "g"}, func(m *machine, a []operand) { m.setWord(&a[1], m.address(&a[0])) }},

	"ADDQ": {[]string{"cgm", "gm"}, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])+m.word(&a[0])) }},
	"SUBQ": {[]string{"cgm", "gm"}, func(m *machine, a []operand) {
		x, y := m.word(&a[1]), m.word(&a[0])
		m.setWord(&a[1], x-y)
		m.compare(x, y)
	}},
	"ANDQ":  {intoRegister, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])&m.word(&a[0])) }},
	"XORQ":  {intoRegister, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])^m.word(&a[0])) }},
	"SHLQ":  {[]string{"cg", "g"}, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])<<(m.byteOf(&a[0])&63)) }},
	"SHRQ":  {[]string{"cg", "g"}, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])>>(m.byteOf(&a[0])&63)) }},
	"DECQ":  {[]string{"gm"}, func(m *machine, a []operand) { m.result(&a[0], m.word(&a[0])-1) }},
	"INCQ":  {[]string{"gm"}, func(m *machine, a []operand) { m.result(&a[0], m.word(&a[0])+1) }},
	"IMULQ": {intoRegister, func(m *machine, a []operand) { m.setWord(&a[1], m.word(&a[1])*m.word(&a[0])) }},
	"IMUL3Q": {[]string{"c", "gm", "g"}, func(m *machine, a []operand) {
		m.setWord(&a[2], m.word(&a[1])*m.word(&a[0]))
	}},
	"BZHIL": {[]string{"g", "g", "g"}, func(m *machine, a []operand) { // the bits of a[1] below the number in a[0]
		v, n := m.word(&a[1])&math.MaxUint32, m.byteOf(&a[0])
		if n < 32 {
			v &= 1<<n - 1
		}
		m.setWord(&a[2], v)
	}},

	"CMPQ":  {both, func(m *machine, a []operand) { m.compare(m.word(&a[0]), m.word(&a[1])) }},
	"CMPB":  {both, func(m *machine, a []operand) { m.compare(signed(m.byteOf(&a[0])), signed(m.byteOf(&a[1]))) }},
	"TESTQ": {both, func(m *machine, a []operand) { m.compare(m.word(&a[0])&m.word(&a[1]), 0) }},
	"TESTL": {[]string{"g", "g"}, func(m *machine, a []operand) { m.compare(m.word(&a[0])&m.word(&a[1])&math.MaxUint32, 0) }},
	"TESTB": {both, func(m *machine, a []operand) { m.compare(signed(m.byteOf(&a[0])&m.byteOf(&a[1])), 0) }},

	"JMP": {place, func(m *machine, a []operand) { m.pc = a[0].n }},
	"JE":  {place, func(m *machine, a []operand) { m.jump(m.equal, a) }},
	"JZ":  {place, func(m *machine, a []operand) { m.jump(m.equal, a) }},
	"JNE": {place, func(m *machine, a []operand) { m.jump(!m.equal, a) }},
	"JNZ": {place, func(m *machine, a []operand) { m.jump(!m.equal, a) }},
	"JL":  {place, func(m *machine, a []operand) { m.jump(m.less, a) }},
	"JLT": {place, func(m *machine, a []operand) { m.jump(m.less, a) }},
	"JGE": {place, func(m *machine, a []operand) { m.jump(!m.less, a) }},
	"JLE": {place, func(m *machine, a []operand) { m.jump(m.less || m.equal, a) }},
	"JGT": {place, func(m *machine, a []operand) { m.jump(!m.less && !m.equal, a) }},
	"RET": {nil, func(m *machine, a []operand) { m.pc = -1 }},

	"KMOVW":  {[]string{"g", "k"}, func(m *machine, a []operand) { m.masks[a[1].n] = m.word(&a[0]) & 0xffff }},
	"KORW":   {[]string{"k", "k", "k"}, func(m *machine, a []operand) { m.masks[a[2].n] = m.masks[a[1].n] | m.masks[a[0].n] }},
	"KANDNW": {[]string{"k", "k", "k"}, func(m *machine, a []operand) { m.masks[a[2].n] = ^m.masks[a[1].n] & m.masks[a[0].n] & 0xffff }},
	"KNOTW":  {[]string{"k", "k"}, func(m *machine, a []operand) { m.masks[a[1].n] = ^m.masks[a[0].n] & 0xffff }},

	"PREFETCHT0": {[]string{"m"}, func(*machine, []operand) {}},
	"PREFETCHT1": {[]string{"m"}, func(*machine, []operand) {}},
	"VZEROUPPER": {nil, func(m *machine, _ []operand) {
		for i := range 16 {
			clear(m.vectors[i][4:])
		}
	}},
}

func signed(v uint8) uint64 { return uint64(int64(int8(v))) }

// result stores a result and sets what jumps ask for. That it is less than zero
// holds for sums that do not overflow.
func (m *machine) result(o *operand, v uint64) {
	m.setWord(o, v)
	m.compare(v, 0)
}

func (m *machine) compare(x, y uint64) { m.equal, m.less = x == y, int64(x) < int64(y) }

func (m *machine) jump(on bool, a []operand) {
	if on {
		m.pc = a[0].n
	}
}
