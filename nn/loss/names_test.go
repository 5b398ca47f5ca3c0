package loss

import (
	"math"
	"strings"
	"testing"

	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

func TestNamed(t *testing.T) {
	want := map[string]float64{ // of predicting 3 where 1 is right
		"mse": 4, "l1": 2, "huber": 1.5, "bce": math.Log1p(math.Exp(-3)),
	}
	for _, name := range Names() {
		f, logits, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		if logits != (name == "bce") {
			t.Errorf("%s takes logits: %v", name, logits)
		}
		b := graph.NewBuilder(name)
		x, y := b.Input("x", tensor.Float32, 2), b.Input("y", tensor.Float32, 2)
		b.Output("loss", f(x, y, MeanAll))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := ref.Evaluate(g, ref.Values{"x": {3, 3}, "y": {1, 1}})
		if err != nil {
			t.Fatal(err)
		}
		if got := out["loss"][0]; math.Abs(got-want[name]) > 1e-9 {
			t.Errorf("%s is %v, want %v", name, got, want[name])
		}
	}
	if _, _, err := Named("ssim"); err == nil || !strings.Contains(err.Error(), "choose one of mse") {
		t.Errorf("an unknown name: %v", err)
	}
}
