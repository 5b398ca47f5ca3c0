// Package avx512 lets the tests of what uses the kernels run all of those for
// AVX-512 on processors that lack it.
package avx512

import (
	"hourglass/internal/isa"
	"hourglass/internal/kernel/bfloat"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/conv/winograd"
	"hourglass/internal/kernel/depthwise"
	"hourglass/internal/kernel/emulate"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/kernel/vec"
)

// Levels returns the instruction-set levels that a test can run: see
// [emulate.Levels].
var Levels = emulate.Levels(
	emulate.Table{Path: "bfloat/bfloat_amd64.s", Kernels: func() any { return bfloat.NewPlan(16, isa.AVX512) }},
	emulate.Table{Path: "conv/winograd/winograd_amd64.s", Kernels: func() any {
		return []any{winograd.For(isa.AVX512, 2), winograd.For(isa.AVX512, 4)}
	}},
	emulate.Table{Path: "depthwise/depthwise_amd64.s", Kernels: func() any {
		const c = 16
		plan, err := depthwise.NewForward(conv.Shape{N: 1, H: 3, W: 3, C: c, K: c, Groups: c, KH: 3, KW: 3}, isa.AVX512)
		if err != nil {
			panic(err)
		}
		return plan
	}},
	emulate.Table{Path: "gemm/tile/tile_amd64.s", Kernels: func() any { return tile.For(isa.AVX512) }},
	emulate.Table{Path: "vec/vec_amd64.s", Kernels: func() any { return vec.At(isa.AVX512) }},
)
