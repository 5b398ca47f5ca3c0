package optim

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

func TestNames(t *testing.T) {
	for _, name := range Names() {
		o, err := Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, _, err := updateProgram(o, map[string][]int{"w": {2, 3}, "b": {3}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r := o.DefaultRate(); r != 1e-3 && r != 1e-2 && r != 0.02 {
			t.Errorf("%s begins with the rate %v", name, r)
		}
	}
	if _, err := Named("lion"); err == nil || !strings.Contains(err.Error(), "adamw") {
		t.Errorf("an unknown name: %v", err)
	}
	if r := (Options{}).DefaultRate(); r != 1e-3 {
		t.Errorf("the zero options begin with the rate %v", r)
	}
}

func TestStatesAreNamed(t *testing.T) {
	shapes := map[string][]int{"w": {2, 3}, "b": {3}}
	for _, c := range []struct {
		rule Rule
		want []string
	}{
		{SGD{}, nil},
		{SGD{Momentum: 0.9}, []string{"optim.w.velocity", "optim.b.velocity"}},
		{Adam{}, []string{"optim.w.m", "optim.w.v", "optim.b.m", "optim.b.v"}},
		{Adam{AMSGrad: true}, []string{"optim.w.m", "optim.w.v", "optim.w.vmax", "optim.b.m", "optim.b.v", "optim.b.vmax"}},
	} {
		g, states, err := updateProgram(Options{Rule: c.rule}, shapes)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range states {
			names = append(names, s.Name())
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%+v keeps %v, want %v", c.rule, names, c.want)
		}
		if len(g.Updates) != len(states)+2 {
			t.Errorf("%+v: %d updates of 2 parameters and %d states", c.rule, len(g.Updates), len(states))
		}
	}
}

// Without clipping by norm everything must be element-wise, or an update
// costs more than one pass over memory.
func TestUpdatesAreElementwise(t *testing.T) {
	for _, rule := range []Rule{
		SGD{Momentum: 0.9, Nesterov: true}, SGD{Momentum: 0.9, Dampening: 0.5},
		Adagrad{RateDecaying: 1}, RMSProp{Centered: true, Momentum: 0.5}, Adam{AMSGrad: true},
	} {
		o := Options{Rule: rule, WeightDecay: 0.1, Decoupled: true, DecayAll: true, ClipValue: 1}
		g, _, err := updateProgram(o, map[string][]int{"w": {2, 3}, "b": {3}})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range g.Nodes {
			if c := n.Op().Class(); c != graph.ClassElementwise && c != graph.ClassLeaf {
				t.Errorf("%+v uses %v", rule, n.Op())
			}
		}
	}
}

func TestBuildErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     Options
		want  string
		spoil func(params []nn.Param, grads []*graph.Node)
	}{
		{"momentum", Options{Rule: SGD{Momentum: 1}}, "sgd: momentum is 1", nil},
		{"dampening", Options{Rule: SGD{Momentum: 0.5, Dampening: 2}}, "dampening is 2", nil},
		{"nesterov", Options{Rule: SGD{Nesterov: true}}, "nesterov needs momentum", nil},
		{"adagrad", Options{Rule: Adagrad{InitialSum: -1}}, "initial sum -1", nil},
		{"alpha", Options{Rule: RMSProp{Alpha: 1}}, "alpha is 1", nil},
		{"rmsprop momentum", Options{Rule: RMSProp{Momentum: -1}}, "momentum is -1", nil},
		{"rmsprop epsilon", Options{Rule: RMSProp{Epsilon: -1}}, "epsilon is -1", nil},
		{"beta1", Options{Rule: Adam{Beta1: 1}}, "beta1 is 1", nil},
		{"beta2", Options{Rule: Adam{Beta2: math.NaN()}}, "beta2 is NaN", nil},
		{"adam epsilon", Options{Rule: Adam{Epsilon: math.NaN()}}, "epsilon is NaN", nil},
		{"decay", Options{WeightDecay: -1}, "weight decay is -1", nil},
		{"clip value", Options{ClipValue: math.Inf(1)}, "clipping value is +Inf", nil},
		{"clip norm", Options{ClipNorm: math.NaN()}, "clipping norm is NaN", nil},
		{"state", Options{}, "not trainable", func(p []nn.Param, g []*graph.Node) { p[0].Trainable = false }},
		{"shape", Options{}, "w has shape [2 3] and its gradient []", func(p []nn.Param, g []*graph.Node) { g[0] = g[0].Builder().Scalar(1) }},
	} {
		b := graph.NewBuilder("bad")
		lr, step := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)
		params := []nn.Param{{Name: "w", Node: b.Variable("w", tensor.Float32, 2, 3), Trainable: true}}
		grads := []*graph.Node{b.Input("dw", tensor.Float32, 2, 3)}
		if c.spoil != nil {
			c.spoil(params, grads)
		}
		if _, err := Build(b, c.o, params, grads, lr, step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %q", c.name, err, c.want)
		}
		if _, err := Build(b, Options{}, params, nil, lr, step); err == nil || !strings.Contains(err.Error(), "1 parameters and 0 gradients") {
			t.Errorf("a missing gradient: %v", err)
		}
		if _, err := Build(b, Options{}, nil, nil, step, lr); err == nil || !strings.Contains(err.Error(), "must be scalars") {
			t.Errorf("rate and step mixed up: %v", err)
		}
	}
}

func TestOptionsJSON(t *testing.T) {
	for _, o := range []Options{
		{Rule: SGD{}},
		{Rule: SGD{Momentum: 0.9, Dampening: 0.1}, ClipValue: 1, ClipNorm: 2},
		{Rule: Adagrad{Epsilon: 1e-3, InitialSum: 1, RateDecaying: 2}, WeightDecay: 0.1, DecayAll: true},
		{Rule: RMSProp{Alpha: 0.5, Epsilon: 1e-3, Momentum: 0.2, Centered: true}},
		{Rule: Adam{Beta1: 0.5, Beta2: 0.6, Epsilon: 1e-3, AMSGrad: true}, WeightDecay: 0.1, Decoupled: true},
		{Rule: Muon{Momentum: 0.5, Rest: 2, RestMomentum: 0.6}},
	} {
		data, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var again Options
		if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, o) {
			t.Errorf("%s reads as %+v, %v, want %+v", data, again, err, o)
		}
	}
	if data, err := json.Marshal(Options{}); err != nil || string(data) != `{"rule":"adam"}` {
		t.Errorf("the zero options are %s, %v", data, err)
	}
	for _, bad := range []string{
		`{}`, `{"rule":"lion"}`, `{"rule":"adam","settings":{"beta3":1}}`, `{"rule":"adam","colour":1}`, `[]`,
	} {
		if err := json.Unmarshal([]byte(bad), new(Options)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestGlobalNormOfNothing(t *testing.T) {
	b := graph.NewBuilder("norm")
	if n := GlobalNorm(b, nil); n.Shape().Rank() != 0 || b.Err() != nil {
		t.Errorf("shape %v, %v", n.Shape(), b.Err())
	}
}
