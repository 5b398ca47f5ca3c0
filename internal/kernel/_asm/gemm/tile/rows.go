package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// writeCopyRows writes copyRows, which copies rows of 8·vectors elements, one
// after the other. The next rows of a matrix lie in other pages, which the
// processor does not fetch of its own accord.
func writeCopyRows() {
	const ahead = 8 // rows
	TEXT("copyRows", NOSPLIT, "func(dst, src *float32, dstStride, srcStride, rows, vectors int)")
	dst, src, dstStride, srcStride, rows, vectors := RDI, RSI, R8, R9, RCX, RDX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("dstStride"), dstStride)
	Load(Param("srcStride"), srcStride)
	Load(Param("rows"), rows)
	Load(Param("vectors"), vectors)
	SHLQ(Imm(2), dstStride)
	SHLQ(Imm(2), srcStride)
	SHLQ(Imm(5), vectors)
	Label("copyRowsRow")
	LEAQ(Mem{Base: src, Index: srcStride, Scale: ahead}, R10)
	PREFETCHT0(Mem{Base: R10})
	XORQ(RAX, RAX)
	Label("copyRowsVector")
	VMOVUPS(Mem{Base: src, Index: RAX, Scale: 1}, Y0)
	VMOVUPS(Y0, Mem{Base: dst, Index: RAX, Scale: 1})
	ADDQ(Imm(32), RAX)
	CMPQ(RAX, vectors)
	JNE(LabelRef("copyRowsVector"))
	ADDQ(srcStride, src)
	ADDQ(dstStride, dst)
	DECQ(rows)
	JNZ(LabelRef("copyRowsRow"))
	VZEROUPPER()
	RET()
}
