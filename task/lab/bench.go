package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/run"
)

// Bench is what an experiment works at: the images, the engine, and how far it
// has come. It is used by one goroutine.
type Bench struct {
	Engine *engine.Engine
	Set    *data.Set
	Parts  run.Parts
	Scale  Scale
	Seed   uint64

	ctx      context.Context
	mean     []float64 // of each channel of the images to learn from, 0–1
	scale    []float64 // one over their deviation
	progress func(done float64, doing string)
	total    float64 // units of work
	done     float64
}

// newBench measures the images that are learnt from, so that networks get
// inputs of mean 0 and deviation 1.
func newBench(ctx context.Context, e *engine.Engine, set *data.Set, scale Scale, seed uint64) *Bench {
	b := &Bench{Engine: e, Set: set, Parts: run.Divide(set), Scale: scale, Seed: seed, ctx: ctx}
	c := set.Channels
	sum, squares := make([]uint64, c), make([]uint64, c)
	for _, i := range b.Parts.Train {
		for k, v := range set.Image(i) {
			sum[k%c] += uint64(v)
			squares[k%c] += uint64(v) * uint64(v)
		}
	}
	n := float64(max(len(b.Parts.Train), 1)) * float64(set.Height*set.Width)
	for k := range c {
		mean := float64(sum[k]) / n / 255
		variance := float64(squares[k])/n/(255*255) - mean*mean
		b.mean = append(b.mean, mean)
		b.scale = append(b.scale, 1/math.Sqrt(max(variance, 1e-6)))
	}
	return b
}

// Classes returns the number of classes.
func (b *Bench) Classes() int { return len(b.Set.Classes) }

// inputs turns bytes into numbers of mean 0 and deviation 1 for each channel.
func (b *Bench) inputs(images *graph.Node) *graph.Node {
	g := images.Builder()
	gain, offset := make([]float32, len(b.mean)), make([]float32, len(b.mean))
	for k := range gain {
		gain[k], offset[k] = float32(b.scale[k]/255), float32(-b.mean[k]*b.scale[k])
	}
	return g.Add(g.Mul(g.Cast(images), g.Constant(tensor.Of(gain, len(gain)))), g.Constant(tensor.Of(offset, len(offset))))
}

// labels returns the classes of images.
func (b *Bench) labels(indices []int) []int32 {
	labels := make([]int32, len(indices))
	for i, index := range indices {
		labels[i] = b.Set.Labels[index]
	}
	return labels
}

// some returns at most most of the indices, evenly spaced, so that a set
// sorted by class gives some of each.
func some(indices []int, most int) []int {
	n := min(len(indices), most)
	few := make([]int, n)
	for i := range few {
		few[i] = indices[i*len(indices)/n]
	}
	return few
}

// Expect says how many units of work the experiment will take: images that
// pass through a training, say. It is called once, first.
func (b *Bench) Expect(units float64) { b.total, b.done = max(units, 1), 0 }

// Advance says that units of work are done, and what is being done. It returns
// an error once the session is to end.
func (b *Bench) Advance(units float64, doing string) error {
	b.done += units
	if b.progress != nil {
		b.progress(min(b.done/max(b.total, 1), 1), doing)
	}
	return b.ctx.Err()
}

// stopwatch adds up the time of a piece of work that is done in parts.
type stopwatch struct {
	total time.Duration
	begun time.Time
}

func (s *stopwatch) start()           { s.begun = time.Now() }
func (s *stopwatch) stop()            { s.total += time.Since(s.begun) }
func (s *stopwatch) seconds() float64 { return s.total.Seconds() }

// imageFacts says what was learnt from and judged by.
func (b *Bench) imageFacts(train, heldOut int) []Fact {
	s := b.Set
	return []Fact{
		{"images", fmt.Sprintf("%s, %d×%d×%d, %d classes", s.Source, s.Height, s.Width, s.Channels, b.Classes())},
		{"learnt from", fmt.Sprintf("%d images", train)},
		{"choices made on", fmt.Sprintf("%d validation images", len(b.Parts.Validation))},
		{"judged on", fmt.Sprintf("%d held-out images", heldOut)},
	}
}

// train trains whatever a problem says, as one epoch, which is the given work.
func (b *Bench) train(store *backend.Store, p train.Problem, o train.Options, name string, work float64) error {
	o.Epochs, o.Seed = 1, b.Seed
	o.OnStep = func(s train.Progress) { _ = b.Advance(work/float64(s.Steps), name) }
	t, err := train.New(b.Engine, store, p, o)
	if err != nil {
		return err
	}
	if _, err = t.Run(b.ctx); errors.Is(err, train.ErrInterrupted) {
		return b.ctx.Err()
	}
	return err
}

// order deals out items, each once before any comes again, in another order
// each time.
type order struct {
	n, round int
	seed     uint64
	items    []int
}

func newOrder(n int, seed uint64) *order { return &order{n: n, round: -1, seed: seed} }

// orderStream keeps these draws apart from others of the same seed.
const orderStream = 0x4c41424f << 32

// at returns item i of the endless sequence.
func (o *order) at(i int) int {
	if round := i / o.n; round != o.round {
		o.round, o.items = round, random.Perm(o.n, o.seed, orderStream+uint64(round))
	}
	return o.items[i%o.n]
}
