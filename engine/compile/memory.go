package compile

import (
	"cmp"
	"slices"
)

// Interval is a buffer's need for memory: Size units from the step that
// writes it first to the step that reads it last, both included.
type Interval struct {
	Size        int
	First, Last int
}

// Overlaps reports whether two buffers live at the same time.
func (i Interval) Overlaps(j Interval) bool { return i.First <= j.Last && j.First <= i.Last }

// PlanMemory gives each interval an offset, a multiple of align, such that no
// two that live at the same time share memory, and returns the total size.
// Largest first, each at the lowest gap that holds it: the greedy-by-size rule
// of Pisarchyk & Lee 2020 (Efficient Memory Management for Deep Neural Net
// Inference), within a few percent of the lower bound on our networks.
func PlanMemory(intervals []Interval, align int) (offsets []int, total int) {
	order := make([]int, len(intervals))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(intervals[b].Size, intervals[a].Size), cmp.Compare(intervals[a].First, intervals[b].First))
	})
	offsets = make([]int, len(intervals))
	var placed []int // ascending by offset
	for _, i := range order {
		size := (intervals[i].Size + align - 1) / align * align
		at := 0
		for _, j := range placed {
			if !intervals[i].Overlaps(intervals[j]) {
				continue
			}
			if at+size <= offsets[j] {
				break
			}
			at = max(at, (offsets[j]+intervals[j].Size+align-1)/align*align)
		}
		offsets[i] = at
		total = max(total, at+size)
		where, _ := slices.BinarySearchFunc(placed, at, func(j, at int) int { return cmp.Compare(offsets[j], at) })
		placed = slices.Insert(placed, where, i)
	}
	return offsets, total
}

// PeakMemory returns the largest sum of sizes that live at one step: no plan
// can need less.
func PeakMemory(intervals []Interval) int {
	peak := 0
	for _, i := range intervals {
		sum := 0
		for _, j := range intervals {
			if j.First <= i.First && i.First <= j.Last {
				sum += j.Size
			}
		}
		peak = max(peak, sum)
	}
	return peak
}
