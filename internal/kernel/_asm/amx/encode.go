package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Go's assembler knows neither the instructions for tiles nor those for
// bfloat16, so their bytes are written here, as Intel's Software Developer's
// Manual, volume 2, gives them.

// code writes an instruction's bytes behind a comment that says what they mean.
func code(text string, bytes ...int) {
	Comment(text)
	for _, b := range bytes {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{Imm(uint64(b))}})
	}
}

type access struct {
	name   string
	prefix int
}

// Loads and stores of tiles differ in the prefix that a VEX prefix stands for.
var (
	tileLoad  = access{"TILELOADD", 0x7b}
	tileStore = access{"TILESTORED", 0x7a}
)

// number is what instructions call a register.
func number(r GPPhysical) int {
	for i, x := range []GPPhysical{RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15} {
		if x.Asm() == r.Asm() {
			return i
		}
	}
	panic("amx: unknown register " + r.Asm())
}

// tileMemory moves a tile from or to rows that begin at base+disp and are stride
// bytes apart.
func tileMemory(a access, t int, base, stride GPPhysical, disp int) {
	b, s := number(base), number(stride)
	bytes := []int{0xc4, 0x82 | (1-s>>3)<<6 | (1-b>>3)<<5, a.prefix, 0x4b}
	sib := s&7<<3 | b&7
	switch {
	case disp == 0 && b&7 != 5:
		bytes = append(bytes, t<<3|4, sib)
	case disp >= -128 && disp < 128:
		bytes = append(bytes, 0x40|t<<3|4, sib, disp&0xff)
	default:
		bytes = append(bytes, 0x80|t<<3|4, sib, disp&0xff, disp>>8&0xff, disp>>16&0xff, disp>>24&0xff)
	}
	code(fmt.Sprintf("%s t%d, %d(%s)(%s*1)", a.name, t, disp, base.Asm(), stride.Asm()), bytes...)
}

// tileProduct adds the product of tiles a and b to tile c.
func tileProduct(c, a, b int) {
	code(fmt.Sprintf("TDPBF16PS t%d += t%d·t%d", c, a, b), 0xc4, 0xe2, (15-b)<<3|2, 0x5c, 0xc0|c<<3|a)
}

func tileZero(t int) { code(fmt.Sprintf("TILEZERO t%d", t), 0xc4, 0xe2, 0x7b, 0x49, 0xc0|t<<3) }

func tileRelease() { code("TILERELEASE", 0xc4, 0xe2, 0x78, 0x49, 0xc0) }

// loadConfig configures the tile registers from 64 bytes at one of the first
// eight registers.
func loadConfig(at GPPhysical) {
	code(fmt.Sprintf("LDTILECFG (%s)", at.Asm()), 0xc4, 0xe2, 0x78, 0x49, number(at))
}

// convert rounds the numbers of two vectors to bfloat16, those of low first. All
// are among the first eight vectors.
func convert(dst, high, low int) {
	code(fmt.Sprintf("VCVTNE2PS2BF16 Z%d, Z%d, Z%d", low, high, dst), 0x62, 0xf2, (15-high)<<3|7, 0x48, 0x72, 0xc0|dst<<3|low)
}

// prefetchWrite fetches two cache lines that are about to be written.
func prefetchWrite(at GPPhysical) {
	b := number(at)
	code(fmt.Sprintf("PREFETCHW (%s)", at.Asm()), 0x40|b>>3, 0x0f, 0x0d, 1<<3|b&7)
	code(fmt.Sprintf("PREFETCHW 64(%s)", at.Asm()), 0x40|b>>3, 0x0f, 0x0d, 0x40|1<<3|b&7, 64)
}
