package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// compound returns the kernels that pooling and normalisation are made of.
func compound() []kernel {
	return []kernel{
		{name: "argMaxStep", doc: "moves the maximum to cell where x is greater or the first NaN.",
			args: "best index x", loads: "best index x", stores: "best index", scalar: "cell", unroll: 2,
			prepare: func(m *machine) body {
				cell := m.scalar("cell")
				return func(in []Op) []Op {
					best, index, x := in[0], in[1], in[2]
					if m.wide {
						greater, nan := m.compare(greaterThan, x, best), m.mask()
						// NaN of x where best is a number.
						k := m.compare(equal, best, best)
						VCMPPS(U8(unordered), x, x, k, nan)
						KORW(greater, nan, greater)
						return []Op{m.where(greater, x, best), m.where(greater, cell, index)}
					}
					greater := m.compare(greaterThan, x, best)
					nan := m.compare(unordered, x, x)
					number := m.compare(equal, best, best)
					VANDPS(number, nan, nan)
					VORPS(nan, greater, greater)
					return []Op{m.where(greater, x, best), m.where(greater, cell, index)}
				}
			}},
		{name: "addWhere", doc: "adds grad to dst where index is cell.",
			args: "dst index grad", loads: "dst index grad", stores: "dst", scalar: "cell", unroll: 2,
			prepare: func(m *machine) body {
				cell := m.scalar("cell")
				return func(in []Op) []Op {
					mask := m.compare(equal, in[1], cell)
					if m.wide {
						VADDPS(in[2], in[0], mask, in[0])
						return in[:1]
					}
					VADDPS(in[2], in[0], in[2])
					return []Op{m.where(mask, in[2], in[0])}
				}
			}},
		{name: "affine", doc: "computes dst = (x-m)*s + b.", args: "dst x m s b", loads: "x m s b", stores: "dst", unroll: 4,
			prepare: plain(affine)},
		{name: "affineRelu", doc: "computes dst = max((x-m)*s + b, 0).", args: "dst x m s b", loads: "x m s b", stores: "dst", unroll: 4,
			prepare: func(m *machine) body {
				zero := m.zero()
				return func(in []Op) []Op {
					y := affine(m, in)[0]
					VMAXPS(y, zero, y)
					return []Op{y}
				}
			}},
		{name: "addDiffs", doc: "adds x-m to accSum and its square to accSquare.",
			args: "accSum accSquare x m", loads: "accSum accSquare x m", stores: "accSum accSquare", unroll: 4,
			prepare: plain(func(m *machine, in []Op) []Op {
				VSUBPS(in[3], in[2], in[2])
				VADDPS(in[2], in[0], in[0])
				VFMADD231PS(in[2], in[2], in[1])
				return in[:2]
			})},
		{name: "addGrads", doc: "adds grad*(x-m) to accGamma and grad to accBeta.",
			args: "accGamma accBeta grad x m", loads: "accGamma accBeta grad x m", stores: "accGamma accBeta", unroll: 2,
			prepare: plain(func(m *machine, in []Op) []Op {
				VSUBPS(in[4], in[3], in[3])
				VFMADD231PS(in[3], in[2], in[0])
				VADDPS(in[2], in[1], in[1])
				return in[:2]
			})},
		{name: "gradAffine", doc: "computes dst = a*grad + b*(x-m) + c.", args: "dst grad x m a b c", loads: "grad x m a b c", stores: "dst", unroll: 2,
			prepare: plain(func(m *machine, in []Op) []Op {
				g, x, mean, a, b, c := in[0], in[1], in[2], in[3], in[4], in[5]
				VSUBPS(mean, x, x)
				VFMADD213PS(c, b, x)
				VFMADD231PS(a, g, x)
				return []Op{x}
			})},
		{name: "addGradsRelu", doc: "does addGrads for the grad where (x-m)*s + t > 0.",
			args: "accGamma accBeta grad x m s t", loads: "accGamma accBeta grad x m s t", stores: "accGamma accBeta",
			prepare: func(m *machine) body {
				zero, one := m.zero(), m.number(1)
				return func(in []Op) []Op {
					g := in[2]
					VSUBPS(in[4], in[3], in[3])
					m.maskGrad(g, in[3], in[5], in[6], zero, one)
					VFMADD231PS(in[3], g, in[0])
					VADDPS(g, in[1], in[1])
					return in[:2]
				}
			}},
		{name: "gradAffineRelu", doc: "does gradAffine for the grad where (x-m)*s + t > 0.",
			args: "dst grad x m s t a b c", loads: "grad x m s t a b c", stores: "dst",
			prepare: func(m *machine) body {
				zero, one := m.zero(), m.number(1)
				return func(in []Op) []Op {
					g, x, mean, s, t, a, b, c := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
					VSUBPS(mean, x, x)
					m.maskGrad(g, x, s, t, zero, one)
					VFMADD213PS(c, b, x)
					VFMADD231PS(a, g, x)
					return []Op{x}
				}
			}},
	}
}

// maskGrad multiplies grad by 1 where x*s + t > 0, else by 0. It spends t.
func (m *machine) maskGrad(grad, x, s, t, zero, one Op) {
	VFMADD231PS(s, x, t)
	mask := m.keep(m.compare(greaterThan, t, zero), one)
	VMULPS(mask, grad, grad)
}

func affine(_ *machine, in []Op) []Op {
	VSUBPS(in[1], in[0], in[0])
	VFMADD213PS(in[3], in[2], in[0])
	return in[:1]
}
