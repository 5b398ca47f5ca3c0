// Package par runs the parts of one piece of work on a fixed team of
// goroutines.
//
// How work is cut into parts is the caller's choice and must follow from the
// shape of the work alone; which worker runs a part is not fixed. A result is
// therefore the same for any number of workers as long as parts write to
// disjoint places, or to places whose contents do not outlive the part.
package par

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a thread watches for what it waits for before it sleeps:
// new work, or the end of the others' parts. To be woken takes a virtual machine
// up to a tenth of a millisecond, as long as many an operation, so a thread must
// not sleep between the operations of a program, nor while another ends its
// part; a millisecond is no more than a person or a power meter notices.
const patience = time.Millisecond

// watch waits until ready reports true, but not longer than patience, and
// returns what it last reported. Now and then it lets other goroutines have the
// processor.
func watch(ready func() bool) bool {
	var begun time.Time
	for round := 0; ; round++ {
		for range 500 {
			if ready() {
				return true
			}
		}
		now := time.Now()
		if round == 0 {
			begun = now
		} else if now.Sub(begun) > patience {
			return false
		}
		runtime.Gosched()
	}
}

// Pool is a team of workers. Its zero value is not usable; call New. Run must
// not be called by two goroutines at once, nor from within a part.
type Pool struct {
	threads int

	fn     func(worker, part int)
	shares []share      // of each worker
	busy   atomic.Int32 // helpers that have not finished this generation

	running    atomic.Bool
	generation atomic.Uint32 // counts calls of Run that involve the helpers
	closed     atomic.Bool
	mu         sync.Mutex
	wake       sync.Cond // helpers wait for a generation
	done       sync.Cond // Run waits for the helpers
	sleeping   int

	failure any // first panic of a part in this generation
}

// share is the range of parts that a worker has yet to run. Neighbouring parts
// are on neighbouring memory, and the same worker has them in operation after
// operation: what it wrote in one it finds in its cache in the next.
type share struct {
	span atomic.Uint64 // begin and end, 32 bits each
	_    [120]byte     // lines of its own, two as they are fetched in pairs
}

func (s *share) set(begin, end int) { s.span.Store(uint64(begin)<<32 | uint64(end)) }

// take takes the first part off the range, or the last; it returns -1 if there is
// none.
func (s *share) take(last bool) int {
	for {
		span := s.span.Load()
		begin, end := span>>32, span&math.MaxUint32
		if begin >= end {
			return -1
		}
		part, rest := begin, span+1<<32
		if last {
			part, rest = end-1, span-1
		}
		if s.span.CompareAndSwap(span, rest) {
			return int(part)
		}
	}
}

// New returns a pool of the given number of threads, the calling goroutine
// included; zero or less means GOMAXPROCS.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads, shares: make([]share, threads)}
	p.wake.L, p.done.L = &p.mu, &p.mu
	for w := 1; w < threads; w++ {
		go p.help(w)
	}
	return p
}

// Threads returns the size of the team.
func (p *Pool) Threads() int { return p.threads }

// Close ends the team. The pool must not be used afterwards.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed.Store(true)
	p.wake.Broadcast()
	p.mu.Unlock()
}

// Run calls f(worker, part) once for every part in [0, parts), of which there
// are less than 2^32, and returns when all have returned. worker is in
// [0, Threads()) and no two concurrent calls share it, so it can index scratch
// memory. A panic in a part is re-raised here. Run itself allocates nothing. It panics
// if the pool is at work already, or closed.
func (p *Pool) Run(parts int, f func(worker, part int)) {
	if !p.running.CompareAndSwap(false, true) {
		panic("the threads of this engine are at work already: one goroutine at a time may use it, and none from within a part of its work")
	}
	if p.threads == 1 || parts <= 1 {
		defer p.running.Store(false)
		for i := range parts {
			f(0, i)
		}
		return
	}
	if p.closed.Load() {
		panic("the engine of these threads was closed")
	}
	p.fn = f
	for w := range p.shares {
		p.shares[w].set(w*parts/p.threads, (w+1)*parts/p.threads)
	}
	p.busy.Store(int32(p.threads - 1))
	p.generation.Add(1)
	p.mu.Lock()
	if p.sleeping > 0 {
		p.wake.Broadcast()
	}
	p.mu.Unlock()

	p.work(0)
	p.await()
	failure := p.failure
	p.fn, p.failure = nil, nil
	p.running.Store(false)
	if failure != nil {
		panic(failure)
	}
}

// await returns when the helpers are done. It does not watch for ever: if they
// are late, it is because other processes have their processors.
func (p *Pool) await() {
	if watch(func() bool { return p.busy.Load() == 0 }) {
		return
	}
	p.mu.Lock()
	for p.busy.Load() != 0 {
		p.done.Wait()
	}
	p.mu.Unlock()
}

func (p *Pool) help(worker int) {
	var seen uint32
	for {
		if !watch(func() bool { return p.generation.Load() != seen || p.closed.Load() }) {
			p.mu.Lock()
			p.sleeping++
			for p.generation.Load() == seen && !p.closed.Load() {
				p.wake.Wait()
			}
			p.sleeping--
			p.mu.Unlock()
		}
		if p.closed.Load() {
			return
		}
		seen = p.generation.Load()
		p.work(worker)
		if p.busy.Add(-1) == 0 {
			p.mu.Lock()
			p.done.Signal()
			p.mu.Unlock()
		}
	}
}

// work runs a worker's share of the parts from its first one on, then what
// others have left of theirs, from their last one back.
func (p *Pool) work(worker int) {
	defer p.catch()
	for part := p.shares[worker].take(false); part >= 0; part = p.shares[worker].take(false) {
		p.fn(worker, part)
	}
	for i := 1; i < p.threads; i++ {
		other := &p.shares[(worker+i)%p.threads]
		for part := other.take(true); part >= 0; part = other.take(true) {
			p.fn(worker, part)
		}
	}
}

func (p *Pool) catch() {
	if r := recover(); r != nil {
		for w := range p.shares {
			p.shares[w].set(0, 0)
		}
		p.mu.Lock()
		if p.failure == nil {
			p.failure = r
		}
		p.mu.Unlock()
	}
}
