package latent

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/enginetest"
	"hourglass/internal/random"
	"hourglass/nn"
)

// priorOf makes a second stage whose parameters are random.
func priorOf(t *testing.T, kind string, k int) *Prior {
	t.Helper()
	p, err := NewPrior(enginetest.New(t, 2), kind, k)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := p.stage.(*second); ok {
		s.gamma = 0.3
	}
	for i, param := range p.params { // zeros would make it easy
		v, err := p.store.Variable(param.Name, param.Node.DType(), param.Node.Shape())
		if err != nil {
			t.Fatal(err)
		}
		random.Normal(v.Float32(), 1, uint64(i), 0)
		for j, w := range v.Float32() {
			v.Float32()[j] = 0.05 * w
		}
	}
	if kind == PriorNormal { // axes that are at right angles, of lengths 1, 2, …
		w := p.store.Get("prior.weight").Float32()
		clear(w)
		for i := range k {
			w[i*k+(i+1)%k] = float32(i + 1)
		}
	}
	for i := range k {
		p.shift[i], p.scale[i] = float64(i), 0.5+float64(i)
	}
	return p
}

func TestAbsurdPrior(t *testing.T) {
	nets := []nn.Layer{nn.Sequential{nn.Dense{Out: 1 << 20}, nn.Dense{Out: 3}}}
	if _, err := newPrior(enginetest.New(t, 1), PriorFlow, 3, nets, 1, backend.NewStore()); err == nil || !strings.Contains(err.Error(), "too large for 64 codes") {
		t.Errorf("layers of a million numbers: %v", err)
	}
}

// Codes become noise and noise becomes codes again.
func TestNoisesInvertCodes(t *testing.T) {
	const k, n = 3, 5
	for _, kind := range Priors() {
		p := priorOf(t, kind, k)
		codes := make([]float32, n*k)
		random.Normal(codes, 2, 1, 0)
		u, err := p.Noises(codes)
		if err != nil || len(u) != n*p.Noise() {
			t.Fatalf("%s: %d numbers, %v", kind, len(u), err)
		}
		back, err := p.Codes(u)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range back {
			if math.Abs(float64(v-codes[i])) > 1e-3 {
				t.Errorf("%s: number %d is %v after %v", kind, i, v, codes[i])
			}
		}
		if _, err := p.Codes(u[1:]); err == nil {
			t.Errorf("%s takes a part of a noise", kind)
		}
		if _, err := p.Noises(codes[1:]); err == nil {
			t.Errorf("%s takes a part of a code", kind)
		}
	}
}

// A code does not depend on how many are made with it.
func TestCodesStandAlone(t *testing.T) {
	const k, n = 4, codeBatch + 3
	for _, kind := range Priors() {
		p := priorOf(t, kind, k)
		all, err := p.Codes(Draw(n, p.Noise(), 9, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, 7, n - 1} {
			one, err := p.Codes(Draw(1, p.Noise(), 9, i))
			if err != nil || !slices.Equal(one, all[i*k:(i+1)*k]) {
				t.Errorf("%s: code %d is %v among others and %v alone (%v)", kind, i, all[i*k:(i+1)*k], one, err)
			}
		}
	}
}
