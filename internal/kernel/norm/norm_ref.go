package norm

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
