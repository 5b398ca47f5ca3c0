package data

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// numbered returns a set of n images of 2×1, each with its number in it.
func numbered(n int) *Set {
	s := &Set{Height: 2, Width: 1, Channels: 1, Classes: []string{"even", "odd"}}
	for i := range n {
		s.Names = append(s.Names, fmt.Sprint(i))
		s.Pixels = append(s.Pixels, byte(i), byte(i>>8))
		s.Labels = append(s.Labels, int32(i%2))
	}
	return s
}

func TestSplitAtRandom(t *testing.T) {
	tests := []struct{ n, max, want int }{
		{2, 0, 1}, {3, 0, 1}, {10, 0, 2}, {100, 0, 20}, {100, 7, 7}, {60000, 0, 10000},
	}
	for _, tt := range tests {
		s := &Set{Names: make([]string, tt.n)}
		train, heldout := s.Split(SplitOptions{Seed: 5, MaxHeldOut: tt.max})
		if len(heldout) != tt.want || len(train) != tt.n-tt.want {
			t.Errorf("%d images: %d to train on, %d held out, want %d", tt.n, len(train), len(heldout), tt.want)
		}
		if !slices.IsSorted(train) || !slices.IsSorted(heldout) {
			t.Errorf("%d images: not in order", tt.n)
		}
		all := slices.Concat(train, heldout)
		slices.Sort(all)
		for i, v := range all {
			if i != v {
				t.Fatalf("%d images: %d is missing", tt.n, i)
			}
		}
	}
	s := &Set{Names: make([]string, 1000)}
	_, a := s.Split(SplitOptions{Seed: 5})
	_, b := s.Split(SplitOptions{Seed: 5})
	_, c := s.Split(SplitOptions{Seed: 6})
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the split does not follow the seed")
	}
	if _, half := s.Split(SplitOptions{HeldOut: 0.5}); len(half) != 500 {
		t.Errorf("half held out: %d", len(half))
	}
	if _, all := s.Split(SplitOptions{HeldOut: 2}); len(all) != 999 {
		t.Errorf("all held out: %d", len(all))
	}
	if train, heldout := (&Set{Names: []string{"a"}}).Split(SplitOptions{}); fmt.Sprint(train, heldout) != "[0] [0]" {
		t.Errorf("one image: %v, %v", train, heldout)
	}
	if train, heldout := (&Set{}).Split(SplitOptions{}); len(train)+len(heldout) != 0 {
		t.Errorf("no image: %v, %v", train, heldout)
	}
}

func TestSplitByParts(t *testing.T) {
	const n, tr, va, te = PartNone, PartTrain, PartVal, PartTest
	for _, tt := range []struct {
		parts []Part
		want  string
	}{
		{[]Part{tr, te, tr, va, n}, "[0 2 4] [1]"},
		{[]Part{tr, va, tr, va}, "[0 2] [1 3]"},
		{[]Part{te, n, n}, "[1 2] [0]"},
		{[]Part{tr, tr, tr, tr, tr, va}, "[0 1 2 3 4] [5]"},
	} {
		s := &Set{Names: make([]string, len(tt.parts)), Parts: tt.parts}
		train, heldout := s.Split(SplitOptions{})
		if got := fmt.Sprint(train, heldout); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.parts, got, tt.want)
		}
	}
	// Parts that leave one side empty divide nothing.
	s := &Set{Names: make([]string, 10), Parts: slices.Repeat([]Part{te}, 10)}
	if train, heldout := s.Split(SplitOptions{}); len(train) != 8 || len(heldout) != 2 {
		t.Errorf("only a test part: %v, %v", train, heldout)
	}
}

func TestLoader(t *testing.T) {
	s := numbered(23)
	indices := []int{1, 3, 4, 5, 7, 8, 10, 11, 20, 21, 22}
	l := NewLoader(s, indices, 4, 9)
	if l.Batches() != 2 || l.Len() != 11 || l.BatchSize() != 4 {
		t.Fatalf("%d batches of %d from %d", l.Batches(), l.BatchSize(), l.Len())
	}
	dst, labels, picked := make([]uint8, 8), make([]int32, 4), make([]int32, 4)
	epochs := map[string]bool{}
	dealt := map[int32]bool{}
	for epoch := range 20 {
		var order []int32
		for step := range l.Batches() {
			l.Fill(epoch, step, dst, labels, picked)
			for row, i := range picked {
				if !slices.Contains(indices, int(i)) || dst[2*row] != byte(i) || labels[row] != i%2 {
					t.Fatalf("row %d: image %d, pixels %v, label %d", row, i, dst[2*row:2*row+2], labels[row])
				}
				dealt[i] = true
			}
			order = append(order, picked...)
		}
		epochs[fmt.Sprint(order)] = true
		slices.Sort(order)
		if len(slices.Compact(order)) != 8 {
			t.Fatalf("epoch %d deals an image twice", epoch)
		}
	}
	if len(epochs) != 20 || len(dealt) != len(indices) {
		t.Errorf("%d different epochs of 20, %d images dealt of %d", len(epochs), len(dealt), len(indices))
	}
}

// TestLoaderIsPure asks for steps in any order, from several goroutines.
func TestLoaderIsPure(t *testing.T) {
	s := numbered(100)
	indices := make([]int, 100)
	for i := range indices {
		indices[i] = i
	}
	fill := func(l *Loader, epoch, step int) string {
		dst, picked := make([]uint8, 2*l.BatchSize()), make([]int32, l.BatchSize())
		l.Fill(epoch, step, dst, nil, picked)
		return fmt.Sprint(dst, picked)
	}
	want := map[[2]int]string{}
	forward := NewLoader(s, indices, 8, 77)
	for epoch := range 6 {
		for step := range forward.Batches() {
			want[[2]int{epoch, step}] = fill(forward, epoch, step)
		}
	}
	shared := NewLoader(s, indices, 8, 77)
	var team sync.WaitGroup
	for range 4 {
		team.Go(func() {
			for at, w := range want { // in any order
				if got := fill(shared, at[0], at[1]); got != w {
					t.Errorf("epoch %d, step %d: %s, want %s", at[0], at[1], got, w)
				}
			}
		})
	}
	team.Wait()
	if fill(NewLoader(s, indices, 8, 78), 0, 0) == want[[2]int{0, 0}] {
		t.Error("another seed gives the same batch")
	}
}

func TestLoaderOfFewImages(t *testing.T) {
	l := NewLoader(numbered(3), []int{0, 1, 2}, 8, 1)
	if l.Batches() != 1 {
		t.Fatalf("%d batches", l.Batches())
	}
	picked := make([]int32, 8)
	l.Fill(2, 0, make([]uint8, 16), nil, picked)
	var count [3]int
	for _, i := range picked {
		count[i]++
	}
	slices.Sort(count[:])
	if count != [3]int{2, 3, 3} {
		t.Errorf("images are repeated %v times", count)
	}
}

func TestFillInOrder(t *testing.T) {
	s := numbered(12)
	s.Labels = nil
	l := NewLoader(s, []int{9, 2, 5, 7, 11}, 2, 0)
	var got []int32
	var fresh []int
	labels, picked := []int32{8, 8}, make([]int32, 2)
	for step := range l.EvalBatches() {
		fresh = append(fresh, l.FillInOrder(step, make([]uint8, 4), labels, picked))
		got = append(got, picked...)
	}
	if fmt.Sprint(got, fresh, labels) != "[9 2 5 7 11 11] [2 2 1] [0 0]" {
		t.Errorf("images %v, fresh %v, labels %v", got, fresh, labels)
	}
}

func TestLoaderAllocatesNothing(t *testing.T) {
	s := numbered(64)
	l := NewLoader(s, []int{0, 1, 2, 3, 4, 5, 6, 7}, 4, 1)
	dst, labels, picked := make([]uint8, 8), make([]int32, 4), make([]int32, 4)
	epoch := 0
	if n := testing.AllocsPerRun(50, func() {
		l.Fill(epoch, 1, dst, labels, picked)
		l.FillInOrder(1, dst, labels, picked)
		epoch++
	}); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestLoaderMisuse(t *testing.T) {
	s := numbered(4)
	l := NewLoader(s, []int{0, 1}, 1, 0)
	for name, f := range map[string]func(){
		"no images":     func() { NewLoader(s, nil, 1, 0) },
		"no batch":      func() { NewLoader(s, []int{0}, 0, 0) },
		"image outside": func() { NewLoader(s, []int{4}, 1, 0) },
		"step outside":  func() { l.Fill(0, 2, make([]uint8, 2), nil, nil) },
		"epoch outside": func() { l.Fill(-1, 0, make([]uint8, 2), nil, nil) },
		"batch outside": func() { l.FillInOrder(2, make([]uint8, 2), nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
