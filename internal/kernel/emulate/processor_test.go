package emulate_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/conv"
	"hourglass/internal/kernel/conv/winograd"
	"hourglass/internal/kernel/depthwise"
	"hourglass/internal/kernel/emulate"
	"hourglass/internal/kernel/gemm"
	"hourglass/internal/kernel/gemm/tile"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// replaced is set once kernels for AVX2 are emulated, which cannot be undone.
var replaced bool

// The kernels for AVX2 must give the same bits emulated as on the processor:
// much of what they are made of is that of the kernels for AVX-512 too.
func TestAgainstTheProcessor(t *testing.T) {
	if !slices.Contains(isa.Available(), isa.AVX2) {
		t.Skip("this processor or this build has no AVX2")
	}
	if replaced {
		t.Skip("this process has done it")
	}
	replaced = true
	pool := par.New(2)
	defer pool.Close()
	shape := conv.Shape{N: 2, H: 11, W: 13, C: 21, K: 19, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
	strided := shape
	strided.StrideH, strided.StrideW = 2, 2
	single := shape
	single.K, single.Groups = single.C, single.C
	plan, err := depthwise.NewForward(single, isa.AVX2)
	if err != nil {
		t.Fatal(err)
	}

	results := func() map[string][]float32 {
		all := make(map[string][]float32)
		random := func(n int) []float32 {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(3 * r.NormFloat64())
			}
			return v
		}
		add := func(name string, v []float32) { all[name] = v }
		a, b, c := random(77), random(78)[1:], random(79)[2:]
		special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1e-40, -1e-40, 3e38, 88.7, -103, 1, 0.5}
		copy(a[3:], special)
		copy(b[9:], special)
		set := vec.At(isa.AVX2)
		for name, f := range map[string]vec.Unary{
			"exp": set.Exp, "log": set.Log, "log1p": set.Log1p, "sqrt": set.Sqrt, "rsqrt": set.Rsqrt, "sigmoid": set.Sigmoid, "tanh": set.Tanh,
			"erf": set.Erf, "silu": set.Silu, "relu6": set.Relu6, "sign": set.Sign, "step": set.Step, "floor": set.Floor, "abs": set.Abs,
		} {
			dst := make([]float32, len(a))
			f(dst, a)
			add(name, dst)
		}
		for name, f := range map[string]vec.Binary{
			"add": set.Add, "sub": set.Sub, "mul": set.Mul, "div": set.Div, "max": set.Max, "min": set.Min, "greater": set.Greater, "equal": set.Equal,
			"silu gradient": set.SiluGrad, "mul step": set.MulStep,
		} {
			dst := make([]float32, len(a))
			f(dst, a, b)
			add(name, dst)
		}
		dst := make([]float32, len(a))
		set.MulAdd(dst, a, b, c)
		add("mul add", dst)
		dst = make([]float32, 1000)
		set.Uniform(dst, [2]uint32{1, 2}, 3, 5)
		add("uniform", dst)
		add("sums", []float32{set.Sum(c), set.SumSquares(c), set.Dot(c, random(77)), set.MaxOf(c)})

		for name, algorithm := range map[string]conv.Algorithm{"direct": conv.Direct, "winograd2": conv.Winograd2, "winograd4": conv.Winograd4} {
			p, err := conv.NewForward(shape, isa.AVX2, conv.Options{Algorithm: algorithm})
			if err != nil {
				t.Fatal(err)
			}
			y := make([]float32, shape.N*shape.H*shape.W*shape.K)
			p.Run(pool, y, random(shape.N*shape.H*shape.W*shape.C), random(9*shape.C*shape.K), make([]float32, p.Scratch(2)), gemm.Epilogue{Bias: random(shape.K), Act: gemm.ReLU6})
			add(name, y)
		}
		g, err := conv.NewGradWeight(strided, isa.AVX2, conv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		oh, ow := strided.Out()
		dw := make([]float32, 9*shape.C*shape.K)
		g.Run(pool, dw, random(shape.N*shape.H*shape.W*shape.C), random(shape.N*oh*ow*shape.K), make([]float32, g.Scratch(2)))
		add("weight gradient", dw)
		y := make([]float32, shape.N*shape.H*shape.W*shape.C)
		plan.Run(pool, y, random(len(y)), random(9*shape.C), random(shape.C), make([]float32, plan.Scratch()), gemm.ReLU)
		add("depthwise", y)
		return all
	}

	want := results()
	count := 0
	for _, table := range []struct {
		path    string
		kernels any
	}{
		{"vec/vec_amd64.s", vec.At(isa.AVX2)}, {"gemm/tile/tile_amd64.s", tile.For(isa.AVX2)}, {"depthwise/depthwise_amd64.s", plan},
		{"conv/winograd/winograd_amd64.s", []any{winograd.For(isa.AVX2, 2), winograd.For(isa.AVX2, 4)}},
	} {
		f, err := emulate.Open(filepath.Join("..", table.path))
		if err != nil {
			t.Fatal(err)
		}
		count += emulate.Replace(f, table.kernels)
	}
	if count < 100 {
		t.Errorf("only %d kernels are emulated", count)
	}
	for name, got := range results() {
		for i, v := range got {
			if w := want[name][i]; math.Float32bits(v) != math.Float32bits(w) && (v == v || w == w) {
				t.Errorf("%s: element %d is %v (%08x), the processor gives %v (%08x)", name, i, v, math.Float32bits(v), w, math.Float32bits(w))
				break
			}
		}
	}
}
