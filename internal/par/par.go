// Package par runs the parts of one piece of work on a fixed team of
// goroutines.
//
// How work is cut into parts is the caller's choice and must follow from the
// shape of the work alone; which worker runs a part is not fixed. A result is
// therefore the same for any number of workers as long as parts write to
// disjoint places, or to places whose contents do not outlive the part.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// spinRounds bounds how long an idle worker watches for new work before it
// sleeps: about 20 µs, longer than the gap between two operations of a
// program and far shorter than anything a person or a power meter notices.
const spinRounds = 10000

// Pool is a team of workers. Its zero value is not usable; call New. Run must
// not be called by two goroutines at once, nor from within a part.
type Pool struct {
	threads int

	fn    func(worker, part int)
	parts int64
	next  atomic.Int64 // next part to be taken
	busy  atomic.Int32 // helpers that have not finished this generation

	generation atomic.Uint32 // counts calls of Run that involve the helpers
	closed     atomic.Bool
	mu         sync.Mutex
	wake       sync.Cond // helpers wait for a generation
	done       sync.Cond // Run waits for the helpers
	sleeping   int

	failure any // first panic of a part in this generation
}

// New returns a pool of the given number of threads, the calling goroutine
// included; zero or less means GOMAXPROCS.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
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

// Run calls f(worker, part) once for every part in [0, parts) and returns
// when all have returned. worker is in [0, Threads()) and no two concurrent
// calls share it, so it can index scratch memory. A panic in a part is
// re-raised here. Run itself allocates nothing.
func (p *Pool) Run(parts int, f func(worker, part int)) {
	if p.threads == 1 || parts <= 1 {
		for i := range parts {
			f(0, i)
		}
		return
	}
	p.fn, p.parts = f, int64(parts)
	p.next.Store(0)
	p.busy.Store(int32(p.threads - 1))
	p.generation.Add(1)
	p.mu.Lock()
	if p.sleeping > 0 {
		p.wake.Broadcast()
	}
	p.mu.Unlock()

	p.work(0)
	p.await()
	p.fn = nil
	if failure := p.failure; failure != nil {
		p.failure = nil
		panic(failure)
	}
}

// await returns when the helpers are done. It sleeps rather than spins on: if
// they are late, it is because other processes have their processors.
func (p *Pool) await() {
	for range spinRounds {
		if p.busy.Load() == 0 {
			return
		}
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
		for spins := 0; p.generation.Load() == seen && spins < spinRounds; spins++ {
			if p.closed.Load() {
				return
			}
		}
		if p.generation.Load() == seen {
			p.mu.Lock()
			p.sleeping++
			for p.generation.Load() == seen && !p.closed.Load() {
				p.wake.Wait()
			}
			p.sleeping--
			p.mu.Unlock()
			if p.closed.Load() {
				return
			}
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

func (p *Pool) work(worker int) {
	defer p.catch()
	for {
		part := p.next.Add(1) - 1
		if part >= p.parts {
			return
		}
		p.fn(worker, int(part))
	}
}

func (p *Pool) catch() {
	if r := recover(); r != nil {
		p.next.Store(p.parts)
		p.mu.Lock()
		if p.failure == nil {
			p.failure = r
		}
		p.mu.Unlock()
	}
}
