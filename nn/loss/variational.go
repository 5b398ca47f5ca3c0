package loss

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
)

// leastVariance is added to the mean squared error of OptimalNormal before its
// logarithm: a deviation of a thousandth.
const leastVariance = 1e-6

// OptimalNormal returns the mean over all elements of −log N(target;
// prediction, σ²) in nats, with the variance σ² that makes it least for the
// batch: ½(1 + log 2πσ²), where σ² is the mean squared error (Rybkin et al.
// 2021, section 3.3), to which 1e-6 is added.
func OptimalNormal(prediction, target *graph.Node) *graph.Node {
	if !paired("optimal normal", prediction, target) {
		return prediction
	}
	b := prediction.Builder()
	mse := SquaredError(prediction, target, MeanAll)
	return b.Scale(b.AddScalar(b.Log(b.AddScalar(mse, leastVariance)), 1+math.Log(2*math.Pi)), 0.5)
}

// NormalDivergence reduces the elements of the Kullback–Leibler divergence
// from N(0, 1) to N(mean, exp(logVariance)) in nats, ½(μ² + σ² − 1 − log σ²)
// (Kingma & Welling 2014, appendix B).
func NormalDivergence(mean, logVariance *graph.Node, r Reduction) *graph.Node {
	b := mean.Builder()
	if !mean.Shape().Equal(logVariance.Shape()) {
		b.Fail(fmt.Errorf("loss: normal divergence got means %v and variances %v; they must agree", mean.Shape(), logVariance.Shape()))
		return mean
	}
	// exp(v)−1−v loses digits near 0, where the numbers stay that a code does
	// not use; expm1 keeps them.
	spread := b.Sub(b.Expm1(logVariance), logVariance)
	return r.reduce(b.Scale(b.Add(b.Square(mean), spread), 0.5))
}
