//go:build amd64 && !noasm

package amx

import "syscall"

// permitted asks the system for the use of tile registers by this process, which
// Linux grants once a program says that it wants them: Documentation/arch/x86/xstate.rst.
func permitted() bool {
	const (
		archPrctl      = 158
		requestFeature = 0x1023
		tileData       = 18
	)
	_, _, err := syscall.RawSyscall(archPrctl, requestFeature, tileData, 0)
	return err == 0
}
