package nn

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// goldenArray is a tensor as the golden file holds it.
type goldenArray struct {
	Shape tensor.Shape
	Data  []float64
}

type goldenCase struct {
	Name     string
	Layer    json.RawMessage
	Training bool
	X, DY    goldenArray // input, and the factors of the loss sum(y·dy)
	Y, DX    goldenArray
	Params   map[string]goldenArray // and states
	DParams  map[string]goldenArray
	After    map[string]goldenArray // states after a training step
}

func readGolden(t *testing.T) []goldenCase {
	t.Helper()
	data, err := os.ReadFile("testdata/layers.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenCase }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	return golden.Cases
}

// program traces a case with its gradients. Outputs are "y", "dx" and "d" and
// the name for each parameter.
func (gc goldenCase) program(t *testing.T) (*graph.Graph, *Context) {
	t.Helper()
	l, err := Unmarshal(gc.Layer)
	if err != nil {
		t.Fatal(err)
	}
	b := graph.NewBuilder("golden")
	x := b.Input("x", tensor.Float32, gc.X.Shape...)
	dy := b.Input("dy", tensor.Float32, gc.DY.Shape...)
	c := NewContext(b, Options{Training: gc.Training})
	y := l.Apply(c, x)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if !y.Shape().Equal(gc.Y.Shape) {
		t.Fatalf("the result is %v, PyTorch's %v", y.Shape(), gc.Y.Shape)
	}
	wrt := []*graph.Node{x}
	names := []string{"dx"}
	for _, p := range c.Trainable() {
		wrt = append(wrt, p.Node)
		names = append(names, "d"+p.Name)
	}
	grads, err := autodiff.Gradients(b.ToScalar(b.Sum(b.Mul(y, dy))), wrt)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", y)
	for i, g := range grads {
		b.Output(names[i], g)
	}
	g, err := b.Graph()
	if err == nil {
		err = g.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	return g, c
}

// check compares outputs and states with PyTorch's. The tolerance is relative
// to the largest element.
func (gc goldenCase) check(t *testing.T, outputs, states map[string][]float64, tolerance float64) {
	t.Helper()
	want := map[string]goldenArray{"y": gc.Y, "dx": gc.DX}
	for name, d := range gc.DParams {
		want["d"+name] = d
	}
	if len(outputs) != len(want) || len(states) != len(gc.After) {
		t.Errorf("%d results and %d states; PyTorch has %d and %d", len(outputs), len(states), len(want), len(gc.After))
	}
	for name, w := range want {
		compare(t, name, outputs[name], w.Data, tolerance)
	}
	for name, w := range gc.After {
		compare(t, name+" after the step", states[name], w.Data, tolerance)
	}
}

func compare(t *testing.T, name string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d elements, PyTorch's %d", name, len(got), len(want))
		return
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tolerance*largest) {
			t.Errorf("%s: element %d is %v, PyTorch has %v", name, i, got[i], w)
			return
		}
	}
}

// TestLayersAgreeWithPyTorch compares every layer's result and gradients in
// float64.
func TestLayersAgreeWithPyTorch(t *testing.T) {
	kinds := map[string]bool{}
	for _, gc := range readGolden(t) {
		t.Run(gc.Name, func(t *testing.T) {
			var kind struct{ Kind string }
			if err := json.Unmarshal(gc.Layer, &kind); err != nil {
				t.Fatal(err)
			}
			kinds[kind.Kind] = true
			g, _ := gc.program(t)
			feeds := ref.Values{"x": gc.X.Data, "dy": gc.DY.Data}
			for name, p := range gc.Params {
				feeds[name] = p.Data
			}
			outputs, states, err := ref.Evaluate(g, feeds)
			if err != nil {
				t.Fatal(err)
			}
			gc.check(t, outputs, states, 1e-7)
		})
	}
	for _, k := range Kinds() {
		if !kinds[k] {
			t.Errorf("layer %s has no golden case", k)
		}
	}
}

// TestLayersOnBackends does the same in float32.
func TestLayersOnBackends(t *testing.T) {
	for _, be := range testBackends(t) {
		for _, gc := range readGolden(t) {
			t.Run(fmt.Sprintf("%s/%s", be.name, gc.Name), func(t *testing.T) {
				g, c := gc.program(t)
				store := backend.NewStore()
				if err := Initialize(c.Params(), store, 1); err != nil {
					t.Fatal(err)
				}
				for name, p := range gc.Params {
					copy(store.Get(name).Float32(), narrow(p.Data))
				}
				p, err := be.Compile(g, store)
				if err != nil {
					t.Fatal(err)
				}
				x, dy := tensor.Of(narrow(gc.X.Data), gc.X.Shape...), tensor.Of(narrow(gc.DY.Data), gc.DY.Shape...)
				if err := p.Run([]*tensor.Tensor{x, dy}); err != nil {
					t.Fatal(err)
				}
				outputs, states := map[string][]float64{}, map[string][]float64{}
				for i, o := range g.Outputs {
					outputs[o.Name] = widen(p.Output(i).Float32())
				}
				for _, u := range g.Updates {
					states[u.Variable.Name()] = widen(store.Get(u.Variable.Name()).Float32())
				}
				gc.check(t, outputs, states, 1e-5)
			})
		}
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
