package vec

import "math"

// The transcendental functions in float32 arithmetic. The assembly follows
// the same steps with fused multiply-adds. Polynomials interpolate the exact
// function at the Chebyshev nodes of the interval named beside each.

const (
	log2E = 1.44269504088896340736
	ln2Hi = 0.693145751953125         // 16 significant bits: n*ln2Hi is exact for |n| < 256
	ln2Lo = 1.42860682030941723212e-6 // ln 2 - ln2Hi

	// expMax and expMin bound the argument of exp: beyond them the result is
	// Inf and 0, and the exponent arithmetic would leave its range.
	expMax = 89
	expMin = -104

	// roundMagic rounds to a whole number when added and subtracted.
	roundMagic = 3 << 22
)

// (e^r - 1 - r)/r² on [-ln2/2, ln2/2], error 6.4e-8.
const (
	exp2 = 0.5
	exp3 = 0.166665769897
	exp4 = 0.0416665546172
	exp5 = 0.00836317905272
	exp6 = 0.00139261835877
)

// exp reduces its argument to r = x - n ln 2, |r| <= ln2/2 (Cody and Waite),
// and scales the polynomial by 2^n in two steps, since neither 2^128 nor
// 2^-149 is a normal number.
func exp(x float32) float32 {
	if x != x {
		return x
	}
	x = max(min(x, expMax), expMin)
	n := float32(x*log2E) + roundMagic
	n -= roundMagic
	r := x - float32(n*ln2Hi)
	r -= float32(n * ln2Lo)
	p := float32(exp6*r) + exp5
	p = float32(p*r) + exp4
	p = float32(p*r) + exp3
	p = float32(p*r) + exp2
	p = float32(float32(p*r)*r) + r
	p++
	k := int32(n)
	h := k >> 1
	return float32(p*pow2(h)) * pow2(k-h)
}

// pow2 returns 2^k for -126 <= k <= 127.
func pow2(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }

// (log1p(f) - f + f²/2)/f³ on [sqrt(1/2)-1, sqrt(2)-1], error 3e-8.
const (
	logA = 0.3333333118
	logB = -0.24999996958
	logC = 0.200007157489
	logD = -0.166678023195
	logE = 0.142490576457
	logF = -0.124256873315
	logG = 0.116854199235
	logH = -0.114797338466
	logI = 0.0697161147145

	sqrtHalfBits = 0x3f3504f3
	mantissaMask = 0x007fffff
	minNormal    = 0x1p-126
)

// log splits x into 2^e (1+f) with 1+f in [sqrt(1/2), sqrt(2)).
func log(x float32) float32 {
	switch {
	case x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	case !(x <= math.MaxFloat32):
		return x // Inf and NaN
	}
	e := float32(0)
	if x < minNormal {
		x *= 1 << 23
		e = -23
	}
	i := int32(math.Float32bits(x)) - sqrtHalfBits
	e += float32(i >> 23)
	f := math.Float32frombits(uint32(i&mantissaMask+sqrtHalfBits)) - 1
	p := float32(logI*f) + logH
	p = float32(p*f) + logG
	p = float32(p*f) + logF
	p = float32(p*f) + logE
	p = float32(p*f) + logD
	p = float32(p*f) + logC
	p = float32(p*f) + logB
	p = float32(p*f) + logA
	f2 := f * f
	// Smallest terms first: f dominates near 1, e*ln2Hi elsewhere.
	p = float32(float32(p*f)*f2) + float32(e*ln2Lo)
	p -= float32(0.5 * f2)
	p += f
	return p + float32(e*ln2Hi)
}

// sigmoid computes e^-|x|, which cannot overflow, and uses the symmetry
// sigmoid(x) = e^x sigmoid(-x).
func sigmoid(x float32) float32 {
	e := exp(-abs(x))
	if x >= 0 {
		return 1 / (1 + e)
	}
	return e / (1 + e)
}

// (tanh(x)/x - 1)/x² in x² on [0, 0.3907], error 4.4e-8.
const (
	tanhA = -0.333333289402
	tanhB = 0.13332769342
	tanhC = -0.0538508495203
	tanhD = 0.0209968940371
	tanhE = -0.00609629952289

	tanhSmall = 0.625
)

func tanh(x float32) float32 {
	a := abs(x)
	if !(a >= tanhSmall) { // NaN too
		z := x * x
		p := float32(tanhE*z) + tanhD
		p = float32(p*z) + tanhC
		p = float32(p*z) + tanhB
		p = float32(p*z) + tanhA
		return float32(float32(p*z)*x) + x
	}
	return copysign(1-2/(exp(a+a)+1), x)
}

// erf(x)/x - 1 in x² on [0, 1], error 1.3e-9.
const (
	erfA = 0.128379165848
	erfB = -0.376126266667
	erfC = 0.112835947152
	erfD = -0.0268542120106
	erfE = 0.00518908742343
	erfF = -0.000801686428717
	erfG = 7.87587506269e-5
)

// -log(1 - erf(x)) on [0.98, 4], error 1.7e-8.
const (
	erfcA = -0.00032147102638
	erfcB = 1.13023920142
	erfcC = 0.631815699582
	erfcD = 0.110090197464
	erfcE = -0.0264270437721
	erfcF = 0.00476171723581
	erfcG = -0.000597264433142
	erfcH = 4.61129139062e-5
	erfcI = -1.63993801648e-6

	erfMax = 4 // erf rounds to 1 beyond
)

func erf(x float32) float32 {
	a := abs(x)
	if !(a >= 1) { // NaN too
		z := x * x
		p := float32(erfG*z) + erfF
		p = float32(p*z) + erfE
		p = float32(p*z) + erfD
		p = float32(p*z) + erfC
		p = float32(p*z) + erfB
		p = float32(p*z) + erfA
		return float32(p*x) + x
	}
	a = min(a, erfMax)
	p := float32(erfcI*a) + erfcH
	p = float32(p*a) + erfcG
	p = float32(p*a) + erfcF
	p = float32(p*a) + erfcE
	p = float32(p*a) + erfcD
	p = float32(p*a) + erfcC
	p = float32(p*a) + erfcB
	p = float32(p*a) + erfcA
	return copysign(1-exp(-p), x)
}

func abs(x float32) float32  { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func copysign(x, s float32) float32 {
	return math.Float32frombits(math.Float32bits(x) | math.Float32bits(s)&(1<<31))
}

// The rare ones go through float64 at every level.

func expm1(x float32) float32 { return float32(math.Expm1(float64(x))) }
func log1p(x float32) float32 { return float32(math.Log1p(float64(x))) }

func pow(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = float32(math.Pow(float64(a[i]), float64(b[i])))
	}
}

func siluGradRef(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		s := sigmoid(b[i])
		dst[i] = float32(a[i]*s) + float32(float32(a[i]*b[i])*(s-float32(s*s)))
	}
}
