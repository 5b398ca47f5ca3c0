package classify

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
)

// Model is a trained classifier.
//
// It serves one goroutine at a time, and so do all models of an engine, whose
// workers they share: a second call panics. To run several at once give each
// goroutine an engine, with one thread for instance, and a model loaded on it.
type Model struct {
	config      Config
	net         nn.Layer
	store       *backend.Store
	record      train.Record
	temperature float64 // what logits are divided by

	forward *engine.Function
	batch   int // images that pass through together
	rows    []nn.Row
	params  []nn.Param
}

// newModel makes the function of a model on a store that holds its parameters
// or is about to.
func newModel(e *engine.Engine, c Config, net nn.Layer, store *backend.Store) (*Model, error) {
	m := &Model{config: c, net: net, store: store, temperature: 1}
	// Trace once to learn the shapes and to have errors early.
	b := graph.NewBuilder("classifier")
	ctx := nn.NewContext(b, nn.Options{})
	y := ctx.Layer("net", net, b.Input("x", tensor.Float32, 1, c.Height, c.Width, c.Channels))
	if err := b.Err(); err != nil {
		return nil, err
	}
	if want := (tensor.Shape{1, len(c.Classes)}); !y.Shape().Equal(want) {
		return nil, fmt.Errorf("the network gives %v for an image; its %d classes need %v", y.Shape(), len(c.Classes), want)
	}
	var err error
	if m.batch, err = model.Batch(c.Height*c.Width*c.Channels, ctx.Rows()); err != nil {
		return nil, err
	}
	m.rows, m.params = ctx.Rows(), ctx.Params()
	m.forward = e.NewFunction("classify", store, func(b *graph.Builder, batch int) {
		images := b.Input("images", tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		b.Output("logits", nn.NewContext(b, nn.Options{}).Layer("net", net, model.Pixels(b, images)))
	})
	return m, nil
}

// Config returns the choices that the model was made with.
func (m *Model) Config() Config { return m.config }

// Classes returns the names of the classes, in the order of the answers.
func (m *Model) Classes() []string { return m.config.Classes }

// Rows describes the layers.
func (m *Model) Rows() []nn.Row { return m.rows }

// Record returns the record of the training.
func (m *Model) Record() train.Record { return m.record }

// Temperature returns what logits are divided by before they become
// probabilities: fitted by likelihood to the validation images (Guo et al.
// 2017, section 4.2), 1 without any.
func (m *Model) Temperature() float64 { return m.temperature }

// MACs returns the multiply-adds of one image that passes through once.
func (m *Model) MACs() int64 {
	var sum int64
	for _, r := range m.rows {
		sum += r.MACs
	}
	return sum
}

// Classify returns the probabilities [N,C] of the classes for images [N,H,W,C].
func (m *Model) Classify(images []uint8) ([]float32, error) {
	logits, err := m.Logits(images)
	if err != nil {
		return nil, err
	}
	k := len(m.config.Classes)
	for at := 0; at < len(logits); at += k {
		row := logits[at : at+k]
		peak := float64(row[argmax(row)])
		total := 0.0
		for _, v := range row {
			total += math.Exp((float64(v) - peak) / m.temperature)
		}
		for i, v := range row {
			row[i] = float32(math.Exp((float64(v)-peak)/m.temperature) / total)
		}
	}
	return logits, nil
}

// Logits returns the scores [N,C] of the classes for images [N,H,W,C],
// averaged over the views that the model was made for, before temperature.
func (m *Model) Logits(images []uint8) ([]float32, error) {
	return m.averaged(images, viewsOf(m.config.TTA))
}

// averaged returns the scores averaged over views.
func (m *Model) averaged(images []uint8, views []view) ([]float32, error) {
	c := m.config
	d, k := c.Height*c.Width*c.Channels, len(c.Classes)
	if len(images)%d != 0 {
		return nil, fmt.Errorf("classify: %d bytes are no whole number of %d×%d×%d images", len(images), c.Height, c.Width, c.Channels)
	}
	n := len(images) / d
	logits := make([]float32, n*k)
	if n == 0 {
		return logits, nil
	}
	err := model.InBatches(n, m.batch, func(at, count, batch int) error {
		in := tensor.New(tensor.Uint8, batch, c.Height, c.Width, c.Channels)
		for _, v := range views {
			v.apply(in.Uint8()[:count*d], images[at*d:(at+count)*d], c.Height, c.Width, c.Channels)
			p, err := m.forward.Run(batch, in)
			if err != nil {
				return err
			}
			for i, score := range p.Output(0).Float32()[:count*k] {
				logits[at*k+i] += float32(v.weight) * score
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, v := range logits {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, c.diverged(v)
		}
	}
	return logits, nil
}

// logitsOf returns the scores of images of a set.
func (m *Model) logitsOf(set *data.Set, indices []int, views []view) ([]float32, error) {
	var all []float32
	d := set.ImageBytes()
	for indices := range slices.Chunk(indices, model.Block(d)) {
		logits, err := m.averaged(set.Gather(indices), views)
		if err != nil {
			return nil, err
		}
		all = append(all, logits...)
	}
	return all, nil
}

// filters returns the weights of the first convolution, if it sees pixels.
func (m *Model) filters() *Filters {
	for _, p := range m.params {
		s := p.Node.Shape()
		if s.Rank() != 4 {
			continue
		}
		if s[2] != m.config.Channels || max(s[0], s[1]) > maxFilter {
			return nil
		}
		return &Filters{s[0], s[1], s[2], s[3], m.store.Get(p.Name).Float32()}
	}
	return nil
}

// maxFilter is the largest side of a filter that is shown.
const maxFilter = 11

type architecture struct {
	Network     json.RawMessage `json:"network"`
	Temperature float64         `json:"temperature"`
}

// Save writes the model to a file. The same model gives the same bytes.
func (m *Model) Save(path string) error {
	a := architecture{Temperature: m.temperature}
	var err error
	if a.Network, err = nn.Marshal(m.net); err != nil {
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
	net, err := f.Layer("network", a.Network)
	if err != nil {
		return nil, err
	}
	if err := f.CheckImages(c.Height, c.Width, c.Channels); err != nil {
		return nil, err
	}
	if len(c.Classes) < 2 {
		return nil, f.Fail("it knows %d classes; there must be at least 2", len(c.Classes))
	}
	if !(a.Temperature > 0) || math.IsInf(a.Temperature, 0) {
		return nil, f.Fail("its temperature is %v, which is no positive number", a.Temperature)
	}
	if viewsOf(c.TTA) == nil {
		return nil, f.Fail("it averages over %q, which this program does not know: update hourglass", c.TTA)
	}
	m, err := newModel(e, c, net, backend.NewStore())
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	m.record, m.temperature = record, a.Temperature
	if err := f.Fill(m.params, m.store); err != nil {
		return nil, err
	}
	return m, nil
}
