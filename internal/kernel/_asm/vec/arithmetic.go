package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// body is a loop body that needs no constants.
type body = func(in []Op) []Op

func plain(f func(m *machine, in []Op) []Op) func(m *machine) body {
	return func(m *machine) body { return func(in []Op) []Op { return f(m, in) } }
}

// instruction is a body of one instruction whose first source is the first
// operand.
func instruction(f func(...Op)) func(m *machine) body {
	return plain(func(m *machine, in []Op) []Op {
		f(in[1], in[0], in[0])
		return in
	})
}

func unary(name, doc string, prepare func(m *machine) body) kernel {
	return kernel{name: name, doc: doc, args: "dst a", loads: "a", stores: "dst", unroll: 4, prepare: prepare}
}

func unaryScalar(name, doc string, prepare func(m *machine) body) kernel {
	k := unary(name, doc, prepare)
	k.scalar = "s"
	return k
}

func binary(name, doc string, prepare func(m *machine) body) kernel {
	return kernel{name: name, doc: doc, args: "dst a b", loads: "a b", stores: "dst", unroll: 4, prepare: prepare}
}

func comparison(name, doc string, pred int) kernel {
	return binary(name, doc, func(m *machine) body {
		one := m.number(1)
		return func(in []Op) []Op { return []Op{m.keep(m.compare(pred, in[0], in[1]), one)} }
	})
}

func arithmetic() []kernel {
	return []kernel{
		unary("neg", "computes dst = -a.", func(m *machine) body {
			sign := m.bits(1 << 31)
			return func(in []Op) []Op { VXORPS(sign, in[0], in[0]); return in }
		}),
		unary("abs", "computes dst = |a|.", func(m *machine) body {
			mask := m.bits(1<<31 - 1)
			return func(in []Op) []Op { VANDPS(mask, in[0], in[0]); return in }
		}),
		unary("square", "computes dst = a*a.", plain(func(m *machine, in []Op) []Op {
			VMULPS(in[0], in[0], in[0])
			return in
		})),
		unary("sqrt", "computes dst = sqrt(a).", plain(func(m *machine, in []Op) []Op {
			VSQRTPS(in[0], in[0])
			return in
		})),
		unary("rsqrt", "computes dst = 1/sqrt(a).", func(m *machine) body {
			one := m.number(1)
			return func(in []Op) []Op { VSQRTPS(in[0], in[0]); VDIVPS(in[0], one, in[0]); return in }
		}),
		unary("reciprocal", "computes dst = 1/a.", func(m *machine) body {
			one := m.number(1)
			return func(in []Op) []Op { VDIVPS(in[0], one, in[0]); return in }
		}),
		unary("relu", "computes dst = max(a, 0).", func(m *machine) body {
			zero := m.zero()
			return func(in []Op) []Op { VMAXPS(in[0], zero, in[0]); return in } // NaN and -0 win as the second source
		}),
		unary("relu6", "clamps a to [0, 6].", func(m *machine) body {
			zero, six := m.zero(), m.number(6)
			return func(in []Op) []Op {
				VMAXPS(in[0], zero, in[0])
				VMINPS(in[0], six, in[0])
				return in
			}
		}),
		unary("sign", "gives -1, 0 or 1.", func(m *machine) body {
			zero, one, signBit := m.zero(), m.number(1), m.bits(1<<31)
			return func(in []Op) []Op {
				// The sign of a number that is not zero, with magnitude 1.
				mask := m.compare(notEqual, in[0], zero)
				nan := m.compare(unordered, in[0], in[0])
				r := m.vector()
				VANDPS(signBit, in[0], r)
				VORPS(one, r, r)
				return []Op{m.where(nan, in[0], m.where(mask, r, in[0]))}
			}
		}),
		unary("step", "gives 1 where a > 0, else 0.", func(m *machine) body {
			zero, one := m.zero(), m.number(1)
			return func(in []Op) []Op { return []Op{m.keep(m.compare(greaterThan, in[0], zero), one)} }
		}),
		unary("floor", "rounds down to a whole number.", plain(func(m *machine, in []Op) []Op {
			return []Op{m.round(in[0], 1)}
		})),

		unaryScalar("scale", "computes dst = a*s.", func(m *machine) body {
			s := m.scalar("s")
			return func(in []Op) []Op { VMULPS(s, in[0], in[0]); return in }
		}),
		unaryScalar("addScalar", "computes dst = a+s.", func(m *machine) body {
			s := m.scalar("s")
			return func(in []Op) []Op { VADDPS(s, in[0], in[0]); return in }
		}),
		unaryScalar("leakyRelu", "computes dst = a where a > 0, else a*s.", func(m *machine) body {
			s, zero := m.scalar("s"), m.zero()
			return func(in []Op) []Op {
				mask := m.compare(greaterThan, in[0], zero)
				r := m.vector()
				VMULPS(s, in[0], r)
				return []Op{m.where(mask, in[0], r)}
			}
		}),
		{name: "axpy", doc: "adds s*a to dst.", args: "dst a", loads: "dst a", stores: "dst", scalar: "s", unroll: 4,
			prepare: func(m *machine) body {
				s := m.scalar("s")
				return func(in []Op) []Op { VFMADD231PS(s, in[1], in[0]); return in[:1] }
			}},

		binary("add", "computes dst = a+b.", instruction(VADDPS)),
		binary("sub", "computes dst = a-b.", instruction(VSUBPS)),
		binary("mul", "computes dst = a*b.", instruction(VMULPS)),
		binary("div", "computes dst = a/b.", instruction(VDIVPS)),
		binary("max", "computes dst = max(a, b), NaN if either is.", plain(func(m *machine, in []Op) []Op {
			m.pick(VMAXPS, in[0], in[1])
			return in
		})),
		binary("min", "computes dst = min(a, b), NaN if either is.", plain(func(m *machine, in []Op) []Op {
			m.pick(VMINPS, in[0], in[1])
			return in
		})),
		comparison("greater", "gives 1 where a > b, else 0.", greaterThan),
		comparison("greaterEqual", "gives 1 where a >= b, else 0.", greaterEqual),
		comparison("equal", "gives 1 where a == b, else 0.", equal),

		binary("mulStep", "computes dst = a where b > 0, else a*0.", func(m *machine) body {
			zero, one := m.zero(), m.number(1)
			return func(in []Op) []Op {
				r := m.keep(m.compare(greaterThan, in[1], zero), one)
				VMULPS(r, in[0], in[0])
				return in[:1]
			}
		}),

		{name: "choose", doc: "gives a where cond is not 0, else b.", args: "dst cond a b", loads: "cond a b", stores: "dst", unroll: 4,
			prepare: func(m *machine) body {
				zero := m.zero()
				return func(in []Op) []Op {
					return []Op{m.where(m.compare(notEqual, in[0], zero), in[1], in[2])}
				}
			}},
		{name: "mulAdd", doc: "computes dst = a*b + c.", args: "dst a b c", loads: "a b c", stores: "dst", unroll: 4,
			prepare: plain(func(m *machine, in []Op) []Op {
				VFMADD213PS(in[2], in[1], in[0])
				return in
			})},
		{name: "fill", doc: "sets dst to v.", args: "dst", stores: "dst", scalar: "v", unroll: 4,
			prepare: func(m *machine) body {
				v := m.scalar("v")
				return func([]Op) []Op { return []Op{v} }
			}},
		{name: "fromInt32", doc: "converts whole numbers.", args: "dst a", loads: "a", stores: "dst", ints: true, unroll: 4,
			prepare: plain(func(m *machine, in []Op) []Op {
				VCVTDQ2PS(in[0], in[0])
				return in
			})},
	}
}
