package latent

import (
	"encoding/json"
	"fmt"
	"math"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/nn"
	"hourglass/train/model"
)

// Kinds of second stage. Of the codes of one variational autoencoder of the
// built-in set, k = 32, flow matching left a squared Fréchet distance of 0.42
// from held-out images (8,000 steps; 128 features of a small classifier, 2,000
// images on either side), a second variational autoencoder 1.32, a normal
// distribution 2.56, and codes from N(0, 1) 5.36; what is left after the waist alone
// is 0.26.
const (
	PriorFlow   = "flow"   // flow matching (Lipman et al. 2023)
	PriorVAE    = "vae"    // a second variational autoencoder (Dai & Wipf 2019)
	PriorNormal = "normal" // a normal distribution with a full covariance matrix
)

// Priors returns the kinds of second stage.
func Priors() []string { return []string{PriorFlow, PriorVAE, PriorNormal} }

// Prior is what the second stage learnt: how the codes of images are
// distributed. It turns standard normal numbers into codes and back.
type Prior struct {
	kind  string
	k     int
	shift []float64 // mean of the codes' numbers
	scale []float64 // and their deviation
	stage stage
	nets  []scoped
	store *backend.Store

	params []nn.Param
	rows   []nn.Row
}

// scoped is a network with the path of its parameters.
type scoped struct {
	scope string
	net   nn.Layer
}

// stage is a kind of second stage. Codes here have mean 0 and deviation 1.
type stage interface {
	// noise is how many normal numbers a code is made of.
	noise() int
	// codes turns normal numbers [N,noise] into codes [N,k].
	codes(noise []float32) ([]float32, error)
	// noises turns codes into normal numbers that give them.
	noises(codes []float32) ([]float32, error)
}

// codeBatch is how many codes pass through a second stage together, always:
// what becomes of one does not depend on how many there are.
const codeBatch = 64

// NewPrior returns a second stage of a kind for codes of k numbers, which is
// still to be taught.
func NewPrior(e *engine.Engine, kind string, k int) (*Prior, error) {
	var nets []nn.Layer
	switch kind {
	case PriorFlow:
		nets = []nn.Layer{flowNetwork(k)}
	case PriorVAE:
		encoder, decoder := secondNetworks(k)
		nets = []nn.Layer{encoder, decoder}
	case PriorNormal:
		nets = []nn.Layer{normalNetwork(k)}
	}
	return newPrior(e, kind, k, nets, 1, backend.NewStore())
}

// newPrior makes the functions of a second stage on a store that holds its
// parameters or is about to. gamma is what a second autoencoder has beside its
// networks.
func newPrior(e *engine.Engine, kind string, k int, nets []nn.Layer, gamma float64, store *backend.Store) (*Prior, error) {
	p := &Prior{kind: kind, k: k, store: store, shift: make([]float64, k), scale: make([]float64, k)}
	scopes := scopesOf[kind]
	if scopes == nil || len(nets) != len(scopes) {
		return nil, fmt.Errorf("its second stage is of the kind %q with %d networks, which this program does not know: update hourglass", kind, len(nets))
	}
	for i, net := range nets {
		p.nets = append(p.nets, scoped{scopes[i], net})
	}
	for i := range p.scale {
		p.scale[i] = 1
	}
	var err error
	switch kind {
	case PriorFlow:
		p.stage, err = newFlow(e, p)
	case PriorVAE:
		p.stage, err = newSecond(e, p, gamma)
	case PriorNormal:
		p.stage, err = newNormal(e, p)
	}
	if err == nil {
		err = p.bounded()
	}
	return p, err
}

// bounded reports networks whose layers are absurdly large.
func (p *Prior) bounded() error {
	n, err := model.Batch(p.k, p.rows)
	if err == nil && n < codeBatch {
		err = fmt.Errorf("the layers of its second stage are too large for %d codes", codeBatch)
	}
	return err
}

// Measure sets the mean and deviation of the codes of images.
func (p *Prior) Measure(q *Posterior) {
	n := float64(q.Len())
	for i := range p.k {
		mean, square := 0.0, 0.0
		for at := i; at < len(q.Mean); at += p.k {
			m := float64(q.Mean[at])
			mean += m / n
			square += (m*m + math.Exp(float64(q.LogVariance[at]))) / n
		}
		p.shift[i], p.scale[i] = mean, math.Sqrt(max(square-mean*mean, 1e-8))
	}
}

// Noise returns how many standard normal numbers a code is made of.
func (p *Prior) Noise() int { return p.stage.noise() }

// Codes turns standard normal numbers [N,Noise()] into codes [N,k].
func (p *Prior) Codes(noise []float32) ([]float32, error) {
	if len(noise)%p.Noise() != 0 {
		return nil, fmt.Errorf("latent: %d numbers are no whole number of noises of length %d", len(noise), p.Noise())
	}
	z, err := p.stage.codes(noise)
	if err != nil {
		return nil, err
	}
	for i, v := range z {
		z[i] = float32(float64(v)*p.scale[i%p.k] + p.shift[i%p.k])
	}
	return z, nil
}

// Noises turns codes [N,k] into numbers [N,Noise()] that Codes turns into
// them. Those of codes of images are about standard normal.
func (p *Prior) Noises(codes []float32) ([]float32, error) {
	if len(codes)%p.k != 0 {
		return nil, fmt.Errorf("latent: %d numbers are no whole number of codes of length %d", len(codes), p.k)
	}
	return p.stage.noises(p.standard(codes))
}

// standard gives the numbers of codes mean 0 and deviation 1.
func (p *Prior) standard(codes []float32) []float32 {
	z := make([]float32, len(codes))
	for i, v := range codes {
		z[i] = float32((float64(v) - p.shift[i%p.k]) / p.scale[i%p.k])
	}
	return z
}

// Kind returns the kind of second stage.
func (p *Prior) Kind() string { return p.kind }

// Passes returns how often a network is passed through for a code.
func (p *Prior) Passes() int {
	if p.kind == PriorFlow {
		return 2 * flowSteps
	}
	return 1
}

// Rows describes the layers.
func (p *Prior) Rows() []nn.Row { return p.rows }

// Params returns the parameters.
func (p *Prior) Params() []nn.Param { return p.params }

// Store returns what holds them.
func (p *Prior) Store() *backend.Store { return p.store }

// Architecture is how a model file describes a second stage.
type Architecture struct {
	Kind  string            `json:"kind"`
	Nets  []json.RawMessage `json:"networks"`
	Mean  []float64         `json:"mean"`
	Scale []float64         `json:"deviation"`
	Gamma float64           `json:"gamma,omitempty"`
}

// Architecture describes the second stage for a model file.
func (p *Prior) Architecture() (a Architecture, err error) {
	a = Architecture{Kind: p.kind, Mean: p.shift, Scale: p.scale}
	if s, ok := p.stage.(*second); ok {
		a.Gamma = s.gamma
	}
	for _, n := range p.nets {
		text, err := nn.Marshal(n.net)
		if err != nil {
			return a, err
		}
		a.Nets = append(a.Nets, text)
	}
	return a, nil
}

// scopesOf are the paths of the networks of each kind.
var scopesOf = map[string][]string{
	PriorFlow:   {"prior"},
	PriorVAE:    {"prior.encoder", "prior.decoder"},
	PriorNormal: {"prior"},
}

// LoadPrior reads the second stage of a model file, for codes of k numbers.
func LoadPrior(e *engine.Engine, f *model.File, a Architecture, k int) (*Prior, error) {
	if len(a.Mean) != k || len(a.Scale) != k {
		return nil, f.Fail("its second stage is for codes of %d numbers, and the decoder takes %d", len(a.Mean), k)
	}
	for i := range k {
		if math.IsNaN(a.Mean[i]) || math.IsInf(a.Mean[i], 0) || !(a.Scale[i] > 0) || math.IsInf(a.Scale[i], 0) {
			return nil, f.Fail("the mean and deviation of its codes are %v and %v, which are no usable numbers", a.Mean[i], a.Scale[i])
		}
	}
	var nets []nn.Layer
	for _, text := range a.Nets {
		net, err := f.Layer("second stage", text)
		if err != nil {
			return nil, err
		}
		nets = append(nets, net)
	}
	p, err := newPrior(e, a.Kind, k, nets, a.Gamma, backend.NewStore())
	if err != nil {
		return nil, f.Fail("%w", err)
	}
	p.shift, p.scale = a.Mean, a.Scale
	return p, f.Fill(p.params, p.store)
}
