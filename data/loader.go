package data

import (
	"fmt"
	"sync"

	"hourglass/internal/random"
)

// Loader deals out images of a set in batches: shuffled anew each epoch by
// Fill, or in the order given by FillInOrder. What it yields is a pure function
// of the seed, the epoch and the step. It may be used by several goroutines at
// once, and allocates nothing after NewLoader.
type Loader struct {
	set     *Set
	indices []int
	batch   int
	seed    uint64

	mu     sync.Mutex
	orders [2]shuffle // by the epoch's last bit, for readers that run ahead
}

// shuffle is the order of one epoch.
type shuffle struct {
	epoch int
	order []int32 // positions in indices
}

// NewLoader returns a loader of batches of the given size from the images at
// indices, which it keeps. It panics if there are no indices, if one is not in
// the set, or if batch or the number of indices is out of range: all of these
// are the caller's bugs.
func NewLoader(set *Set, indices []int, batch int, seed uint64) *Loader {
	if len(indices) == 0 || len(indices) > 1<<31-1 || batch < 1 {
		panic(fmt.Sprintf("data: loader of %d images in batches of %d", len(indices), batch))
	}
	for _, i := range indices {
		if i < 0 || i >= set.Len() {
			panic(fmt.Sprintf("data: loader of image %d in a set of %d", i, set.Len()))
		}
	}
	l := &Loader{set: set, indices: indices, batch: batch, seed: seed}
	for k := range l.orders {
		l.orders[k] = shuffle{epoch: -1, order: make([]int32, len(indices))}
	}
	return l
}

// Len returns the number of images dealt out.
func (l *Loader) Len() int { return len(l.indices) }

// BatchSize returns the number of images in a batch.
func (l *Loader) BatchSize() int { return l.batch }

// Batches returns the number of steps that Fill has in an epoch. The images that
// do not fill a batch are left out, others in each epoch. If all images together
// do not fill one, there is one step, which repeats them.
func (l *Loader) Batches() int { return max(1, len(l.indices)/l.batch) }

// Fill writes a batch of an epoch, which is at least 0, in [0, Batches()):
// pixels to dst [batch,H,W,C], labels to labels [batch] and the images' places
// in the set to picked [batch]. labels and picked may be nil; labels are 0 if
// the set has none. It panics if the epoch has no such step or a slice is too short.
func (l *Loader) Fill(epoch, step int, dst []uint8, labels, picked []int32) {
	if epoch < 0 || step < 0 || step >= l.Batches() {
		panic(fmt.Sprintf("data: epoch %d has no step %d", epoch, step))
	}
	l.checkRoom(dst, labels, picked)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.orders[epoch&1]
	if s.epoch != epoch {
		s.draw(l.seed, epoch)
	}
	for row := range l.batch {
		l.put(row, l.indices[s.order[(step*l.batch+row)%len(s.order)]], dst, labels, picked)
	}
}

// EvalBatches returns the number of steps that FillInOrder takes to show every
// image once.
func (l *Loader) EvalBatches() int { return (len(l.indices) + l.batch - 1) / l.batch }

// FillInOrder writes the step-th batch of the images in the order of the
// indices, and returns how many of its rows are images not shown before. It is
// less than the size of a batch in the last one, whose other rows repeat the
// last image. The arguments are those of Fill.
func (l *Loader) FillInOrder(step int, dst []uint8, labels, picked []int32) int {
	if step < 0 || step >= l.EvalBatches() {
		panic(fmt.Sprintf("data: evaluation has no step %d", step))
	}
	l.checkRoom(dst, labels, picked)
	first, last := step*l.batch, len(l.indices)-1
	for row := range l.batch {
		l.put(row, l.indices[min(first+row, last)], dst, labels, picked)
	}
	return min(l.batch, last+1-first)
}

// checkRoom panics if a batch does not fit what is to hold it.
func (l *Loader) checkRoom(dst []uint8, labels, picked []int32) {
	if need := l.batch * l.set.ImageBytes(); len(dst) < need || labels != nil && len(labels) < l.batch || picked != nil && len(picked) < l.batch {
		panic(fmt.Sprintf("data: a batch of %d images needs %d bytes and as many labels and places; there is room for %d, %d and %d",
			l.batch, need, len(dst), len(labels), len(picked)))
	}
}

// put writes one image of the set to a row of a batch.
func (l *Loader) put(row, image int, dst []uint8, labels, picked []int32) {
	n := l.set.ImageBytes()
	copy(dst[row*n:(row+1)*n], l.set.Pixels[image*n:])
	if labels != nil {
		labels[row] = 0
		if l.set.Labels != nil {
			labels[row] = l.set.Labels[image]
		}
	}
	if picked != nil {
		picked[row] = int32(image)
	}
}

// shuffleStream keeps the draws of the shuffles apart from others of the same
// seed; the epoch is added to it.
const shuffleStream = 0x53485546 << 32

// draw makes s the order of an epoch (Fisher and Yates, in place).
func (s *shuffle) draw(seed uint64, epoch int) {
	var source random.Source
	source.Reset(seed, shuffleStream+uint64(epoch), 0)
	for i := range s.order {
		j := source.IntN(i + 1)
		s.order[i] = s.order[j]
		s.order[j] = int32(i)
	}
	s.epoch = epoch
}
