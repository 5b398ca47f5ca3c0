package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// muonStep is one step of Muon on the kernel w, in float64 and by singular values:
// the polynomial acts on each of them alone. With length 0 the kernel keeps its own.
func muonStep(w, velocity, g []float64, rows, columns int, momentum, rate, length float64) {
	direction := make([]float64, len(g))
	squares, size := 0.0, 0.0
	for i := range g {
		velocity[i] = momentum*velocity[i] + g[i]
		direction[i] = g[i] + momentum*velocity[i]
		squares += direction[i] * direction[i]
		size += w[i] * w[i]
	}
	var d mat.SVD
	d.Factorize(mat.NewDense(rows, columns, direction), mat.SVDThin)
	var u, v, turned, product mat.Dense
	d.UTo(&u)
	d.VTo(&v)
	values := d.Values(nil)
	for i, s := range values {
		s /= math.Sqrt(squares)
		for range 3 {
			s = 3.4445*s - 4.7750*s*s*s + 2.0315*s*s*s*s*s
		}
		values[i] = s
	}
	turned.Mul(&u, mat.NewDiagDense(len(values), values))
	product.Mul(&turned, v.T())
	scale := 1.0
	if length > 0 {
		scale = length * math.Sqrt(float64(columns)/size)
	}
	for i := range w {
		w[i] = w[i]*scale - rate*product.At(i/columns, i%columns)
	}
}

func TestMuon(t *testing.T) {
	const momentum, rate = 0.7, 0.1
	for i, shape := range [][]int{{3, 3, 2, 5}, {1, 1, 3, 7}, {2, 2, 4, 1}} {
		length := []float64{0, 1, 0.5}[i]
		columns := shape[3]
		rows := shape[0] * shape[1] * shape[2]
		for _, be := range testBackends(t) {
			t.Run(fmt.Sprintf("%s/%v", be.name, shape), func(t *testing.T) {
				step, store := updateOf(t, be, Options{Rule: Muon{Momentum: momentum, Length: length}}, shape...)
				random := rand.New(rand.NewPCG(1, 2))
				draw := func() []float64 {
					v := make([]float64, rows*columns)
					for i := range v {
						v[i] = float64(float32(random.NormFloat64()))
					}
					return v
				}
				w, velocity := draw(), make([]float64, rows*columns)
				copy(store.Get("w").Float32(), narrow(w))
				for i := range 3 {
					dw := draw()
					muonStep(w, velocity, dw, rows, columns, momentum, rate, length)
					step(rate, i, narrow(dw))
					for j, v := range store.Get("w").Float32() {
						if math.Abs(float64(v)-w[j]) > 1e-4 {
							t.Fatalf("element %d after step %d is %v, by singular values %v", j, i, v, w[j])
						}
					}
				}
			})
		}
	}
}

// updateOf returns what takes a step of a rule on the only parameter w, and where
// w is kept.
func updateOf(t *testing.T, be namedBackend, o Options, shape ...int) (step func(rate float64, number int, dw []float32), store *backend.Store) {
	t.Helper()
	b := graph.NewBuilder("step")
	lr, number := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)
	p := nn.Param{Name: "w", Node: b.Variable("w", tensor.Float32, shape...), Trainable: true, Decay: true}
	if _, err := Build(b, o, []nn.Param{p}, []*graph.Node{b.Input("dw", tensor.Float32, shape...)}, lr, number); err != nil {
		t.Fatal(err)
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	store = backend.NewStore()
	program, err := be.Compile(g, store)
	if err != nil {
		t.Fatal(err)
	}
	return func(rate float64, number int, dw []float32) {
		t.Helper()
		if err := program.Run([]*tensor.Tensor{tensor.Scalar(float32(rate)), tensor.Of([]int32{int32(number)}), tensor.Of(dw, shape...)}); err != nil {
			t.Fatal(err)
		}
	}, store
}

// oneStep takes one step of a rule on a parameter of ones, with a gradient of
// different numbers, and returns what becomes of it.
func oneStep(t *testing.T, o Options, rate float64, shape ...int) []float32 {
	t.Helper()
	step, store := updateOf(t, testBackends(t)[0], o, shape...)
	w := store.Get("w").Float32()
	dw := make([]float32, len(w))
	for i := range w {
		w[i], dw[i] = 1, float32(i%5)-1.5
	}
	step(rate, 0, dw)
	return w
}

// What is no kernel of several input channels follows Nesterov's momentum.
func TestMuonOfTheRest(t *testing.T) {
	muon := Options{Rule: Muon{Rest: 4, RestMomentum: 0.7}, WeightDecay: 0.1}
	nesterov := Options{Rule: SGD{Momentum: 0.7, Nesterov: true}, WeightDecay: 0.1}
	for _, shape := range [][]int{{6}, {2, 3}, {3, 3, 1, 4}} {
		if got, want := oneStep(t, muon, 0.1, shape...), oneStep(t, nesterov, 0.4, shape...); !slices.Equal(got, want) {
			t.Errorf("%v becomes %v, by Nesterov's momentum %v", shape, got, want)
		}
	}
	shape := []int{2, 2, 3, 4}
	kept := Options{Rule: Muon{Length: 1}}
	decayed := kept
	decayed.WeightDecay = 0.5
	if got, want := oneStep(t, decayed, 0.1, shape...), oneStep(t, kept, 0.1, shape...); !slices.Equal(got, want) {
		t.Errorf("weight decay changes a kernel of a given length: %v, without it %v", got, want)
	}
	for _, bad := range []Muon{{Momentum: 1}, {Momentum: -0.1}, {Rest: -1}, {Rest: math.Inf(1)}, {RestMomentum: 1}, {Length: -1}} {
		if _, _, err := updateProgram(Options{Rule: bad}, map[string][]int{"w": {2, 3}, "b": {3}}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
