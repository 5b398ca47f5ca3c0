// Command peak writes the assembly of package hourglass/internal/kernel/peak:
// loops of independent multiply-adds that touch no memory.
package main

//go:generate go run . -out ../../../peak/peak_amd64.s -stubs ../../../peak/peak_stubs_amd64.go -pkg peak

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	ConstraintExpr("!noasm")
	loop("multiplyAddAVX512", "multiplyAddAVX512 runs rounds of 24 multiply-adds of 16 float32s.", []VecPhysical{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11,
		Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23}, Z24)
	loop("multiplyAddAVX2", "multiplyAddAVX2 runs rounds of 12 multiply-adds of 8 float32s.", []VecPhysical{
		Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11}, Y12)
	Generate()
}

func loop(name, doc string, acc []VecPhysical, factor VecPhysical) {
	TEXT(name, NOSPLIT, "func(rounds int)")
	Doc(doc)
	for _, r := range append(acc, factor) {
		if r.Size() == 64 {
			VPXORD(r, r, r)
		} else {
			VXORPS(r, r, r)
		}
	}
	Load(Param("rounds"), RCX)
	TESTQ(RCX, RCX)
	JLE(LabelRef(name + "Done"))
	Label(name + "Round")
	for _, a := range acc {
		VFMADD231PS(factor, factor, a)
	}
	DECQ(RCX)
	JNZ(LabelRef(name + "Round"))
	Label(name + "Done")
	VZEROUPPER()
	RET()
}
