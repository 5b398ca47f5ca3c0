package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hourglass/internal/isa"
)

const maxLen = 130

var (
	inf     = math.Inf(1)
	nan     = math.NaN()
	special = []float64{
		0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 6, 6.5, -6, 1.5, -1.5, 0.625, 0.98, 88.72, 88.73, 89.5, -87.3, -87.4, -103, -103.9,
		-104, -105, 1e30, -1e30, 1e-30, -1e-30, 1e-40, -1e-40, math.MaxFloat32, -math.MaxFloat32,
		0x1p-126, 0x1p-149, -0x1p-149, 4, 3.9, -4.1, 9, -9.5, 20, inf, -inf, nan,
	}
)

func forLevels(t *testing.T, f func(t *testing.T, s *Set)) {
	for _, level := range levels() {
		t.Run(level.String(), func(t *testing.T) {
			s := At(level)
			if s.Level != level {
				t.Fatalf("At(%v) is the table of %v", level, s.Level)
			}
			f(t, s)
		})
	}
}

// sample returns n numbers: the special values in a random order first, then
// numbers whose magnitudes spread over many powers of two.
func sample(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	order := rng.Perm(len(special))
	for i := range v {
		switch {
		case i < len(order) && n > 2*len(order):
			v[i] = float32(special[order[i]])
		case i%8 == 7:
			v[i] = float32(special[rng.IntN(len(special))])
		case i%3 == 0:
			v[i] = float32(rng.NormFloat64() * math.Exp2(float64(rng.IntN(60)-30)))
		default:
			v[i] = float32(rng.NormFloat64() * 2)
		}
	}
	return v
}

// guarded copies v into the middle of a larger slice, off by offset words,
// and returns it with a function that checks the words around it.
func guarded(v []float32, offset int) ([]float32, func() error) {
	const margin = 32
	word := math.Float32frombits(0x7fc0dead)
	whole := make([]float32, margin+offset+len(v)+margin)
	for i := range whole {
		whole[i] = word
	}
	lo, hi := margin+offset, margin+offset+len(v)
	copy(whole[lo:hi], v)
	return whole[lo:hi:hi], func() error {
		for i, x := range whole {
			if (i < lo || i >= hi) && math.Float32bits(x) != math.Float32bits(word) {
				return fmt.Errorf("wrote outside, at index %d of %d", i-lo, len(v))
			}
		}
		return nil
	}
}

func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// ulps returns the distance of got from want in units of the spacing of
// float32 numbers at want; 0 if both are NaN or the same infinity.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case want != want || got != got:
		if want != want && got != got {
			return 0
		}
		return inf
	case math.IsInf(float64(w), 0) || math.IsInf(float64(got), 0):
		if w == got {
			return 0
		}
		if math.Abs(want) < math.MaxFloat32*1.001 && math.Abs(float64(got)) > math.MaxFloat32*0.999 {
			return 1 // either side of the overflow bound
		}
		return inf
	}
	_, e := math.Frexp(want)
	spacing := math.Ldexp(1, max(e-24, -149))
	return math.Abs(float64(got)-want) / spacing
}

// operation is one kernel in a common form: ins are its operands, fn writes
// out, want computes one element in float64.
type operation struct {
	name string
	ins  int
	fn   func(s *Set, out []float32, in [][]float32)
	want func(in []float64) float64
	ulp  float64
}

func unary(name string, get func(*Set) Unary, want func(x float64) float64, ulp float64) operation {
	return operation{name, 1,
		func(s *Set, out []float32, in [][]float32) { get(s)(out, in[0]) },
		func(in []float64) float64 { return want(in[0]) }, ulp}
}

func unaryScalar(name string, get func(*Set) UnaryScalar, scalar float32, want func(x, s float64) float64) operation {
	return operation{name, 1,
		func(s *Set, out []float32, in [][]float32) { get(s)(out, in[0], scalar) },
		func(in []float64) float64 { return want(in[0], float64(scalar)) }, 0.5}
}

func binary(name string, get func(*Set) Binary, want func(x, y float64) float64, ulp float64) operation {
	return operation{name, 2,
		func(s *Set, out []float32, in [][]float32) { get(s)(out, in[0], in[1]) },
		func(in []float64) float64 { return want(in[0], in[1]) }, ulp}
}

func truth(c bool) float64 {
	if c {
		return 1
	}
	return 0
}

func reluWant(x float64) float64 {
	if x < 0 {
		return 0
	}
	return x
}

var operations = []operation{
	unary("Copy", func(s *Set) Unary { return s.Copy }, func(x float64) float64 { return x }, 0),
	unary("Neg", func(s *Set) Unary { return s.Neg }, func(x float64) float64 { return -x }, 0),
	unary("Abs", func(s *Set) Unary { return s.Abs }, math.Abs, 0),
	unary("Exp", func(s *Set) Unary { return s.Exp }, math.Exp, 1.5),
	unary("Expm1", func(s *Set) Unary { return s.Expm1 }, math.Expm1, 0.51),
	unary("Log", func(s *Set) Unary { return s.Log }, math.Log, 1),
	unary("Log1p", func(s *Set) Unary { return s.Log1p }, math.Log1p, 2),
	unary("Sqrt", func(s *Set) Unary { return s.Sqrt }, math.Sqrt, 0.5),
	unary("Rsqrt", func(s *Set) Unary { return s.Rsqrt }, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5),
	unary("Reciprocal", func(s *Set) Unary { return s.Reciprocal }, func(x float64) float64 { return 1 / x }, 0.5),
	unary("Square", func(s *Set) Unary { return s.Square }, func(x float64) float64 { return x * x }, 0.5),
	unary("Sigmoid", func(s *Set) Unary { return s.Sigmoid }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5),
	unary("Tanh", func(s *Set) Unary { return s.Tanh }, math.Tanh, 1.5),
	unary("Erf", func(s *Set) Unary { return s.Erf }, math.Erf, 1.5),
	unary("Relu", func(s *Set) Unary { return s.Relu }, reluWant, 0),
	unary("Relu6", func(s *Set) Unary { return s.Relu6 }, func(x float64) float64 { return math.Min(reluWant(x), 6) }, 0),
	unary("Sign", func(s *Set) Unary { return s.Sign }, func(x float64) float64 {
		if x != x {
			return x
		}
		return truth(x > 0) - truth(x < 0)
	}, 0),
	unary("Step", func(s *Set) Unary { return s.Step }, func(x float64) float64 { return truth(x > 0) }, 0),
	unary("Floor", func(s *Set) Unary { return s.Floor }, math.Floor, 0),

	unaryScalar("Scale", func(s *Set) UnaryScalar { return s.Scale }, 1.7, func(x, s float64) float64 { return x * s }),
	unaryScalar("AddScalar", func(s *Set) UnaryScalar { return s.AddScalar }, -0.3, func(x, s float64) float64 { return x + s }),
	unaryScalar("LeakyRelu", func(s *Set) UnaryScalar { return s.LeakyRelu }, 0.01, func(x, s float64) float64 {
		if x > 0 {
			return x
		}
		return x * s
	}),

	binary("Add", func(s *Set) Binary { return s.Add }, func(x, y float64) float64 { return x + y }, 0.5),
	binary("Sub", func(s *Set) Binary { return s.Sub }, func(x, y float64) float64 { return x - y }, 0.5),
	binary("Mul", func(s *Set) Binary { return s.Mul }, func(x, y float64) float64 { return x * y }, 0.5),
	binary("Div", func(s *Set) Binary { return s.Div }, func(x, y float64) float64 { return x / y }, 0.5),
	binary("Max", func(s *Set) Binary { return s.Max }, func(x, y float64) float64 { return max(x, y) }, 0),
	binary("Min", func(s *Set) Binary { return s.Min }, func(x, y float64) float64 { return min(x, y) }, 0),
	binary("Pow", func(s *Set) Binary { return s.Pow }, math.Pow, 0.5),
	binary("MulStep", func(s *Set) Binary { return s.MulStep }, func(x, y float64) float64 { return x * truth(y > 0) }, 0),
	binary("Greater", func(s *Set) Binary { return s.Greater }, func(x, y float64) float64 { return truth(x > y) }, 0),
	binary("GreaterEqual", func(s *Set) Binary { return s.GreaterEqual }, func(x, y float64) float64 { return truth(x >= y) }, 0),
	binary("Equal", func(s *Set) Binary { return s.Equal }, func(x, y float64) float64 { return truth(x == y) }, 0),

	{"Select", 3, func(s *Set, out []float32, in [][]float32) { s.Select(out, in[0], in[1], in[2]) },
		func(in []float64) float64 {
			if in[0] != 0 {
				return in[1]
			}
			return in[2]
		}, 0},
}

func rowOf(in [][]float32, i int) []float64 {
	row := make([]float64, len(in))
	for k := range in {
		row[k] = float64(in[k][i])
	}
	return row
}

func TestAgainstFloat64(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, op := range operations {
			worst := 0.0
			const n = 20000
			in := make([][]float32, op.ins)
			for k := range in {
				in[k] = sample(rng, n)
			}
			out := make([]float32, n)
			op.fn(s, out, in)
			for i, got := range out {
				row := rowOf(in, i)
				if u := ulps(got, op.want(row)); u > worst {
					worst = u
					if u > op.ulp {
						t.Errorf("%s(%v) = %v, want %v: off by %.3g ulp, allowed %v", op.name, row, got, op.want(row), u, op.ulp)
					}
				}
			}
			t.Logf("%-12s at most %.3f ulp", op.name, worst)
		}
	})
}

// TestShapes holds every length up to 130 at every misalignment against the
// result of one element at a time: the tails must do what the middle does, and
// nothing may be written outside.
func TestShapes(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, op := range operations {
			full := make([][]float32, op.ins)
			for k := range full {
				full[k] = sample(rng, maxLen)
			}
			single := make([]float32, maxLen)
			for i := range single {
				in := make([][]float32, op.ins)
				for k := range in {
					in[k] = full[k][i : i+1]
				}
				op.fn(s, single[i:i+1], in)
			}
			for n := 0; n <= maxLen; n++ {
				// alias == op.ins: a destination of its own.
				for alias := 0; alias <= op.ins; alias++ {
					in := make([][]float32, op.ins)
					checks := make([]func() error, op.ins+1)
					for k := range in {
						in[k], checks[k] = guarded(full[k][:n], (n+3*k)%5)
					}
					out, check := guarded(make([]float32, n), n%7)
					checks[op.ins] = check
					if alias < op.ins {
						out = in[alias]
					}
					op.fn(s, out, in)
					for i := range out {
						if !same(out[i], single[i]) {
							t.Fatalf("%s length %d alias %d: element %d of %v is %v, alone %v", op.name, n, alias, i, rowOf(full, i), out[i], single[i])
						}
					}
					for _, check := range checks {
						if err := check(); err != nil {
							t.Fatalf("%s length %d: %v", op.name, n, err)
						}
					}
					for k := range in {
						for i := range in[k] {
							if k != alias && !same(in[k][i], full[k][i]) {
								t.Fatalf("%s length %d: operand %d changed", op.name, n, k)
							}
						}
					}
				}
			}
		}
	})
}

func TestShortOperandPanics(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		for _, op := range operations {
			for short := range op.ins {
				in := make([][]float32, op.ins)
				for k := range in {
					in[k] = make([]float32, 20, 40)
				}
				in[short] = make([]float32, 19)
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s accepted a short operand %d", op.name, short)
						}
					}()
					op.fn(s, make([]float32, 20), in)
				}()
			}
		}
	})
}

func TestConversions(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		bytes := make([]uint8, 300)
		ints := make([]int32, 300)
		rng := rand.New(rand.NewPCG(5, 6))
		for i := range bytes {
			bytes[i] = uint8(i)
			ints[i] = int32(rng.Uint32())
		}
		ints[0], ints[1], ints[2] = math.MinInt32, math.MaxInt32, 1<<24+1
		for n := 0; n <= len(bytes)-7; n++ {
			for offset := range 3 {
				dst, check := guarded(make([]float32, n), offset)
				s.FromUint8(dst, bytes[offset:offset+n])
				for i, x := range dst {
					if x != float32(bytes[offset+i]) {
						t.Fatalf("FromUint8 length %d: %v at %d", n, x, i)
					}
				}
				s.FromInt32(dst, ints[offset:offset+n])
				for i, x := range dst {
					if x != float32(ints[offset+i]) {
						t.Fatalf("FromInt32 length %d: %v at %d, want %v", n, x, i, float32(ints[offset+i]))
					}
				}
				s.Fill(dst, -2.5)
				for i, x := range dst {
					if x != -2.5 {
						t.Fatalf("Fill length %d: %v at %d", n, x, i)
					}
				}
				if err := check(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestAtUnknownLevelPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("At of a level that does not exist did not panic")
		}
	}()
	At(isa.AVX512 + 1)
}
