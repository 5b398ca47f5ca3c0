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

const (
	firstZen = 0x17    // the family of AMD's first cores of that design
	goldenL2 = 2 << 20 // the second-level cache of Intel's servers from Sapphire Rapids on
)

func streams() bool {
	x := &cpuid.CPU
	return x.IsVendor(cpuid.AMD) && x.Family >= firstZen || x.IsVendor(cpuid.Intel) && x.Cache.L2 >= goldenL2
}
