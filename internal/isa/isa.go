// Package isa names the instruction-set levels for which kernels exist and
// finds out which of them this processor can run.
package isa

import "fmt"

// Level is an instruction-set level. Levels are ordered: a machine that runs
// one runs all below it.
type Level uint8

const (
	Generic Level = iota // portable Go
	AVX2                 // 256-bit vectors with fused multiply-add
	AVX512               // 512-bit vectors: F, BW, DQ, VL
)

// EnvVar is the environment variable that selects a level by name.
const EnvVar = "HOURGLASS_ISA"

func (l Level) String() string {
	switch l {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("isa.Level(%d)", uint8(l))
}

// Available returns every level this machine can run, lowest first.
func Available() []Level {
	levels := []Level{Generic}
	for l := AVX2; l <= detect(); l++ {
		levels = append(levels, l)
	}
	return levels
}

// Select returns the level called name, or the highest available one if name
// is empty. It fails if the name is unknown or this machine lacks the level.
func Select(name string) (Level, error) {
	best := detect()
	if name == "" {
		return best, nil
	}
	for l := Generic; l <= AVX512; l++ {
		if l.String() != name {
			continue
		}
		if l > best {
			return 0, fmt.Errorf("isa: this build on this processor cannot run %s; the highest level is %s", name, best)
		}
		return l, nil
	}
	return 0, fmt.Errorf("isa: unknown level %q: choose avx512, avx2 or generic", name)
}

// Cores returns what the maker calls the design of the processor's cores, such as
// Zen 4; "" if it is not known here.
func Cores() string { return cores() }

// Streams reports whether a core's second-level cache brings a vector of each
// factor sooner than the core can multiply what is already there: as measured on
// AMD's Zen 4 and Zen 5 and on Intel's Emerald Rapids. It may decide how a result is
// computed, never what it is.
func Streams() bool { return streams() }
