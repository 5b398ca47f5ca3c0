// Command amx writes the assembly of package hourglass/internal/kernel/amx.
package main

//go:generate go run . -out ../../amx/amx_amd64.s -stubs ../../amx/stubs_amd64.go -pkg amx

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	side     = 16        // rows of a tile, and its columns of 4 bytes
	rowBytes = 64        // of a tile
	tile     = side * 64 // bytes of a tile
)

func main() {
	ConstraintExpr("amd64")
	ConstraintExpr("!noasm")
	config := tileConfig()
	multiply("multiply2", "multiply2 multiplies blocks of 32 rows with a panel of 32 columns.", 2, config)
	multiply("multiply1", "multiply1 multiplies blocks of 32 rows with a panel of 16 columns.", 1, config)
	correlate(config)
	roundRows()
	pairTiles()
	transposed("turnTiles", "turnTiles transposes blocks of 16 rows of 32 numbers, pair by pair, for B.", false)
	transposed("columnTiles", "columnTiles transposes blocks of 32 rows of 16 numbers for A.", true)
	storeRows()
	Generate()
}

// tileConfig returns the configuration of the tile registers: eight tiles of 16
// rows of 64 bytes.
func tileConfig() Mem {
	config := GLOBL("tileConfig", RODATA|NOPTR)
	DATA(0, U64(1)) // the palette
	DATA(8, U64(0))
	for i := range 8 {
		DATA(16+2*i, U16(rowBytes))
	}
	DATA(32, U64(0))
	DATA(40, U64(0))
	for i := range 8 {
		DATA(48+i, U8(side))
	}
	DATA(56, U64(0))
	return config
}

// source says where the rows of a tile lie.
type source struct {
	base, stride GPPhysical
	disp         int
}

func (s source) load(t int) { tileMemory(tileLoad, t, s.base, s.stride, s.disp) }

// productStep adds the products of two tiles of A with two of B, or with the left
// one if the right one has no base, to tiles 0 to 3, row by row, and goes on to the
// next step of A.
func productStep(upper, lower, left, right source) {
	upper.load(4)
	left.load(6)
	tileProduct(0, 4, 6)
	lower.load(5)
	tileProduct(2, 5, 6)
	if right.base != nil {
		right.load(7)
		tileProduct(1, 4, 7)
		tileProduct(3, 5, 7)
	}
	ADDQ(Imm(rowBytes), upper.base)
	ADDQ(Imm(rowBytes), lower.base)
}

// tileBelow sets at to the rows below a tile.
func tileBelow(at, tile, stride GPPhysical) {
	MOVQ(stride, at)
	SHLQ(Imm(4), at)
	ADDQ(tile, at)
}

// multiply writes the products of blocks of two tiles of rows with a panel of the
// given number of tiles of columns. At each of the first nextRows steps of a block
// it fetches two rows of where the results are to be stored: left counts them.
func multiply(name, doc string, columns int, config Mem) {
	TEXT(name, NOSPLIT, "func(a, b *uint16, c *float32, blocks *int, count int, taps *int, tapCount, steps, lda, ldc int, next *float32, nextStride, nextRows, left int)")
	Pragma("noescape")
	Doc(doc, "Strides are in bytes, offsets in numbers.")
	a, b, c, taps, block := RDI, R8, RSI, R9, RDX
	at, below, step, tap := RAX, RBX, R10, R11
	lda, ldc, across, low, next := R12, R13, RCX, R15, R14
	count := NewParamAddr("count", 32)

	LEAQ(config, at)
	loadConfig(at)
	Load(Param("blocks"), block)
	Load(Param("lda"), lda)
	Load(Param("ldc"), ldc)
	MOVQ(U32(rowBytes), across)

	Label(name + "Block")
	Load(Param("a"), a)
	MOVQ(Mem{Base: block}, at)
	LEAQ(Mem{Base: a, Index: at, Scale: 2}, a)
	Load(Param("c"), c)
	MOVQ(Mem{Base: block, Disp: 8}, at)
	LEAQ(Mem{Base: c, Index: at, Scale: 4}, c)
	ADDQ(Imm(16), block)
	tileBelow(low, c, ldc)
	for i := range columns {
		tileZero(i)
		tileZero(2 + i)
	}
	Load(Param("next"), next)
	Load(Param("nextRows"), at)
	MOVQ(at, NewParamAddr("left", 104))
	Load(Param("b"), b)
	Load(Param("taps"), taps)
	Load(Param("tapCount"), tap)
	Label(name + "Tap")
	MOVQ(Mem{Base: taps}, at)
	LEAQ(Mem{Base: a, Index: at, Scale: 2}, at)
	ADDQ(Imm(8), taps)
	tileBelow(below, at, lda)
	Load(Param("steps"), step)
	Label(name + "Step")
	DECQ(NewParamAddr("left", 104))
	JLT(LabelRef(name + "Multiply"))
	for range 2 {
		prefetchWrite(next)
		ADDQ(NewParamAddr("nextStride", 88), next)
	}
	Label(name + "Multiply")
	left := source{b, across, 0}
	right := source{b, across, tile}
	if columns == 1 {
		right.base = nil
	}
	productStep(source{at, lda, 0}, source{below, lda, 0}, left, right)
	ADDQ(U32(uint32(columns*tile)), b)
	DECQ(step)
	JNZ(LabelRef(name + "Step"))
	DECQ(tap)
	JNZ(LabelRef(name + "Tap"))

	for i := range columns {
		tileMemory(tileStore, i, c, ldc, i*rowBytes)
		tileMemory(tileStore, 2+i, low, ldc, i*rowBytes)
	}
	MOVQ(next, NewParamAddr("next", 80))
	DECQ(count)
	JNZ(LabelRef(name + "Block"))
	tileRelease()
	RET()
}

// correlate writes the products of 32 rows with panels of 32 columns, each of
// which begins elsewhere in the same rows of pairs. While it computes a block of
// the result it fetches the next one into the first-level cache, and what B will
// be read next into the second.
func correlate(config Mem) {
	const name = "correlate"
	const block = 4 * tile // bytes of a block of the result
	TEXT(name, NOSPLIT, "func(a, b *uint16, c *float32, taps *int, count, steps, lda, half int, fromC bool, next *uint16)")
	Pragma("noescape")
	Doc("correlate multiplies 32 rows with a panel of 32 columns for each tap.",
		"Strides are in bytes, offsets in numbers.")
	b, right, c, taps, count := R8, RDX, RSI, R9, R11
	at, below, step := RAX, RBX, R10
	lda, ldc, across, half, next, ahead := R12, R13, RCX, R15, R14, RDI

	LEAQ(config, at)
	loadConfig(at)
	Load(Param("c"), c)
	Load(Param("taps"), taps)
	Load(Param("count"), count)
	Load(Param("lda"), lda)
	Load(Param("half"), half)
	Load(Param("next"), next)
	MOVQ(U32(2*rowBytes), ldc)
	MOVQ(U32(rowBytes), across)

	Label(name + "Tap")
	Load(Param("b"), b)
	MOVQ(Mem{Base: taps}, at)
	ADDQ(Imm(8), taps)
	LEAQ(Mem{Base: b, Index: at, Scale: 2}, b)
	LEAQ(Mem{Base: b, Index: half, Scale: 1}, right)
	Load(Param("a"), at)
	tileBelow(below, at, lda)
	LEAQ(Mem{Base: c, Disp: block}, ahead)
	MOVBLZX(NewParamAddr("fromC", 64), step.As32())
	TESTL(step.As32(), step.As32())
	Load(Param("steps"), step)
	JZ(LabelRef(name + "Zero"))
	for t := range 4 {
		tileMemory(tileLoad, t, c, ldc, t/2*2*tile+t%2*rowBytes)
	}
	JMP(LabelRef(name + "Step"))
	Label(name + "Zero")
	for t := range 4 {
		tileZero(t)
	}

	Label(name + "Step")
	for line := range 8 {
		PREFETCHT0(Mem{Base: ahead, Disp: line * 64})
	}
	ADDQ(U32(512), ahead)
	PREFETCHT1(Mem{Base: next})
	PREFETCHT1(Mem{Base: next, Disp: 64})
	PREFETCHT1(Mem{Base: next, Index: half, Scale: 1})
	PREFETCHT1(Mem{Base: next, Index: half, Scale: 1, Disp: 64})
	ADDQ(U32(128), next)
	productStep(source{at, lda, 0}, source{below, lda, 0}, source{b, across, 0}, source{right, across, 0})
	ADDQ(U32(tile), b)
	ADDQ(U32(tile), right)
	DECQ(step)
	JNZ(LabelRef(name + "Step"))

	for t := range 4 {
		tileMemory(tileStore, t, c, ldc, t/2*2*tile+t%2*rowBytes)
	}
	ADDQ(U32(block), c)
	DECQ(count)
	JNZ(LabelRef(name + "Tap"))
	tileRelease()
	RET()
}

// roundRows writes rows of bfloat16 numbers, filled up with zeros to whole
// vectors of 32.
func roundRows() {
	TEXT("roundRows", NOSPLIT, "func(dst *uint16, src *float32, whole, rows, dstStride, srcStride int, low, high uint16)")
	Pragma("noescape")
	Doc("roundRows rounds rows of numbers, whole vectors of 32 and then as many as",
		"low and high have bits, if any. Strides are in bytes.")
	dst, src, n, rows := RDI, RSI, RCX, RDX
	to, from, mask := RAX, RBX, R8
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("rows"), rows)
	Load(Param("low"), mask.As32())
	KMOVW(mask.As32(), K1)
	Load(Param("high"), R9.As32())
	KMOVW(R9.As32(), K2)
	Label("roundRow")
	MOVQ(dst, to)
	MOVQ(src, from)
	Load(Param("whole"), n)
	TESTQ(n, n)
	JZ(LabelRef("roundTail"))
	Label("roundVector")
	VMOVUPS(Mem{Base: from}, Z0)
	VMOVUPS(Mem{Base: from, Disp: 64}, Z1)
	convert(2, 1, 0)
	VMOVDQU64(Z2, Mem{Base: to})
	ADDQ(Imm(128), from)
	ADDQ(Imm(64), to)
	DECQ(n)
	JNZ(LabelRef("roundVector"))
	Label("roundTail")
	TESTL(mask.As32(), mask.As32())
	JZ(LabelRef("roundNext"))
	VMOVUPS_Z(Mem{Base: from}, K1, Z0)
	VMOVUPS_Z(Mem{Base: from, Disp: 64}, K2, Z1)
	convert(2, 1, 0)
	VMOVDQU64(Z2, Mem{Base: to})
	Label("roundNext")
	ADDQ(NewParamAddr("dstStride", 32), dst)
	ADDQ(NewParamAddr("srcStride", 40), src)
	DECQ(rows)
	JNZ(LabelRef("roundRow"))
	VZEROUPPER()
	RET()
}

// pairs puts the numbers of a row and of the one behind it side by side.
func pairs(src, stride GPPhysical, x, t VecPhysical) {
	VPMOVZXWD(Mem{Base: src}, x)
	VPMOVZXWD(Mem{Base: src, Index: stride, Scale: 1}, t)
	VPSLLD(Imm(16), t, t)
	VPORD(t, x, x)
}

// pairTiles writes tiles of B from rows of B.
func pairTiles() {
	TEXT("pairTiles", NOSPLIT, "func(dst, src *uint16, steps, dstStride, srcStride int)")
	Pragma("noescape")
	Doc("pairTiles makes tiles of blocks of 32 rows of 16 numbers, one below the other.",
		"Strides are in bytes: from tile to tile, and from row to row.")
	dst, src, steps, dstStride, stride := RDI, RSI, RCX, RDX, RBX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("steps"), steps)
	Load(Param("dstStride"), dstStride)
	Load(Param("srcStride"), stride)
	Label("pairStep")
	for row := range side {
		x, t := zmm(2*(row%4)), zmm(2*(row%4)+1)
		pairs(src, stride, x, t)
		VMOVDQU64(x, Mem{Base: dst, Disp: row * rowBytes})
		LEAQ(Mem{Base: src, Index: stride, Scale: 2}, src)
	}
	ADDQ(dstStride, dst)
	DECQ(steps)
	JNZ(LabelRef("pairStep"))
	VZEROUPPER()
	RET()
}

func zmm(i int) VecPhysical {
	return []VecPhysical{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
	}[i]
}

// transposed writes transposes of blocks of 16×16 elements of 4 bytes. These are
// the pairs of 16 rows, for B, or else those that 32 rows make two by two, for A.
func transposed(name, doc string, ofRows bool) {
	TEXT(name, NOSPLIT, "func(dst, src *uint16, steps, dstStep, dstStride, srcStep, srcStride int)")
	Pragma("noescape")
	Doc(doc, "Strides are in bytes: from block to block, and from row to row.")
	dst, src, steps, dstStep, dstStride, srcStep, srcStride := RDI, RSI, RCX, RDX, RBX, R8, R9
	at := RAX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("steps"), steps)
	Load(Param("dstStep"), dstStep)
	Load(Param("dstStride"), dstStride)
	Load(Param("srcStep"), srcStep)
	Load(Param("srcStride"), srcStride)
	Label(name + "Step")
	MOVQ(src, at)
	for i := range side {
		if ofRows {
			pairs(at, srcStride, zmm(i), zmm(16))
			LEAQ(Mem{Base: at, Index: srcStride, Scale: 2}, at)
		} else {
			VMOVDQU64(Mem{Base: at}, zmm(i))
			ADDQ(srcStride, at)
		}
	}
	transpose16()
	MOVQ(dst, at)
	for i := range side {
		VMOVDQU64(zmm(i), Mem{Base: at})
		ADDQ(dstStride, at)
	}
	ADDQ(srcStep, src)
	ADDQ(dstStep, dst)
	DECQ(steps)
	JNZ(LabelRef(name + "Step"))
	VZEROUPPER()
	RET()
}

// transpose16 transposes the 16×16 elements of Z0 to Z15 by way of Z16 to Z31.
func transpose16() {
	Comment("Pairs of elements, of pairs of rows.")
	for i := 0; i < 16; i += 2 {
		VPUNPCKLDQ(zmm(i+1), zmm(i), zmm(16+i))
		VPUNPCKHDQ(zmm(i+1), zmm(i), zmm(17+i))
	}
	Comment("Four elements, of four rows: register 4q+e has elements e, e+4, e+8 and e+12 of rows 4q to 4q+3.")
	for q := range 4 {
		r := 16 + 4*q
		VPUNPCKLQDQ(zmm(r+2), zmm(r), zmm(4*q))
		VPUNPCKHQDQ(zmm(r+2), zmm(r), zmm(4*q+1))
		VPUNPCKLQDQ(zmm(r+3), zmm(r+1), zmm(4*q+2))
		VPUNPCKHQDQ(zmm(r+3), zmm(r+1), zmm(4*q+3))
	}
	Comment("Eight rows: elements e and e+8, or e+4 and e+12, of each half.")
	for e := range 4 {
		for half := range 2 {
			x, y := zmm(8*half+e), zmm(8*half+4+e)
			VSHUFI32X4(Imm(0x88), y, x, zmm(16+8*half+e))
			VSHUFI32X4(Imm(0xdd), y, x, zmm(16+8*half+4+e))
		}
	}
	Comment("Sixteen.")
	for e := range 8 {
		x, y := zmm(16+e), zmm(24+e)
		VSHUFI32X4(Imm(0x88), y, x, zmm(e))
		VSHUFI32X4(Imm(0xdd), y, x, zmm(8+e))
	}
}

// storeRows writes rows of a product with their epilogue.
func storeRows() {
	TEXT("storeRows", NOSPLIT, "func(dst, src, bias *float32, rows, dstStride int, low, high uint16, add, rectify bool, most float32)")
	Pragma("noescape")
	Doc("storeRows stores rows of as many columns as low and high have bits, from rows",
		"of 32. bias may be nil. dstStride is in bytes.")
	dst, src, bias, rows, stride := RDI, RSI, RBX, RCX, RDX
	flag := RAX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("bias"), bias)
	Load(Param("rows"), rows)
	Load(Param("dstStride"), stride)
	Load(Param("low"), flag.As32())
	KMOVW(flag.As32(), K1)
	Load(Param("high"), flag.As32())
	KMOVW(flag.As32(), K2)
	bias0, bias1, zero, most, x, y := Z0, Z1, Z2, Z3, Z4, Z5
	VPXORD(zero, zero, zero)
	VPXORD(bias0, bias0, bias0)
	VPXORD(bias1, bias1, bias1)
	VBROADCASTSS(NewParamAddr("most", 48), most)
	TESTQ(bias, bias)
	JZ(LabelRef("storeRow"))
	VMOVUPS_Z(Mem{Base: bias}, K1, bias0)
	VMOVUPS_Z(Mem{Base: bias, Disp: 64}, K2, bias1)
	Label("storeRow")
	VADDPS(Mem{Base: src}, bias0, x)
	VADDPS(Mem{Base: src, Disp: 64}, bias1, y)
	Load(Param("add"), flag.As32())
	TESTL(flag.As32(), flag.As32())
	JZ(LabelRef("storeAct"))
	VMOVUPS_Z(Mem{Base: dst}, K1, Z6)
	VMOVUPS_Z(Mem{Base: dst, Disp: 64}, K2, Z7)
	VADDPS(Z6, x, x)
	VADDPS(Z7, y, y)
	Label("storeAct")
	Load(Param("rectify"), flag.As32())
	TESTL(flag.As32(), flag.As32())
	JZ(LabelRef("storeOut"))
	Comment("The second operand is what a NaN leaves.")
	VMAXPS(x, zero, x)
	VMAXPS(y, zero, y)
	VMINPS(x, most, x)
	VMINPS(y, most, y)
	Label("storeOut")
	VMOVUPS(x, K1, Mem{Base: dst})
	VMOVUPS(y, K2, Mem{Base: dst, Disp: 64})
	ADDQ(Imm(128), src)
	ADDQ(stride, dst)
	DECQ(rows)
	JNZ(LabelRef("storeRow"))
	VZEROUPPER()
	RET()
}
