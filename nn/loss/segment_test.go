package loss

import (
	"testing"

	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Positions without a class must weigh nothing, whatever their logits, and a
// batch of nothing else must not become NaN.
func TestIgnoredPositionsWeighNothing(t *testing.T) {
	losses := func(x, labels []float64) [2]float64 {
		b := graph.NewBuilder("ignored")
		logits, l := b.Input("x", tensor.Float32, len(labels), 2), b.Input("labels", tensor.Int32, len(labels))
		b.Output("ce", WeightedCrossEntropy(logits, l, []float64{1, 3}))
		b.Output("dice", SoftDice(logits, l))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := ref.Evaluate(g, ref.Values{"x": x, "labels": labels})
		if err != nil {
			t.Fatal(err)
		}
		return [2]float64{out["ce"][0], out["dice"][0]}
	}
	want := losses([]float64{1, 2, -1, 3}, []float64{0, 1})
	if got := losses([]float64{50, -50, 1, 2, 7, 7, -1, 3}, []float64{255, 0, -1, 1}); got != want {
		t.Errorf("with ignored positions the losses are %v, without %v", got, want)
	}
	if got := losses([]float64{1, 2, 3, 4}, []float64{255, 2}); got != [2]float64{} {
		t.Errorf("where all is ignored the losses are %v", got)
	}
}
