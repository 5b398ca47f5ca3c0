package restore

import (
	"encoding/json"
	"fmt"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/format/safetensors"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
)

// Model is a trained network that restores images of any size.
//
// It serves one goroutine at a time, and so do all models of an engine, whose
// workers they share: a second call panics. To run several at once give each
// goroutine an engine, with one thread for instance, and a model loaded on it.
type Model struct {
	config Config
	net    nn.Layer
	engine *engine.Engine
	store  *backend.Store
	record train.Record
	params []nn.Param
	rows   []nn.Row

	// The program for tiles of one size: another size takes its place, since
	// each holds the memory of all layers.
	program       backend.Program
	height, width int

	onTile func(done, of int)
}

// OnTile has f told, after each tile of an image, how many are done.
func (m *Model) OnTile(f func(done, of int)) { m.onTile = f }

// newModel makes a model on a store that holds its parameters or is about to.
func newModel(e *engine.Engine, c Config, net nn.Layer, store *backend.Store) (*Model, error) {
	m := &Model{config: c, net: net, engine: e, store: store}
	// Trace once to learn the parameters and to have errors early.
	b := graph.NewBuilder(c.Task)
	ctx := nn.NewContext(b, nn.Options{})
	y := m.restore(ctx, b, c.Height, c.Width, 1)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if want := (tensor.Shape{1, c.Height, c.Width, 3}); !y.Shape().Equal(want) {
		return nil, fmt.Errorf("the network gives %v for images of %v", y.Shape(), want)
	}
	m.rows, m.params = ctx.Rows(), ctx.Params()
	_, err := model.Batch(c.Height*c.Width*c.inputs(), m.rows)
	return m, err
}

// restore declares the inputs of a batch of images and returns what the network
// makes of them, [batch,height,width,3]: what is given and, added to it, the
// network's correction, of missing parts alone where they are known.
func (m *Model) restore(ctx *nn.Context, b *graph.Builder, height, width, batch int) *graph.Node {
	given := b.Input("given", tensor.Float32, batch, height, width, 3)
	if m.config.Task != Inpaint {
		return b.Add(given, ctx.Layer("net", m.net, given))
	}
	missing := b.Input("missing", tensor.Float32, batch, height, width, 1)
	return b.Add(given, b.Mul(missing, ctx.Layer("net", m.net, b.Concat(3, given, missing))))
}

// Config returns the choices that the model was made with.
func (m *Model) Config() Config { return m.config }

// Record returns the record of the training.
func (m *Model) Record() train.Record { return m.record }

// Rows describes the layers, for a crop.
func (m *Model) Rows() []nn.Row { return m.rows }

type architecture struct {
	Net json.RawMessage `json:"net"`
}

// Save writes the model to a file, its numbers in 16 bits. The same model gives
// the same bytes.
func (m *Model) Save(path string) error {
	net, err := nn.Marshal(m.net)
	if err != nil {
		return err
	}
	e := model.Envelope{Task: m.config.Task, Architecture: architecture{net}, Config: m.config, Record: m.record, Half: true}
	return model.Save(path, e, m.params, m.store)
}

// round makes the parameters what a file will hold of them, so that a model is
// judged as it is used.
func (m *Model) round() {
	for _, p := range m.params {
		safetensors.RoundToHalf(m.store.Get(p.Name).Float32())
	}
}

// Load reads a model file of a task. Its errors name the file and say what is
// wrong with it.
func Load(e *engine.Engine, path, task string) (*Model, error) {
	f, err := model.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return load(e, f, task)
}

func load(e *engine.Engine, f *model.File, task string) (*Model, error) {
	var a architecture
	var c Config
	var record train.Record
	if err := f.Decode(task, &a, &c, &record); err != nil {
		return nil, err
	}
	net, err := f.Layer("network", a.Net)
	if err != nil {
		return nil, err
	}
	if err := f.CheckImages(c.Height, c.Width, c.Channels); err != nil {
		return nil, err
	}
	if err := c.fits(task); err != nil {
		return nil, f.Fail("its configuration is no usable one: %w", err)
	}
	m, err := newModel(e, c, net, backend.NewStore())
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	m.record = record
	return m, f.Fill(m.params, m.store)
}
