package norm

import "math"

// momentsRef is the definition of Moments in float64.
func momentsRef(x []float32, c int) (mean, variance []float64) {
	mean, variance = make([]float64, c), make([]float64, c)
	r := float64(len(x) / c)
	for i, v := range x {
		mean[i%c] += float64(v) / r
	}
	for i, v := range x {
		d := float64(v) - mean[i%c]
		variance[i%c] += d * d / r
	}
	return mean, variance
}

// gradRef is the definition of GradReduce and GradInput in float64.
func gradRef(x, dy, gamma []float32, mean, variance []float64, eps float64) (dx, dgamma, dbeta []float64) {
	c := len(mean)
	r := float64(len(x) / c)
	dx, dgamma, dbeta = make([]float64, len(x)), make([]float64, c), make([]float64, c)
	xhat := func(i int) float64 { return (float64(x[i]) - mean[i%c]) / math.Sqrt(variance[i%c]+eps) }
	for i, g := range dy {
		dgamma[i%c] += float64(g) * xhat(i)
		dbeta[i%c] += float64(g)
	}
	for i, g := range dy {
		k := i % c
		dx[i] = float64(gamma[k]) / math.Sqrt(variance[k]+eps) * (float64(g) - dbeta[k]/r - xhat(i)*dgamma[k]/r)
	}
	return dx, dgamma, dbeta
}
