package winograd

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/emulate"
)

// levels returns what this processor can run, and AVX-512, emulated if need be.
var levels = emulate.Levels(emulate.Table{Path: "conv/winograd/winograd_amd64.s", Kernels: func() any {
	return []any{For(isa.AVX512, 2), For(isa.AVX512, 4)}
}})
