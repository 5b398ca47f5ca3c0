package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var (
	spare = RAX // a counter in the inner loop
	step  = RBX // bytes from the rows' pointers to the current step
	bPtr  = RCX
	rows  = []GPPhysical{RDX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, RBP}
)

// isa is how one instruction-set level loads, stores and multiplies.
type isa struct {
	name   string
	vector int // bytes
	vec    []VecPhysical
}

var (
	avx512 = isa{"AVX512", 64, []VecPhysical{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}}
	avx2 = isa{"AVX2", 32, []VecPhysical{
		Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}}
)

// The kinds of kernels: how a step multiplies A with B.
const (
	broadcast   = "broadcast"   // an element with a vector
	elementwise = "elementwise" // a vector with a vector
	scaled      = "scaled"      // a vector with an element
	dot         = "dot"         // a vector with a vector, summed up at the end
)

// kernel is one tile kernel being written.
type kernel struct {
	isa
	height  int
	vectors int
	masked  bool // columns beyond N are neither read nor written
	kind    string

	acc [][]VecPhysical
	b   []VecPhysical
	tmp []VecPhysical

	kStride, ldb                           Op  // strides; in registers where there is room
	args, rowPtr, cPtr, tiles, tap, tapEnd Mem // on the stack
	moved                                  Mem // see reduceDense
	masks                                  []Mem
}

func (k *kernel) symbol() string {
	whole := ""
	if !k.masked {
		whole = "whole"
	}
	return fmt.Sprintf("%s%dx%d%s%s", k.kind, k.height, k.vectors*k.vector/4, whole, k.name)
}

func (k *kernel) label(name string) string { return k.symbol() + name }

func (k *kernel) write() {
	TEXT(k.symbol(), NOSPLIT, "func(t *byte)")
	slots := AllocLocal(8*8 + 64)
	slot := func(i int) Mem { return slots.Offset(8 * i) }
	k.args, k.rowPtr, k.cPtr, k.tiles = slot(0), slot(1), slot(2), slot(3)
	k.kStride, k.ldb, k.tap, k.tapEnd = slot(4), slot(5), slot(6), slot(7)
	if k.unrolled() > 1 {
		k.kStride, k.ldb = rows[k.height], rows[k.height+1]
	}
	k.masks = []Mem{slot(8), slot(12)} // of AVX2
	k.moved = slot(8)                  // of AVX-512

	free := k.vec
	take := func(n int) []VecPhysical {
		taken := free[:n]
		free = free[n:]
		return taken
	}
	for range k.height {
		k.acc = append(k.acc, take(k.vectors))
	}
	if k.kind == scaled {
		k.b = take(1)
	} else {
		k.b = take(k.vectors)
	}
	k.tmp = take(min(len(free), 4))

	k.prologue()
	Label(k.label("Tile"))
	k.initialise()
	k.prefetchNext()
	k.reduce()
	k.store()
	k.nextTile(k.symbol())
}

// nextTile goes on to the next rows, or returns after the last.
func (k *kernel) nextTile(symbol string) {
	Comment("Next tile.")
	MOVQ(k.tiles, spare)
	DECQ(spare)
	JZ(LabelRef(symbol + "Done"))
	MOVQ(spare, k.tiles)
	ADDQ(Imm(uint64(8*k.height)), k.rowPtr)
	ADDQ(Imm(uint64(8*k.height)), k.cPtr)
	JMP(LabelRef(symbol + "Tile"))
	Label(symbol + "Done")
	VZEROUPPER()
	RET()
}

// prologue moves what the registers have no room for to the stack.
func (k *kernel) prologue() {
	Load(Param("t"), spare)
	MOVQ(spare, k.args)
	for _, f := range []struct {
		name  string
		slot  Op
		shift bool // from elements to bytes
	}{
		{"rowPtr", k.rowPtr, false}, {"cPtr", k.cPtr, false}, {"tiles", k.tiles, false},
		{"KStride", k.kStride, true}, {"LDB", k.ldb, true},
	} {
		MOVQ(field(spare, f.name), RBX)
		if f.shift {
			SHLQ(Imm(2), RBX)
		}
		MOVQ(RBX, f.slot)
	}
	loadTapEnd()
	MOVQ(RBX, k.tapEnd)
	if k.masked {
		k.setMasks()
	}
}

func (k *kernel) setMasks() {
	Comment("Masks of the columns below N.")
	if k.name == "AVX512" {
		MOVQ(field(spare, "N"), RCX)
		MOVQ(I32(1), RBX)
		SHLQ(CL, RBX)
		DECQ(RBX)
		KMOVW(EBX, K1)
		if k.vectors == 2 {
			SHRQ(Imm(16), RBX)
			KMOVW(EBX, K2)
		}
		return
	}
	VPBROADCASTD(field(spare, "N"), Y0)
	for v := range k.vectors {
		VPCMPGTD(columnNumbers.Offset(32*v), Y0, Y1)
		VMOVDQU(Y1, k.masks[v])
	}
}

var masks = []OpmaskPhysical{K1, K2}

// load loads a vector of a row of the output or of B, or zeros where masked.
func (k *kernel) load(v int, from Mem, to VecPhysical) {
	from = from.Offset(v * k.vector)
	switch {
	case !k.masked:
		VMOVUPS(from, to)
	case k.name == "AVX512":
		VMOVUPS_Z(from, masks[v], to)
	default:
		mask := k.tmp[len(k.tmp)-1]
		VMOVUPS(k.masks[v], mask)
		VMASKMOVPS(from, mask, to)
	}
}

// initialise sets the accumulators from C and the bias, or to zero.
func (k *kernel) initialise() {
	MOVQ(k.args, spare)
	Comment("Accumulators from C or zero.")
	CMPB(field(spare, "FromC"), Imm(0))
	JE(LabelRef(k.label("Zero")))
	MOVQ(field(spare, "C"), RDX)
	MOVQ(k.cPtr, RSI)
	for r, acc := range k.acc {
		MOVQ(Mem{Base: RSI, Disp: 8 * r}, RDI)
		LEAQ(Mem{Base: RDX, Index: RDI, Scale: 4}, RDI)
		for v, a := range acc {
			k.load(v, Mem{Base: RDI}, a)
		}
	}
	JMP(LabelRef(k.label("Bias")))
	Label(k.label("Zero"))
	for _, acc := range k.acc {
		for _, a := range acc {
			k.zero(a)
		}
	}
	Label(k.label("Bias"))
	MOVQ(field(spare, "Bias"), RDX)
	TESTQ(RDX, RDX)
	JZ(LabelRef(k.label("Rows")))
	for v := range k.vectors {
		k.load(v, Mem{Base: RDX}, k.b[0])
		for _, acc := range k.acc {
			VADDPS(k.b[0], acc[v], acc[v])
		}
	}
	Label(k.label("Rows"))
}

// large reports whether this is the tile that most of the work is done in, with
// AVX-512: as wide as a step needs all of a core's multiplications, it has
// nothing to do while it waits for the second-level cache.
func (k *kernel) large() bool {
	return k.kind == broadcast && k.name == "AVX512" && k.height*k.vectors == 24
}

// prefetchNext fetches the next tile's part of C.
func (k *kernel) prefetchNext() {
	if !k.large() {
		return
	}
	CMPB(field(spare, "fetch"), Imm(0))
	JE(LabelRef(k.label("Last")))
	CMPQ(k.tiles, Imm(1))
	JE(LabelRef(k.label("Last")))
	MOVQ(field(spare, "C"), RDX)
	MOVQ(k.cPtr, RSI)
	for r := range k.height {
		MOVQ(Mem{Base: RSI, Disp: 8 * (k.height + r)}, RDI)
		for v := range k.vectors {
			PREFETCHT0(Mem{Base: RDX, Index: RDI, Scale: 4, Disp: v * k.vector})
		}
	}
	Label(k.label("Last"))
}

func (k *kernel) zero(a VecPhysical) {
	if k.name == "AVX512" {
		VPXORD(a, a, a)
	} else {
		VXORPS(a, a, a)
	}
}

// loadRows points the row registers to A.
func (k *kernel) loadRows() {
	MOVQ(field(spare, "A"), RBX)
	MOVQ(k.rowPtr, RCX)
	for r := range k.height {
		MOVQ(Mem{Base: RCX, Disp: 8 * r}, rows[r])
		LEAQ(Mem{Base: RBX, Index: rows[r], Scale: 4}, rows[r])
	}
}

// loadTapEnd sets RBX to the end of the taps.
func loadTapEnd() {
	IMUL3Q(Imm(tapSize), field(spare, "Taps").Offset(8), RBX)
	ADDQ(field(spare, "Taps"), RBX)
}

// advanceRows moves the rows to the tap that spare points to, and sets spare to
// its number of steps and RBX to the steps of B to skip.
func (k *kernel) advanceRows() {
	MOVQ(Mem{Base: spare}, RBX)
	SHLQ(Imm(2), RBX)
	for r := range k.height {
		ADDQ(RBX, rows[r])
	}
	LEAQ(Mem{Base: spare, Disp: tapSize}, RBX)
	MOVQ(RBX, k.tap)
	MOVQ(Mem{Base: spare, Disp: 8}, RBX)
	MOVQ(Mem{Base: spare, Disp: 16}, spare)
}

// reduce runs all taps.
func (k *kernel) reduce() {
	k.loadRows()
	MOVQ(field(spare, "B"), bPtr)
	MOVQ(field(spare, "Taps"), spare)
	Label(k.label("Tap"))
	CMPQ(spare, k.tapEnd)
	JE(LabelRef(k.label("Store")))
	k.advanceRows()
	Comment("A branch over no skip keeps the multiplication off the way to the first load.")
	TESTQ(RBX, RBX)
	JZ(LabelRef(k.label("NoSkip")))
	IMULQ(k.ldb, RBX)
	ADDQ(RBX, bPtr)
	Label(k.label("NoSkip"))
	if k.moves() {
		MOVQ(k.args, RBX)
		CMPQ(field(RBX, "Adjacent"), Imm(0))
		JNE(LabelRef(k.label("Adjacent")))
		k.reduceDense()
	}
	XORQ(step, step)

	if n := k.unrolled(); n > 1 {
		k.together(n, "", "TapDone", func() {
			for range n {
				k.step()
			}
		})
	}
	Label(k.label("Step"))
	k.step()
	DECQ(spare)
	JNZ(LabelRef(k.label("Step")))
	if k.unrolled() > 1 {
		Label(k.label("TapDone"))
	}
	if k.moves() {
		k.returnRows()
	}
	Label(k.label("NextTap"))
	MOVQ(k.tap, spare)
	JMP(LabelRef(k.label("Tap")))
	if k.moves() {
		k.reduceAdjacent()
	}
}

// together writes a loop over n of the steps that spare counts at a time, as long
// as there are so many, and goes to done if none is left behind them.
func (k *kernel) together(n int, name, done string, steps func()) {
	SUBQ(Imm(uint64(n)), spare)
	JL(LabelRef(k.label(name + "Few")))
	Label(k.label(name + "Many"))
	steps()
	SUBQ(Imm(uint64(n)), spare)
	JGE(LabelRef(k.label(name + "Many")))
	Label(k.label(name + "Few"))
	ADDQ(Imm(uint64(n)), spare)
	JZ(LabelRef(k.label(done)))
}

// moves reports whether the kernel has loops that move along A.
func (k *kernel) moves() bool { return k.kind == broadcast && k.name == "AVX512" }

// reduceDense runs as many steps of a tap as are multiples of eight, where
// steps are neighbours in A. It moves the rows along, so that addresses need no
// index, and keeps how far in moved.
func (k *kernel) reduceDense() {
	const steps = 8
	size := k.vectors * k.vector
	MOVQ(U32(0), k.moved)
	CMPQ(k.kStride, Imm(4))
	JNE(LabelRef(k.label("Sparse")))
	run := func(stepB int, next func()) func() {
		return func() {
			for n := range steps {
				k.oneOf(n*stepB, func(r int) Mem { return Mem{Base: rows[r], Disp: 4 * n} })
				next()
			}
			for r := range k.height {
				ADDQ(Imm(4*steps), rows[r])
			}
			if stepB > 0 {
				ADDQ(U32(uint32(steps*stepB)), bPtr)
			}
			ADDQ(Imm(4*steps), k.moved)
		}
	}
	if !k.masked {
		CMPQ(k.ldb, U32(uint32(size)))
		JNE(LabelRef(k.label("Apart")))
		k.together(steps, "Dense", "TapDone", run(size, func() {}))
		JMP(LabelRef(k.label("Sparse")))
		Label(k.label("Apart"))
	}
	MOVQ(k.ldb, RBX)
	k.together(steps, "Apart", "TapDone", run(0, func() { ADDQ(RBX, bPtr) }))
	Label(k.label("Sparse"))
}

// returnRows takes back what reduceDense has moved the rows.
func (k *kernel) returnRows() {
	Label(k.label("TapDone"))
	MOVQ(k.moved, RBX)
	for r := range k.height {
		SUBQ(RBX, rows[r])
	}
}

// oneOf multiplies one of several steps that are written one after the other,
// given where B's row is and where each row's element. Every other row of a tile
// of two vectors, and all of one, multiply it straight from memory: that is less
// to start in each step, which counts where a core is shared with another thread.
func (k *kernel) oneOf(b int, element func(r int) Mem) {
	for v, to := range k.b {
		k.load(v, Mem{Base: bPtr, Disp: b}, to)
	}
	for r, acc := range k.acc {
		if r%2 == 0 || k.vectors == 1 {
			for v := range acc {
				VFMADD231PS_BCST(element(r), k.b[v], acc[v])
			}
			continue
		}
		t := k.tmp[r/2%len(k.tmp)]
		VBROADCASTSS(element(r), t)
		for v := range acc {
			VFMADD231PS(k.b[v], t, acc[v])
		}
	}
}

// reduceAdjacent runs the steps of a tap where the rows of the tile lie side by
// side. All addresses follow from two registers; what the other rows' registers
// hold is no longer needed.
func (k *kernel) reduceAdjacent() {
	const steps = 4
	a, kStride, ldb, far := R15, R14, R13, R12
	run := func() {
		k.oneOf(0, func(r int) Mem { return Mem{Base: a, Disp: 4 * r} })
		if k.large() {
			PREFETCHT0(Mem{Base: a, Index: far, Scale: 1})
		}
		ADDQ(kStride, a)
		ADDQ(ldb, bPtr)
	}
	Label(k.label("Adjacent"))
	MOVQ(rows[0], a)
	MOVQ(k.kStride, kStride)
	MOVQ(k.ldb, ldb)
	if k.large() {
		MOVQ(kStride, far)
		SHLQ(Imm(4), far)
	}
	k.together(steps, "Adjacent", "NextTap", func() {
		for range steps {
			run()
		}
	})
	Label(k.label("AdjacentStep"))
	run()
	DECQ(spare)
	JNZ(LabelRef(k.label("AdjacentStep")))
	JMP(LabelRef(k.label("NextTap")))
}

// unrolled is how many steps are written one after the other. The large tiles
// of AVX2, which most of the work is done in, have twelve multiply-adds in a
// step, and a core that must also count steps and read strides from memory does
// not start two of them in every cycle.
func (k *kernel) unrolled() int {
	if k.kind == broadcast && k.name == "AVX2" && k.height*k.vectors == 12 {
		return 4
	}
	return 1
}

// step multiplies one step and goes on to the next.
func (k *kernel) step() {
	if k.kind == scaled {
		VBROADCASTSS(Mem{Base: bPtr}, k.b[0])
	} else {
		for v, b := range k.b {
			k.load(v, Mem{Base: bPtr}, b)
		}
	}
	for r := range k.height {
		at := Mem{Base: rows[r], Index: step, Scale: 1}
		if k.kind != broadcast {
			k.multiplyVectors(r, at)
			continue
		}
		a := k.tmp[r%len(k.tmp)]
		VBROADCASTSS(at, a)
		for v, acc := range k.acc[r] {
			VFMADD231PS(k.b[v], a, acc)
		}
	}
	ADDQ(k.kStride, step)
	ADDQ(k.ldb, bPtr)
}

func (k *kernel) multiplyVectors(r int, at Mem) {
	for v, acc := range k.acc[r] {
		b := k.b[v%len(k.b)]
		switch {
		case !k.masked:
			VFMADD231PS(at.Offset(v*k.vector), b, acc)
		case k.name == "AVX512":
			VFMADD231PS(at.Offset(v*k.vector), b, masks[v], acc)
		default:
			k.load(v, at, k.tmp[0])
			VFMADD231PS(k.tmp[0], b, acc)
		}
	}
}

// store applies the activation and writes the tile.
func (k *kernel) store() {
	Label(k.label("Store"))
	MOVQ(k.args, spare)
	CMPB(field(spare, "ReLU"), Imm(0))
	JE(LabelRef(k.label("Write")))
	Comment("The maximum or minimum of a number and a NaN is the second operand, the NaN.")
	zero := k.b[0]
	k.zero(zero)
	for _, acc := range k.acc {
		for _, a := range acc {
			VMAXPS(a, zero, a)
		}
	}
	VBROADCASTSS(field(spare, "Most"), zero)
	for _, acc := range k.acc {
		for _, a := range acc {
			VMINPS(a, zero, a)
		}
	}
	Label(k.label("Write"))
	MOVQ(field(spare, "C"), RDX)
	MOVQ(k.cPtr, RSI)
	for r, acc := range k.acc {
		MOVQ(Mem{Base: RSI, Disp: 8 * r}, RDI)
		LEAQ(Mem{Base: RDX, Index: RDI, Scale: 4}, RDI)
		for v, a := range acc {
			to := Mem{Base: RDI, Disp: v * k.vector}
			switch {
			case !k.masked:
				VMOVUPS(a, to)
			case k.name == "AVX512":
				VMOVUPS(a, masks[v], to)
			default:
				VMOVUPS(k.masks[v], k.tmp[0])
				VMASKMOVPS(a, k.tmp[0], to)
			}
		}
	}
}
