// Package large allocates the memory that a program works in. In large pages a
// processor finds it with fewer walks through its page tables, which cost most where
// a virtual machine has tables of its own: a twentieth to a tenth of a training step
// of ResNet-18 or of a U-Net there.
package large

import "unsafe"

// least is the fewest bytes for which large pages are asked for. Below it nothing
// is gained, and neighbours that lie side by side in memory too share sets of the
// caches: a step of 8 MB took some percent longer.
const least = 32 << 20

// Floats returns n zeros.
func Floats(n int) []float32 {
	s := make([]float32, n)
	if 4*n >= least {
		advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*n))
	}
	return s
}
