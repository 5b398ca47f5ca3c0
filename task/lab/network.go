package lab

import (
	"cmp"
	"errors"
	"math"

	"hourglass/data/augment"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/run"
)

// network is a classifier with variables of its own.
type network struct {
	bench *Bench
	net   nn.Layer
	store *backend.Store
	infer *engine.Function
}

// scope is the path of a network's parameters.
const scope = "net"

// evalBatch is how many images pass through a network at a time when it is
// not trained.
const evalBatch = 250

// newNetwork returns a network from images to one logit for each class. Its
// variables get their first values when it is trained.
func (b *Bench) newNetwork(net nn.Layer) *network {
	n := &network{bench: b, net: net, store: backend.NewStore()}
	n.infer = n.function("logits", net)
	return n
}

// function returns what computes the result of layers that share the
// network's variables: the network, or a part that it begins with.
func (n *network) function(name string, layers nn.Layer) *engine.Function {
	b := n.bench
	return b.Engine.NewFunction(name, n.store, func(g *graph.Builder, batch int) {
		images := g.Input("images", tensor.Uint8, batch, b.Set.Height, b.Set.Width, b.Set.Channels)
		g.Output(name, nn.NewContext(g, nn.Options{}).Layer(scope, layers, b.inputs(images)))
	})
}

// run returns what f computes of images, [N,…] in one slice; more are inputs
// that f has after the images.
func (n *network) run(f *engine.Function, images pool, more ...*tensor.Tensor) ([]float32, error) {
	var all []float32
	size := images.bytes
	batch := min(images.len(), evalBatch)
	for at := 0; at < images.len(); at += batch {
		count := min(batch, images.len()-at)
		in := tensor.New(tensor.Uint8, batch, n.bench.Set.Height, n.bench.Set.Width, n.bench.Set.Channels)
		copy(in.Uint8(), images.pixels[at*size:(at+count)*size])
		p, err := f.Run(batch, append([]*tensor.Tensor{in}, more...)...)
		if err != nil {
			return nil, err
		}
		out := p.Output(0).Float32()
		all = append(all, out[:count*len(out)/batch]...)
	}
	return all, nil
}

// pool is images with labels, ready to be judged by.
type pool struct {
	pixels []uint8 // [N,H,W,C]
	labels []int32
	bytes  int // of an image
}

func (p pool) len() int { return len(p.labels) }

// pool copies images.
func (b *Bench) pool(indices []int) pool {
	size := b.Set.ImageBytes()
	p := pool{make([]uint8, len(indices)*size), b.labels(indices), size}
	for i, index := range indices {
		copy(p.pixels[i*size:], b.Set.Image(index))
	}
	return p
}

// changed returns images each of which a pipeline has changed once.
func (b *Bench) changed(indices []int, p *augment.Pipeline, epoch uint64) pool {
	q := b.pool(indices)
	workers := make([]augment.Worker, b.Engine.Pool().Threads())
	b.Engine.Pool().Run(len(indices), func(worker, i int) {
		workers[worker].Apply(p, q.pixels[i*q.bytes:(i+1)*q.bytes], b.Set.Image(indices[i]),
			b.Set.Height, b.Set.Width, b.Set.Channels, b.Seed, epoch, indices[i])
	})
	return q
}

// score is how well a classifier did.
type score struct {
	accuracy float64 // share of images
	loss     float64 // mean cross-entropy, in nats
}

// judge scores the network.
func (n *network) judge(images pool) (score, error) {
	logits, err := n.run(n.infer, images)
	if err != nil {
		return score{}, err
	}
	return scoreOf(logits, images.labels), nil
}

// scoreOf scores logits [N,C].
func scoreOf(logits []float32, labels []int32) (s score) {
	classes := len(logits) / max(len(labels), 1)
	for i, label := range labels {
		row := logits[i*classes : (i+1)*classes]
		best, most := 0, math.Inf(-1)
		for k, v := range row {
			if float64(v) > most {
				best, most = k, float64(v)
			}
		}
		if best == int(label) && !math.IsInf(most, -1) {
			s.accuracy++
		}
		sum := 0.0
		for _, v := range row {
			sum += math.Exp(float64(v) - most)
		}
		s.loss += math.Log(sum) + most - float64(row[label])
	}
	s.accuracy /= float64(len(labels))
	s.loss /= float64(len(labels))
	return s
}

// lesson is one training.
type lesson struct {
	name     string // what progress shows
	train    []int  // images to learn from
	batch    int
	steps    int
	every    int // steps between two looks; steps is brought to a multiple of it
	rule     optim.Options
	rate     float64
	schedule optim.Schedule // nil: constant
	augment  string         // what is done to the images, as [augment.Parse] reads it; "" means nothing
	repeat   uint64         // tells repetitions of one lesson apart
	cost     float64        // units of work that an image is; 0 means 1
	// look, unless it is nil, is called before the first step and after every
	// so many.
	look func(at look) error
}

// look is where a lesson stands.
type look struct {
	step    int
	loss    float64 // mean over the batches since the last look; NaN before the first
	seconds float64 // spent in steps so far
}

// teach initialises the network and trains it. A loss that is no longer a
// number ends the lesson and is no error: diverged is the step, counted from
// 1, at which that came, and otherwise 0.
func (n *network) teach(l lesson) (diverged int, err error) {
	b := n.bench
	if l.schedule == nil {
		l.schedule = optim.Constant{}
	}
	if l.look == nil {
		l.look = func(look) error { return nil }
	}
	seed := b.Seed + l.repeat<<32
	batches, err := run.NewBatches(b.Set, l.train, run.Course{Batch: l.batch, Seed: seed, Augment: cmp.Or(l.augment, "none")})
	if err != nil {
		return 0, err
	}
	work := float64(l.batch) * cmp.Or(l.cost, 1)
	var watch stopwatch
	step := 0
	problem := train.Problem{
		Name: "lab",
		Trace: func(c *nn.Context) *graph.Node {
			g := c.Builder()
			x := g.Input("images", tensor.Uint8, l.batch, b.Set.Height, b.Set.Width, b.Set.Channels)
			y := g.Input("labels", tensor.Int32, l.batch)
			return loss.SoftmaxCrossEntropy(c.Layer(scope, n.net, b.inputs(x)), y, 0, loss.MeanAll)
		},
		Batch: func(round, at int, in []*tensor.Tensor) {
			at += round * l.every
			batches.Fill(at/batches.Steps(), at%batches.Steps(), in[0].Uint8(), in[1].Int32())
		},
		Steps: l.every,
		// What is measured is the network as it is, and not as it was at its
		// best: the last look is always the best.
		Validate: func() (float64, error) { return -float64(step), nil },
	}
	t, err := train.New(b.Engine, n.store, problem, train.Options{
		Epochs: max(1, l.steps/l.every), Seed: seed, Optimizer: l.rule, LR: l.rate, Schedule: l.schedule,
		OnStep: func(p train.Progress) {
			step = p.Step
			_ = b.Advance(work, l.name) // the trainer looks at the context itself
		},
		OnEpoch: func(e train.Epoch) error {
			watch.stop() // looking is no part of the lesson
			defer watch.start()
			return l.look(look{step: e.Step, loss: e.Loss, seconds: watch.seconds()})
		},
	})
	if err != nil {
		return 0, err
	}
	if err := l.look(look{loss: math.NaN()}); err != nil {
		return 0, err
	}
	watch.start()
	_, err = t.Run(b.ctx)
	var lost *train.NonFiniteError
	switch {
	case errors.As(err, &lost):
		// What is left of its work is not going to be done.
		return lost.Step + 1, b.Advance(work*float64(l.steps-step), l.name)
	case errors.Is(err, train.ErrInterrupted):
		return 0, b.ctx.Err()
	}
	return 0, err
}
