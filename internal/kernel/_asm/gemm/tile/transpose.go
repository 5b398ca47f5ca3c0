package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// writeTranspose writes transpose8, which transposes 8 rows of 8 times blocks
// elements.
func writeTranspose() {
	TEXT("transpose8", NOSPLIT, "func(dst, src *float32, dstStride, srcStride, blocks int)")
	dst, src, dstStride, srcStride, blocks := RDI, RSI, R8, R9, RCX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("dstStride"), dstStride)
	Load(Param("srcStride"), srcStride)
	Load(Param("blocks"), blocks)
	SHLQ(Imm(2), dstStride)
	SHLQ(Imm(2), srcStride)
	// Rows 0 to 7 lie at src + {0,1,2}·stride and at three times the stride
	// and seven times the stride from there.
	src3, src6, dst3, dst6 := R10, R11, R12, R13
	LEAQ(Mem{Base: srcStride, Index: srcStride, Scale: 2}, src3)
	LEAQ(Mem{Base: src, Index: src3, Scale: 2}, src6)
	ADDQ(src, src3)
	LEAQ(Mem{Base: dstStride, Index: dstStride, Scale: 2}, RAX)
	row := func(base, base3, base6, stride GPPhysical, i int) Mem {
		m := Mem{Base: []GPPhysical{base, base3, base6}[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = stride, uint8(i%3)
		}
		return m
	}
	y := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	x := []VecPhysical{X0, X1, X2, X3, X4, X5, X6, X7}

	Label("transpose8Block")
	LEAQ(Mem{Base: dst, Index: RAX, Scale: 1}, dst3)
	LEAQ(Mem{Base: dst, Index: RAX, Scale: 2}, dst6)
	Comment("Rows i and i+4 share a register, left halves in the first four, right halves in the others.")
	for half := range 2 {
		for i := range 4 {
			low, high := row(src, src3, src6, srcStride, i), row(src, src3, src6, srcStride, i+4)
			low.Disp, high.Disp = 16*half, 16*half
			r := 4*half + i
			VMOVUPS(low, x[r])
			VINSERTF128(Imm(1), high, y[r], y[r])
		}
	}
	Comment("Transpose 4 by 4 within the halves of the registers.")
	for half := range 2 {
		r := y[4*half : 4*half+4]
		t := y[8:]
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		VUNPCKLPD(t[2], t[0], r[0])
		VUNPCKHPD(t[2], t[0], r[1])
		VUNPCKLPD(t[3], t[1], r[2])
		VUNPCKHPD(t[3], t[1], r[3])
		for i := range 4 {
			VMOVUPS(r[i], row(dst, dst3, dst6, dstStride, 4*half+i))
		}
	}
	LEAQ(Mem{Base: dst, Index: dstStride, Scale: 8}, dst)
	for _, p := range []GPPhysical{src, src3, src6} {
		ADDQ(Imm(32), p)
	}
	DECQ(blocks)
	JNZ(LabelRef("transpose8Block"))
	VZEROUPPER()
	RET()
}
