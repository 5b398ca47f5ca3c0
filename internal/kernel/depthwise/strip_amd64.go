//go:build amd64 && !noasm

package depthwise

import "hourglass/internal/isa"

// kernelsUpTo returns what a level can run, the widest vectors first.
func kernelsUpTo(level isa.Level) []*kernels {
	switch level {
	case isa.AVX512:
		return []*kernels{&kernelsAVX512, &kernelsAVX2}
	case isa.AVX2:
		return []*kernels{&kernelsAVX2}
	}
	return []*kernels{&portable}
}
