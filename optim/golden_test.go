package optim

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// values holds the elements of the two parameters.
type values = map[string][]float64

type optimiserGolden struct {
	Shapes    map[string][]int
	Start     values
	Rates     []float64
	Gradients []values
	Cases     []struct {
		Name    string
		Options Options
		Path    []values
	}
}

// updateProgram builds a program that takes the gradients as inputs.
func updateProgram(o Options, shapes map[string][]int) (*graph.Graph, []*graph.Node, error) {
	b := graph.NewBuilder("update")
	lr, step := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)
	var params []nn.Param
	var grads []*graph.Node
	for _, name := range []string{"w", "b"} {
		p := nn.Param{Name: name, Node: b.Variable(name, tensor.Float32, shapes[name]...), Trainable: true}
		p.Decay = len(shapes[name]) > 1
		params = append(params, p)
		grads = append(grads, b.Input("d"+name, tensor.Float32, shapes[name]...))
	}
	states, err := Build(b, o, params, grads, lr, step)
	if err != nil {
		return nil, nil, err
	}
	g, err := b.Graph()
	if err == nil {
		err = g.Verify()
	}
	return g, states, err
}

// TestOptimisersAgreeWithPyTorch follows each rule for several steps in
// float64.
func TestOptimisersAgreeWithPyTorch(t *testing.T) {
	var golden optimiserGolden
	readGolden(t, "optimisers.json", &golden)
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			g, states, err := updateProgram(c.Options, golden.Shapes)
			if err != nil {
				t.Fatal(err)
			}
			feeds := ref.Values{}
			for name, v := range golden.Start {
				feeds[name] = v
			}
			for _, s := range states {
				feeds[s.Name()] = make([]float64, s.Shape().Elements())
			}
			for i, want := range c.Path {
				feeds["lr"], feeds["step"] = []float64{golden.Rates[i]}, []float64{float64(i)}
				for name, v := range golden.Gradients[i] {
					feeds["d"+name] = v
				}
				_, updates, err := ref.Evaluate(g, feeds)
				if err != nil {
					t.Fatal(err)
				}
				for name, v := range updates {
					feeds[name] = v
				}
				for name := range want {
					// Literals of the graph are float32, no more is exact.
					compare(t, fmt.Sprintf("%s after step %d", name, i), feeds[name], want[name], 1e-6)
				}
			}
		})
	}
}

// TestOptimisersOnBackends does the same in float32.
func TestOptimisersOnBackends(t *testing.T) {
	var golden optimiserGolden
	readGolden(t, "optimisers.json", &golden)
	for _, be := range testBackends(t) {
		for _, c := range golden.Cases {
			t.Run(be.name+"/"+c.Name, func(t *testing.T) {
				g, _, err := updateProgram(c.Options, golden.Shapes)
				if err != nil {
					t.Fatal(err)
				}
				store := backend.NewStore()
				p, err := be.Compile(g, store)
				if err != nil {
					t.Fatal(err)
				}
				for name, v := range golden.Start {
					copy(store.Get(name).Float32(), narrow(v))
				}
				for i, want := range c.Path {
					inputs := []*tensor.Tensor{
						tensor.Scalar(float32(golden.Rates[i])), tensor.Of([]int32{int32(i)}),
						tensor.Of(narrow(golden.Gradients[i]["w"]), golden.Shapes["w"]...),
						tensor.Of(narrow(golden.Gradients[i]["b"]), golden.Shapes["b"]...),
					}
					if err := p.Run(inputs); err != nil {
						t.Fatal(err)
					}
					for name := range want {
						compare(t, fmt.Sprintf("%s after step %d", name, i), widen(store.Get(name).Float32()), want[name], 1e-5)
					}
				}
			})
		}
	}
}

func compare(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*max(0.1, math.Abs(want[i]))) {
			t.Fatalf("%s: element %d is %v, PyTorch has %v", what, i, got[i], want[i])
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

func TestSchedulesAgreeWithPyTorch(t *testing.T) {
	var golden struct {
		Cases []struct {
			Schedule string
			Factors  []float64
		}
	}
	readGolden(t, "schedules.json", &golden)
	for _, c := range golden.Cases {
		s, err := ParseSchedule(c.Schedule)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Factors {
			if got := s.Factor(i, len(c.Factors)); math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: factor %d of %d is %v, PyTorch has %v", c.Schedule, i, len(c.Factors), got, want)
			}
		}
	}
}
