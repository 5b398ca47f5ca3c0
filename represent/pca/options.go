package pca

import (
	"fmt"

	"hourglass/internal/par"
)

// Method is a way to compute principal components.
type Method uint8

const (
	Auto       Method = iota // what Choose chooses
	Covariance               // eigenvectors of the d×d covariance matrix
	Gram                     // eigenvectors of the n×n matrix of products
	Randomized               // randomised subspace iteration
)

// String returns the name of the method in lower case.
func (m Method) String() string {
	switch m {
	case Auto:
		return "auto"
	case Covariance:
		return "covariance"
	case Gram:
		return "gram"
	case Randomized:
		return "randomized"
	}
	return fmt.Sprintf("pca.Method(%d)", uint8(m))
}

// Options are the options of Fit and of a model's methods. The zero value is
// ready to use.
type Options struct {
	// Method is how to compute; Auto, the zero value, chooses by cost.
	Method Method
	// Seed is for Randomized, and for the directions of components without
	// variance.
	Seed uint64
	// Passes is how often Randomized reads all vectors after its first look
	// at some of them; 0 means 4 where a pass takes at most 1e12 operations, 2
	// up to 4e12 and 1 above. More passes sharpen components of nearly equal
	// variance: of 784 pixels of Fashion-MNIST, k = 128 leaves an error above
	// the exact one's by 3% after one pass, 0.8% after two, 0.1% after four.
	Passes int
	// Pool is the workers, those of an engine ([hourglass/engine.Engine.Pool]), which
	// serve one call at a time: a second one panics. Nil means GOMAXPROCS threads for
	// the call.
	Pool *par.Pool
	// ISA names the instruction-set level: "avx512", "avx2" or "generic"; ""
	// means the best of this machine.
	ISA string
}

// Limits of the exact methods: their matrices have the square of it in
// float64, 200 MB.
const maxExact = 5000

// oversample is how many directions Randomized follows beyond k.
const oversample = 32

// subspace returns the number of directions that Randomized follows.
func subspace(n, d, k int) int { return min(k+oversample, n, d) }

// defaultPasses returns the passes of Randomized for Options.Passes of 0.
func defaultPasses(n, d, k int) int {
	switch operations := 4 * float64(n) * float64(d) * float64(subspace(n, d, k)); {
	case operations <= 1e12:
		return 4
	case operations <= 4e12:
		return 2
	}
	return 1
}

// Choose returns the method that Auto stands for with n vectors of d elements
// and k components: the cheaper of Covariance and Gram, if it is estimated to
// take no longer than Randomized or no longer than ten seconds, and Randomized
// otherwise. The estimate, in nanoseconds on two cores, counts 1/100 for a
// floating-point operation of a product and 3·m³ for the eigenvectors of an
// m×m matrix; matrices above 5000×5000 are left to Randomized.
func Choose(n, d, k int) Method {
	nf, df, kf := float64(n), float64(d), float64(k)
	eigen := func(m float64) float64 { return 3 * m * m * m }
	covariance := nf*df*df/100 + eigen(df)
	gram := (nf*nf*df+2*nf*kf*df+4*kf*kf*df)/100 + eigen(nf)

	l := float64(subspace(n, d, k))
	passes := float64(defaultPasses(n, d, k))
	randomized := (passes*(4*nf*l*df+6*l*l*df)+4*l*l*df)/100 + eigen(l)

	best, cost := Covariance, covariance
	if gram < covariance {
		best, cost = Gram, gram
	}
	const tenSeconds = 10e9
	if min(n, d) > maxExact || cost > max(randomized, tenSeconds) {
		return Randomized
	}
	return best
}
