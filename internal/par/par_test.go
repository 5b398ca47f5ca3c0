package par

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestRunVisitsEveryPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := New(threads)
		for parts := range 70 {
			counts := make([]atomic.Int32, parts)
			p.Run(parts, func(worker, part int) {
				if worker < 0 || worker >= threads {
					t.Errorf("worker %d of %d", worker, threads)
				}
				counts[part].Add(1)
			})
			for i := range counts {
				if n := counts[i].Load(); n != 1 {
					t.Fatalf("threads %d: part %d of %d ran %d times", threads, i, parts, n)
				}
			}
		}
		p.Close()
	}
}

func TestRunAfterSleep(t *testing.T) {
	p := New(4)
	defer p.Close()
	for range 5 {
		time.Sleep(5 * time.Millisecond) // long enough for the helpers to sleep
		var sum atomic.Int64
		p.Run(100, func(_, part int) { sum.Add(int64(part)) })
		if sum.Load() != 4950 {
			t.Fatalf("sum of the parts is %d, want 4950", sum.Load())
		}
	}
}

func TestPanicReachesCaller(t *testing.T) {
	p := New(3)
	defer p.Close()
	func() {
		defer func() {
			if r := recover(); r != "part 7" {
				t.Fatalf("recovered %v, want part 7", r)
			}
		}()
		p.Run(20, func(_, part int) {
			if part == 7 {
				panic("part 7")
			}
		})
	}()
	ran := atomic.Int32{}
	p.Run(9, func(_, _ int) { ran.Add(1) })
	if ran.Load() != 9 {
		t.Fatalf("after a panic %d of 9 parts ran", ran.Load())
	}
}

func TestRunWithinRun(t *testing.T) {
	for _, threads := range []int{1, 2} {
		p := New(threads)
		for _, parts := range []int{1, 4} {
			if !panics(func() { p.Run(parts, func(_, _ int) { p.Run(parts, func(_, _ int) {}) }) }) {
				t.Errorf("a pool of %d runs within %d parts", threads, parts)
			}
		}
		p.Run(4, func(_, _ int) {}) // as it does after any panic
		p.Close()
		if threads > 1 && !panics(func() { p.Run(4, func(_, _ int) {}) }) {
			t.Error("a closed pool runs")
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func TestRunDoesNotAllocate(t *testing.T) {
	p := New(2)
	defer p.Close()
	var sink atomic.Int64
	f := func(_, part int) { sink.Add(int64(part)) }
	if n := testing.AllocsPerRun(100, func() { p.Run(16, f) }); n != 0 {
		t.Errorf("Run allocates %v times", n)
	}
}

func BenchmarkRunEmpty(b *testing.B) {
	p := New(0)
	defer p.Close()
	f := func(_, _ int) {}
	for b.Loop() {
		p.Run(p.Threads(), f)
	}
}
