package latent

import (
	"math"
	"testing"
)

// The probabilities of the 256 levels add up to one, whatever the decoder
// says.
func TestLevelsAddUp(t *testing.T) {
	for _, mean := range []float32{-0.3, 0, 0.2, 0.5, 0.998, 1, 4} {
		for _, sigma := range []float64{0.001, 0.05, 0.3, 5} {
			sum := 0.0
			for v := range 256 {
				sum += math.Exp(-NegativeLogLikelihood([]uint8{uint8(v)}, []float32{mean}, sigma))
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("mean %v, deviation %v: the levels have a probability of %v in all", mean, sigma, sum)
			}
		}
	}
}

// Between levels a density that hardly changes times their width is the
// probability, which is what training uses.
func TestObjectiveIsTheLikelihood(t *testing.T) {
	const n = 20_000
	image, decoded := make([]uint8, n), make([]float32, n)
	mse := 0.0
	for i := range image {
		// Errors of a triangle's distribution around levels in the middle.
		image[i] = uint8(100 + i%50)
		e := (float64((i*7919)%1000)/1000 + float64((i*104729)%1000)/1000 - 1) * 0.2
		decoded[i] = float32(float64(image[i])/255 + e)
		mse += e * e / n
	}
	sigma := math.Sqrt(mse)
	exact := Bits(NegativeLogLikelihood(image, decoded, sigma), n)
	if near := objective(mse, 0, 1, n); math.Abs(near-exact) > 0.002 {
		t.Errorf("%v bits by the density, %v by the probability", near, exact)
	}
	if with := objective(mse, 30, 2, n); math.Abs(with-objective(mse, 0, 1, n)-60/math.Ln2/n) > 1e-12 {
		t.Error("the divergence does not add β times its nats")
	}
}

// Far out in the tails probabilities vanish in float64, and their logarithms
// must not.
func TestTails(t *testing.T) {
	last := 0.0
	for _, sigma := range []float64{0.1, 0.03, 0.01, 0.003, 0.001} {
		got := NegativeLogLikelihood([]uint8{200}, []float32{0.1}, sigma)
		d, width := (199.5/255-0.1)/sigma, 1/255.0/sigma // the nearer edge and the level's width, in deviations
		// −log of the tail's probability is d²/2 + log(d√2π) and a little; the
		// level has all of it but what lies beyond its farther edge.
		want := d*d/2 + math.Log(d*math.Sqrt(2*math.Pi)) - math.Log(-math.Expm1(-d*width-width*width/2))
		if math.Abs(got-want) > 0.01*want || got <= last || math.IsInf(got, 0) {
			t.Errorf("deviation %v: %v nats, want about %v", sigma, got, want)
		}
		last = got
	}
}
