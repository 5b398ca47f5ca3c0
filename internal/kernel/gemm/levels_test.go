package gemm

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/emulate"
	"hourglass/internal/kernel/gemm/tile"
)

// levels returns what this processor can run, and AVX-512, emulated if need be.
var levels = emulate.Levels(emulate.Table{Path: "gemm/tile/tile_amd64.s", Kernels: func() any { return tile.For(isa.AVX512) }})
