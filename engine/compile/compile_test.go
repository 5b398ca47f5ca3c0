package compile_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend/backendtest"
	"hourglass/engine/backend/ref"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// chooser lets rapid make, and simplify, the choices of a random program.
type chooser struct{ t *rapid.T }

func (c chooser) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(c.t, "choice") }

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func evaluate(t failer, g *graph.Graph, feeds ref.Values) (outputs, updates ref.Values) {
	t.Helper()
	outputs, updates, err := ref.Evaluate(g, feeds)
	if err != nil {
		t.Fatalf("%v\n%v", err, g)
	}
	return outputs, updates
}

// sameValues compares within a tolerance relative to the largest magnitude of
// a value; 0 asks for equality.
func sameValues(got, want ref.Values, tolerance float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("there are %d values, want %d", len(got), len(want))
	}
	for name, w := range want {
		g, largest := got[name], 0.0
		if len(g) != len(w) {
			return fmt.Errorf("%s has %d elements, want %d", name, len(g), len(w))
		}
		for _, v := range w {
			largest = max(largest, math.Abs(v))
		}
		for i := range w {
			if !(math.Abs(g[i]-w[i]) <= tolerance*largest) {
				return fmt.Errorf("%s: element %d is %v, want %v", name, i, g[i], w[i])
			}
		}
	}
	return nil
}

// apply runs one pass and checks that what comes out is a graph and computes
// the same.
func apply(t failer, p compile.Pass, g *graph.Graph, feeds ref.Values, tolerance float64) *graph.Graph {
	t.Helper()
	outputs, updates := evaluate(t, g, feeds)
	next, err := p.Run(g)
	if err != nil {
		t.Fatalf("%s: %v\n%v", p.Name, err, g)
	}
	if err := next.Verify(); err != nil {
		t.Fatalf("%s: %v\nbefore\n%vafter\n%v", p.Name, err, g, next)
	}
	gotOutputs, gotUpdates := evaluate(t, next, feeds)
	for _, err := range []error{sameValues(gotOutputs, outputs, tolerance), sameValues(gotUpdates, updates, tolerance)} {
		if err != nil {
			t.Fatalf("%s: %v\nbefore\n%vafter\n%v", p.Name, err, g, next)
		}
	}
	return next
}

// keepValues runs the passes in their order, twice, and each of them alone.
func keepValues(t failer, c backendtest.Chooser) {
	t.Helper()
	original, feeds, err := backendtest.RandomProgram(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	g := original
	for range 2 {
		for _, p := range compile.Passes() {
			g = apply(t, p, g, feeds, 0)
		}
	}
	for _, p := range compile.Passes() {
		apply(t, p, original, feeds, 0)
	}
}

// keepValuesInAnyOrder runs a few passes as they come: each may follow any
// other.
func keepValuesInAnyOrder(t failer, c backendtest.Chooser) {
	t.Helper()
	g, feeds, err := backendtest.RandomProgram(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	passes := compile.Passes()
	for range 4 {
		g = apply(t, passes[c.IntN(len(passes))], g, feeds, 0)
	}
}

// TestPassesKeepValues runs over programs that rapid makes, small and odd, and
// over others from a plain source, which are larger.
func TestPassesKeepValues(t *testing.T) {
	for name, check := range map[string]func(t failer, c backendtest.Chooser){
		"in order":     keepValues,
		"in any order": keepValuesInAnyOrder,
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { check(t, chooser{t}) })
			for seed := range uint64(400) {
				check(t, random.NewSource(seed, 1, 0))
			}
		})
	}
}

// network traces a small network with batch normalisation. In training it is
// a step of gradient descent; in use it has the normalisation as a factor and
// an offset, which fold into the convolutions.
func network(t *testing.T, training bool) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("network")
	x := b.Scale(b.Cast(b.Input("images", tensor.Uint8, 2, 6, 6, 1)), 1.0/256)
	var params []*graph.Node
	param := func(name string, shape ...int) *graph.Node {
		params = append(params, b.Variable(name, tensor.Float32, shape...))
		return params[len(params)-1]
	}
	block := func(x *graph.Node, conv *graph.Node, name string, channels int) *graph.Node {
		gamma, beta := param(name+".gamma", channels), param(name+".beta", channels)
		mean, variance := b.Variable(name+".mean", tensor.Float32, channels), b.Variable(name+".variance", tensor.Float32, channels)
		if !training {
			scale := b.Mul(gamma, b.Rsqrt(b.AddScalar(variance, 1e-3)))
			return b.Relu(b.Add(b.Mul(conv, scale), b.Sub(beta, b.Mul(mean, scale))))
		}
		m := b.Moments(conv)
		for i, v := range []*graph.Node{mean, variance} {
			now := b.Reshape(b.Slice(m, []int{i, 0}, []int{i + 1, channels}), channels)
			b.Update(v, b.Add(b.Scale(v, 0.875), b.Scale(now, 0.125)))
		}
		return b.Relu(b.BatchNorm(conv, m, gamma, beta, 1e-3))
	}
	half := graph.Window{Stride: [2]int{2, 2}, PadAfter: [2]int{1, 1}}
	h := block(x, b.Conv2D(x, param("conv", 3, 3, 1, 4), half, 1), "norm1", 4)
	z := b.Add(b.MatMul(b.Reshape(h, 2, 36), param("down", 36, 3), false, false), param("down.bias", 3))
	h = b.Reshape(b.MatMul(z, param("up", 3, 36), false, false), 2, 3, 3, 4)
	h = block(h, b.ConvTranspose2D(h, param("deconv", 3, 3, 2, 4), half, 1, 6, 6), "norm2", 2)
	y := b.Sigmoid(b.Add(b.Conv2D(h, param("last", 1, 1, 2, 1), graph.Window{}, 1), param("last.bias", 1)))
	b.Output("latent", z)
	if !training {
		b.Output("reconstruction", y)
	} else {
		loss := b.ToScalar(b.Mean(b.Square(b.Sub(y, x))))
		b.Output("loss", loss)
		grads, err := autodiff.Gradients(loss, params)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range params {
			b.Update(p, b.Sub(p, b.Scale(grads[i], 0.1)))
		}
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func randomFeeds(g *graph.Graph) ref.Values {
	feeds := make(ref.Values)
	for i, n := range append(g.Inputs(), g.Variables()...) {
		source := random.NewSource(1, uint64(i), 0)
		for range n.Shape().Elements() {
			v := source.NormFloat64()
			if n.DType() == tensor.Uint8 {
				v = float64(source.IntN(256))
			} else if strings.HasSuffix(n.Name(), ".variance") {
				v = math.Abs(v)
			}
			feeds[n.Name()] = append(feeds[n.Name()], v)
		}
	}
	return feeds
}

// TestNetwork follows a training step and a program for use through the
// passes: the values stay, and the text of the graph before and after is what
// the golden files hold.
func TestNetwork(t *testing.T) {
	for name, training := range map[string]bool{"training": true, "use": false} {
		t.Run(name, func(t *testing.T) {
			g := network(t, training)
			feeds := randomFeeds(g)
			golden(t, name+"_traced", g)
			for _, p := range compile.Passes() {
				// Passes may change the order of sums.
				g = apply(t, p, g, feeds, 1e-12)
			}
			golden(t, name+"_optimized", g)
		})
	}
}

func golden(t *testing.T, name string, g *graph.Graph) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got := g.String()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with go test -update)", err)
	}
	if text := strings.ReplaceAll(string(want), "\r\n", "\n"); got != text {
		t.Errorf("%s differs (if it should, go test -update); the graph is\n%s", path, got)
	}
}

// TestOptimizedNetworkHasNoRemains: what the passes are for is gone after
// them.
func TestOptimizedNetworkHasNoRemains(t *testing.T) {
	for _, training := range []bool{true, false} {
		g, err := compile.Optimize(network(t, training))
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, n := range g.Nodes {
			if n.Op().Class() == graph.ClassElementwise && n.Op() != graph.OpFused {
				t.Errorf("a %v is not in a chain:\n%v", n.Op(), g)
			}
			key := fmt.Sprintf("%v %+v %v", n.Op(), n.Attrs(), n.Inputs())
			if seen[key] && len(n.Inputs()) > 0 {
				t.Errorf("an expression is computed twice: %s\n%v", key, g)
			}
			seen[key] = true
		}
		if training {
			continue
		}
		// In use, every dense operation but the ones without a bias takes it
		// and the rectifier inside; only the weights' factors, the biases, the
		// pixels and the sigmoid are left to chains.
		for _, n := range g.Nodes {
			if c, ok := n.Attrs().(graph.ConvAttrs); ok && len(n.Inputs()) != 3 {
				t.Errorf("a %v %+v has no bias inside:\n%v", n.Op(), c, g)
			}
			if n.Op() == graph.OpFused && n.Shape().Elements() > 72 && len(n.Shape()) == 4 && n.Shape()[3] > 1 {
				t.Errorf("a chain runs over an image:\n%v", g)
			}
		}
	}
}
