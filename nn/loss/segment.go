package loss

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Losses of dense labels, where a position may belong to no class: a label
// outside 0 to C−1 weighs nothing.

// dense reports whether logits are f32[…,C] and labels i32[…], and records an
// error where they are not.
func dense(name string, logits, labels *graph.Node) bool {
	b := logits.Builder()
	if b.Err() != nil {
		return false
	}
	shape := logits.Shape()
	rank := shape.Rank()
	if rank < 2 || labels.DType() != tensor.Int32 || !labels.Shape().Equal(shape[:rank-1]) {
		b.Fail(fmt.Errorf("loss: %s got logits %v%v and labels %v%v; it needs f32[…,C] and i32[…]",
			name, logits.DType(), shape, labels.DType(), labels.Shape()))
		return false
	}
	return true
}

// WeightedCrossEntropy returns Σ w·(−log softmax(logits) at the label) / Σ w
// over the positions that have a class, w being the weight of it (PyTorch's
// cross entropy with weights and an ignored index); 0 where none has. Logits
// are […,C], labels i32 of the shape […]; a label outside 0 to C−1 is ignored.
// Weights are positive, one for each class; nil means 1.
func WeightedCrossEntropy(logits, labels *graph.Node, weights []float64) *graph.Node {
	if !dense("weighted cross-entropy", logits, labels) {
		return logits
	}
	b := logits.Builder()
	rank := logits.Shape().Rank()
	classes := logits.Shape()[rank-1]
	q := b.OneHot(labels, classes)
	if weights != nil {
		if len(weights) != classes {
			b.Fail(fmt.Errorf("loss: weighted cross-entropy got %d weights for %d classes", len(weights), classes))
			return logits
		}
		w := make([]float32, classes)
		for i, v := range weights {
			if !(v > 0) || math.IsInf(v, 0) {
				b.Fail(fmt.Errorf("loss: the weight of class %d is %v; it must be positive", i, v))
				return logits
			}
			w[i] = float32(v)
		}
		q = b.Mul(q, b.Constant(tensor.Of(w, classes)))
	}
	total := b.ToScalar(b.Sum(b.Mul(q, b.LogSoftmax(logits))))
	weight := b.Max(b.ToScalar(b.Sum(q)), b.Scalar(math.SmallestNonzeroFloat32*(1<<24)))
	return b.Neg(b.Div(total, weight))
}

// diceSmoothing is added above and below, in positions: it keeps a class of few
// of them from deciding everything.
const diceSmoothing = 1

// SoftDice returns 1 − the mean Dice coefficient (2·Σpq + s)/(Σp + Σq + s) of
// the classes that occur, p being the softmax of the logits, q the label's
// one-hot vector, the sums over all positions of the batch that have a class
// (Sudre et al. 2017, section 2.1, without weights), and s = 1; 0 where no
// position has a class. Logits and labels are as in [WeightedCrossEntropy].
func SoftDice(logits, labels *graph.Node) *graph.Node {
	if !dense("soft Dice", logits, labels) {
		return logits
	}
	b := logits.Builder()
	rank := logits.Shape().Rank()
	classes := logits.Shape()[rank-1]
	positions := make([]int, rank-1)
	for i := range positions {
		positions[i] = i
	}
	count := func(x *graph.Node) *graph.Node { return b.Reshape(b.Sum(x, positions...), classes) }
	q := b.OneHot(labels, classes)
	p := b.Mul(b.Softmax(logits), b.Sum(q, rank-1)) // nothing where there is no class
	labelled := count(q)
	dice := b.Div(
		b.AddScalar(b.Scale(count(b.Mul(p, q)), 2), diceSmoothing),
		b.AddScalar(b.Add(count(p), labelled), diceSmoothing))
	occurs := b.Step(labelled)
	lost := b.ToScalar(b.Sum(b.Mul(occurs, b.AddScalar(b.Neg(dice), 1))))
	return b.Div(lost, b.Max(b.ToScalar(b.Sum(occurs)), b.Scalar(1)))
}
