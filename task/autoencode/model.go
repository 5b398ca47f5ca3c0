package autoencode

import (
	"encoding/json"
	"fmt"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
)

// Model is a trained encoder and decoder.
//
// It serves one goroutine at a time, and so do all models of an engine, whose
// workers they share: a second call panics. To run several at once give each
// goroutine an engine, with one thread for instance, and a model loaded on it.
type Model struct {
	config  Config
	encoder nn.Layer
	decoder nn.Layer
	store   *backend.Store
	record  train.Record

	encode, decode *engine.Function
	codeShape      tensor.Shape // of one image, as the encoder gives it
	batch          int          // images that pass through together
	encoderRows    []nn.Row
	decoderRows    []nn.Row
	params         []nn.Param
}

// newModel makes the functions of a model on a store that holds its
// parameters or is about to.
func newModel(e *engine.Engine, c Config, encoder, decoder nn.Layer, store *backend.Store) (*Model, error) {
	m := &Model{config: c, encoder: encoder, decoder: decoder, store: store}
	// Trace once to learn the shapes and to have errors early.
	b := graph.NewBuilder("autoencoder")
	ctx := nn.NewContext(b, nn.Options{})
	z := ctx.Layer("encoder", encoder, b.Input("x", tensor.Float32, 1, c.Height, c.Width, c.Channels))
	rows := len(ctx.Rows())
	y := ctx.Layer("decoder", decoder, z)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if want := (tensor.Shape{1, c.Height, c.Width, c.Channels}); !y.Shape().Equal(want) {
		return nil, fmt.Errorf("the decoder gives %v for images of %v", y.Shape(), want)
	}
	m.codeShape = z.Shape()[1:]
	var err error
	if m.batch, err = model.Batch(c.Height*c.Width*c.Channels, ctx.Rows()); err != nil {
		return nil, err
	}
	m.encoderRows, m.decoderRows = ctx.Rows()[:rows], ctx.Rows()[rows:]
	m.params = ctx.Params()

	m.encode = e.NewFunction("encode", store, func(b *graph.Builder, batch int) {
		images := b.Input("images", tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		z := nn.NewContext(b, nn.Options{}).Layer("encoder", encoder, model.Pixels(b, images))
		b.Output("codes", z)
	})
	m.decode = e.NewFunction("decode", store, func(b *graph.Builder, batch int) {
		codes := b.Input("codes", tensor.Float32, append([]int{batch}, m.codeShape...)...)
		y := nn.NewContext(b, nn.Options{}).Layer("decoder", decoder, codes)
		b.Output("images", b.Max(b.Min(y, b.Scalar(1)), b.Scalar(0)))
	})
	return m, nil
}

// Config returns the choices that the model was made with.
func (m *Model) Config() Config { return m.config }

// Rows describes the layers of the encoder and the decoder.
func (m *Model) Rows() (encoder, decoder []nn.Row) { return m.encoderRows, m.decoderRows }

// Record returns the record of the training.
func (m *Model) Record() train.Record { return m.record }

// CodeLength returns the number of elements of a code.
func (m *Model) CodeLength() int { return m.codeShape.Elements() }

// Encode returns the codes [N,k] of images [N,H,W,C].
func (m *Model) Encode(pixels []uint8) ([]float32, error) {
	c := m.config
	d, k := c.Height*c.Width*c.Channels, m.CodeLength()
	if len(pixels)%d != 0 {
		return nil, fmt.Errorf("autoencode: %d bytes are no whole number of %d×%d×%d images", len(pixels), c.Height, c.Width, c.Channels)
	}
	n := len(pixels) / d
	codes := make([]float32, n*k)
	err := model.InBatches(n, m.batch, func(at, count, batch int) error {
		in := tensor.New(tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		copy(in.Uint8(), pixels[at*d:(at+count)*d])
		p, err := m.encode.Run(batch, in)
		if err == nil {
			copy(codes[at*k:(at+count)*k], p.Output(0).Float32())
		}
		return err
	})
	return codes, err
}

// Decode returns the images [N,H,W,C], in 0–1, of codes [N,k].
func (m *Model) Decode(codes []float32) ([]float32, error) {
	c := m.config
	d, k := c.Height*c.Width*c.Channels, m.CodeLength()
	if len(codes)%k != 0 {
		return nil, fmt.Errorf("autoencode: %d numbers are no whole number of codes of length %d", len(codes), k)
	}
	n := len(codes) / k
	images := make([]float32, n*d)
	err := model.InBatches(n, m.batch, func(at, count, batch int) error {
		in := tensor.New(tensor.Float32, append([]int{batch}, m.codeShape...)...)
		copy(in.Float32(), codes[at*k:(at+count)*k])
		p, err := m.decode.Run(batch, in)
		if err == nil {
			copy(images[at*d:(at+count)*d], p.Output(0).Float32())
		}
		return err
	})
	return images, err
}

type architecture struct {
	Encoder json.RawMessage `json:"encoder"`
	Decoder json.RawMessage `json:"decoder"`
}

// Save writes the model to a file. The same model gives the same bytes.
func (m *Model) Save(path string) error {
	var a architecture
	var err error
	if a.Encoder, err = nn.Marshal(m.encoder); err != nil {
		return err
	}
	if a.Decoder, err = nn.Marshal(m.decoder); err != nil {
		return err
	}
	return model.Save(path, model.Envelope{Task: Task, Architecture: a, Config: m.config, Record: m.record}, m.params, m.store)
}

// Load reads a model file. Its errors name the file and say what is wrong
// with it.
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
	encoder, err := f.Layer("encoder", a.Encoder)
	if err != nil {
		return nil, err
	}
	decoder, err := f.Layer("decoder", a.Decoder)
	if err != nil {
		return nil, err
	}
	if err := f.CheckImages(c.Height, c.Width, c.Channels); err != nil {
		return nil, err
	}
	m, err := newModel(e, c, encoder, decoder, backend.NewStore())
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	m.record = record
	if err := f.Fill(m.params, m.store); err != nil {
		return nil, err
	}
	return m, nil
}
