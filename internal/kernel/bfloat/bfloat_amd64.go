//go:build amd64 && !noasm

package bfloat

import "hourglass/internal/isa"

var (
	avx2   = kernel{8, roundAVX2}
	avx512 = kernel{16, roundAVX512}
)

func kernelFor(level isa.Level) *kernel {
	switch level {
	case isa.AVX512:
		return &avx512
	case isa.AVX2:
		return &avx2
	}
	return nil
}
