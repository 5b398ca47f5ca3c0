// Command vec writes the assembly of package hourglass/internal/kernel/vec:
// every kernel once for AVX2 and once for AVX-512.
package main

//go:generate go run . -out ../../vec/vec_amd64.s -stubs ../../vec/stubs_amd64.go -pkg vec

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func main() {
	ConstraintExpr("amd64,!noasm")
	pool := map[uint32]Mem{}
	for _, wide := range []bool{false, true} {
		m := &machine{wide: wide, pool: pool}
		for _, k := range arithmetic() {
			k.emit(m)
		}
		for _, k := range transcendental() {
			k.emit(m)
		}
		for _, k := range compound() {
			k.emit(m)
		}
		for _, f := range folds() {
			f.emit(m)
		}
		for _, w := range windows() {
			w.emit(m)
		}
		emitMaxOf(m)
		emitFromUint8(m)
		emitUniform(m)
	}
	Generate()
}
