package emulate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Go's assembler does not know all instructions: the generators write the bytes
// of some. This file reads these and carries them out.

// tile is a tile register.
type tile struct {
	rows, bytes int // as the configuration says
	data        [16][16]uint32
}

// bytesOf reads lines of one byte each and returns them with how many there are.
func bytesOf(lines []string) (code []byte, n int, err error) {
	for ; n < len(lines); n++ {
		if !isByte(lines[n]) {
			break
		}
		_, text, _ := strings.Cut(lines[n], "$")
		v, err := strconv.ParseUint(text, 0, 8)
		if err != nil {
			return nil, n, err
		}
		code = append(code, byte(v))
	}
	return code, n, nil
}

// decode returns the instruction that code is, in whole.
func decode(code []byte) (instruction, error) {
	d := decoder{code: code}
	in := d.instruction()
	if d.failed || in == nil || len(d.code) > 0 {
		return nil, fmt.Errorf("the bytes % x are no instruction that is known", code)
	}
	return in, nil
}

type decoder struct {
	code   []byte
	failed bool
}

func (d *decoder) next() byte {
	if len(d.code) == 0 {
		d.failed = true
		return 0
	}
	b := d.code[0]
	d.code = d.code[1:]
	return b
}

// extension is what a prefix adds to the numbers of registers.
type extension struct{ reg, index, base int }

func (d *decoder) instruction() instruction {
	switch first := d.next(); {
	case first == 0xc4:
		return d.vex()
	case first == 0x62:
		return d.evex()
	case first&0xfe == 0x40 && d.next() == 0x0f && d.next() == 0x0d:
		modrm := d.next()
		d.memory(modrm, extension{base: int(first & 1)})
		if modrm>>3&7 != 1 {
			return nil
		}
		return func(*machine) {} // PREFETCHW
	}
	return nil
}

// vex reads an instruction for tiles behind the first byte of its prefix.
func (d *decoder) vex() instruction {
	a, b := d.next(), d.next()
	x := extension{reg: int(^a >> 7 & 1), index: int(^a >> 6 & 1), base: int(^a >> 5 & 1)}
	if a&0x1f != 2 || b&0x84 != 0 || x.reg != 0 {
		return nil
	}
	opcode, modrm := d.next(), d.next()
	prefix, third := b&3, int(^b>>3&15)
	reg, rm, registers := int(modrm>>3&7), int(modrm&7), modrm>>6 == 3
	if opcode != 0x5c && third != 0 {
		return nil
	}
	switch {
	case opcode == 0x49 && prefix == 3 && registers && rm == 0: // TILEZERO
		return func(m *machine) { m.tiles[reg].data = [16][16]uint32{} }
	case opcode == 0x49 && prefix == 0 && modrm == 0xc0: // TILERELEASE
		return func(m *machine) { m.tiles = [8]tile{} }
	case opcode == 0x49 && prefix == 0 && !registers && reg == 0: // LDTILECFG
		o := d.memory(modrm, x)
		return func(m *machine) { m.configure(m.address(&o)) }
	case opcode == 0x4b && (prefix == 2 || prefix == 3) && !registers && rm == 4:
		o := d.memory(modrm, x)
		if o.index < 0 || o.scale != 1 {
			return nil
		}
		store := prefix == 2 // TILESTORED, else TILELOADD
		return func(m *machine) { m.moveTile(&m.tiles[reg], &o, store) }
	case opcode == 0x5c && prefix == 2 && registers && third < 8: // TDPBF16PS
		return func(m *machine) { m.multiplyTiles(reg, rm, third) }
	}
	return nil
}

// evex reads VCVTNE2PS2BF16 of registers, all of them whole, behind the first
// byte of its prefix.
func (d *decoder) evex() instruction {
	a, b, c, opcode, modrm := d.next(), d.next(), d.next(), d.next(), d.next()
	if a != 0xf2 || b&0x87 != 7 || c != 0x48 || opcode != 0x72 || modrm>>6 != 3 {
		return nil
	}
	to, low, high := int(modrm>>3&7), int(modrm&7), int(^b>>3&15)
	return func(m *machine) {
		var v lanes
		for i := range v {
			from := &m.vectors[low]
			if i >= 8 {
				from = &m.vectors[high]
			}
			v[i] = half(from[2*i%16]) | half(from[2*i%16+1])<<16
		}
		m.vectors[to] = v
	}
}

// memory reads an operand in memory.
func (d *decoder) memory(modrm byte, x extension) operand {
	o := operand{kind: memory, base: int(modrm&7) | x.base<<3, index: -1}
	if modrm&7 == 4 {
		sib := d.next()
		o.base, o.index, o.scale = int(sib&7)|x.base<<3, int(sib>>3&7)|x.index<<3, 1<<(sib>>6)
	}
	switch modrm >> 6 {
	case 0:
		d.failed = d.failed || o.base&7 == 5
	case 1:
		o.shift = int64(int8(d.next()))
	case 2:
		var v uint32
		for i := range 4 {
			v |= uint32(d.next()) << (8 * i)
		}
		o.shift = int64(int32(v))
	case 3:
		d.failed = true
	}
	return o
}

// configure sets the shapes of tiles from 64 bytes.
//
//go:nocheckptr
func (m *machine) configure(address uint64) {
	config := (*[64]byte)(at(address))
	if config[0] != 1 || config[1] != 0 {
		panic("emulate: this configuration of tiles is not known")
	}
	for i := range m.tiles {
		m.tiles[i] = tile{rows: int(config[48+i]), bytes: int(config[16+2*i]) | int(config[17+2*i])<<8}
		if t := &m.tiles[i]; t.rows > 16 || t.bytes > 64 || t.bytes%4 != 0 {
			panic("emulate: a tile is too large")
		}
	}
}

// moveTile loads or stores a tile, the rows of which are as far apart as the
// operand's index says.
func (m *machine) moveTile(t *tile, o *operand, store bool) {
	stride := m.general[o.index]
	first := m.address(o) - stride
	for r := range t.rows {
		for c := range t.bytes / 4 {
			at := first + uint64(r)*stride + uint64(4*c)
			if store {
				setElement(at, t.data[r][c])
			} else {
				t.data[r][c] = element(at)
			}
		}
	}
}

// multiplyTiles adds the product of tiles a and b to tile c. The products of
// even and of odd numbers are added up apart, with one rounding each, and what is
// too small for a normal number is zero everywhere.
func (m *machine) multiplyTiles(c, a, b int) {
	to, x, y := &m.tiles[c], &m.tiles[a], &m.tiles[b]
	if x.rows != to.rows || y.bytes != to.bytes || y.rows*4 != x.bytes {
		panic("emulate: the shapes of tiles do not fit")
	}
	for r := range to.rows {
		for n := range to.bytes / 4 {
			var even, odd float32
			for k := range y.rows {
				p, q := x.data[r][k], y.data[k][n]
				even = flushed(fma(wide(p), wide(q), even))
				odd = flushed(fma(wide(p>>16), wide(q>>16), odd))
			}
			sum := flushed(math.Float32frombits(to.data[r][n])) + flushed(even+odd)
			to.data[r][n] = math.Float32bits(flushed(sum))
		}
	}
}

// wide returns the bfloat16 number of the lower bits.
func wide(bits uint32) float32 { return flushed(math.Float32frombits(bits << 16)) }

// flushed returns zero for what is too small for a normal number.
func flushed(x float32) float32 {
	if bits := math.Float32bits(x); bits&0x7f800000 == 0 {
		return math.Float32frombits(bits & 0x80000000)
	}
	return x
}

// half rounds to the nearest bfloat16, the even one of two.
func half(bits uint32) uint32 {
	x := flushed(math.Float32frombits(bits))
	bits = math.Float32bits(x)
	if x != x {
		return bits>>16 | 0x40
	}
	return (bits + 0x7fff + bits>>16&1) >> 16
}
