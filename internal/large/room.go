package large

import (
	"fmt"
	"runtime/debug"
)

// most is the number of bytes up to which nobody asks whether there is room.
const most = 512 << 20

// Check reports memory that the system would have to kill the process for: n floats,
// where less than that is free. What is free is not known everywhere, and then no
// error.
func Check(n int) error {
	need := 4 * int64(n)
	if need <= most || need <= room() {
		return nil
	}
	debug.FreeOSMemory() // what is no longer used counts as free
	if free := room(); need > free {
		return fmt.Errorf("%.1f GB of memory are needed and %.1f GB are free: choose fewer images at once, or smaller ones", float64(need)/1e9, float64(free)/1e9)
	}
	return nil
}
