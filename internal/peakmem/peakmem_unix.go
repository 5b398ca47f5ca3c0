//go:build linux || darwin

package peakmem

import (
	"runtime"
	"syscall"
)

func peak() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss) // bytes there
	}
	return int64(u.Maxrss) << 10 // KiB on Linux
}
