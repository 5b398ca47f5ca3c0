package large

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// page is the size of a large page on most processors. Where it is another, the
// system takes what fits.
const page = 2 << 20

// advise asks for large pages for what of b they can hold. It is a request: a system
// that refuses it gives ordinary ones.
func advise(b []byte) {
	begin := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % page)
	end := begin + (len(b)-begin)/page*page
	_ = unix.Madvise(b[begin:end], unix.MADV_HUGEPAGE)
}
