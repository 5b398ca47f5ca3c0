//go:build amd64 && !noasm

package tile

import "hourglass/internal/isa"

var (
	generic = Kernels{level: isa.Generic}
	avx2    = Kernels{level: isa.AVX2, broadcast: broadcastAVX2, elementwise: elementwiseAVX2}
	avx512  = Kernels{level: isa.AVX512, broadcast: broadcastAVX512, elementwise: elementwiseAVX512}
)

func kernelsFor(level isa.Level) *Kernels {
	switch level {
	case isa.AVX512:
		return &avx512
	case isa.AVX2:
		return &avx2
	}
	return &generic
}
