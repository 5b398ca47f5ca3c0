//go:build amd64 && !noasm

package vec

import "hourglass/internal/isa"

var avx2, avx512 = vectorSet(isa.AVX2), vectorSet(isa.AVX512)

func vectorSet(level isa.Level) Set {
	s := generic
	s.Level = level
	return s
}

func at(level isa.Level) *Set {
	switch level {
	case isa.Generic:
		return &generic
	case isa.AVX2:
		return &avx2
	case isa.AVX512:
		return &avx512
	}
	return nil
}
