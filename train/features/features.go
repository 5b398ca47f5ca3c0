// Package features turns images into vectors in whose space sets of images are
// compared: what a classifier has before its last layer. It reads a model of
// `train classify`, trains a small classifier as a stage of a run, or, where
// there are no labels to learn from, takes principal components.
package features

import (
	"encoding/json"
	"fmt"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/represent/pca"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

// Kinds of spaces.
const (
	KindGiven      = "classifier"       // of a model file
	KindTrained    = "small classifier" // trained in the run
	KindComponents = "pca"              // principal components of pixels
)

// Space turns images [H,W,C] of one size into vectors.
type Space struct {
	Kind string `json:"kind"`
	// Model is the file of the classifier, "" of one that has none.
	Model string `json:"model,omitempty"`
	Dim   int    `json:"dim"` // numbers of a vector
	// Accuracy is the classifier's on its validation images, 0–1; nil if it is
	// not known.
	Accuracy *float64 `json:"accuracy,omitempty"`

	vectors func(images []uint8) ([]float32, error)
}

// Vectors returns the vectors [N,Dim] of images [N,H,W,C].
func (s *Space) Vectors(images []uint8) ([]float32, error) { return s.vectors(images) }

// scope is the path of a classifier's parameters in its file.
const scope = "net"

// classifierTask is the task of the models that Open reads.
const classifierTask = "classify"

// Open reads the classifier in a model file for images of a size. Its errors
// name the file and say what is wrong with it.
func Open(e *engine.Engine, path string, images run.Images) (*Space, error) {
	f, err := model.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var a struct {
		Network json.RawMessage `json:"network"`
	}
	var c run.Common
	var record train.Record
	if err := f.Decode(classifierTask, &a, &c, &record); err != nil {
		return nil, err
	}
	if c.Height != images.Height || c.Width != images.Width || c.Channels != images.Channels {
		return nil, fmt.Errorf("%s learnt from images of %d×%d×%d, and these have %d×%d×%d: give a classifier for images of this size",
			path, c.Height, c.Width, c.Channels, images.Height, images.Width, images.Channels)
	}
	net, err := f.Layer("network", a.Network)
	if err != nil {
		return nil, err
	}
	layers, err := body(net)
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	n, err := newNetwork(e, layers, backend.NewStore(), c.Images)
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	if err := f.Fill(n.params, n.store); err != nil {
		return nil, err
	}
	s := &Space{Kind: KindGiven, Model: path, Dim: n.dim, vectors: n.vectors}
	for i, epoch := range record.Epochs {
		if epoch.Epoch == record.BestEpoch {
			s.Accuracy = record.Epochs[i].Score
		}
	}
	return s, nil
}

// body returns the layers of a classifier before its last dense one. Where
// that has a flattened grid before it the grid stays one.
func body(net nn.Layer) (nn.Sequential, error) {
	layers, ok := net.(nn.Sequential)
	if !ok {
		return nil, fmt.Errorf("its network is a %s and no sequence of layers", net.Kind())
	}
	for i := len(layers) - 1; i > 0; i-- {
		if _, ok := layers[i].(nn.Dense); !ok {
			continue
		}
		for ; i > 0; i-- {
			switch layers[i-1].(type) {
			case nn.Dropout, nn.Flatten:
				continue
			}
			break
		}
		return layers[:i:i], nil
	}
	return nil, fmt.Errorf("its network has no dense layer with others before it")
}

// network computes vectors by a part of a network.
type network struct {
	store   *backend.Store
	params  []nn.Param
	image   run.Images
	dim     int
	batch   int
	forward *engine.Function
}

// newNetwork makes the function of layers on a store that holds their
// parameters or is about to.
func newNetwork(e *engine.Engine, layers nn.Layer, store *backend.Store, image run.Images) (*network, error) {
	n := &network{store: store, image: image}
	trace := func(ctx *nn.Context, images *graph.Node) *graph.Node {
		y := ctx.Layer(scope, layers, images)
		if y.Shape().Rank() == 4 { // averaged over the places of a grid
			y = ctx.Builder().Mean(y, 1, 2)
		}
		return ctx.Builder().Reshape(y, images.Shape()[0], y.Shape().Elements()/images.Shape()[0])
	}
	b := graph.NewBuilder("features")
	ctx := nn.NewContext(b, nn.Options{})
	y := trace(ctx, b.Input("x", tensor.Float32, 1, image.Height, image.Width, image.Channels))
	if err := b.Err(); err != nil {
		return nil, err
	}
	var err error
	if n.batch, err = model.Batch(image.Height*image.Width*image.Channels, ctx.Rows()); err != nil {
		return nil, err
	}
	n.params, n.dim = ctx.Params(), y.Shape().Elements()
	n.forward = e.NewFunction("features", store, func(b *graph.Builder, batch int) {
		images := b.Input("images", tensor.Uint8, batch, image.Height, image.Width, image.Channels)
		b.Output("vectors", trace(nn.NewContext(b, nn.Options{}), model.Pixels(b, images)))
	})
	return n, nil
}

func (n *network) vectors(images []uint8) ([]float32, error) {
	d := n.image.Height * n.image.Width * n.image.Channels
	if len(images)%d != 0 {
		return nil, fmt.Errorf("features: %d bytes are no whole number of %d×%d×%d images", len(images), n.image.Height, n.image.Width, n.image.Channels)
	}
	all := make([]float32, len(images)/d*n.dim)
	err := model.InBatches(len(images)/d, n.batch, func(at, count, batch int) error {
		in := tensor.New(tensor.Uint8, batch, n.image.Height, n.image.Width, n.image.Channels)
		copy(in.Uint8(), images[at*d:(at+count)*d])
		p, err := n.forward.Run(batch, in)
		if err == nil {
			copy(all[at*n.dim:(at+count)*n.dim], p.Output(0).Float32())
		}
		return err
	})
	return all, err
}

const (
	// maxComponents is how many principal components a space has at most.
	maxComponents = 64
	// maxRows and maxMatrix bound the images that they are found by: their
	// number, and the bytes of their pixels as numbers.
	maxRows   = 10_000
	maxMatrix = 256 << 20
)

// Components takes the principal components of images at indices for a space.
func Components(e *engine.Engine, set *data.Set, indices []int, seed uint64) (*Space, error) {
	most := min(maxRows, max(2, maxMatrix/(4*set.ImageBytes())))
	o := pca.Options{Seed: seed, Pool: e.Pool(), ISA: e.Level().String()}
	rows := model.Floats(set.Gather(run.Spread(indices, most)))
	matrix, err := pca.Matrix(rows, set.ImageBytes())
	if err != nil {
		return nil, err
	}
	m, err := pca.Fit(matrix, max(1, min(maxComponents, set.ImageBytes(), matrix.Len()-1)), o)
	if err != nil {
		return nil, fmt.Errorf("cannot find the principal components that images are to be judged by: %w", err)
	}
	return &Space{Kind: KindComponents, Dim: m.K(), vectors: func(images []uint8) ([]float32, error) {
		return m.Transform(model.Floats(images), o)
	}}, nil
}
