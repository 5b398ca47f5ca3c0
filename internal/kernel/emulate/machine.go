package emulate

import "unsafe"

// machine is the state of a processor.
type machine struct {
	general [16]uint64
	vectors [32]lanes
	masks   [8]uint64
	tiles   [8]tile
	equal   bool // of the last comparison or result: that it is zero
	less    bool // signed
	pc      int  // of the next instruction; negative at the end
	frame   unsafe.Pointer
	stack   []uint64
}

// lanes are the bits of a vector register, in elements of 32.
type lanes [16]uint32

const stackPointer = 4

// begin makes the machine ready for a function. Registers hold what calls
// before have left there, as on a processor.
func (m *machine) begin(fn *function, frame unsafe.Pointer) {
	if need := fn.stack/8 + 1; len(m.stack) < need {
		m.stack = make([]uint64, need)
	}
	m.frame = frame
	m.general[stackPointer] = uint64(uintptr(unsafe.Pointer(&m.stack[0])))
	m.pc = 0
}

// at returns what lies at an address that the program has computed. It keeps
// nothing alive, and the checks of unsafe pointers know nothing of it.
//
//go:nocheckptr
func at(address uint64) unsafe.Pointer { return unsafe.Add(nil, int(address)) }

// address returns where an operand lies in memory.
func (m *machine) address(o *operand) uint64 {
	a := uint64(o.shift)
	switch {
	case o.inFrame:
		return a + uint64(uintptr(m.frame))
	case o.data != nil:
		return a + uint64(uintptr(unsafe.Pointer(&o.data[0])))
	}
	if o.base >= 0 {
		a += m.general[o.base]
	}
	if o.index >= 0 {
		a += m.general[o.index] * uint64(o.scale)
	}
	return a
}

// word reads a number of a general instruction.
//
//go:nocheckptr
func (m *machine) word(o *operand) uint64 {
	switch o.kind {
	case constant:
		return uint64(o.value)
	case general:
		return m.general[o.n]
	}
	return *(*uint64)(at(m.address(o)))
}

//go:nocheckptr
func (m *machine) setWord(o *operand, v uint64) {
	if o.kind == general {
		m.general[o.n] = v
		return
	}
	*(*uint64)(at(m.address(o))) = v
}

//go:nocheckptr
func (m *machine) byteOf(o *operand) uint8 {
	switch o.kind {
	case constant:
		return uint8(o.value)
	case general:
		return uint8(m.general[o.n])
	}
	return *(*uint8)(at(m.address(o)))
}

// shortOf reads 16 bits.
//
//go:nocheckptr
func (m *machine) shortOf(o *operand) uint16 {
	if o.kind == general {
		return uint16(m.general[o.n])
	}
	return *(*uint16)(at(m.address(o)))
}

// element reads 32 bits in memory.
//
//go:nocheckptr
func element(address uint64) uint32 { return *(*uint32)(at(address)) }

//go:nocheckptr
func setElement(address uint64, v uint32) { *(*uint32)(at(address)) = v }

// read returns the elements of an operand that the mask has a bit for; the
// others are zero. Elements of memory without a bit are not touched, as the
// processor does not.
func (m *machine) read(o *operand, n int, bits uint64) (v lanes) {
	if o.kind == vector {
		return m.vectors[o.n]
	}
	a := m.address(o)
	for i := range n {
		if bits>>i&1 != 0 {
			v[i] = element(a + uint64(4*i))
		}
	}
	return v
}

// write stores the first n elements that the mask has a bit for. The others of a
// register stay as they are, or become zero; what lies above the n becomes zero.
func (m *machine) write(o *operand, n int, v lanes, bits uint64, zero bool) {
	if o.kind == vector {
		d := &m.vectors[o.n]
		for i := range d {
			switch {
			case i < n && bits>>i&1 != 0:
				d[i] = v[i]
			case i >= n || zero:
				d[i] = 0
			}
		}
		return
	}
	a := m.address(o)
	for i := range n {
		if bits>>i&1 != 0 {
			setElement(a+uint64(4*i), v[i])
		}
	}
}
