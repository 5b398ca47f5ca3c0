package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dots lists the heights of the dot kernels for 1, 2, 3 and 4 columns. As many
// accumulators as there are registers hide the latency of a multiply-add and
// share each load of A among the columns.
var dots = []struct {
	isa     isa
	heights [4][]int
}{
	{avx512, [4][]int{{12, 4, 1}, {12, 4, 1}, {8, 4, 1}, {6, 3, 1}}},
	{avx2, [4][]int{{8, 4, 1}, {6, 3, 1}, {4, 1}, {2, 1}}},
}

// writeDots writes the dot kernels and returns their names, as family.write does.
func writeDots(table *strings.Builder) []string {
	var symbols []string
	for _, d := range dots {
		fmt.Fprintf(table, "\nvar dot%s = [MaxDotColumns]dotVariant{\n", d.isa.name)
		for i, heights := range d.heights {
			var run []string
			for _, h := range heights {
				k := kernel{isa: d.isa, height: h, vectors: i + 1, kind: dot}
				k.writeDot()
				run = append(run, k.dotSymbol())
			}
			fmt.Fprintf(table, "\t{heights: %#v, run: []func(*Args){%s}},\n", heights, strings.Join(run, ", "))
			symbols = append(symbols, run...)
		}
		table.WriteString("}\n")
	}
	return symbols
}

// dotSymbol names a dot kernel; its vectors count columns.
func (k *kernel) dotSymbol() string { return fmt.Sprintf("dot%dx%d%s", k.height, k.vectors, k.name) }

// writeDot writes one dot kernel. B holds a vector of each column in turn.
func (k *kernel) writeDot() {
	symbol, columns := k.dotSymbol(), k.vectors
	TEXT(symbol, NOSPLIT, "func(t *byte)")
	slots := AllocLocal(8 * 5)
	slot := func(i int) Mem { return slots.Offset(8 * i) }
	k.args, k.rowPtr, k.cPtr, k.tiles, k.tap = slot(0), slot(1), slot(2), slot(3), slot(4)
	k.tmp, k.b = k.vec[:2], k.vec[1:1+columns] // tmp[1] is for the end, when B is no longer needed
	free := k.vec[1+columns:]
	for range k.height {
		k.acc = append(k.acc, free[:columns])
		free = free[columns:]
	}

	Load(Param("t"), spare)
	MOVQ(spare, k.args)
	MOVQ(field(spare, "rowPtr"), RBX)
	MOVQ(RBX, k.rowPtr)
	MOVQ(field(spare, "cPtr"), RBX)
	MOVQ(RBX, k.cPtr)
	MOVQ(field(spare, "tiles"), RBX)
	MOVQ(RBX, k.tiles)

	Label(symbol + "Tile")
	MOVQ(k.args, spare)
	for _, acc := range k.acc {
		for _, x := range acc {
			k.zero(x)
		}
	}
	k.loadRows()
	MOVQ(field(spare, "B"), bPtr)
	MOVQ(field(spare, "Taps"), RBX)
	MOVQ(RBX, k.tap)

	Label(symbol + "Tap")
	MOVQ(k.args, spare)
	loadTapEnd()
	MOVQ(k.tap, spare)
	CMPQ(spare, RBX)
	JE(LabelRef(symbol + "Sum"))
	k.advanceRows()
	IMUL3Q(Imm(uint64(4*columns)), RBX, RBX)
	ADDQ(RBX, bPtr)
	XORQ(step, step)
	lanes := k.vector / 4
	for lanes > 1 {
		SHRQ(Imm(1), spare)
		lanes /= 2
	}
	Label(symbol + "Step")
	for j, b := range k.b {
		VMOVUPS(Mem{Base: bPtr, Disp: j * k.vector}, b)
	}
	for r, acc := range k.acc {
		at := Mem{Base: rows[r], Index: step, Scale: 1}
		if columns == 1 {
			VFMADD231PS(at, k.b[0], acc[0])
			continue
		}
		VMOVUPS(at, k.tmp[0])
		for j, x := range acc {
			VFMADD231PS(k.tmp[0], k.b[j], x)
		}
	}
	ADDQ(Imm(uint64(k.vector)), step)
	ADDQ(I32(int32(k.vector*columns)), bPtr)
	DECQ(spare)
	JNZ(LabelRef(symbol + "Step"))
	JMP(LabelRef(symbol + "Tap"))

	Label(symbol + "Sum")
	k.sumUp()
	k.storeDot(symbol)
	k.nextTile(symbol)
}

// sumUp leaves the sum of each accumulator in its lowest lane.
func (k *kernel) sumUp() {
	for _, acc := range k.acc {
		for _, x := range acc {
			y0, x0, x1 := k.tmp[0].(Vec).AsY(), k.tmp[0].(Vec).AsX(), k.tmp[1].(Vec).AsX()
			if k.name == "AVX512" {
				VEXTRACTF64X4(Imm(1), x, y0)
				VADDPS(x.(Vec).AsY(), y0, y0)
				VEXTRACTF128(Imm(1), y0, x1)
			} else {
				VEXTRACTF128(Imm(1), x, x1)
				VMOVAPS(x.(Vec).AsX(), x0)
			}
			VADDPS(x1, x0, x0)
			VPERMILPS(Imm(0x4e), x0, x1) // the upper two lanes
			VADDPS(x1, x0, x0)
			VMOVSHDUP(x0, x1)
			VADDSS(x1, x0, x.(Vec).AsX())
		}
	}
}

// storeDot adds C and the bias, applies the activation and writes the sums.
func (k *kernel) storeDot(symbol string) {
	MOVQ(k.args, spare)
	MOVQ(field(spare, "C"), RDX)
	MOVQ(k.cPtr, RSI)
	MOVQ(field(spare, "CStride"), RBX)
	MOVQ(field(spare, "Bias"), R9)
	// each calls f with every sum and where it belongs.
	each := func(f func(j int, x Register, at Mem)) {
		for r, acc := range k.acc {
			MOVQ(Mem{Base: RSI, Disp: 8 * r}, RDI)
			LEAQ(Mem{Base: RDX, Index: RDI, Scale: 4}, RDI)
			for j, x := range acc {
				if j > 0 {
					LEAQ(Mem{Base: RDI, Index: RBX, Scale: 4}, RDI)
				}
				f(j, x.(Vec).AsX(), Mem{Base: RDI})
			}
		}
	}
	CMPB(field(spare, "FromC"), Imm(0))
	JE(LabelRef(symbol + "Bias"))
	each(func(_ int, x Register, at Mem) { VADDSS(at, x, x) })
	Label(symbol + "Bias")
	TESTQ(R9, R9)
	JZ(LabelRef(symbol + "ReLU"))
	for _, acc := range k.acc {
		for j, x := range acc {
			sum := x.(Vec).AsX()
			VADDSS(Mem{Base: R9, Disp: 4 * j}, sum, sum)
		}
	}
	Label(symbol + "ReLU")
	CMPB(field(spare, "ReLU"), Imm(0))
	JE(LabelRef(symbol + "Write"))
	zero := k.tmp[0].(Vec).AsX()
	VXORPS(zero, zero, zero)
	for _, acc := range k.acc {
		for _, x := range acc {
			sum := x.(Vec).AsX()
			VMAXSS(sum, zero, sum)
		}
	}
	VMOVSS(field(spare, "Most"), zero)
	for _, acc := range k.acc {
		for _, x := range acc {
			sum := x.(Vec).AsX()
			VMINSS(sum, zero, sum)
		}
	}
	Label(symbol + "Write")
	each(func(_ int, x Register, at Mem) { VMOVSS(x, at) })
}
