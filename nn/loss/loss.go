// Package loss holds the functions that training makes small, as fragments of
// graphs. Each returns an f32 scalar and names how it reduces its elements. Where
// operands do not fit each other, the error is their builder's; they must not be
// nil.
package loss

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Reduction says how the losses of single elements become one number.
type Reduction uint8

const (
	// MeanAll divides the sum by the number of elements. It is the zero value.
	MeanAll Reduction = iota
	// SumPerImageMeanBatch adds up within each image, the first axis, and
	// averages over the images.
	SumPerImageMeanBatch
	// SumAll adds up everything.
	SumAll
)

// String returns the reduction's name.
func (r Reduction) String() string {
	switch r {
	case MeanAll:
		return "mean_all"
	case SumPerImageMeanBatch:
		return "sum_per_image_mean_batch"
	case SumAll:
		return "sum_all"
	}
	return fmt.Sprintf("loss.Reduction(%d)", uint8(r))
}

// reduce turns elements of shape [N,…] into a scalar.
func (r Reduction) reduce(elements *graph.Node) *graph.Node {
	b := elements.Builder()
	shape := elements.Shape()
	divisor := 1
	switch r {
	case MeanAll:
		divisor = shape.Elements()
	case SumPerImageMeanBatch:
		if shape.Rank() == 0 {
			b.Fail(fmt.Errorf("loss: the reduction %v needs a batch axis", r))
			return elements
		}
		divisor = shape[0]
	case SumAll:
	default:
		b.Fail(fmt.Errorf("loss: unknown reduction %v", r))
		return elements
	}
	total := b.ToScalar(b.Sum(elements))
	if divisor == 1 {
		return total
	}
	return b.Scale(total, 1/float64(divisor))
}

// paired reports whether prediction and target have one shape, and records an
// error where they have not: broadcasting here is always a mistake.
func paired(name string, prediction, target *graph.Node) bool {
	if prediction.Shape().Equal(target.Shape()) && prediction.DType() == target.DType() {
		return true
	}
	prediction.Builder().Fail(fmt.Errorf("loss: %s got a prediction of %v%v and a target of %v%v; they must agree",
		name, prediction.DType(), prediction.Shape(), target.DType(), target.Shape()))
	return false
}

// SquaredError reduces (prediction−target)².
func SquaredError(prediction, target *graph.Node, r Reduction) *graph.Node {
	if !paired("squared error", prediction, target) {
		return prediction
	}
	b := prediction.Builder()
	return r.reduce(b.Square(b.Sub(prediction, target)))
}

// L1 reduces |prediction−target|. Its gradient is 0 where both agree.
func L1(prediction, target *graph.Node, r Reduction) *graph.Node {
	if !paired("l1", prediction, target) {
		return prediction
	}
	b := prediction.Builder()
	return r.reduce(b.Abs(b.Sub(prediction, target)))
}

// Huber reduces d²/2 where d = |prediction−target| is at most delta, and
// delta·(d−delta/2) beyond (Huber 1964). A delta of 0 means 1.
func Huber(prediction, target *graph.Node, delta float64, r Reduction) *graph.Node {
	if !paired("huber", prediction, target) {
		return prediction
	}
	b := prediction.Builder()
	if delta == 0 {
		delta = 1
	}
	if !(delta > 0) {
		b.Fail(fmt.Errorf("loss: huber got a delta of %v; it must be positive", delta))
		return prediction
	}
	d := b.Abs(b.Sub(prediction, target))
	// With q = min(d, delta) both branches are q·(d − q/2), whose derivative
	// by q vanishes wherever q follows d.
	q := b.Min(d, b.Scalar(delta))
	return r.reduce(b.Mul(q, b.Sub(d, b.Scale(q, 0.5))))
}

// BinaryCrossEntropy reduces −t·log σ(x) − (1−t)·log(1−σ(x)) of logits x and
// targets t in 0–1, computed without overflow.
func BinaryCrossEntropy(logits, target *graph.Node, r Reduction) *graph.Node {
	if !paired("binary cross-entropy", logits, target) {
		return logits
	}
	b := logits.Builder()
	// log(1+exp(x)) = x/2 + |x|/2 + log(1+exp(−|x|)). Unlike the usual form
	// with max(x, 0) this has the right derivative, 1/2, at x = 0 too, where
	// the last layer may well start.
	magnitude := b.Abs(logits)
	even := b.Add(b.Scale(magnitude, 0.5), b.Log1p(b.Exp(b.Neg(magnitude))))
	softplus := b.Add(b.Scale(logits, 0.5), even)
	return r.reduce(b.Sub(softplus, b.Mul(logits, target)))
}

// SoftmaxCrossEntropy reduces −Σ q·log softmax(logits) over positions. Logits
// are […,C], labels i32 of the shape […] with values 0 to C−1, and q is the
// label's one-hot vector mixed with smoothing/C everywhere (Szegedy et al.
// 2016, section 7); smoothing 0 to less than 1. The classes of a position
// are summed under every reduction, so that [MeanAll] averages over
// positions. A position with another label adds nothing but what smoothing does,
// and still counts in the mean: WeightedCrossEntropy is for labels to be ignored.
func SoftmaxCrossEntropy(logits, labels *graph.Node, smoothing float64, r Reduction) *graph.Node {
	b := logits.Builder()
	if b.Err() != nil {
		return logits
	}
	shape := logits.Shape()
	rank := shape.Rank()
	if rank < 1 || labels.DType() != tensor.Int32 || !labels.Shape().Equal(shape[:rank-1]) {
		b.Fail(fmt.Errorf("loss: softmax cross-entropy got logits %v%v and labels %v%v; it needs f32[…,C] and i32[…]",
			logits.DType(), shape, labels.DType(), labels.Shape()))
		return logits
	}
	return CrossEntropy(logits, Smooth(b.OneHot(labels, shape[rank-1]), smoothing), r)
}

// Smooth mixes distributions q [N,C] over classes with the uniform one: the
// share smoothing of the latter, 0 to less than 1.
func Smooth(q *graph.Node, smoothing float64) *graph.Node {
	if smoothing == 0 {
		return q
	}
	b := q.Builder()
	if !(smoothing >= 0 && smoothing < 1) || q.Shape().Rank() < 1 {
		b.Fail(fmt.Errorf("loss: label smoothing is %v, of %v; it must be at least 0 and less than 1, of distributions […,C]", smoothing, q.Shape()))
		return q
	}
	return b.AddScalar(b.Scale(q, 1-smoothing), smoothing/float64(q.Shape()[q.Shape().Rank()-1]))
}

// CrossEntropy reduces −Σ q·log softmax(logits) over positions, of logits
// […,C] and weights q […,C] of the classes, which are most often a distribution.
// The classes of a position are summed under every reduction.
func CrossEntropy(logits, q *graph.Node, r Reduction) *graph.Node {
	if !paired("cross-entropy", logits, q) {
		return logits
	}
	b := logits.Builder()
	shape := logits.Shape()
	if b.Err() != nil {
		return logits
	}
	if shape.Rank() < 1 {
		b.Fail(fmt.Errorf("loss: cross-entropy got logits %v%v; it needs f32[…,C]", logits.DType(), shape))
		return logits
	}
	rank := shape.Rank()
	positions := b.Neg(b.Sum(b.Mul(q, b.LogSoftmax(logits)), rank-1))
	return r.reduce(b.Reshape(positions, shape[:rank-1]...))
}

// logFloor is added to mean squared errors before their logarithm: 50 dB.
const logFloor = 1e-5

// LogSquaredError returns the mean over the images [N,…] of half the natural
// logarithm of each one's mean squared error, to which 1e-5 is added: what
// raises the mean PSNR lowers it. Every image counts alike, however large its
// error is (Chen et al. 2022, "Simple baselines for image restoration", whose
// code trains by it).
func LogSquaredError(prediction, target *graph.Node) *graph.Node {
	if !paired("log squared error", prediction, target) {
		return prediction
	}
	b := prediction.Builder()
	var axes []int
	for i := 1; i < prediction.Shape().Rank(); i++ {
		axes = append(axes, i)
	}
	if len(axes) == 0 {
		b.Fail(fmt.Errorf("loss: log squared error got %v; it needs a batch axis and others", prediction.Shape()))
		return prediction
	}
	errors := b.Mean(b.Square(b.Sub(prediction, target)), axes...)
	return b.Scale(MeanAll.reduce(b.Log(b.AddScalar(errors, logFloor))), 0.5)
}
