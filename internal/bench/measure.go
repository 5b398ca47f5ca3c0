package bench

import (
	"context"
	"runtime"
	"slices"
	"time"
)

const (
	leastRounds = 3
	mostRounds  = 1000
	// leastRound is what a round should last at least, so that the clock's
	// grain does not matter.
	leastRound = 500 * time.Microsecond
)

// timing is how long the runs of a function took.
type timing struct {
	rounds []float64 // seconds of one run, one value for each round
	allocs float64   // allocations of one run
}

// timed runs f in rounds that together last at least the given time, after a
// first run that does not count. When the context ends, so does it, after a round
// at least.
func timed(ctx context.Context, least time.Duration, f func()) timing {
	repeats, warm := 1, time.Duration(0)
	for f(); warm < min(leastRound, least); repeats *= 2 {
		begun := time.Now()
		for range repeats {
			f()
		}
		if warm = time.Since(begun); warm >= min(leastRound, least) {
			break
		}
	}
	t := timing{rounds: make([]float64, 0, mostRounds)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	for len(t.rounds) < leastRounds || (time.Since(begun) < least && len(t.rounds) < mostRounds) {
		start := time.Now()
		for range repeats {
			f()
		}
		t.rounds = append(t.rounds, time.Since(start).Seconds()/float64(repeats))
		if ctx.Err() != nil {
			break
		}
	}
	runtime.ReadMemStats(&after)
	t.allocs = float64(after.Mallocs-before.Mallocs) / float64(repeats*len(t.rounds))
	return t
}

// median sorts values, of which there must be one.
func median(values []float64) float64 {
	slices.Sort(values)
	mid := len(values) / 2
	if len(values)%2 == 1 {
		return values[mid]
	}
	return (values[mid-1] + values[mid]) / 2
}
