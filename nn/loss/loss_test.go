package loss

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

type goldenArray struct {
	Shape tensor.Shape
	Data  []float64
}

type goldenCase struct {
	Name, Reduction string
	Parameter       float64 // delta or smoothing
	Weights         []float64
	X, Target, DX   goldenArray
	Loss            float64
}

func (gc goldenCase) reduction(t *testing.T) Reduction {
	t.Helper()
	for _, r := range []Reduction{MeanAll, SumPerImageMeanBatch, SumAll} {
		if r.String() == gc.Reduction {
			return r
		}
	}
	t.Fatalf("there is no reduction %q", gc.Reduction)
	return 0
}

// labelled reports whether the target are labels.
func (gc goldenCase) labelled() bool {
	return gc.Name == "softmax_cross_entropy" || gc.Name == "weighted_cross_entropy" || gc.Name == "soft_dice"
}

// program returns a graph of the loss and its gradient by the prediction.
func (gc goldenCase) program(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder(gc.Name)
	x := b.Input("x", tensor.Float32, gc.X.Shape...)
	dtype := tensor.Float32
	if gc.labelled() {
		dtype = tensor.Int32
	}
	target := b.Input("target", dtype, gc.Target.Shape...)
	r := gc.reduction(t)
	var l *graph.Node
	switch gc.Name {
	case "squared_error":
		l = SquaredError(x, target, r)
	case "l1":
		l = L1(x, target, r)
	case "huber":
		l = Huber(x, target, gc.Parameter, r)
	case "binary_cross_entropy":
		l = BinaryCrossEntropy(x, target, r)
	case "softmax_cross_entropy":
		l = SoftmaxCrossEntropy(x, target, gc.Parameter, r)
	case "weighted_cross_entropy":
		l = WeightedCrossEntropy(x, target, gc.Weights)
	case "soft_dice":
		l = SoftDice(x, target)
	default:
		t.Fatalf("no loss is called %q", gc.Name)
	}
	if l.Shape().Rank() != 0 {
		t.Errorf("the loss has shape %v", l.Shape())
	}
	grads, err := autodiff.Gradients(l, []*graph.Node{x})
	if err != nil {
		t.Fatal(err)
	}
	b.Output("loss", l)
	b.Output("dx", grads[0])
	g, err := b.Graph()
	if err == nil {
		err = g.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (gc goldenCase) check(t *testing.T, loss float64, dx []float64, tolerance float64) {
	t.Helper()
	if !(math.Abs(loss-gc.Loss) <= tolerance*math.Abs(gc.Loss)) {
		t.Errorf("the loss is %v, PyTorch's %v", loss, gc.Loss)
	}
	largest := 0.0
	for _, w := range gc.DX.Data {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range gc.DX.Data {
		if !(math.Abs(dx[i]-w) <= tolerance*largest) {
			t.Errorf("gradient %d is %v, PyTorch has %v", i, dx[i], w)
		}
	}
}

func TestLossesAgreeWithPyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenCase }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for _, gc := range golden.Cases {
		name := fmt.Sprintf("%s %v %v %s %v", gc.Name, gc.Parameter, gc.Weights, gc.Reduction, gc.X.Shape)
		t.Run("float64/"+name, func(t *testing.T) {
			outputs, _, err := ref.Evaluate(gc.program(t), ref.Values{"x": gc.X.Data, "target": gc.Target.Data})
			if err != nil {
				t.Fatal(err)
			}
			gc.check(t, outputs["loss"][0], outputs["dx"], 1e-7)
		})
		for _, be := range testBackends(t) {
			t.Run(be.name+"/"+name, func(t *testing.T) {
				p, err := be.Compile(gc.program(t), backend.NewStore())
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Run(gc.inputs()); err != nil {
					t.Fatal(err)
				}
				dx := make([]float64, len(gc.DX.Data))
				for i, v := range p.Output(1).Float32() {
					dx[i] = float64(v)
				}
				gc.check(t, float64(p.Output(0).Float32()[0]), dx, 1e-5)
			})
		}
	}
}

func (gc goldenCase) inputs() []*tensor.Tensor {
	x, target := make([]float32, len(gc.X.Data)), make([]float32, len(gc.Target.Data))
	labels := make([]int32, len(gc.Target.Data))
	for i, v := range gc.X.Data {
		x[i] = float32(v)
	}
	for i, v := range gc.Target.Data {
		target[i], labels[i] = float32(v), int32(v)
	}
	if gc.labelled() {
		return []*tensor.Tensor{tensor.Of(x, gc.X.Shape...), tensor.Of(labels, gc.Target.Shape...)}
	}
	return []*tensor.Tensor{tensor.Of(x, gc.X.Shape...), tensor.Of(target, gc.Target.Shape...)}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		build func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node
		want  string
	}{
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return SquaredError(x, y, MeanAll) },
			"squared error got a prediction of f32[4 3] and a target of f32[4 1]"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return L1(x, y, MeanAll) }, "l1 got"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return Huber(x, y, 1, MeanAll) }, "huber got"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return Huber(x, x, -1, MeanAll) }, "delta of -1"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return BinaryCrossEntropy(x, y, MeanAll) }, "binary cross-entropy got"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return SquaredError(x, x, 9) }, "loss.Reduction(9)"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node {
			s := b.ToScalar(b.Sum(x))
			return SquaredError(s, s, SumPerImageMeanBatch)
		}, "needs a batch axis"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node {
			return SoftmaxCrossEntropy(x, y, 0, MeanAll)
		}, "it needs f32[…,C] and i32[…]"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node {
			return SoftmaxCrossEntropy(x, labels, 1, MeanAll)
		}, "smoothing is 1"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node {
			return CrossEntropy(x, Smooth(x, 5), MeanAll)
		}, "smoothing is 5"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return WeightedCrossEntropy(x, y, nil) }, "weighted cross-entropy got"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node {
			return WeightedCrossEntropy(x, labels, []float64{1, 2})
		}, "2 weights for 3 classes"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node {
			return WeightedCrossEntropy(x, labels, []float64{1, 0, 1})
		}, "weight of class 1 is 0"},
		{func(b *graph.Builder, x, y, labels *graph.Node) *graph.Node { return SoftDice(labels, x) }, "soft Dice got"},
	} {
		b := graph.NewBuilder("bad")
		x, y := b.Input("x", tensor.Float32, 4, 3), b.Input("y", tensor.Float32, 4, 1)
		l := c.build(b, x, y, b.Input("labels", tensor.Int32, 4))
		b.Output("loss", b.Neg(l))
		if err := b.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %q", err, c.want)
		}
	}
}
