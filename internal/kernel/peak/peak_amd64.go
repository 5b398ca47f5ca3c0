//go:build amd64 && !noasm

package peak

import "hourglass/internal/isa"

// loop runs rounds of operations(level) operations and returns what is left of
// them.
func loop(level isa.Level, rounds int) float32 {
	switch level {
	case isa.AVX512:
		multiplyAddAVX512(rounds)
	case isa.AVX2:
		multiplyAddAVX2(rounds)
	default:
		return multiplyAdd(rounds)
	}
	return 0
}

func operations(level isa.Level) int {
	switch level {
	case isa.AVX512:
		return 2 * 24 * 16
	case isa.AVX2:
		return 2 * 12 * 8
	}
	return 2 * portableLanes
}
