package generate

import (
	"encoding/json"
	"math"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/nn"
	"hourglass/train"
	"hourglass/train/latent"
	"hourglass/train/model"
)

// Model is a trained encoder, decoder and distribution of codes, each of which
// is of use by itself.
//
// It serves one goroutine at a time, and so do all models of an engine, whose
// workers they share: a second call panics. To run several at once give each
// goroutine an engine, with one thread for instance, and a model loaded on it.
type Model struct {
	config Config
	coder  *latent.Coder
	prior  *latent.Prior
	sigma  float64 // deviation of images around what is decoded, in 0–1
	record train.Record
}

// Config returns the choices that the model was made with.
func (m *Model) Config() Config { return m.config }

// Record returns the record of the training of the encoder and the decoder.
func (m *Model) Record() train.Record { return m.record }

// Rows describes the layers of the encoder, the decoder and the second stage.
func (m *Model) Rows() (encoder, decoder, prior []nn.Row) {
	encoder, decoder = m.coder.Rows()
	return encoder, decoder, m.prior.Rows()
}

// Parameters returns how many numbers were learnt.
func (m *Model) Parameters() int {
	sum := 0
	for _, params := range [][]nn.Param{m.coder.Params(), m.prior.Params()} {
		for _, p := range params {
			if p.Trainable {
				sum += p.Node.Shape().Elements()
			}
		}
	}
	return sum
}

// Sigma returns the deviation, on values in 0–1, of images around what their
// codes are decoded to.
func (m *Model) Sigma() float64 { return m.sigma }

// Prior returns the distribution of codes.
func (m *Model) Prior() *latent.Prior { return m.prior }

// Encode returns the mean and the deviation [N,k] of the numbers of the codes
// of images [N,H,W,C].
func (m *Model) Encode(images []uint8) (mean, deviation []float32, err error) {
	p, err := m.coder.Posterior(images)
	if err != nil {
		return nil, nil, err
	}
	deviation = p.LogVariance
	for i, v := range deviation {
		deviation[i] = float32(math.Exp(float64(v) / 2))
	}
	return p.Mean, deviation, nil
}

// Decode returns the images [N,H,W,C], in 0–1, of codes [N,k].
func (m *Model) Decode(codes []float32) ([]float32, error) { return m.coder.Decode(codes) }

// Sample returns n images [n,H,W,C] in 0–1: those of the numbers at, at+1, …
// of a seed. Each is a function of the model, the seed and its number alone.
func (m *Model) Sample(n int, seed uint64, at int) ([]float32, error) {
	codes, err := m.prior.Codes(latent.Draw(n, m.prior.Noise(), seed, at))
	if err != nil {
		return nil, err
	}
	return m.Decode(codes)
}

// SamplePlain returns images of codes that are standard normal numbers, as the
// first stage alone would have it.
func (m *Model) SamplePlain(n int, seed uint64, at int) ([]float32, error) {
	return m.Decode(latent.Draw(n, m.config.Latent, seed, at))
}

type architecture struct {
	Encoder json.RawMessage     `json:"encoder"`
	Decoder json.RawMessage     `json:"decoder"`
	Prior   latent.Architecture `json:"prior"`
	Sigma   float64             `json:"sigma"`
}

// Save writes the model to a file. The same model gives the same bytes.
func (m *Model) Save(path string) error {
	a := architecture{Sigma: m.sigma}
	var err error
	if a.Encoder, err = nn.Marshal(m.coder.Encoder); err != nil {
		return err
	}
	if a.Decoder, err = nn.Marshal(m.coder.Decoder); err != nil {
		return err
	}
	if a.Prior, err = m.prior.Architecture(); err != nil {
		return err
	}
	all := backend.NewStore()
	var params []nn.Param
	for _, part := range []struct {
		params []nn.Param
		store  *backend.Store
	}{{m.coder.Params(), m.coder.Store()}, {m.prior.Params(), m.prior.Store()}} {
		for _, p := range part.params {
			v := part.store.Get(p.Name)
			to, err := all.Variable(p.Name, v.DType(), v.Shape())
			if err != nil {
				return err
			}
			if err := to.CopyFrom(v); err != nil {
				return err
			}
			params = append(params, p)
		}
	}
	return model.Save(path, model.Envelope{Task: Task, Architecture: a, Config: m.config, Record: m.record}, params, all)
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
	m := &Model{}
	if err := f.Decode(Task, &a, &m.config, &m.record); err != nil {
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
	c := m.config
	if err := f.CheckImages(c.Height, c.Width, c.Channels); err != nil {
		return nil, err
	}
	if c.Latent < 1 || c.Latent > maxLatent {
		return nil, f.Fail("its codes have %d numbers; there must be 1 to %d", c.Latent, maxLatent)
	}
	if !(a.Sigma > 0) || math.IsInf(a.Sigma, 0) {
		return nil, f.Fail("the deviation of its images is %v, which is no positive number", a.Sigma)
	}
	m.sigma = a.Sigma
	if m.coder, err = latent.NewCoder(e, c.size(), c.Latent, true, encoder, decoder, backend.NewStore()); err != nil {
		return nil, f.Fail("%w", err)
	}
	if err := f.Fill(m.coder.Params(), m.coder.Store()); err != nil {
		return nil, err
	}
	if m.prior, err = latent.LoadPrior(e, f, a.Prior, c.Latent); err != nil {
		return nil, err
	}
	return m, nil
}
