package features

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

const (
	leastSide  = 8   // pixels of a side below which the small classifier halves no more
	firstWidth = 16  // channels at the images' own size
	lastWidth  = 128 // numbers of a vector
	rate       = 0.01
	smoothing  = 0.1 // of the labels
	// shown is about how many images the small classifier is shown.
	shown = 60_000
)

// small returns the layers of the classifier that is trained where none is
// given: a convolution at each size, and two in the last.
func small(height, width int) nn.Sequential {
	var net nn.Sequential
	conv := func(out, stride int) {
		net = append(net, nn.Conv{Out: out, Kernel: 3, Stride: stride, NoBias: true}, nn.BatchNorm{}, nn.ReLU{})
	}
	channels := firstWidth
	conv(channels, 1)
	for side := min(height, width); side > leastSide; side = (side + 1) / 2 {
		channels = min(2*channels, lastWidth)
		conv(channels, 2)
	}
	conv(min(2*channels, lastWidth), 1)
	conv(lastWidth, 1)
	return net
}

// Learn trains a small classifier on the labels of a run's images, as a stage
// of the run, and returns its space. With resume it goes on from the stage's
// checkpoint. If ctx ends it returns a *run.Interrupted error.
func Learn(ctx context.Context, r *run.Run, parts run.Parts, seed uint64, resume bool) (*Space, train.Record, error) {
	set := r.Set
	if set.Labels == nil || len(set.Classes) < 2 {
		return nil, train.Record{}, fmt.Errorf("%s has no labels of two classes or more to learn features by", set.Source)
	}
	layers := small(set.Height, set.Width)
	net := append(layers[:len(layers):len(layers)], nn.GlobalAvgPool{}, nn.Dense{Out: len(set.Classes)})
	c := run.Course{Batch: min(64, len(parts.Train)), Optimizer: "adamw", LR: rate, Schedule: "onecycle", Seed: seed, Augment: "none",
		Epochs: min(max(3, shown/max(1, len(parts.Train))), 30)}
	batches, err := run.NewBatches(set, parts.Train, c)
	if err != nil {
		return nil, train.Record{}, err
	}
	store := backend.NewStore()
	image := run.Images{Height: set.Height, Width: set.Width, Channels: set.Channels}
	n, err := newNetwork(r.Engine, layers, store, image)
	if err != nil {
		return nil, train.Record{}, err
	}
	options, err := r.TrainOptions(c)
	if err != nil {
		return nil, train.Record{}, err
	}
	p := train.Problem{
		Name: "features",
		Trace: func(ctx *nn.Context) *graph.Node {
			b := ctx.Builder()
			images := b.Input("images", tensor.Uint8, c.Batch, set.Height, set.Width, set.Channels)
			labels := b.Input("labels", tensor.Int32, c.Batch)
			return loss.SoftmaxCrossEntropy(ctx.Layer(scope, net, model.Pixels(b, images)), labels, smoothing, loss.MeanAll)
		},
		Batch: func(epoch, step int, in []*tensor.Tensor) { batches.Fill(epoch, step, in[0].Uint8(), in[1].Int32()) },
		Steps: batches.Steps(),
	}
	if len(parts.Validation) > 0 {
		logits, err := newNetwork(r.Engine, net, store, image)
		if err != nil {
			return nil, train.Record{}, err
		}
		p.Validate = func() (float64, error) { return logits.mistakes(set, parts.Validation) }
	}
	t, err := train.New(r.Engine, store, p, options)
	if err != nil {
		return nil, train.Record{}, err
	}
	record, err := r.Train(ctx, t, resume)
	if err != nil {
		return nil, train.Record{}, err
	}
	s := &Space{Kind: KindTrained, Dim: n.dim, vectors: n.vectors}
	if p.Validate != nil {
		accuracy := 1 - record.Epochs[record.BestEpoch-1].Validation
		s.Accuracy = &accuracy
	}
	return s, record, nil
}

// mistakes returns the share of images whose label a network of logits misses.
func (n *network) mistakes(set *data.Set, images []int) (float64, error) {
	logits, err := n.vectors(set.Gather(images))
	if err != nil {
		return 0, err
	}
	wrong := 0
	for i, image := range images {
		row := logits[i*n.dim : (i+1)*n.dim]
		best := 0
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		if best != int(set.Labels[image]) {
			wrong++
		}
	}
	return float64(wrong) / float64(len(images)), nil
}
