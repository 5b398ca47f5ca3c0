//go:build !amd64 || noasm

package tile

import "hourglass/internal/isa"

var generic = Kernels{level: isa.Generic}

func kernelsFor(isa.Level) *Kernels { return &generic }

// moves says that there are no transpose8 and copyRows.
const moves = false

func transpose8(_, _ *float32, _, _, _ int) {
	panic("tile: no transpose8 in this build")
}

func copyRows(_, _ *float32, _, _, _, _ int) {
	panic("tile: no copyRows in this build")
}
