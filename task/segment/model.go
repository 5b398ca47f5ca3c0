package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

// Model is a trained network that gives every pixel of an image a class.
//
// It serves one goroutine at a time, and so do all models of an engine, whose
// workers they share: a second call panics. To run several at once give each
// goroutine an engine, with one thread for instance, and a model loaded on it.
type Model struct {
	config Config
	net    nn.Layer
	store  *backend.Store
	record train.Record

	classes *engine.Function // images of the model's size to classes
	shares  *engine.Function // the same to the share of each class
	batch   int              // images that pass through together
	rows    []nn.Row
	params  []nn.Param
}

// newModel makes the functions of a model on a store that holds its
// parameters or is about to.
func newModel(e *engine.Engine, c Config, net nn.Layer, store *backend.Store) (*Model, error) {
	m := &Model{config: c, net: net, store: store}
	k := len(c.Labels.Classes)
	// Trace once to learn the shapes and to have errors early.
	b := graph.NewBuilder("segmenter")
	ctx := nn.NewContext(b, nn.Options{})
	x := b.Input("x", tensor.Float32, 1, c.Height, c.Width, c.Channels)
	y := ctx.Layer("net", net, x)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if want := (tensor.Shape{1, c.Height, c.Width, k}); !y.Shape().Equal(want) {
		return nil, fmt.Errorf("the network gives %v, and not the %v of %d classes for each pixel", y.Shape(), want, k)
	}
	rows := ctx.Rows()
	if c.TTA == ttaScale {
		again := ctx.Again()
		if c.small(again, net, x); b.Err() != nil {
			return nil, b.Err()
		}
		rows = append(slices.Clip(rows), again.Rows()...)
	}
	var err error
	if m.batch, err = model.Batch(c.Height*c.Width*c.Channels, rows); err != nil {
		return nil, err
	}
	m.rows, m.params = ctx.Rows(), ctx.Params()
	m.classes = e.NewFunction("classes", store, func(b *graph.Builder, batch int) {
		b.Output("classes", b.ArgMax(c.apply(b, net, batch)))
	})
	m.shares = e.NewFunction("shares", store, func(b *graph.Builder, batch int) {
		y := c.apply(b, net, batch)
		if c.TTA != ttaScale {
			y = b.Softmax(y)
		}
		b.Output("shares", y)
	})
	return m, nil
}

// apply puts a batch of images into a graph and what the network makes of it,
// [N,H,W,K], the greatest of which is a pixel's class: logits, or, where views
// are averaged, shares.
func (c Config) apply(b *graph.Builder, net nn.Layer, batch int) *graph.Node {
	x := model.Pixels(b, b.Input("images", tensor.Uint8, batch, c.Height, c.Width, c.Channels))
	ctx := nn.NewContext(b, nn.Options{})
	y := ctx.Layer("net", net, x)
	if c.TTA != ttaScale {
		return y
	}
	return b.Scale(b.Add(b.Softmax(y), c.small(ctx.Again(), net, x)), 0.5)
}

// small adds the shares of the classes in images that are reduced before, and
// enlarges them to the images' size.
func (c Config) small(ctx *nn.Context, net nn.Layer, x *graph.Node) *graph.Node {
	b := ctx.Builder()
	reduced := func(n int) int { return max(1, int(math.Round(smaller*float64(n)))) }
	y := ctx.Layer("net", net, b.ResizeBilinear(x, reduced(c.Height), reduced(c.Width)))
	return b.ResizeBilinear(b.Softmax(y), c.Height, c.Width)
}

// Config returns the choices that the model was made with.
func (m *Model) Config() Config { return m.config }

// Rows describes the layers.
func (m *Model) Rows() []nn.Row { return m.rows }

// Record returns the record of the training.
func (m *Model) Record() train.Record { return m.record }

// With returns the model with another of [TTAs], on the same weights. Its error
// wraps [run.ErrChoice].
func (m *Model) With(e *engine.Engine, tta string) (*Model, error) {
	if err := run.OneOf("tta", tta, TTAs()); err != nil {
		return nil, err
	}
	c := m.config
	c.TTA = tta
	other, err := newModel(e, c, m.net, m.store)
	if err == nil {
		other.record = m.record
	}
	return other, err
}

// MACs returns the multiply-adds for one look at an image of the size learnt
// from.
func (m *Model) MACs() int64 {
	n := int64(0)
	for _, r := range m.rows {
		n += r.MACs
	}
	return n
}

// Classes returns the classes [N,H,W] of images [N,H,W,C] of the size learnt
// from.
func (m *Model) Classes(pixels []uint8) ([]uint8, error) {
	c := m.config
	d, area := c.Height*c.Width*c.Channels, c.Height*c.Width
	if len(pixels) == 0 || len(pixels)%d != 0 {
		return nil, fmt.Errorf("segment: %d bytes are no whole number of %d×%d×%d images", len(pixels), c.Height, c.Width, c.Channels)
	}
	n := len(pixels) / d
	out := make([]uint8, n*area)
	err := model.InBatches(n, m.batch, func(at, count, batch int) error {
		in := tensor.New(tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		copy(in.Uint8(), pixels[at*d:(at+count)*d])
		p, err := m.classes.Run(batch, in)
		if err != nil {
			return err
		}
		for i, v := range p.Output(0).Int32()[:count*area] {
			out[at*area+i] = uint8(v)
		}
		return nil
	})
	return out, err
}

// sharesOf returns the share of each class [N,H,W,K] in images of the size
// learnt from, and calls use with each image's, which is valid for the call.
func (m *Model) sharesOf(pixels []uint8, use func(i int, shares []float32)) error {
	c := m.config
	d, k := c.Height*c.Width*c.Channels, c.Height*c.Width*len(c.Labels.Classes)
	return model.InBatches(len(pixels)/d, m.batch, func(at, count, batch int) error {
		in := tensor.New(tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		copy(in.Uint8(), pixels[at*d:(at+count)*d])
		p, err := m.shares.Run(batch, in)
		if err != nil {
			return err
		}
		for i := range count {
			shares := p.Output(0).Float32()[i*k : (i+1)*k]
			if v := float64(shares[0]); math.IsNaN(v) {
				return fmt.Errorf("the model answers with %v: its weights are no numbers; train it again with a lower --lr", v)
			}
			use(at+i, shares)
		}
		return nil
	})
}

type architecture struct {
	Network json.RawMessage `json:"network"`
}

// Save writes the model to a file. The same model gives the same bytes.
func (m *Model) Save(path string) error {
	text, err := nn.Marshal(m.net)
	if err != nil {
		return err
	}
	return model.Save(path, model.Envelope{Task: Task, Architecture: architecture{text}, Config: m.config, Record: m.record}, m.params, m.store)
}

// Load reads a model file. Its errors name the file and say what is wrong with
// it.
func Load(e *engine.Engine, path string) (*Model, error) {
	f, err := model.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var a architecture
	var c Config
	var record train.Record
	if err := f.Decode(Task, &a, &c, &record); err != nil {
		return nil, err
	}
	net, err := f.Layer("network", a.Network)
	if err != nil {
		return nil, err
	}
	if err := f.CheckImages(c.Height, c.Width, c.Channels); err != nil {
		return nil, err
	}
	if err := c.Labels.Check(); err != nil {
		return nil, f.Fail("its classes cannot be used: %w", err)
	}
	if n := len(c.Labels.Classes); n < 2 {
		return nil, f.Fail("it knows %d classes; there must be at least 2", n)
	}
	c.TTA = cmp.Or(c.TTA, ttaNone) // what models said nothing of at first
	if !slices.Contains(TTAs(), c.TTA) {
		return nil, f.Fail("it averages over %q, which this program does not know: update hourglass", c.TTA)
	}
	if !(c.Scale > 0 && c.Scale <= MaxScale) {
		return nil, f.Fail("its images are scaled by %v", c.Scale)
	}
	m, err := newModel(e, c, net, backend.NewStore())
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	m.record = record
	return m, f.Fill(m.params, m.store)
}
