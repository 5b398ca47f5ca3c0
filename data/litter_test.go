package data

import (
	"runtime"
	"testing"
)

func TestLitterIsCollected(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var l litter
	l.add(1000, 1000, 0)
	if l.bytes.Load() != 4_000_000+litterEach {
		t.Errorf("%d bytes are counted", l.bytes.Load())
	}
	for range 3 {
		l.add(4000, 4000, 1000)
	}
	runtime.ReadMemStats(&after)
	if l.bytes.Load() > litterLimit || after.NumForcedGC == before.NumForcedGC {
		t.Errorf("%d bytes are left, %d collections", l.bytes.Load(), after.NumForcedGC-before.NumForcedGC)
	}
}
