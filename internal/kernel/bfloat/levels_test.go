package bfloat

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/emulate"
)

// levels returns what this processor can run, and AVX-512, emulated if need be.
var levels = emulate.Levels(emulate.Table{Path: "bfloat/bfloat_amd64.s", Kernels: func() any { return kernelFor(isa.AVX512) }})
