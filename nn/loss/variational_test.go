package loss

import (
	"math"
	"strings"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// checkPair compares a loss of two inputs of one shape, and its gradients, with a
// formula and its central differences.
func checkPair(t *testing.T, build func(a, b *graph.Node) *graph.Node, formula func(a, b []float64) float64, a, b []float32, shape ...int) {
	t.Helper()
	g := graph.NewBuilder("pair")
	x, y := g.Input("a", tensor.Float32, shape...), g.Input("b", tensor.Float32, shape...)
	l := build(x, y)
	grads, err := autodiff.Gradients(l, []*graph.Node{x, y})
	if err != nil {
		t.Fatal(err)
	}
	g.Output("loss", l)
	g.Output("da", grads[0])
	g.Output("db", grads[1])
	program, err := g.Graph()
	if err != nil {
		t.Fatal(err)
	}
	doubles := func(v []float32) []float64 {
		d := make([]float64, len(v))
		for i, f := range v {
			d[i] = float64(f)
		}
		return d
	}
	p, q := doubles(a), doubles(b)
	want := formula(p, q)
	for _, be := range testBackends(t) {
		run, err := be.Compile(program, backend.NewStore())
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Run([]*tensor.Tensor{tensor.Of(a, shape...), tensor.Of(b, shape...)}); err != nil {
			t.Fatal(err)
		}
		if got := float64(run.Output(0).Float32()[0]); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("%s: the loss is %v, want %v", be.name, got, want)
		}
		const h = 1e-5
		for side, v := range [][]float64{p, q} {
			for i := range v {
				at := v[i]
				v[i] = at + h
				above := formula(p, q)
				v[i] = at - h
				below := formula(p, q)
				v[i] = at
				slope := (above - below) / (2 * h)
				if got := float64(run.Output(1 + side).Float32()[i]); math.Abs(got-slope) > 2e-4*(1+math.Abs(slope)) {
					t.Errorf("%s: gradient %d of input %d is %v, want %v", be.name, i, side, got, slope)
				}
			}
		}
	}
}

func TestNormalDivergence(t *testing.T) {
	mean, logVariance := make([]float32, 6), []float32{-3, -1e-4, 0, 1e-4, 0.7, 2}
	random.Normal(mean, 1, 1, 0)
	// By the definition, from the variances themselves.
	sum := func(m, v []float64) float64 {
		s := 0.0
		for i := range m {
			s += (m[i]*m[i] + math.Exp(v[i]) - 1 - v[i]) / 2
		}
		return s
	}
	checkPair(t, func(a, b *graph.Node) *graph.Node { return NormalDivergence(a, b, SumPerImageMeanBatch) },
		func(m, v []float64) float64 { return sum(m, v) / 2 }, mean, logVariance, 2, 3)
	// N(0, 1) is no distance from itself.
	checkPair(t, func(a, b *graph.Node) *graph.Node { return NormalDivergence(a, b, SumAll) }, sum, []float32{0, 0}, []float32{0, 0}, 1, 2)
}

// TestNormalDivergenceIsAnIntegral compares with the definition of the
// divergence, ∫ q log q/p.
func TestNormalDivergenceIsAnIntegral(t *testing.T) {
	for _, c := range []struct{ mean, deviation float64 }{{0.7, 0.4}, {-1.2, 1.6}, {0, 1}} {
		integral := 0.0
		const h = 1e-3
		for x := -15.0; x < 15; x += h {
			z := (x - c.mean) / c.deviation
			logQ, logP := -z*z/2-math.Log(c.deviation), -x*x/2
			integral += h * math.Exp(logQ) / math.Sqrt(2*math.Pi) * (logQ - logP)
		}
		m, v := []float32{float32(c.mean)}, []float32{float32(2 * math.Log(c.deviation))}
		checkPair(t, func(a, b *graph.Node) *graph.Node { return NormalDivergence(a, b, SumAll) },
			func(m, v []float64) float64 { return (m[0]*m[0] + math.Exp(v[0]) - 1 - v[0]) / 2 }, m, v, 1, 1)
		if got := (c.mean*c.mean + c.deviation*c.deviation - 1 - 2*math.Log(c.deviation)) / 2; math.Abs(got-integral) > 1e-6 {
			t.Errorf("N(%v, %v²): %v in closed form, %v by integration", c.mean, c.deviation, got, integral)
		}
	}
}

func TestOptimalNormal(t *testing.T) {
	x, y := make([]float32, 12), make([]float32, 12)
	random.Uniform(x, 1, 2, 0)
	random.Uniform(y, 1, 3, 0)
	// The mean of −log N(y; x, σ²) at a variance.
	at := func(p, q []float64, variance float64) float64 {
		s := 0.0
		for i := range p {
			s += (math.Log(2*math.Pi*variance) + (p[i]-q[i])*(p[i]-q[i])/variance) / 2
		}
		return s / float64(len(p))
	}
	best := func(p, q []float64) float64 {
		mse := 0.0
		for i := range p {
			mse += (p[i] - q[i]) * (p[i] - q[i]) / float64(len(p))
		}
		return at(p, q, mse)
	}
	checkPair(t, OptimalNormal, best, x, y, 3, 4)
	// No other variance does better.
	p, q := make([]float64, 12), make([]float64, 12)
	for i := range p {
		p[i], q[i] = float64(x[i]), float64(y[i])
	}
	for _, variance := range []float64{0.01, 0.05, 0.1, 0.3, 1} {
		if other := at(p, q, variance); other < best(p, q) {
			t.Errorf("a variance of %v gives %v, less than the best, %v", variance, other, best(p, q))
		}
	}
}

func TestVariationalErrors(t *testing.T) {
	b := graph.NewBuilder("bad")
	x, y := b.Input("x", tensor.Float32, 4, 3), b.Input("y", tensor.Float32, 4, 1)
	NormalDivergence(x, y, MeanAll)
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "normal divergence got means [4 3]") {
		t.Errorf("error %v", err)
	}
	b = graph.NewBuilder("bad")
	OptimalNormal(b.Input("x", tensor.Float32, 4, 3), b.Input("y", tensor.Float32, 4, 1))
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "optimal normal got") {
		t.Errorf("error %v", err)
	}
}
