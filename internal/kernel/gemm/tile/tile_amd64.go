//go:build amd64 && !noasm

package tile

import "hourglass/internal/isa"

var (
	generic = Kernels{level: isa.Generic}
	avx2    = Kernels{isa.AVX2, broadcastAVX2, elementwiseAVX2, scaledAVX2, &dotAVX2}
	avx512  = Kernels{isa.AVX512, broadcastAVX512, elementwiseAVX512, scaledAVX512, &dotAVX512}
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

// moves says that there are transpose8 and copyRows.
const moves = true
