package autoencode

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/format/safetensors"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
)

// Model is a trained encoder and decoder.
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
	largest := c.Height * c.Width * c.Channels
	for _, row := range ctx.Rows() {
		largest = max(largest, row.Output.Elements())
	}
	if largest > maxLayer {
		return nil, fmt.Errorf("a layer gives %d numbers for one image; the limit is %d", largest, maxLayer)
	}
	m.batch = max(1, min(maxBatch, batchElements/largest))
	m.encoderRows, m.decoderRows = ctx.Rows()[:rows], ctx.Rows()[rows:]
	m.params = ctx.Params()

	m.encode = e.NewFunction("encode", store, func(b *graph.Builder, batch int) {
		images := b.Input("images", tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		z := nn.NewContext(b, nn.Options{}).Layer("encoder", encoder, pixels(b, images))
		b.Output("codes", z)
	})
	m.decode = e.NewFunction("decode", store, func(b *graph.Builder, batch int) {
		codes := b.Input("codes", tensor.Float32, append([]int{batch}, m.codeShape...)...)
		y := nn.NewContext(b, nn.Options{}).Layer("decoder", decoder, codes)
		b.Output("images", b.Max(b.Min(y, b.Scalar(1)), b.Scalar(0)))
	})
	return m, nil
}

// pixels turns bytes into numbers in 0–1.
func pixels(b *graph.Builder, images *graph.Node) *graph.Node {
	return b.Scale(b.Cast(images), 1.0/255)
}

// Config returns the choices that the model was made with.
func (m *Model) Config() Config { return m.config }

// Rows describes the layers of the encoder and the decoder.
func (m *Model) Rows() (encoder, decoder []nn.Row) { return m.encoderRows, m.decoderRows }

// Record returns the record of the training.
func (m *Model) Record() train.Record { return m.record }

// CodeLength returns the number of elements of a code.
func (m *Model) CodeLength() int { return m.codeShape.Elements() }

const (
	// maxLayer caps the elements of one layer's result for one image, so that
	// a file that describes absurd layers is refused and not run: 1 GB.
	maxLayer = 1 << 28
	// batchElements and maxBatch bound how many images pass through a model
	// together: enough to keep its kernels busy, and no more, since the memory
	// of its programs grows with it.
	batchElements = 1 << 22
	maxBatch      = 64
)

// Encode returns the codes [N,k] of images [N,H,W,C].
func (m *Model) Encode(pixels []uint8) ([]float32, error) {
	c := m.config
	d, k := c.Height*c.Width*c.Channels, m.CodeLength()
	if len(pixels)%d != 0 {
		return nil, fmt.Errorf("autoencode: %d bytes are no whole number of %d×%d×%d images", len(pixels), c.Height, c.Width, c.Channels)
	}
	n := len(pixels) / d
	codes := make([]float32, n*k)
	err := inBatches(n, m.batch, func(at, count, batch int) error {
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
	err := inBatches(n, m.batch, func(at, count, batch int) error {
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

// inBatches calls f for runs of at most most items. A last run that is shorter
// is padded to a full batch, so that a collection needs one program; fewer than
// a batch in all make a program of their own.
func inBatches(n, most int, f func(at, count, batch int) error) error {
	batch := min(n, most)
	for at := 0; at < n; at += batch {
		if err := f(at, min(batch, n-at), batch); err != nil {
			return err
		}
	}
	return nil
}

// Keys of a model file's metadata.
const (
	keyFormat       = "format"
	keyVersion      = "version"
	keyTask         = "task"
	keyArchitecture = "architecture"
	keyConfig       = "config"
	keyPreprocess   = "preprocessing"
	keyRecord       = "training"

	modelFormat  = "hourglass model"
	modelVersion = 1
	taskName     = "autoencode"
	preprocess   = "pixels/255 in 0-1, [N,H,W,C]"
)

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
	metadata := map[string]string{
		keyFormat:     modelFormat,
		keyVersion:    strconv.Itoa(modelVersion),
		keyTask:       taskName,
		keyPreprocess: preprocess,
	}
	for key, v := range map[string]any{keyArchitecture: a, keyConfig: m.config, keyRecord: m.record.WithoutTimes()} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		metadata[key] = string(text)
	}
	var tensors []safetensors.Tensor
	for _, p := range m.params {
		v := m.store.Get(p.Name)
		tensors = append(tensors, safetensors.New(p.Name, v.Shape(), v.Float32()))
	}
	if err := safetensors.WriteFile(path, tensors, metadata); err != nil {
		return fmt.Errorf("cannot write the model %s: %w", path, err)
	}
	return nil
}

// ErrModel is in the chain of errors about a file that is not a model which
// this program can use.
var ErrModel = errors.New("not a usable model")

// Load reads a model file. Its errors name the file and say what is wrong
// with it.
func Load(e *engine.Engine, path string) (*Model, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fail := func(format string, args ...any) (*Model, error) {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrModel, fmt.Errorf(format, args...))
	}
	if got := f.Metadata[keyFormat]; got != modelFormat {
		return fail("its metadata do not say %q; it was not written by hourglass", modelFormat)
	}
	if v, err := strconv.Atoi(f.Metadata[keyVersion]); err != nil || v < 1 || v > modelVersion {
		return fail("its format has version %q and this program reads up to %d: update hourglass", f.Metadata[keyVersion], modelVersion)
	}
	if got := f.Metadata[keyTask]; got != taskName {
		return fail("it was trained for the task %q, not %q", got, taskName)
	}
	var a architecture
	var c Config
	var record train.Record
	for key, into := range map[string]any{keyArchitecture: &a, keyConfig: &c, keyRecord: &record} {
		if err := json.Unmarshal([]byte(f.Metadata[key]), into); err != nil {
			return fail("its %s cannot be read: %w", key, err)
		}
	}
	encoder, err := nn.Unmarshal(a.Encoder)
	if err != nil {
		return fail("its encoder cannot be read: %w", err)
	}
	decoder, err := nn.Unmarshal(a.Decoder)
	if err != nil {
		return fail("its decoder cannot be read: %w", err)
	}
	if err := (tensor.Shape{1, c.Height, c.Width, c.Channels}).Validate(); err != nil {
		return fail("its images have an impossible size: %w", err)
	}
	if c.Channels != 1 && c.Channels != 3 {
		return fail("its images have %d channels, and not 1 (grey) or 3 (colour)", c.Channels)
	}
	m, err := newModel(e, c, encoder, decoder, backend.NewStore())
	if err != nil {
		return fail("%w", err)
	}
	m.record = record
	for _, p := range m.params {
		// The file's header has been checked against its length, so a shape
		// found there is of a size that the file really holds.
		info, ok := f.Lookup(p.Name)
		if !ok || !tensor.Shape(info.Shape).Equal(p.Node.Shape()) {
			return fail("it has no %s of shape %v", p.Name, p.Node.Shape())
		}
		v, err := m.store.Variable(p.Name, tensor.Float32, p.Node.Shape())
		if err != nil {
			return fail("%w", err)
		}
		if err := f.Float32s(p.Name, v.Float32()); err != nil {
			return fail("%w", err)
		}
	}
	return m, nil
}
