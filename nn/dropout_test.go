package nn

import (
	"math"
	"slices"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

func TestDropoutMask(t *testing.T) {
	const rate, n = 0.3, 20000
	b := graph.NewBuilder("dropout")
	x := b.Input("x", tensor.Float32, n)
	step := b.Input("step", tensor.Int32)
	c := NewContext(b, Options{Training: true, Step: step, Seed: 5})
	y := c.Layer("drop", Dropout{rate}, x)
	grads, err := autodiff.Gradients(b.ToScalar(b.Sum(y)), []*graph.Node{x})
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", y)
	b.Output("dx", grads[0])
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	run := func(step float64) (y, dx []float64) {
		x := make([]float64, n)
		for i := range x {
			x[i] = 2
		}
		out, _, err := ref.Evaluate(g, ref.Values{"x": x, "step": {step}})
		if err != nil {
			t.Fatal(err)
		}
		return out["y"], out["dx"]
	}
	y0, dx := run(0)
	dropped := 0
	for i, v := range y0 {
		if v == 0 {
			dropped++
		} else if math.Abs(v-2/(1-rate)) > 1e-6 {
			t.Fatalf("element %d is %v, want 0 or %v", i, v, 2/(1-rate))
		}
		if math.Abs(dx[i]-v/2) > 1e-6 {
			t.Fatalf("element %d is scaled by %v and its gradient by %v", i, v/2, dx[i])
		}
	}
	if share := float64(dropped) / n; math.Abs(share-rate) > 0.02 { // six standard deviations
		t.Errorf("%.3f of the elements are dropped, want %v", share, rate)
	}
	if again, _ := run(0); !slices.Equal(again, y0) {
		t.Error("the same step has another mask")
	}
	if other, _ := run(1); slices.Equal(other, y0) {
		t.Error("two steps have the same mask")
	}
}
