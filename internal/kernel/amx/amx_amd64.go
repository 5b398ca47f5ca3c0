//go:build amd64 && !noasm

package amx

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"
)

var available = sync.OnceValue(func() bool {
	x := cpu.X86
	return x.HasAMXTile && x.HasAMXBF16 && x.HasAVX512BF16 && permitted()
})

func multiply(t *Args) {
	run := multiply2
	if t.Half {
		run = multiply1
	}
	var next *float32
	rows := 0
	if len(t.Next) > 0 {
		next, rows = &t.Next[0], Rows/2
	}
	run(&t.A[0], &t.B[0], &t.C[0], (*int)(unsafe.Pointer(&t.Blocks[0])), len(t.Blocks), &t.Taps[0], len(t.Taps),
		t.Steps, 2*t.LDA, 4*t.LDC, t.FromC, next, 4*t.NextStride, rows, 0)
}
