package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The steps and the constants are those of math_ref.go in package vec, which
// explains them.

func transcendental() []kernel {
	kernels := []kernel{
		unary("exp", "computes dst = e^a.", func(m *machine) body {
			low, high := m.number(-104), m.number(89)
			e := newExponential(m)
			return func(in []Op) []Op {
				VMINPS(in[0], high, in[0]) // NaN wins as the second source
				VMAXPS(in[0], low, in[0])
				return []Op{e.of(in[0], true)}
			}
		}),
		unary("log", "computes the natural logarithm.", logarithm),
		unary("log1p", "computes log(1 + a).", func(m *machine) body {
			log, one, zero, largest := logarithm(m), m.constant(1), m.zero(), m.bits(0x7f7fffff)
			minusOne := m.constant(-1)
			return func(in []Op) []Op {
				a := in[0]
				u, rest := m.vector(), m.vector()
				VADDPS(one, a, u)
				// What rounding 1+a lost, over 1+a, is the logarithm's loss.
				VADDPS(minusOne, u, rest)
				VSUBPS(rest, a, rest)
				VDIVPS(u, rest, rest)
				y := log([]Op{u})[0]
				VADDPS(y, rest, rest)
				r := m.where(m.compare(equal, a, zero), a, rest)
				r = m.where(m.compare(greaterThan, a, largest), a, r)
				return []Op{m.where(m.compare(equal, a, minusOne), y, r)}
			}
		}),
		unary("sigmoid", "computes dst = 1/(1+e^-a).", func(m *machine) body {
			sigmoid := newSigmoid(m)
			return func(in []Op) []Op { return []Op{sigmoid(in[0])} }
		}),
		unary("silu", "computes dst = a/(1+e^-a).", func(m *machine) body {
			sigmoid := newSigmoid(m)
			return func(in []Op) []Op {
				r := sigmoid(in[0])
				VMULPS(r, in[0], r)
				return []Op{r}
			}
		}),
		binary("siluGrad", "computes dst = a*s + (a*b)*(s - s*s) for the sigmoid s of b.", func(m *machine) body {
			sigmoid := newSigmoid(m)
			return func(in []Op) []Op {
				s, t := sigmoid(in[1]), m.vector()
				VMULPS(s, s, t)
				VSUBPS(t, s, t)
				VMULPS(in[1], in[0], in[1])
				VMULPS(t, in[1], t)
				VMULPS(s, in[0], s)
				VADDPS(t, s, s)
				return []Op{s}
			}
		}),
		unary("tanh", "computes the hyperbolic tangent.", hyperbolicTangent),
		unary("erf", "computes the error function.", errorFunction),
	}
	for i := range kernels {
		kernels[i].unroll = 2
	}
	return kernels
}

// newSigmoid returns what computes 1/(1+e^-a) and leaves a as it is.
func newSigmoid(m *machine) func(a Op) reg.VecVirtual {
	low, one, sign, zero := m.number(-104), m.number(1), m.bits(1<<31), m.zero()
	e := newExponential(m)
	return func(a Op) reg.VecVirtual {
		x := m.vector()
		VORPS(sign, a, x) // -|a|
		VMAXPS(x, low, x)
		r := e.of(x, true)
		top := m.where(m.compare(greaterEqual, a, zero), one, r)
		VADDPS(one, r, r)
		VDIVPS(r, top, r)
		return r
	}
}

// exponential holds the constants of e^x.
type exponential struct {
	m                         *machine
	log2e, ln2Hi, ln2Lo, bias Op
	first                     Op
	rest                      []float64
	one                       Op
}

func newExponential(m *machine) *exponential {
	e := &exponential{m: m}
	e.log2e = m.constant(1.44269504088896340736)
	e.ln2Hi, e.ln2Lo = m.constant(0.693145751953125), m.constant(1.42860682030941723212e-6)
	e.first = m.constant(0.00139261835877)
	e.rest = floats(0.00836317905272, 0.0416665546172, 0.166665769897, 0.5)
	e.one = m.constant(1)
	if !m.wide {
		e.bias = m.bits(127)
	}
	return e
}

// of returns e^x for -104 <= x <= 89. If full is false, the result must be a
// normal number.
func (e *exponential) of(x Op, full bool) reg.VecVirtual {
	m := e.m
	t := m.vector()
	VMULPS(e.log2e, x, t)
	n := m.round(t, 0)
	r := m.copy(x)
	VFNMADD231PS(e.ln2Hi, n, r)
	VFNMADD231PS(e.ln2Lo, n, r)
	p := m.copy(e.first)
	m.horner(p, r, e.rest...)
	VMULPS(r, p, p)
	VFMADD213PS(r, r, p)
	VADDPS(e.one, p, p)
	if m.wide {
		VSCALEFPS(n, p, p)
		return p
	}
	VCVTPS2DQ(n, n)
	if full {
		half := m.vector()
		VPSRAD(U8(1), n, half)
		VPSUBD(half, n, n)
		VPADDD(e.bias, half, half)
		VPSLLD(U8(23), half, half)
		VMULPS(half, p, p)
	}
	VPADDD(e.bias, n, n)
	VPSLLD(U8(23), n, n)
	VMULPS(n, p, p)
	return p
}

func logarithm(m *machine) body {
	const sqrtHalf = 0x3f3504f3
	var (
		minNormal, shift, less23 = m.constant(0x1p-126), m.constant(1 << 23), m.number(-23)
		half, mantissa           = m.bits(sqrtHalf), m.bits(0x007fffff)
		one, first               = m.constant(1), m.constant(0.0697161147145)
		coefficients             = floats(-0.114797338466, 0.116854199235, -0.124256873315, 0.142490576457,
			-0.166678023195, 0.200007157489, -0.24999996958, 0.3333333118)
		ln2Hi, ln2Lo, minusHalf = m.constant(0.693145751953125), m.constant(1.42860682030941723212e-6), m.constant(-0.5)
		zero, largest           = m.zero(), m.bits(0x7f7fffff)
		minusInf, nan           = m.bits(0xff800000), m.bits(0x7fc00000)
	)
	return func(in []Op) []Op {
		a := in[0]
		small := m.compare(lessThan, a, minNormal)
		x := m.vector()
		VMULPS(shift, a, x)
		x = m.where(small, x, a)
		e := m.keep(small, less23)
		VPSUBD(half, x, x)
		k := m.vector()
		VPSRAD(U8(23), x, k)
		VCVTDQ2PS(k, k)
		VADDPS(k, e, e)
		if m.wide {
			VPANDD(mantissa, x, x)
		} else {
			VPAND(mantissa, x, x)
		}
		VPADDD(half, x, x)
		f := x
		VSUBPS(one, f, f)
		p := m.copy(first)
		m.horner(p, f, coefficients...)
		f2 := m.vector()
		VMULPS(f, f, f2)
		VMULPS(f, p, p)
		t := m.vector()
		VMULPS(ln2Lo, e, t)
		VFMADD213PS(t, f2, p)
		VFMADD231PS(minusHalf, f2, p)
		VADDPS(f, p, p)
		VFMADD231PS(ln2Hi, e, p)
		p = m.where(m.compare(greaterThan, a, largest), a, p) // +Inf
		p = m.where(m.compare(equal, a, zero), minusInf, p)
		p = m.where(m.compare(notGreaterEqual, a, zero), nan, p)
		return []Op{p}
	}
}

func hyperbolicTangent(m *machine) body {
	var (
		mask, sign   = m.bits(1<<31 - 1), m.bits(1 << 31)
		bound, most  = m.constant(0.625), m.number(10) // tanh(10) rounds to 1
		first        = m.constant(-0.00609629952289)
		coefficients = floats(0.0209968940371, -0.0538508495203, 0.13332769342, -0.333333289402)
		one, two     = m.number(1), m.number(2)
		e            = newExponential(m)
	)
	return func(in []Op) []Op {
		x := in[0]
		a := m.vector()
		VANDPS(mask, x, a)
		big := m.compare(greaterEqual, a, bound)

		z := m.vector()
		VMULPS(x, x, z)
		p := m.copy(first)
		m.horner(p, z, coefficients...)
		VMULPS(z, p, p)
		VFMADD213PS(x, x, p)

		VMINPS(a, most, a)
		VADDPS(a, a, a)
		q := e.of(a, false)
		VADDPS(one, q, q)
		VDIVPS(q, two, q)
		VSUBPS(q, one, q)
		return []Op{m.where(big, m.withSign(q, x, sign), p)}
	}
}

// withSign gives q, which is not negative, the sign of x.
func (m *machine) withSign(q, x, sign Op) reg.VecVirtual {
	s := m.vector()
	VANDPS(sign, x, s)
	VORPS(q, s, s)
	return s
}

func errorFunction(m *machine) body {
	var (
		mask, sign   = m.bits(1<<31 - 1), m.bits(1 << 31)
		one, most    = m.number(1), m.number(4)
		first        = m.constant(7.87587506269e-5)
		coefficients = floats(-0.000801686428717, 0.00518908742343, -0.0268542120106, 0.112835947152, -0.376126266667, 0.128379165848)
		firstC       = m.constant(-1.63993801648e-6)
		tail         = floats(4.61129139062e-5, -0.000597264433142, 0.00476171723581, -0.0264270437721,
			0.110090197464, 0.631815699582, 1.13023920142, -0.00032147102638)
		e = newExponential(m)
	)
	return func(in []Op) []Op {
		x := in[0]
		a := m.vector()
		VANDPS(mask, x, a)
		big := m.compare(greaterEqual, a, one)

		z := m.vector()
		VMULPS(x, x, z)
		p := m.copy(first)
		m.horner(p, z, coefficients...)
		VFMADD213PS(x, x, p)

		VMINPS(a, most, a)
		q := m.copy(firstC)
		m.horner(q, a, tail...)
		VXORPS(sign, q, q)
		q = e.of(q, false)
		VSUBPS(q, one, q)
		return []Op{m.where(big, m.withSign(q, x, sign), p)}
	}
}

func floats(v ...float64) []float64 { return v }
