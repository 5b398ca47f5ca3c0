// Command bfloat writes the assembly of package hourglass/internal/kernel/bfloat.
package main

//go:generate go run . -out ../../bfloat/bfloat_amd64.s -stubs ../../bfloat/stubs_amd64.go -pkg bfloat

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// unordered is the comparison that holds where an operand is a NaN.
const unordered = 3

func main() {
	ConstraintExpr("amd64")
	ConstraintExpr("!noasm")
	constants := GLOBL("constants", RODATA|NOPTR)
	for i, v := range []uint32{1, 0x7fff, 0xffff0000, 0x00400000} {
		DATA(4*i, U32(v))
	}
	round("roundAVX2", "roundAVX2 rounds n numbers, a multiple of 8 and not 0.", constants,
		[]VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6}, 32)
	round("roundAVX512", "roundAVX512 rounds n numbers, a multiple of 16 and not 0.", constants,
		[]VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6}, 64)
	Generate()
}

func round(name, doc string, constants Mem, v []VecPhysical, size int) {
	TEXT(name, NOSPLIT, "func(dst, src *float32, n int)")
	Doc(doc)
	dst, src, n := RDI, RSI, RCX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("n"), n)
	one, half, high, quiet, x, t, nan := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	for i, c := range v[:4] {
		VPBROADCASTD(constants.Offset(4*i), c)
	}
	Label(name + "Vector")
	VMOVUPS(Mem{Base: src}, x)
	Comment("Half of what is cut off, less one for ties that are to go down.")
	VPSRLD(Imm(16), x, t)
	if size == 64 {
		VPANDD(one, t, t)
		VPADDD(half, t, t)
		VPADDD(x, t, t)
		VPANDD(high, t, t)
		VCMPPS(Imm(unordered), x, x, K1)
		VPORD(quiet, x, nan)
		VPANDD(high, nan, nan)
		VMOVUPS(nan, K1, t)
	} else {
		VPAND(one, t, t)
		VPADDD(half, t, t)
		VPADDD(x, t, t)
		VPAND(high, t, t)
		VPOR(quiet, x, nan)
		VPAND(high, nan, nan)
		VCMPPS(Imm(unordered), x, x, x)
		VBLENDVPS(x, nan, t, t)
	}
	VMOVUPS(t, Mem{Base: dst})
	ADDQ(Imm(uint64(size)), src)
	ADDQ(Imm(uint64(size)), dst)
	SUBQ(Imm(uint64(size/4)), n)
	JNZ(LabelRef(name + "Vector"))
	VZEROUPPER()
	RET()
}
