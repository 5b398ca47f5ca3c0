//go:build !amd64 || noasm

package tile

import "hourglass/internal/isa"

var generic = Kernels{level: isa.Generic}

func kernelsFor(isa.Level) *Kernels { return &generic }
