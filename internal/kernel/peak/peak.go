// Package peak measures how many multiply-adds a second this processor can do,
// as the ceiling against which kernels are judged.
package peak

import (
	"time"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/amx"
	"hourglass/internal/par"
)

// The best of many short probes counts: others ran beside something else.
const (
	probes   = 25
	shortest = time.Millisecond
)

// MultiplyAdd returns the float32 operations per second, two for each
// multiply-add, that all threads of the pool reach together with vectors of
// the level in registers alone. It takes about 50 ms.
func MultiplyAdd(pool *par.Pool, level isa.Level) float64 {
	sums := make([]float32, pool.Threads()) // so that the portable loop must compute them
	return fastest(pool, operations(level), func(part, rounds int) { sums[part] = loop(level, rounds) })
}

// HasTiles reports whether tiles of bfloat16 numbers are multiplied at a level.
func HasTiles(level isa.Level) bool { return amx.Native(level) }

// Tiles is the same as MultiplyAdd for products of bfloat16 tiles, with operands
// in the first-level cache. It must be called only where HasTiles holds.
func Tiles(pool *par.Pool, level isa.Level) float64 {
	const steps = 8
	kern := amx.For(level)
	args := make([]amx.Args, pool.Threads())
	for i := range args {
		args[i] = amx.Args{
			A: make([]uint16, amx.Rows*steps*amx.Depth), B: make([]uint16, steps*2*amx.TileLen), C: make([]float32, amx.Rows*amx.Columns),
			Blocks: make([]amx.Block, 32), Taps: make([]int, 1), Steps: steps, LDA: steps * amx.Depth, LDC: amx.Columns,
		}
	}
	operations := 2 * amx.Rows * amx.Columns * steps * amx.Depth * len(args[0].Blocks)
	return fastest(pool, operations, func(part, rounds int) {
		for range rounds {
			kern.Multiply(&args[part])
		}
	})
}

// fastest returns the operations per second of the best probe, of a function
// that does so many in each round and in each of a pool's threads.
func fastest(pool *par.Pool, operations int, run func(part, rounds int)) float64 {
	rounds := 1
	best := 0.0
	for probe := 0; probe < probes; {
		start := time.Now()
		pool.Run(pool.Threads(), func(_, part int) { run(part, rounds) })
		elapsed := time.Since(start)
		if elapsed < shortest { // too short to time
			rounds *= 2
			continue
		}
		best = max(best, float64(pool.Threads()*rounds*operations)/elapsed.Seconds())
		probe++
	}
	return best
}

// portableLanes is how many chains of multiply-adds the portable loop keeps
// going at once.
const portableLanes = 8

// multiplyAdd is the loop in portable Go.
func multiplyAdd(rounds int) float32 {
	var a, b, c, d, e, f, g, h float32
	x, y := float32(0.5), float32(rounds)
	for range rounds {
		a = a*x + y
		b = b*x + y
		c = c*x + y
		d = d*x + y
		e = e*x + y
		f = f*x + y
		g = g*x + y
		h = h*x + y
	}
	return a + b + c + d + e + f + g + h
}
