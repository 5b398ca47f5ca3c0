package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// muonStep is one step of Muon on the kernel w, in float64 and by singular values:
// the polynomial acts on each of them alone.
func muonStep(w, velocity, g []float64, rows, columns int, momentum, rate float64) {
	direction := make([]float64, len(g))
	length, size := 0.0, 0.0
	for i := range g {
		velocity[i] = momentum*velocity[i] + g[i]
		direction[i] = g[i] + momentum*velocity[i]
		length += direction[i] * direction[i]
		size += w[i] * w[i]
	}
	var d mat.SVD
	d.Factorize(mat.NewDense(rows, columns, direction), mat.SVDThin)
	var u, v, turned, product mat.Dense
	d.UTo(&u)
	d.VTo(&v)
	values := d.Values(nil)
	for i, s := range values {
		s /= math.Sqrt(length)
		for range 3 {
			s = 3.4445*s - 4.7750*s*s*s + 2.0315*s*s*s*s*s
		}
		values[i] = s
	}
	turned.Mul(&u, mat.NewDiagDense(len(values), values))
	product.Mul(&turned, v.T())
	for i := range w {
		w[i] = w[i]*math.Sqrt(float64(columns)/size) - rate*product.At(i/columns, i%columns)
	}
}

func TestMuon(t *testing.T) {
	const momentum, rate = 0.7, 0.1
	for _, shape := range [][]int{{3, 3, 2, 5}, {1, 1, 3, 7}, {2, 2, 4, 1}} {
		columns := shape[3]
		rows := shape[0] * shape[1] * shape[2]
		for _, be := range testBackends(t) {
			t.Run(fmt.Sprintf("%s/%v", be.name, shape), func(t *testing.T) {
				b := graph.NewBuilder("muon")
				lr, step := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)
				p := nn.Param{Name: "w", Node: b.Variable("w", tensor.Float32, shape...), Trainable: true}
				if _, err := Build(b, Options{Rule: Muon{Momentum: momentum}}, []nn.Param{p}, []*graph.Node{b.Input("dw", tensor.Float32, shape...)}, lr, step); err != nil {
					t.Fatal(err)
				}
				g, err := b.Graph()
				if err != nil {
					t.Fatal(err)
				}
				store := backend.NewStore()
				program, err := be.Compile(g, store)
				if err != nil {
					t.Fatal(err)
				}
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
					muonStep(w, velocity, dw, rows, columns, momentum, rate)
					inputs := []*tensor.Tensor{tensor.Scalar(float32(rate)), tensor.Of([]int32{int32(i)}), tensor.Of(narrow(dw), shape...)}
					if err := program.Run(inputs); err != nil {
						t.Fatal(err)
					}
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

// What is no kernel follows Nesterov's momentum.
func TestMuonOfTheRest(t *testing.T) {
	shapes := map[string][]int{"w": {2, 3}, "b": {3}}
	muon, _, err := updateProgram(Options{Rule: Muon{Rest: 4}}, shapes)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(muon.Updates); n != 4 {
		t.Errorf("%d updates of 2 parameters with a slot each", n)
	}
	for _, bad := range []Muon{{Momentum: 1}, {Momentum: -0.1}, {Rest: -1}, {Rest: math.Inf(1)}, {RestMomentum: 1}} {
		if _, _, err := updateProgram(Options{Rule: bad}, shapes); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
