//go:build amd64 && !noasm

package amx

import (
	"sync"

	"golang.org/x/sys/cpu"
)

var assembly = &functions{
	multiply:  [2]func(a, b *uint16, c *float32, blocks *int, count int, taps *int, tapCount, steps, lda, ldc int, next *float32, nextStride, nextRows, left int){multiply1, multiply2},
	correlate: correlate,
	round:     roundRows, pair: pairTiles, turn: turnTiles, columns: columnTiles, store: storeRows,
}

var available = sync.OnceValue(func() bool {
	x := cpu.X86
	return x.HasAMXTile && x.HasAMXBF16 && x.HasAVX512BF16 && permitted()
})
