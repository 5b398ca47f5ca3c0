package data

import (
	"runtime"
	"sync/atomic"
)

const (
	// litterLimit is the number of bytes that decoders may leave behind
	// before they are collected.
	litterLimit = 128 << 20

	// litterEach is about what a decoder leaves behind beside its pixels:
	// tables and buffers.
	litterEach = 32 << 10
)

// litter counts what decoders leave behind, and has it collected. Left to
// itself the collector waits until the heap has doubled; with a set of many
// gigabytes in it, that would be as many gigabytes of garbage. A collection is
// cheap here, as pixels hold no pointers to follow.
type litter struct {
	bytes atomic.Int64
}

// add counts an image of w×h pixels that has been scaled to the given width.
func (l *litter) add(w, h, scaled int) {
	const (
		decoded = 4  // bytes of a pixel
		halfway = 32 // bytes of a pixel that is scaled in one direction
	)
	left := int64(h)*(decoded*int64(w)+halfway*int64(scaled)) + litterEach
	if n := l.bytes.Add(left); n > litterLimit && l.bytes.CompareAndSwap(n, 0) {
		runtime.GC()
	}
}
