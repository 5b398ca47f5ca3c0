// Package peak measures how many multiply-adds a second this processor can do,
// as the ceiling against which kernels are judged.
package peak

import (
	"time"

	"hourglass/internal/isa"
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
	rounds := 1000
	best := 0.0
	sums := make([]float32, pool.Threads()) // so that the portable loop must compute them
	for probe := 0; probe < probes; {
		start := time.Now()
		pool.Run(pool.Threads(), func(_, part int) { sums[part] = loop(level, rounds) })
		elapsed := time.Since(start)
		if elapsed < shortest { // too short to time
			rounds *= 2
			continue
		}
		best = max(best, float64(pool.Threads()*rounds*operations(level))/elapsed.Seconds())
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
