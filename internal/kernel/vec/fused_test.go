package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// fused is an operation whose products may or may not be rounded before they
// are added: want returns the exact result and the magnitude to which the
// error is relative.
type fused struct {
	name string
	ins  int // operands, the accumulators first
	outs int // leading operands that are updated in place; 0: a destination of its own
	fn   func(s *Set, out []float32, in [][]float32)
	want func(in []float64) (value, magnitude float64)
}

var fusedOperations = []fused{
	{"AxpY", 2, 1, func(s *Set, out []float32, in [][]float32) { s.AxpY(out, in[1], -1.3) },
		func(v []float64) (float64, float64) {
			p := v[1] * float64(float32(-1.3))
			return v[0] + p, math.Abs(v[0]) + math.Abs(p)
		}},
	{"MulAdd", 3, 0, func(s *Set, out []float32, in [][]float32) { s.MulAdd(out, in[0], in[1], in[2]) },
		func(v []float64) (float64, float64) {
			return v[0]*v[1] + v[2], math.Abs(v[0]*v[1]) + math.Abs(v[2])
		}},
	{"Affine", 4, 0, func(s *Set, out []float32, in [][]float32) { s.Affine(out, in[0], in[1], in[2], in[3]) },
		affineWant},
	{"AffineRelu", 4, 0, func(s *Set, out []float32, in [][]float32) { s.AffineRelu(out, in[0], in[1], in[2], in[3]) },
		func(v []float64) (float64, float64) {
			y, m := affineWant(v)
			return math.Max(y, 0), m
		}},
	{"AddDiffs", 4, 2, func(s *Set, out []float32, in [][]float32) { s.AddDiffs(in[1], out, in[2], in[3]) },
		func(v []float64) (float64, float64) {
			d := v[2] - v[3]
			return v[0] + d*d, math.Abs(v[0]) + d*d + math.Abs(d)*(math.Abs(v[2])+math.Abs(v[3]))
		}},
	{"AddGrads", 5, 2, func(s *Set, out []float32, in [][]float32) { s.AddGrads(out, in[1], in[2], in[3], in[4]) },
		func(v []float64) (float64, float64) {
			return v[0] + v[2]*(v[3]-v[4]), math.Abs(v[0]) + math.Abs(v[2])*(math.Abs(v[3])+math.Abs(v[4]))
		}},
	{"GradAffine", 6, 0, func(s *Set, out []float32, in [][]float32) {
		s.GradAffine(out, in[0], in[1], in[2], in[3], in[4], in[5])
	},
		func(v []float64) (float64, float64) {
			return v[3]*v[0] + v[4]*(v[1]-v[2]) + v[5],
				math.Abs(v[3]*v[0]) + math.Abs(v[4])*(math.Abs(v[1])+math.Abs(v[2])) + math.Abs(v[5])
		}},
}

func affineWant(v []float64) (float64, float64) {
	return (v[0]-v[1])*v[2] + v[3], (math.Abs(v[0])+math.Abs(v[1]))*math.Abs(v[2]) + math.Abs(v[3])
}

func TestFused(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, op := range fusedOperations {
			full := make([][]float32, op.ins)
			for k := range full {
				full[k] = make([]float32, maxLen)
				for i := range full[k] {
					full[k][i] = float32(rng.NormFloat64())
				}
			}
			full[op.ins-1][5] = float32(nan)
			single := make([]float32, maxLen)
			run := func(lo, hi, shift int) ([]float32, [][]float32, []func() error) {
				in := make([][]float32, op.ins)
				checks := make([]func() error, 0, op.ins+1)
				for k := range in {
					v, check := guarded(full[k][lo:hi], (shift+3*k)%5)
					in[k], checks = v, append(checks, check)
				}
				out := in[0]
				if op.outs == 0 {
					v, check := guarded(make([]float32, hi-lo), shift%7)
					out, checks = v, append(checks, check)
				}
				op.fn(s, out, in)
				return out, in, checks
			}
			for i := range single {
				out, _, _ := run(i, i+1, 0)
				single[i] = out[0]
				want, magnitude := op.want(rowOf(full, i))
				if want != want != (single[i] != single[i]) {
					t.Errorf("%s(%v) = %v, want %v", op.name, rowOf(full, i), single[i], want)
				} else if d := math.Abs(float64(single[i]) - want); d > 3*0x1p-24*magnitude {
					t.Errorf("%s(%v) = %v, want %v", op.name, rowOf(full, i), single[i], want)
				}
			}
			for n := 0; n <= maxLen; n++ {
				out, in, checks := run(0, n, n)
				for i := range out {
					if !same(out[i], single[i]) {
						t.Fatalf("%s length %d: element %d is %v, alone %v", op.name, n, i, out[i], single[i])
					}
				}
				for _, check := range checks {
					if err := check(); err != nil {
						t.Fatalf("%s length %d: %v", op.name, n, err)
					}
				}
				for k := op.outs; k < op.ins; k++ {
					for i := range in[k] {
						if !same(in[k][i], full[k][i]) {
							t.Fatalf("%s length %d: operand %d changed", op.name, n, k)
						}
					}
				}
				if op.outs != 2 {
					continue
				}
				for i := range in[1] {
					want := full[1][i] + full[2][i]
					if op.name == "AddDiffs" {
						want = full[1][i] + (full[2][i] - full[3][i])
					}
					if !same(in[1][i], want) {
						t.Fatalf("%s length %d: second sum is %v at %d, want %v", op.name, n, in[1][i], i, want)
					}
				}
			}
		}
	})
}

func TestFusedAliases(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(9, 10))
		for _, op := range fusedOperations {
			if op.outs != 0 {
				continue
			}
			const n = 77
			in := make([][]float32, op.ins)
			for k := range in {
				in[k] = make([]float32, n)
				for i := range in[k] {
					in[k][i] = float32(rng.NormFloat64())
				}
			}
			want := make([]float32, n)
			op.fn(s, want, in)
			for k := range in {
				saved := append([]float32(nil), in[k]...)
				op.fn(s, in[k], in)
				for i := range want {
					if !same(in[k][i], want[i]) {
						t.Fatalf("%s onto operand %d differs at %d", op.name, k, i)
					}
				}
				copy(in[k], saved)
			}
		}
	})
}

func TestSums(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(11, 12))
		lengths := []int{1000, 2047, 2048, 2049, 10000, 100003}
		for n := 0; n <= maxLen; n++ {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			a, b := make([]float32, n), make([]float32, n)
			for i := range a {
				a[i], b[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			}
			ga, checkA := guarded(a, n%5)
			gb, _ := guarded(b, n%3)
			var sum, squares, dot, magSum, magDot float64
			largest := math.Inf(-1)
			for i := range a {
				x, y := float64(a[i]), float64(b[i])
				sum += x
				magSum += math.Abs(x)
				squares += x * x
				dot += x * y
				magDot += math.Abs(x * y)
				largest = math.Max(largest, x)
			}
			for _, c := range []struct {
				name            string
				got             float32
				want, magnitude float64
			}{
				{"Sum", s.Sum(ga), sum, magSum},
				{"SumSquares", s.SumSquares(ga), squares, squares},
				{"Dot", s.Dot(ga, gb), dot, magDot},
			} {
				if d := math.Abs(float64(c.got) - c.want); d > 0x1p-20*c.magnitude {
					t.Errorf("%s of %d is %v, want %v", c.name, n, c.got, c.want)
				}
			}
			if got := s.MaxOf(ga); float64(got) != largest {
				t.Errorf("MaxOf %d is %v, want %v", n, got, largest)
			}
			if err := checkA(); err != nil {
				t.Error(err)
			}
			// The alignment must not matter.
			moved, _ := guarded(a, n%5+1)
			if x, y := s.Sum(ga), s.Sum(moved); !same(x, y) {
				t.Errorf("Sum of %d depends on the address: %v, %v", n, x, y)
			}
			for i := range min(n, maxLen) {
				v := a[i]
				a[i] = float32(nan)
				if m := s.MaxOf(a); m == m {
					t.Errorf("MaxOf %d with NaN at %d is %v", n, i, m)
				}
				a[i] = v
				if n > maxLen && i > 20 {
					break
				}
			}
		}
	})
}

func TestPoolingSteps(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(13, 14))
		for n := 0; n <= maxLen; n++ {
			var cells [5][]float32
			for k := range cells {
				cells[k] = make([]float32, n)
				for i := range cells[k] {
					cells[k][i] = float32(rng.IntN(4)) // many ties
					if rng.IntN(10) == 0 {
						cells[k][i] = float32(nan)
					}
				}
			}
			best, checkBest := guarded(cells[0], n%5)
			index, checkIndex := guarded(make([]float32, n), n%3)
			for k := 1; k < len(cells); k++ {
				s.ArgMaxStep(best, index, cells[k], float32(k))
			}
			dst, checkDst := guarded(make([]float32, n), n%4)
			g := make([]float32, n)
			for i := range g {
				g[i] = float32(i + 1)
			}
			s.AddWhere(dst, index, g, 2)
			for i := range n {
				want := 0
				for k := range cells {
					if m := cells[want][i]; m == m && (cells[k][i] > m || cells[k][i] != cells[k][i]) {
						want = k
					}
				}
				if index[i] != float32(want) || !same(best[i], cells[want][i]) {
					t.Fatalf("length %d: maximum %v of cell %v at %d, want cell %d", n, best[i], index[i], i, want)
				}
				if (dst[i] != 0) != (want == 2) || want == 2 && dst[i] != g[i] {
					t.Fatalf("length %d: AddWhere gives %v at %d for cell %d", n, dst[i], i, want)
				}
			}
			for _, check := range []func() error{checkBest, checkIndex, checkDst} {
				if err := check(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
