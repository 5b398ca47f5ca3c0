package optim

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

func TestParse(t *testing.T) {
	for _, name := range Names() {
		want, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(name); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s reads as %+v, %v, want %+v", name, got, err, want)
		}
	}
	for text, want := range map[string]Options{
		"nesterov:momentum=0.85,decay=1e-3,bias=64": {Rule: SGD{Momentum: 0.85, Nesterov: true}, WeightDecay: 1e-3, Groups: []Group{{Suffix: ".bias", Rate: 64}}},
		"sgd:bias=0": {Rule: SGD{}, Groups: []Group{{Suffix: ".bias", Frozen: true}}},
		"muon:momentum=0.7,rest=6,length=1,decay=1e-3": {Rule: Muon{Momentum: 0.7, Rest: 6, RestMomentum: 0.85, Length: 1}, WeightDecay: 1e-3},
		"adamw:beta2=0.95,decay=0.05":                  {Rule: Adam{Beta2: 0.95}, WeightDecay: 0.05, Decoupled: true},
	} {
		if got, err := Parse(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s reads as %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"lion": "unknown", "sgd:momentum=0.9": `no setting "momentum"`, "momentum:momentum=1": "less than 1",
		"nesterov:momentum=0": "must be positive", "adam:beta1=1": "less than 1", "muon:momentum=1": "less than 1", "muon:rest=0": "rest positive", "adam:beta1=0": "must be positive", "adam:decay=x": "must be a number",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %q", text, err, want)
		}
	}
}

// A frozen parameter stays, and a factor multiplies the rate but not the decay.
func TestGroups(t *testing.T) {
	b := graph.NewBuilder("groups")
	lr, step := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)
	c := nn.NewContext(b, nn.Options{})
	var grads []*graph.Node
	for _, name := range []string{"a", "b", "c"} {
		grads = append(grads, b.Scale(c.Param(name, nn.Init{Kind: nn.InitOnes}, 1, 1), 2))
	}
	o := Options{Rule: SGD{}, WeightDecay: 0.5, Groups: []Group{{Suffix: "a", Frozen: true}, {Suffix: "b", Rate: 4}}}
	if _, err := Build(b, o, c.Params(), grads, lr, step); err != nil {
		t.Fatal(err)
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	store := backend.NewStore()
	if err := nn.Initialize(c.Params(), store, 1); err != nil {
		t.Fatal(err)
	}
	p, err := ref.New().Compile(g, store)
	if err != nil {
		t.Fatal(err)
	}
	rate, zero := tensor.New(tensor.Float32), tensor.New(tensor.Int32)
	rate.Float32()[0] = 0.1
	if err := p.Run([]*tensor.Tensor{rate, zero}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"a": 1, "b": 1 - 0.4*2 - 0.1*0.5, "c": 1 - 0.1*(2+0.5)} {
		if store.Get(name) == nil {
			continue // a frozen one that nothing reads
		}
		if got := float64(store.Get(name).Float32()[0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// What adaptive rules, and Muon for kernels, divide by the gradient's size is not
// divided by a factor too.
func TestCoupledDecay(t *testing.T) {
	b := graph.NewBuilder("decay")
	dense, kernel := b.Input("dense", tensor.Float32, 4, 4), b.Input("kernel", tensor.Float32, 3, 3, 4, 4)
	for rule, want := range map[Rule][2]float64{
		SGD{}: {0.125, 0.125}, Muon{}: {0.125, 0.5}, Adam{}: {0.5, 0.5}, Adagrad{}: {0.5, 0.5}, RMSProp{}: {0.5, 0.5},
	} {
		o := Options{Rule: rule, WeightDecay: 0.5}
		if got := [2]float64{o.coupled(dense, 4), o.coupled(kernel, 4)}; got != want {
			t.Errorf("%s adds %v of a matrix and a kernel, want %v", rule.Kind(), got, want)
		}
	}
}
