//go:build amd64 && !noasm

package bfloat

import "hourglass/internal/isa"

// roundVectors rounds whole vectors and returns how many numbers that are.
func roundVectors(level isa.Level, dst, src []float32) int {
	switch n := len(src); {
	case level == isa.AVX512 && n >= 16:
		roundAVX512(&dst[0], &src[0], n&^15)
		return n &^ 15
	case level >= isa.AVX2 && n >= 8:
		roundAVX2(&dst[0], &src[0], n&^7)
		return n &^ 7
	}
	return 0
}
