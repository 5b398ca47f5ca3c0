//go:build amd64 && !noasm

package isa

import (
	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"
)

func detect() Level {
	x := cpu.X86
	switch {
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasBMI2:
		return AVX512
	case x.HasAVX2 && x.HasFMA:
		return AVX2
	}
	return Generic
}

// AMD's families of Zen to Zen 4; those of Zen 5 multiply twice as much.
const firstZen, lastNarrowZen = 0x17, 0x19

func streams() bool {
	family := cpuid.CPU.Family
	return cpuid.CPU.IsVendor(cpuid.AMD) && firstZen <= family && family <= lastNarrowZen
}
