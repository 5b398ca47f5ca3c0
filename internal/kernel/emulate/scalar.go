package emulate

import "math"

// scalar is an instruction on general registers, or one that has no variants.
type scalar struct {
	operands int
	run      run
}

var scalars = map[string]*scalar{
	"MOVQ": {2, func(m *machine, a []operand) { m.setWord(&a[1], m.word(&a[0])) }},
	"MOVL": {2, func(m *machine, a []operand) { m.setWord(&a[1], m.word(&a[0])&math.MaxUint32) }},
	"MOVB": {2, func(m *machine, a []operand) {
		r := &m.general[a[1].n]
		*r = *r&^0xff | uint64(m.byteOf(&a[0]))
	}},
	"LEAQ": {2, func(m *machine, a []operand) { m.setWord(&a[1], m.address(&a[0])) }},

	"ADDQ": {2, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])+m.word(&a[0])) }},
	"SUBQ": {2, func(m *machine, a []operand) {
		x, y := m.word(&a[1]), m.word(&a[0])
		m.setWord(&a[1], x-y)
		m.compare(x, y)
	}},
	"ANDQ":  {2, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])&m.word(&a[0])) }},
	"XORQ":  {2, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])^m.word(&a[0])) }},
	"SHLQ":  {2, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])<<(m.byteOf(&a[0])&63)) }},
	"SHRQ":  {2, func(m *machine, a []operand) { m.result(&a[1], m.word(&a[1])>>(m.byteOf(&a[0])&63)) }},
	"DECQ":  {1, func(m *machine, a []operand) { m.result(&a[0], m.word(&a[0])-1) }},
	"INCQ":  {1, func(m *machine, a []operand) { m.result(&a[0], m.word(&a[0])+1) }},
	"IMULQ": {2, func(m *machine, a []operand) { m.setWord(&a[1], m.word(&a[1])*m.word(&a[0])) }},
	"IMUL3Q": {3, func(m *machine, a []operand) {
		m.setWord(&a[2], m.word(&a[1])*m.word(&a[0]))
	}},
	"BZHIL": {3, func(m *machine, a []operand) { // the bits of a[1] below the number in a[0]
		v, n := m.word(&a[1])&math.MaxUint32, m.byteOf(&a[0])
		if n < 32 {
			v &= 1<<n - 1
		}
		m.setWord(&a[2], v)
	}},

	"CMPQ":  {2, func(m *machine, a []operand) { m.compare(m.word(&a[0]), m.word(&a[1])) }},
	"CMPB":  {2, func(m *machine, a []operand) { m.compare(signed(m.byteOf(&a[0])), signed(m.byteOf(&a[1]))) }},
	"TESTQ": {2, func(m *machine, a []operand) { m.compare(m.word(&a[0])&m.word(&a[1]), 0) }},
	"TESTB": {2, func(m *machine, a []operand) { m.compare(signed(m.byteOf(&a[0])&m.byteOf(&a[1])), 0) }},

	"JMP": {1, func(m *machine, a []operand) { m.pc = a[0].n }},
	"JE":  {1, func(m *machine, a []operand) { m.jump(m.equal, a) }},
	"JZ":  {1, func(m *machine, a []operand) { m.jump(m.equal, a) }},
	"JNE": {1, func(m *machine, a []operand) { m.jump(!m.equal, a) }},
	"JNZ": {1, func(m *machine, a []operand) { m.jump(!m.equal, a) }},
	"JL":  {1, func(m *machine, a []operand) { m.jump(m.less, a) }},
	"JLT": {1, func(m *machine, a []operand) { m.jump(m.less, a) }},
	"JGE": {1, func(m *machine, a []operand) { m.jump(!m.less, a) }},
	"JLE": {1, func(m *machine, a []operand) { m.jump(m.less || m.equal, a) }},
	"JGT": {1, func(m *machine, a []operand) { m.jump(!m.less && !m.equal, a) }},
	"RET": {0, func(m *machine, a []operand) { m.pc = -1 }},

	"KMOVW":  {2, func(m *machine, a []operand) { m.masks[a[1].n] = m.word(&a[0]) & 0xffff }},
	"KORW":   {3, func(m *machine, a []operand) { m.masks[a[2].n] = m.masks[a[1].n] | m.masks[a[0].n] }},
	"KANDNW": {3, func(m *machine, a []operand) { m.masks[a[2].n] = ^m.masks[a[1].n] & m.masks[a[0].n] & 0xffff }},
	"KNOTW":  {2, func(m *machine, a []operand) { m.masks[a[1].n] = ^m.masks[a[0].n] & 0xffff }},

	"PREFETCHT0": {1, func(*machine, []operand) {}},
	"VZEROUPPER": {0, func(m *machine, _ []operand) {
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
