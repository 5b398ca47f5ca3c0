package train

import (
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// feed prepares the inputs of one step while another runs. It holds two sets
// of them, which take turns.
type feed struct {
	batch    func(epoch, step int, inputs []*tensor.Tensor)
	steps    int // of an epoch
	step, lr *tensor.Tensor
	sets     [2][]*tensor.Tensor // step, lr, then the problem's
	turn     int                 // the set that is next

	orders chan order
	done   chan any // what a batch has panicked with, nil if it has not
	ahead  order    // what is being prepared in sets[turn], if pending
	begun  bool     // the goroutine is there
	wait   bool     // ahead is pending
}

// order asks for the batch of a step in a set.
type order struct{ epoch, step, set int }

// newFeed makes room for the inputs that a program declares: step, lr, and
// those of the problem.
func newFeed(batch func(int, int, []*tensor.Tensor), steps int, declared []*graph.Node) *feed {
	f := &feed{batch: batch, steps: steps}
	for k := range f.sets {
		for i, n := range declared {
			if k > 0 && i < 2 {
				f.sets[k] = append(f.sets[k], f.sets[0][i])
				continue
			}
			f.sets[k] = append(f.sets[k], tensor.New(n.DType(), n.Shape()...))
		}
	}
	f.step, f.lr = f.sets[0][0], f.sets[0][1]
	return f
}

// start makes the goroutine that works ahead, and stop ends it.
func (f *feed) start() {
	f.orders, f.done = make(chan order), make(chan any)
	f.begun = true
	go func() {
		for o := range f.orders {
			f.done <- f.attempt(o)
		}
	}()
}

// attempt prepares a batch and returns what that panics with, so that take can
// panic with it where the caller may recover.
func (f *feed) attempt(o order) (failure any) {
	defer func() { failure = recover() }()
	f.batch(o.epoch, o.step, f.sets[o.set][2:])
	return nil
}

func (f *feed) stop() {
	if f.wait {
		<-f.done
		f.wait = false
	}
	close(f.orders)
	f.begun = false
}

// last returns the inputs of the step that take was called for last.
func (f *feed) last() []*tensor.Tensor { return f.sets[1-f.turn] }

// take returns the inputs of a step, which are valid until the call after the
// next. With ahead it lets the batch of the step that follows be prepared. A panic
// of that is raised by the call that waits for it.
func (f *feed) take(epoch, step int, ahead bool) []*tensor.Tensor {
	now := f.turn
	if f.wait {
		failure := <-f.done
		f.wait = false
		if failure != nil {
			panic(failure)
		}
	} else {
		f.ahead = order{-1, -1, now}
	}
	if f.ahead != (order{epoch, step, now}) {
		f.batch(epoch, step, f.sets[now][2:])
	}
	f.turn = 1 - now
	if ahead && f.begun {
		next := order{epoch, step + 1, f.turn}
		if next.step == f.steps {
			next.epoch, next.step = epoch+1, 0
		}
		f.ahead, f.wait = next, true
		f.orders <- next
	}
	return f.sets[now]
}
