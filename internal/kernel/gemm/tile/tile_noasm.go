//go:build !amd64 || noasm

package tile

import "hourglass/internal/isa"

var generic = Kernels{level: isa.Generic}

func kernelsFor(isa.Level) *Kernels { return &generic }

// transposes says that there is no transpose8.
const transposes = false

func transpose8(_, _ *float32, _, _, _ int) {
	panic("tile: no transpose8 in this build")
}
