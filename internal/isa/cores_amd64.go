//go:build amd64 && !noasm

package isa

import "github.com/klauspost/cpuid/v2"

// cores tells designs apart by family and model, as AMD's revision guides and
// Intel's specification updates list them.
func cores() string {
	family, model := cpuid.CPU.Family, cpuid.CPU.Model
	switch {
	case cpuid.CPU.IsVendor(cpuid.AMD):
		return zen(family, model)
	case cpuid.CPU.IsVendor(cpuid.Intel) && family == 6:
		return xeon[model]
	}
	return ""
}

func zen(family, model int) string {
	switch family {
	case 0x17:
		if model < 0x30 || 0x50 <= model && model < 0x60 {
			return "Zen"
		}
		return "Zen 2"
	case 0x19:
		if 0x10 <= model && model < 0x20 || 0x60 <= model {
			return "Zen 4"
		}
		return "Zen 3"
	case 0x1a:
		if model < 0x50 || 0x60 <= model && model < 0x80 {
			return "Zen 5"
		}
	}
	return ""
}

// xeon holds the models of Intel's servers.
var xeon = map[int]string{
	0x55: "Skylake", // or Cascade Lake
	0x6a: "Ice Lake",
	0x8f: "Sapphire Rapids",
	0xad: "Granite Rapids",
	0xcf: "Emerald Rapids",
}
