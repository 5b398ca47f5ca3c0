package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// vec is a vector register.
type vec = reg.VecVirtual

// line is the transforms of one side of a tile, whose products are taken over
// both sides. Each takes values in registers, which it may overwrite, and hands
// on its results in any order. Package winograd has the formulas.
type line struct {
	size, side                              int // outputs and frequencies
	input, spread, filter, output, unfilter transform
}

type transform func(m *machine, in []vec, out func(i int, v vec))

var lines = []line{
	{2, 4, input2, spread2, filter2, output2, unfilter2},
	{4, 6, input4, spread4, filter4, output4, unfilter4},
}

// The points at which the polynomials of 4 outputs are evaluated are 0, ±a, ±b
// and infinity.
const (
	a, b   = 0.75, 1.5
	aa, bb = a * a, b * b
	// The products of the differences of each point to all others.
	atZero = aa * bb
	atA    = 2 * aa * (aa - bb)
	atB    = 2 * bb * (bb - aa)
)

func input2(m *machine, d []vec, out func(int, vec)) {
	t := m.vector()
	VSUBPS(d[2], d[0], t)
	out(0, t)
	t = m.vector()
	VADDPS(d[1], d[2], t)
	out(1, t)
	VSUBPS(d[1], d[2], d[2])
	out(2, d[2])
	VSUBPS(d[1], d[3], d[3])
	out(3, d[3])
}

func spread2(m *machine, y []vec, out func(int, vec)) {
	out(0, y[0])
	t := m.vector()
	VADDPS(y[1], y[0], t)
	out(1, t)
	VSUBPS(y[1], y[0], y[0])
	out(2, y[0])
	out(3, y[1])
}

func filter2(m *machine, g []vec, out func(int, vec)) {
	out(0, g[0])
	e, t := m.vector(), m.vector()
	VADDPS(g[2], g[0], e)
	VADDPS(g[1], e, t)
	VMULPS(m.number(0.5), t, t)
	out(1, t)
	VSUBPS(g[1], e, e)
	VMULPS(m.number(0.5), e, e)
	out(2, e)
	out(3, g[2])
}

func output2(m *machine, p []vec, out func(int, vec)) {
	t := m.vector()
	VADDPS(p[2], p[1], t)
	VADDPS(t, p[0], p[0])
	out(0, p[0])
	VSUBPS(p[2], p[1], p[1])
	VADDPS(p[3], p[1], p[1])
	out(1, p[1])
}

func unfilter2(m *machine, p []vec, out func(int, vec)) {
	sum := m.vector()
	half := m.number(0.5)
	VADDPS(p[2], p[1], sum)
	VSUBPS(p[2], p[1], p[1])
	VFMADD231PS(half, sum, p[0])
	out(0, p[0])
	VMULPS(half, p[1], p[1])
	out(1, p[1])
	VFMADD231PS(half, sum, p[3])
	out(2, p[3])
}

func input4(m *machine, d []vec, out func(int, vec)) {
	t := m.copy(d[4])
	VFMADD231PS(m.number(aa*bb), d[0], t)
	VFNMADD231PS(m.number(aa+bb), d[2], t)
	out(0, t)
	VFMADD231PS(m.number(aa*bb), d[1], d[5])
	VFNMADD231PS(m.number(aa+bb), d[3], d[5])
	out(5, d[5])
	even, odd := m.copy(d[4]), m.copy(d[3])
	VFNMADD231PS(m.number(bb), d[2], even)
	VFNMADD231PS(m.number(bb), d[1], odd)
	m.plusMinus(even, odd, m.number(a), 1, out)
	VFNMADD231PS(m.number(aa), d[2], d[4])
	VFNMADD231PS(m.number(aa), d[1], d[3])
	m.plusMinus(d[4], d[3], m.number(b), 3, out)
}

// plusMinus hands on even + scale·odd as result i and even - scale·odd as the
// next.
func (m *machine) plusMinus(even, odd, scale vec, i int, out func(int, vec)) {
	t := m.copy(even)
	VFMADD231PS(scale, odd, t)
	out(i, t)
	VFNMADD231PS(scale, odd, even)
	out(i+1, even)
}

func spread4(m *machine, y []vec, out func(int, vec)) {
	out(0, y[0])
	out(5, y[3])
	even, odd := m.copy(y[0]), m.copy(y[1])
	VFMADD231PS(m.number(aa), y[2], even)
	VFMADD231PS(m.number(aa), y[3], odd)
	m.plusMinus(even, odd, m.number(a), 1, out)
	VFMADD231PS(m.number(bb), y[2], y[0])
	VFMADD231PS(m.number(bb), y[3], y[1])
	m.plusMinus(y[0], y[1], m.number(b), 3, out)
}

func filter4(m *machine, g []vec, out func(int, vec)) {
	out(5, g[2])
	scaled := func(by float64) func(int, vec) {
		return func(i int, v vec) {
			VMULPS(m.number(1/by), v, v)
			out(i, v)
		}
	}
	even := m.copy(g[0])
	VFMADD231PS(m.number(aa), g[2], even)
	m.plusMinus(even, g[1], m.number(a), 1, scaled(atA))
	even = m.copy(g[0])
	VFMADD231PS(m.number(bb), g[2], even)
	m.plusMinus(even, g[1], m.number(b), 3, scaled(atB))
	scaled(atZero)(0, g[0])
}

func output4(m *machine, p []vec, out func(int, vec)) {
	sumA, sumB := m.sumDifference(p[1], p[2]), m.sumDifference(p[3], p[4])
	VADDPS(sumA, p[0], p[0])
	VADDPS(sumB, p[0], p[0])
	out(0, p[0])
	t := m.vector()
	VMULPS(m.number(a), p[1], t)
	VFMADD231PS(m.number(b), p[3], t)
	out(1, t)
	VMULPS(m.number(aa), sumA, sumA)
	VFMADD231PS(m.number(bb), sumB, sumA)
	out(2, sumA)
	VFMADD231PS(m.number(a*aa), p[1], p[5])
	VFMADD231PS(m.number(b*bb), p[3], p[5])
	out(3, p[5])
}

// sumDifference returns x + y and leaves x - y in x.
func (m *machine) sumDifference(x, y vec) vec {
	sum := m.vector()
	VADDPS(y, x, sum)
	VSUBPS(y, x, x)
	return sum
}

func unfilter4(m *machine, p []vec, out func(int, vec)) {
	sumA, sumB := m.sumDifference(p[1], p[2]), m.sumDifference(p[3], p[4])
	for _, v := range []vec{sumA, p[1]} {
		VMULPS(m.number(1/atA), v, v)
	}
	for _, v := range []vec{sumB, p[3]} {
		VMULPS(m.number(1/atB), v, v)
	}
	VMULPS(m.number(1/atZero), p[0], p[0])
	VADDPS(sumA, p[0], p[0])
	VADDPS(sumB, p[0], p[0])
	out(0, p[0])
	VMULPS(m.number(a), p[1], p[1])
	VFMADD231PS(m.number(b), p[3], p[1])
	out(1, p[1])
	VFMADD231PS(m.number(aa), sumA, p[5])
	VFMADD231PS(m.number(bb), sumB, p[5])
	out(2, p[5])
}
