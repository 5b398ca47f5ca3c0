package emulate

import "math"

// maker returns a vector instruction with such operands and such a suffix, nil if
// there is none.
type maker func(args []operand, suffix string) instruction

var vectors = map[string]maker{
	"VMOVUPS": move, "VMOVAPS": move, "VMOVDQU": move, "VMOVDQA": move, "VMOVDQU32": move, "VMOVDQU64": moveWhole, "VMOVDQA32": move,
	"VMASKMOVPS": moveWhere,
	"VMOVSS":     moveScalar(false), "MOVSS": moveScalar(true),
	"VBROADCASTSS": broadcast, "VPBROADCASTD": broadcast,

	"VADDPS": floats(func(x, y float32) float32 { return x + y }),
	"VSUBPS": floats(func(x, y float32) float32 { return x - y }),
	"VMULPS": floats(func(x, y float32) float32 { return x * y }),
	"VDIVPS": floats(func(x, y float32) float32 { return x / y }),
	"VMAXPS": floats(greater),
	"VMINPS": floats(lesser),
	"VADDSS": single(func(x, y float32) float32 { return x + y }),
	"VMAXSS": single(greater),
	"VMINSS": single(lesser),

	"VFMADD231PS":  fused(func(first, second, third float32) float32 { return fma(second, first, third) }),
	"VFNMADD231PS": fused(func(first, second, third float32) float32 { return fma(-second, first, third) }),
	"VFMADD213PS":  fused(func(first, second, third float32) float32 { return fma(second, third, first) }),

	"VPXORD":  words(func(x, y uint32) uint32 { return x ^ y }),
	"VXORPS":  words(func(x, y uint32) uint32 { return x ^ y }),
	"VPANDD":  words(func(x, y uint32) uint32 { return x & y }),
	"VANDPS":  words(func(x, y uint32) uint32 { return x & y }),
	"VPXOR":   words(func(x, y uint32) uint32 { return x ^ y }),
	"VPAND":   words(func(x, y uint32) uint32 { return x & y }),
	"VPOR":    words(func(x, y uint32) uint32 { return x | y }),
	"VANDNPS": words(func(x, y uint32) uint32 { return ^x & y }),
	"VPORD":   words(func(x, y uint32) uint32 { return x | y }),
	"VORPS":   words(func(x, y uint32) uint32 { return x | y }),
	"VPADDD":  words(func(x, y uint32) uint32 { return x + y }),
	"VPSUBD":  words(func(x, y uint32) uint32 { return x - y }),

	"VPMULUDQ": pairs(false, func(x, y uint64) uint64 { return x & math.MaxUint32 * (y & math.MaxUint32) }),
	"VPSRLQ":   pairs(true, func(x, by uint64) uint64 { return x >> by }),
	"VPSLLQ":   pairs(true, func(x, by uint64) uint64 { return x << by }),

	"VPSRLD": shifts(func(x uint32, by uint64) uint32 { return x >> by }),
	"VPSRAD": shifts(func(x uint32, by uint64) uint32 { return uint32(int32(x) >> min(by, 31)) }),
	"VPSLLD": shifts(func(x uint32, by uint64) uint32 { return x << by }),

	"VPCMPGTD": words(func(x, y uint32) uint32 {
		if int32(x) > int32(y) {
			return math.MaxUint32
		}
		return 0
	}),
	"VCMPPS": compareFloats,

	"VSQRTPS":     unary(func(x float32) float32 { return float32(math.Sqrt(float64(x))) }),
	"VSCALEFPS":   floats(scaled),
	"VRNDSCALEPS": round,
	"VROUNDPS":    round,
	"VCVTPS2DQ": unaryWords(func(x uint32) uint32 {
		switch v := math.RoundToEven(float64(math.Float32frombits(x))); {
		case v >= math.MinInt32 && v <= math.MaxInt32:
			return uint32(int32(v))
		default: // also what is no number
			return 1 << 31
		}
	}),
	"VCVTDQ2PS": unaryWords(func(x uint32) uint32 { return math.Float32bits(float32(int32(x))) }),
	"VPMOVZXBD": widened(1), "VPMOVZXWD": widened(2),

	"VBLENDVPS":     choose,
	"VPBLENDD":      chooseFixed,
	"VPERMILPS":     permute,
	"VMOVSHDUP":     duplicateOdd,
	"VPUNPCKLDQ":    interleave(0, 4, 1, 5),
	"VPUNPCKHDQ":    interleave(2, 6, 3, 7),
	"VSHUFI32X4":    shuffleQuarters,
	"VUNPCKLPS":     interleave(0, 4, 1, 5),
	"VUNPCKHPS":     interleave(2, 6, 3, 7),
	"VPUNPCKLQDQ":   interleave(0, 1, 4, 5),
	"VPUNPCKHQDQ":   interleave(2, 3, 6, 7),
	"VUNPCKLPD":     interleave(0, 1, 4, 5),
	"VUNPCKHPD":     interleave(2, 3, 6, 7),
	"VEXTRACTF128":  extract(4),
	"VEXTRACTF64X4": extract(8),
	"VINSERTF128":   insert,
}

// shape is what the operands of a vector instruction have in common: what it
// reads, the mask, if any, and where it writes.
type shape struct {
	sources []operand
	to      operand
	n       int // elements
	k       int // mask register, 0 for none
	zero    bool
	bcst    bool // a source in memory is one element for all
}

// shapeOf splits operands into sources, mask and destination, given how many
// sources there must be; ok is false if they are others.
func shapeOf(args []operand, suffix string, sources int) (s shape, ok bool) {
	if len(args) < sources+1 || len(args) > sources+2 {
		return s, false
	}
	s.sources, s.to = args[:sources], args[len(args)-1]
	if len(args) == sources+2 {
		if args[sources].kind != mask || args[sources].n == 0 {
			return s, false
		}
		s.k = args[sources].n
	}
	s.zero, s.bcst = suffix == "Z", suffix == "BCST"
	if s.zero && s.k == 0 {
		return s, false
	}
	for _, o := range args {
		if o.kind == vector {
			s.n = max(s.n, o.bytes/4)
		}
	}
	for _, o := range append([]operand{s.to}, s.sources...) {
		if o.kind != memory && (o.kind != vector || o.bytes != 4*s.n) {
			return s, false
		}
	}
	return s, s.n > 0
}

func (s *shape) bits(m *machine) uint64 {
	if s.k == 0 {
		return math.MaxUint64
	}
	return m.masks[s.k]
}

func (s *shape) read(m *machine, i int) lanes {
	o := &s.sources[i]
	if s.bcst && o.kind == memory {
		one := element(m.address(o))
		var v lanes
		for i := range v {
			v[i] = one
		}
		return v
	}
	return m.read(o, s.n, s.bits(m))
}

func (s *shape) write(m *machine, v lanes) { m.write(&s.to, s.n, v, s.bits(m), s.zero) }

func move(args []operand, suffix string) instruction {
	s, ok := shapeOf(args, suffix, 1)
	if !ok || s.bcst {
		return nil
	}
	return func(m *machine) { s.write(m, s.read(m, 0)) }
}

// moveWhere moves those elements between memory and a register whose place in
// another register is negative; the others of a register become zero.
func moveWhere(args []operand, suffix string) instruction {
	if len(args) != 3 || suffix != "" || args[1].kind != vector || (args[0].kind == memory) == (args[2].kind == memory) {
		return nil
	}
	n := args[1].bytes / 4
	return func(m *machine) {
		where := uint64(0)
		for i, v := range m.vectors[args[1].n] {
			where |= uint64(v>>31) << i
		}
		m.write(&args[2], n, m.read(&args[0], n, where), where, true)
	}
}

// moveScalar moves one element between memory and a register. The rest of the
// register becomes zero, of older instructions only up to 128 bits.
func moveScalar(older bool) maker {
	return func(args []operand, suffix string) instruction {
		if len(args) != 2 || suffix != "" || (args[0].kind == vector) == (args[1].kind == vector) {
			return nil
		}
		return func(m *machine) {
			v := m.read(&args[0], 1, 1)
			if older && args[1].kind == vector {
				d := &m.vectors[args[1].n]
				d[0] = v[0]
				clear(d[1:4])
				return
			}
			m.write(&args[1], 1, v, 1, false)
		}
	}
}

func broadcast(args []operand, suffix string) instruction {
	if len(args) != 2 || suffix != "" || args[1].kind != vector || args[0].kind != memory && args[0].kind != vector {
		return nil
	}
	n := args[1].bytes / 4
	return func(m *machine) {
		one := m.read(&args[0], 1, 1)[0]
		var v lanes
		for i := range n {
			v[i] = one
		}
		m.write(&args[1], n, v, math.MaxUint64, false)
	}
}

// words makes vector instructions of two sources; in Go's order, the second of
// Intel's comes first.
func words(f func(x, y uint32) uint32) maker {
	return func(args []operand, suffix string) instruction {
		s, ok := shapeOf(args, suffix, 2)
		if !ok || s.to.kind != vector {
			return nil
		}
		return func(m *machine) {
			y, x := s.read(m, 0), s.read(m, 1)
			for i := range s.n {
				x[i] = f(x[i], y[i])
			}
			s.write(m, x)
		}
	}
}

func floats(f func(x, y float32) float32) maker {
	return words(func(x, y uint32) uint32 {
		return math.Float32bits(f(math.Float32frombits(x), math.Float32frombits(y)))
	})
}

// single is the same for the first element alone; the others come from the
// second operand.
func single(f func(x, y float32) float32) maker {
	return func(args []operand, suffix string) instruction {
		if len(args) != 3 || suffix != "" || args[1].kind != vector || args[2].kind != vector || args[2].bytes != 16 {
			return nil
		}
		return func(m *machine) {
			v, y := m.vectors[args[1].n], m.read(&args[0], 1, 1)
			v[0] = math.Float32bits(f(math.Float32frombits(v[0]), math.Float32frombits(y[0])))
			m.write(&args[2], 4, v, math.MaxUint64, false)
		}
	}
}

// unaryWords makes vector instructions of one source.
func unaryWords(f func(x uint32) uint32) maker {
	return func(args []operand, suffix string) instruction {
		s, ok := shapeOf(args, suffix, 1)
		if !ok || s.to.kind != vector {
			return nil
		}
		return func(m *machine) {
			x := s.read(m, 0)
			for i := range s.n {
				x[i] = f(x[i])
			}
			s.write(m, x)
		}
	}
}

func unary(f func(x float32) float32) maker {
	return unaryWords(func(x uint32) uint32 { return math.Float32bits(f(math.Float32frombits(x))) })
}

// pairs makes instructions on elements of 64 bits, of two registers, or of a
// register and a constant, which comes first.
func pairs(byConstant bool, f func(x, y uint64) uint64) maker {
	return func(args []operand, suffix string) instruction {
		if len(args) != 3 || suffix != "" || (args[0].kind == constant) != byConstant || args[1].kind != vector || args[2].kind != vector {
			return nil
		}
		n := args[2].bytes / 4
		return func(m *machine) {
			x := m.vectors[args[1].n]
			y := func(int) uint64 { return uint64(args[0].value) }
			if !byConstant {
				v := m.read(&args[0], n, math.MaxUint64)
				y = func(i int) uint64 { return uint64(v[i]) | uint64(v[i+1])<<32 }
			}
			for i := 0; i < n; i += 2 {
				v := f(uint64(x[i])|uint64(x[i+1])<<32, y(i))
				x[i], x[i+1] = uint32(v), uint32(v>>32)
			}
			m.write(&args[2], n, x, math.MaxUint64, false)
		}
	}
}

// scaled returns x times 2 to the floor of y.
func scaled(x, y float32) float32 {
	switch e := math.Floor(float64(y)); {
	case x != x && math.IsInf(float64(y), 1):
		return y
	case x != x && math.IsInf(float64(y), -1):
		return 0
	case y != y || math.IsInf(float64(y), 0) && (x == 0 && y > 0 || math.IsInf(float64(x), 0) && y < 0):
		return float32(math.NaN())
	case x == 0 || x != x:
		return x
	default:
		return float32(math.Ldexp(float64(x), int(max(-600, min(600, e)))))
	}
}

// round rounds to whole numbers, as the constant says.
func round(args []operand, suffix string) instruction {
	if len(args) != 3 || args[0].kind != constant {
		return nil
	}
	how := args[0].value
	if how&^8 > 3 { // fractions, or as the processor is set
		return nil
	}
	f := []func(float64) float64{math.RoundToEven, math.Floor, math.Ceil, math.Trunc}[how&3]
	return unary(func(x float32) float32 { return float32(f(float64(x))) })(args[1:], suffix)
}

// widened makes instructions that read unsigned numbers of so many bytes in memory
// and write elements of 32 bits.
func widened(bytes int) maker {
	return func(args []operand, suffix string) instruction {
		if len(args) != 2 || suffix != "" || args[0].kind != memory || args[1].kind != vector {
			return nil
		}
		n, each := args[1].bytes/4, 4/bytes // in an element of memory
		return func(m *machine) {
			packed := m.read(&args[0], n/each, math.MaxUint64)
			var v lanes
			for i := range n {
				v[i] = packed[i/each] >> (8 * bytes * (i % each)) & (1<<(8*bytes) - 1)
			}
			m.write(&args[1], n, v, math.MaxUint64, false)
		}
	}
}

// shuffleQuarters takes two quarters of the second operand and two of the first,
// each as two bits of the constant say.
func shuffleQuarters(args []operand, suffix string) instruction {
	if len(args) != 4 || suffix != "" || args[0].kind != constant || args[2].kind != vector || args[3].kind != vector || args[3].bytes != 64 {
		return nil
	}
	return func(m *machine) {
		y, x := m.read(&args[1], 16, math.MaxUint64), m.vectors[args[2].n]
		var v lanes
		for i := range 4 {
			from := &x
			if i >= 2 {
				from = &y
			}
			quarter := args[0].value >> (2 * i) & 3
			copy(v[4*i:4*i+4], from[4*quarter:])
		}
		m.write(&args[3], 16, v, math.MaxUint64, false)
	}
}

// moveWhole moves vectors in elements of 64 bits, which no mask picks from here.
func moveWhole(args []operand, suffix string) instruction {
	if len(args) != 2 || suffix != "" {
		return nil
	}
	return move(args, suffix)
}

// greater and lesser are maximum and minimum as the processor has them: the
// second where the two are not comparable, or are zeros.
func greater(x, y float32) float32 {
	if x > y {
		return x
	}
	return y
}

func lesser(x, y float32) float32 {
	if x < y {
		return x
	}
	return y
}

// fused makes fused multiply-adds of operands in Go's order.
func fused(f func(first, second, third float32) float32) maker {
	return func(args []operand, suffix string) instruction {
		s, ok := shapeOf(args, suffix, 2)
		if !ok || s.to.kind != vector {
			return nil
		}
		return func(m *machine) {
			a, b, c := s.read(m, 0), s.read(m, 1), m.vectors[s.to.n]
			for i := range s.n {
				c[i] = math.Float32bits(f(math.Float32frombits(a[i]), math.Float32frombits(b[i]), math.Float32frombits(c[i])))
			}
			s.write(m, c)
		}
	}
}

// fma returns x·y + z, rounded once. The product is exact in float64; the sum is
// rounded to odd, so that rounding it again to float32 gives what rounding it
// at once would (S. Boldo and G. Melquiond, "Emulation of a FMA and correctly
// rounded sums: proved algorithms using rounding to odd", IEEE Transactions on
// Computers 57(4), 2008).
func fma(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	sum := p + c
	if math.IsInf(sum, 0) || math.IsNaN(sum) {
		return float32(sum)
	}
	part := sum - p
	lost := (p - (sum - part)) + (c - part) // sum + lost is exact
	if lost != 0 && math.Float64bits(sum)&1 == 0 {
		towards := math.Inf(1)
		if lost < 0 {
			towards = math.Inf(-1)
		}
		sum = math.Nextafter(sum, towards)
	}
	return float32(sum)
}

func shifts(f func(x uint32, by uint64) uint32) maker {
	return func(args []operand, suffix string) instruction {
		if len(args) != 3 || suffix != "" || args[0].kind != constant || args[1].kind != vector || args[2].kind != vector {
			return nil
		}
		by, n := uint64(args[0].value), args[2].bytes/4
		return func(m *machine) {
			v := m.vectors[args[1].n]
			for i := range v {
				v[i] = f(v[i], by)
			}
			m.write(&args[2], n, v, math.MaxUint64, false)
		}
	}
}

// comparisons by the constant of VCMPPS, modulo 16: those from 16 on differ in
// exceptions only.
var comparisons = [16]func(x, y float32) bool{
	0:  func(x, y float32) bool { return x == y },
	1:  func(x, y float32) bool { return x < y },
	2:  func(x, y float32) bool { return x <= y },
	3:  func(x, y float32) bool { return x != x || y != y },
	4:  func(x, y float32) bool { return x != y },
	5:  func(x, y float32) bool { return !(x < y) },
	6:  func(x, y float32) bool { return !(x <= y) },
	7:  func(x, y float32) bool { return x == x && y == y },
	8:  func(x, y float32) bool { return !(x < y || x > y) },
	9:  func(x, y float32) bool { return !(x >= y) },
	10: func(x, y float32) bool { return !(x > y) },
	11: func(x, y float32) bool { return false },
	12: func(x, y float32) bool { return x < y || x > y },
	13: func(x, y float32) bool { return x >= y },
	14: func(x, y float32) bool { return x > y },
	15: func(x, y float32) bool { return true },
}

func compareFloats(args []operand, suffix string) instruction {
	if len(args) < 4 || len(args) > 5 || suffix != "" || args[0].kind != constant || args[2].kind != vector {
		return nil
	}
	to := &args[len(args)-1]
	if len(args) == 5 && (args[3].kind != mask || to.kind != mask) || to.kind != mask && to.kind != vector {
		return nil
	}
	f, n := comparisons[args[0].value&15], args[2].bytes/4
	return func(m *machine) {
		within := uint64(math.MaxUint64)
		if len(args) == 5 {
			within = m.masks[args[3].n]
		}
		y, x := m.read(&args[1], n, within), m.vectors[args[2].n]
		result := uint64(0)
		for i := range n {
			if f(math.Float32frombits(x[i]), math.Float32frombits(y[i])) {
				result |= 1 << i
			}
		}
		result &= within
		if to.kind == mask {
			m.masks[to.n] = result
			return
		}
		var v lanes // in registers, all bits of an element say it
		for i := range n {
			v[i] = uint32(-int32(result >> i & 1))
		}
		m.write(to, n, v, math.MaxUint64, false)
	}
}

// permute chooses elements within 128 bits, two bits of the constant for each.
func permute(args []operand, suffix string) instruction {
	if len(args) != 3 || suffix != "" || args[0].kind != constant || args[1].kind != vector || args[2].kind != vector {
		return nil
	}
	n := args[2].bytes / 4
	return func(m *machine) {
		v, x := lanes{}, m.vectors[args[1].n]
		for i := range n {
			v[i] = x[i&^3|int(args[0].value)>>(2*(i&3))&3]
		}
		m.write(&args[2], n, v, math.MaxUint64, false)
	}
}

func duplicateOdd(args []operand, suffix string) instruction {
	if len(args) != 2 || suffix != "" || args[0].kind != vector || args[1].kind != vector {
		return nil
	}
	n := args[1].bytes / 4
	return func(m *machine) {
		v := m.vectors[args[0].n]
		for i := range n {
			v[i] = v[i|1]
		}
		m.write(&args[1], n, v, math.MaxUint64, false)
	}
}

// extract returns n elements of a register, those that the constant numbers.
func extract(n int) maker {
	return func(args []operand, suffix string) instruction {
		if len(args) != 3 || suffix != "" || args[0].kind != constant || args[1].kind != vector || args[2].kind != vector ||
			n*int(args[0].value+1) > args[1].bytes/4 {
			return nil
		}
		from := n * int(args[0].value)
		return func(m *machine) {
			var v lanes
			copy(v[:n], m.vectors[args[1].n][from:])
			m.write(&args[2], n, v, math.MaxUint64, false)
		}
	}
}

// interleave takes, for each 128 bits, elements of two registers: of the second
// operand from 0 on and of the first from 4 on.
func interleave(from ...int) maker {
	return func(args []operand, suffix string) instruction {
		s, ok := shapeOf(args, suffix, 2)
		if !ok || s.k != 0 {
			return nil
		}
		return func(m *machine) {
			y, x := s.read(m, 0), s.read(m, 1)
			var v lanes
			for i := range s.n {
				if j := from[i&3]; j < 4 {
					v[i] = x[i&^3+j]
				} else {
					v[i] = y[i&^3+j-4]
				}
			}
			s.write(m, v)
		}
	}
}

// insert puts 128 bits in the place that the constant numbers.
func insert(args []operand, suffix string) instruction {
	if len(args) != 4 || suffix != "" || args[0].kind != constant || args[2].kind != vector || args[3].kind != vector ||
		4*int(args[0].value+1) > args[3].bytes/4 {
		return nil
	}
	return func(m *machine) {
		part, v := m.read(&args[1], 4, math.MaxUint64), m.vectors[args[2].n]
		copy(v[4*args[0].value:], part[:4])
		m.write(&args[3], args[3].bytes/4, v, math.MaxUint64, false)
	}
}

// choose takes elements of the second operand where those of the first are
// negative, and of the third elsewhere.
func choose(args []operand, suffix string) instruction {
	if len(args) != 4 || suffix != "" || args[0].kind != vector || args[2].kind != vector || args[3].kind != vector {
		return nil
	}
	n := args[3].bytes / 4
	return func(m *machine) {
		where, y, x := m.vectors[args[0].n], m.read(&args[1], n, math.MaxUint64), m.vectors[args[2].n]
		for i := range n {
			if where[i]>>31 != 0 {
				x[i] = y[i]
			}
		}
		m.write(&args[3], n, x, math.MaxUint64, false)
	}
}

// chooseFixed takes elements of the second operand where the constant has a
// bit, and of the third elsewhere.
func chooseFixed(args []operand, suffix string) instruction {
	if len(args) != 4 || suffix != "" || args[0].kind != constant || args[2].kind != vector || args[3].kind != vector {
		return nil
	}
	n := args[3].bytes / 4
	return func(m *machine) {
		y, x := m.read(&args[1], n, math.MaxUint64), m.vectors[args[2].n]
		for i := range n {
			if args[0].value>>i&1 != 0 {
				x[i] = y[i]
			}
		}
		m.write(&args[3], n, x, math.MaxUint64, false)
	}
}
