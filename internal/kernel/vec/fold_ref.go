package vec

import "math"

// The sums below keep eight lanes, so that a chain of additions is an eighth
// of the length and a processor can overlap them.

func sumRef(a []float32) float32 {
	var s [8]float32
	for len(a) >= 8 {
		v := (*[8]float32)(a)
		for i := range s {
			s[i] += v[i]
		}
		a = a[8:]
	}
	for i, x := range a {
		s[i] += x
	}
	return join(&s)
}

func dotRef(a, b []float32) float32 {
	b = b[:len(a)]
	var s [8]float32
	for len(a) >= 8 && len(b) >= 8 {
		v, w := (*[8]float32)(a), (*[8]float32)(b)
		for i := range s {
			s[i] += float32(v[i] * w[i])
		}
		a, b = a[8:], b[8:]
	}
	for i, x := range a {
		s[i] += float32(x * b[i])
	}
	return join(&s)
}

func join(s *[8]float32) float32 {
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func maxOfRef(a []float32) float32 {
	m := float32(math.Inf(-1))
	for _, x := range a {
		m = max(m, x)
	}
	return m
}

func argMaxStepRef(best, index, x []float32, cell float32) {
	index, x = index[:len(best)], x[:len(best)]
	for i, v := range x {
		if v > best[i] || v != v && best[i] == best[i] {
			best[i], index[i] = v, cell
		}
	}
}

func addWhereRef(dst, index, g []float32, cell float32) {
	index, g = index[:len(dst)], g[:len(dst)]
	for i := range dst {
		if index[i] == cell {
			dst[i] += g[i]
		}
	}
}

func affineRef(dst, x, m, s, b []float32) {
	x, m, s, b = x[:len(dst)], m[:len(dst)], s[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = float32((x[i]-m[i])*s[i]) + b[i]
	}
}

func affineReluRef(dst, x, m, s, b []float32) {
	x, m, s, b = x[:len(dst)], m[:len(dst)], s[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = relu(float32((x[i]-m[i])*s[i]) + b[i])
	}
}

func addDiffsRef(accSum, accSquare, x, m []float32) {
	n := len(accSum)
	accSquare, x, m = accSquare[:n], x[:n], m[:n]
	for i := range accSum {
		d := x[i] - m[i]
		accSum[i] += d
		accSquare[i] += float32(d * d)
	}
}

func addGradsRef(accGamma, accBeta, g, x, m []float32) {
	n := len(accGamma)
	accBeta, g, x, m = accBeta[:n], g[:n], x[:n], m[:n]
	for i := range accGamma {
		accGamma[i] += float32(g[i] * (x[i] - m[i]))
		accBeta[i] += g[i]
	}
}

func gradAffineRef(dst, g, x, m, a, b, c []float32) {
	n := len(dst)
	g, x, m, a, b, c = g[:n], x[:n], m[:n], a[:n], b[:n], c[:n]
	for i := range dst {
		dst[i] = float32(a[i]*g[i]) + (float32(b[i]*(x[i]-m[i])) + c[i])
	}
}

// maskedGrad is mulStep of g and the affine function of d = x-m.
func maskedGrad(g, d, s, t float32) float32 {
	if float32(d*s)+t > 0 {
		return g
	}
	return g * 0
}

func addGradsReluRef(accGamma, accBeta, g, x, m, s, t []float32) {
	n := len(accGamma)
	accBeta, g, x, m, s, t = accBeta[:n], g[:n], x[:n], m[:n], s[:n], t[:n]
	for i := range accGamma {
		d := x[i] - m[i]
		v := maskedGrad(g[i], d, s[i], t[i])
		accGamma[i] += float32(v * d)
		accBeta[i] += v
	}
}

func gradAffineReluRef(dst, g, x, m, s, t, a, b, c []float32) {
	n := len(dst)
	g, x, m, s, t, a, b, c = g[:n], x[:n], m[:n], s[:n], t[:n], a[:n], b[:n], c[:n]
	for i := range dst {
		d := x[i] - m[i]
		dst[i] = float32(a[i]*maskedGrad(g[i], d, s[i], t[i])) + (float32(b[i]*d) + c[i])
	}
}
