package segment

import (
	"hourglass/data"
	"hourglass/data/augment"
	"hourglass/train/run"
)

// batches deals out images and masks for training, moved together at random.
// What a batch holds is a function of the course's seed, the epoch and the
// step.
type batches struct {
	pairs    *data.Pairs
	loader   *data.Loader
	pipeline augment.Pipeline
	worker   augment.Worker
	seed     uint64
	picked   []int32
	raw      []uint8 // the images before they are changed
	mask     []int32 // one before it is moved
}

func newBatches(pairs *data.Pairs, indices []int, c run.Course) (*batches, error) {
	p, err := augment.Parse(c.Augment)
	if err != nil {
		return nil, err
	}
	return &batches{
		pairs: pairs, loader: data.NewLoader(pairs.Set, indices, c.Batch, c.Seed), pipeline: p, seed: c.Seed,
		picked: make([]int32, c.Batch), raw: make([]uint8, c.Batch*pairs.ImageBytes()), mask: make([]int32, pairs.Height*pairs.Width),
	}, nil
}

// fill writes a batch: images [B,H,W,C] and labels [B,H,W], data.Ignored where
// there is no class. It allocates nothing.
func (b *batches) fill(epoch, step int, images []uint8, labels []int32) {
	b.loader.Fill(epoch, step, b.raw, nil, b.picked)
	p := b.pairs
	n, area := p.ImageBytes(), p.Height*p.Width
	for row, image := range b.picked {
		for i, v := range p.Mask(int(image)) {
			b.mask[i] = int32(v)
		}
		b.worker.Apply(&b.pipeline, images[row*n:(row+1)*n], b.raw[row*n:(row+1)*n], p.Height, p.Width, p.Channels, b.seed, uint64(epoch), int(image))
		b.worker.ApplyMask(&b.pipeline, labels[row*area:(row+1)*area], b.mask, data.Ignored, p.Height, p.Width, b.seed, uint64(epoch), int(image))
	}
}
