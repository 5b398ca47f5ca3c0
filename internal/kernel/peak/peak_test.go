package peak

import (
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

func TestMultiplyAdd(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, level := range isa.Available() {
		got := MultiplyAdd(pool, level)
		// Nothing that runs this is slower than a tenth of one operation a
		// nanosecond or faster than ten thousand.
		if got < 1e8 || got > 1e13 {
			t.Errorf("%v: %.3g operations a second", level, got)
		}
		t.Logf("%v: %.1f GFLOP/s on two threads", level, got/1e9)
	}
}

func TestTiles(t *testing.T) {
	if !HasTiles(isa.AVX512) {
		t.Skip("this processor has no tiles")
	}
	pool := par.New(2)
	defer pool.Close()
	if got := Tiles(pool, isa.AVX512); got < 1e8 || got > 1e14 {
		t.Errorf("%.3g operations a second", got)
	}
}
