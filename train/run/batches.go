package run

import (
	"cmp"
	"fmt"

	"hourglass/data"
	"hourglass/data/augment"
)

// Batches deals out training images, changed at random as a course says. What
// it yields is a pure function of the seed, the epoch and the step. It must
// not be used by two goroutines at once, and allocates nothing once it has
// dealt out a batch.
type Batches struct {
	set      *data.Set
	loader   *data.Loader
	pipeline augment.Pipeline
	worker   augment.Worker
	seed     uint64
	picked   []int32
	raw      []uint8 // the images before they are changed
}

// NewBatches returns what deals out the images at indices, unchanged if the course
// names no augmentation.
func NewBatches(set *data.Set, indices []int, c Course) (*Batches, error) {
	p, err := augment.Parse(cmp.Or(c.Augment, "none"))
	if err != nil {
		return nil, fmt.Errorf("%w: --augment: %w", ErrChoice, err)
	}
	b := &Batches{set: set, loader: data.NewLoader(set, indices, c.Batch, c.Seed), pipeline: p, seed: c.Seed, picked: make([]int32, c.Batch)}
	if !p.Empty() {
		b.raw = make([]uint8, c.Batch*set.ImageBytes())
	}
	return b, nil
}

// Steps returns the number of batches of an epoch.
func (b *Batches) Steps() int { return b.loader.Batches() }

// Fill writes a batch: pixels to images [batch,H,W,C] and labels to labels
// [batch], which may be nil.
func (b *Batches) Fill(epoch, step int, images []uint8, labels []int32) {
	if b.raw == nil {
		b.loader.Fill(epoch, step, images, labels, b.picked)
		return
	}
	b.loader.Fill(epoch, step, b.raw, labels, b.picked)
	n := b.set.ImageBytes()
	for row, image := range b.picked {
		b.worker.Apply(&b.pipeline, images[row*n:(row+1)*n], b.raw[row*n:(row+1)*n],
			b.set.Height, b.set.Width, b.set.Channels, b.seed, uint64(epoch), int(image))
	}
}
