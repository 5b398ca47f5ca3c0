package compile_test

import (
	"testing"

	"pgregory.net/rapid"

	"hourglass/engine/compile"
)

// TestPlanMemory rechecks plans by brute force: no two buffers that live at
// the same time share a place.
func TestPlanMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		align := rapid.SampledFrom([]int{1, 4, 16}).Draw(t, "align")
		interval := rapid.Custom(func(t *rapid.T) compile.Interval {
			first := rapid.IntRange(0, 20).Draw(t, "first")
			return compile.Interval{
				Size:  rapid.IntRange(1, 100).Draw(t, "size"),
				First: first,
				Last:  first + rapid.IntRange(0, 10).Draw(t, "length"),
			}
		})
		intervals := rapid.SliceOfN(interval, 0, 30).Draw(t, "intervals")
		offsets, total := compile.PlanMemory(intervals, align)
		if len(offsets) != len(intervals) {
			t.Fatalf("%d offsets for %d intervals", len(offsets), len(intervals))
		}
		rounded, sum := make([]compile.Interval, len(intervals)), 0
		for i, a := range intervals {
			if offsets[i] < 0 || offsets[i]%align != 0 || offsets[i]+a.Size > total {
				t.Fatalf("buffer %d of %d lies at %d of %d, aligned to %d", i, a.Size, offsets[i], total, align)
			}
			for j, b := range intervals[:i] {
				sameTime := a.First <= b.Last && b.First <= a.Last
				samePlace := offsets[i] < offsets[j]+b.Size && offsets[j] < offsets[i]+a.Size
				if sameTime && samePlace {
					t.Fatalf("buffers %d %+v at %d and %d %+v at %d meet", i, a, offsets[i], j, b, offsets[j])
				}
			}
			rounded[i] = a
			rounded[i].Size = (a.Size + align - 1) / align * align
			sum += rounded[i].Size
		}
		if peak := compile.PeakMemory(rounded); total < peak || total > sum {
			t.Fatalf("the plan takes %d; at least %d is needed, %d without sharing", total, peak, sum)
		}
	})
}

// TestPlanMemoryShares: a chain of steps, each reading the one before, needs
// two buffers.
func TestPlanMemoryShares(t *testing.T) {
	var intervals []compile.Interval
	for i := range 10 {
		intervals = append(intervals, compile.Interval{Size: 64, First: i, Last: i + 1})
	}
	if _, total := compile.PlanMemory(intervals, 16); total != 128 {
		t.Errorf("a chain takes %d, want 128", total)
	}
}
