// Command winograd writes the assembly of package
// hourglass/internal/kernel/conv/winograd: every transform once for AVX2 and
// once for AVX-512, for tiles of 2×2 and of 4×4 outputs.
package main

//go:generate go run . -out ../../conv/winograd/winograd_amd64.s -stubs ../../conv/winograd/stubs_amd64.go -pkg winograd

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("amd64,!noasm")
	for _, wide := range []bool{false, true} {
		for _, l := range lines {
			m := newMachine(wide)
			m.gather("input", l.size, l.side, l.side, l.input)
			m = newMachine(wide)
			m.gather("spread", l.size, l.size, l.side, l.spread)
			m = newMachine(wide)
			m.filter(l.size, l.side, l.filter)
			m = newMachine(wide)
			m.output(l.size, l.side, l.output)
			m = newMachine(wide)
			m.unfilter(l.size, l.side, l.unfilter)
		}
	}
	Generate()
}
