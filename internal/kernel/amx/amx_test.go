package amx

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/emulate"
	"hourglass/internal/random"
)

// both returns the portable kernels and the assembly: the processor's where it
// has tiles, else emulated. Builds without assembly have the portable ones twice.
func both() (slow, fast *Kernels) {
	slow = For(isa.Generic)
	if native.native == nil {
		return slow, slow
	}
	return slow, assembled()
}

// assembled returns the kernels of the assembly.
var assembled = sync.OnceValue(func() *Kernels {
	if available() {
		return &native
	}
	return emulated()
})

// emulated returns the kernels of the assembly, carried out by the emulator.
func emulated() *Kernels {
	file, err := emulate.Open("amx_amd64.s")
	if err != nil {
		panic(err)
	}
	k := *assembly
	if n := emulate.Replace(file, &k); n != 8 {
		panic(fmt.Sprintf("%d kernels are emulated", n))
	}
	return &Kernels{&k}
}

// TestEmulated holds the emulator to the bits of the processor.
func TestEmulated(t *testing.T) {
	if !available() {
		t.Skip("this processor has no tiles")
	}
	results := func(k *Kernels) (all []uint32) {
		a, b, c := halves(32*300, 1), halves(2*4*TileLen, 2), numbers(32*48, 3)
		for i := range a {
			if i%7 == 0 {
				a[i] = uint16(i) // some of them infinite, or no numbers, or too small
			}
			if a[i]&0x7f80 == 0x7f80 {
				a[i] &^= 0x4000
			}
		}
		for _, half := range []bool{false, true} {
			k.Multiply(&Args{A: a, B: b, C: c, Blocks: []Block{{0, 0}}, Taps: []int{3, 70}, Steps: 2, LDA: 200, LDC: 48, Half: half})
		}
		sums, turned := numbers(2*Rows*Columns, 6), make([]float32, Rows*Columns)
		for _, from := range []bool{false, true} {
			k.Correlate(&Shifted{A: a, B: b, Half: 2 * TileLen, C: sums, Taps: []int{0, 96}, Steps: 1, LDA: 200, FromC: from, Next: b})
		}
		k.Flip(turned, sums)
		for _, v := range append(append(c, sums...), turned...) {
			all = append(all, math.Float32bits(v))
		}
		rounded := make([]uint16, 4*64)
		src := numbers(4*50, 4)
		copy(src, []float32{float32(math.Inf(-1)), float32(math.NaN()), 1e-40, 1 + 1.0/256})
		k.Round(rounded, src, 50, 4, 64, 50)
		laid := make([]uint16, 3*2*TileLen)
		k.Pair(laid, a, 1, TileLen, 40)
		k.Turn(laid[TileLen:], a, 2, TileLen, 100)
		k.Transpose(laid[3*TileLen:], a, 2, 80, 40)
		for _, v := range append(rounded, laid...) {
			all = append(all, uint32(v))
		}
		stored := numbers(3*40, 5)
		k.Store(stored, c[48:], 3, 21, 40, &Epilogue{Bias: src[10:40], Accumulate: true, Rectify: true, Most: 0.5})
		for _, v := range stored {
			all = append(all, math.Float32bits(v))
		}
		return all
	}
	want, got := results(&native), results(emulated())
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("result %d is %08x, the processor gives %08x", i, got[i], want[i])
		}
	}
}

// numbers returns seeded numbers below 1/2, and a few that are not ordinary.
func numbers(n int, seed uint64) []float32 {
	x := make([]float32, n)
	random.Uniform(x, 1, seed, 0)
	for i := range x {
		x[i] -= 0.5
	}
	return x
}

func halves(n int, seed uint64) []uint16 {
	h := make([]uint16, n)
	for i, v := range numbers(n, seed) {
		h[i] = round(v)
	}
	return h
}

func TestRound(t *testing.T) {
	p, k := both()
	for _, n := range []int{1, 3, 15, 16, 17, 31, 32, 33, 64, 95} {
		src := numbers(3*100, uint64(n))
		for i, v := range []float32{float32(math.Inf(1)), float32(math.NaN()), -0, 1e-40, 1 + 1.0/256, 1 + 3.0/256, math.MaxFloat32} {
			src[100+i] = v
		}
		want, got := make([]uint16, 3*128), make([]uint16, 3*128)
		p.Round(want, src, n, 3, 128, 100)
		k.Round(got, src, n, 3, 128, 100)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%d numbers: element %d is %04x, want %04x", n, i, got[i], want[i])
			}
		}
	}
}

func TestLayouts(t *testing.T) {
	p, k := both()
	src := halves(200*200, 1)
	for name, lay := range map[string]func(k *Kernels, dst []uint16){
		"pair":      func(k *Kernels, dst []uint16) { k.Pair(dst, src, 3, 2*TileLen, 150) },
		"turn":      func(k *Kernels, dst []uint16) { k.Turn(dst, src, 3, 2*TileLen, 150) },
		"transpose": func(k *Kernels, dst []uint16) { k.Transpose(dst, src, 3, 160, 150) },
	} {
		want, got := make([]uint16, 6*TileLen), make([]uint16, 6*TileLen)
		lay(p, want)
		lay(k, got)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: element %d is %04x, want %04x", name, i, got[i], want[i])
			}
		}
	}
}

func TestMultiply(t *testing.T) {
	p, k := both()
	for _, half := range []bool{false, true} {
		for _, blocks := range [][]Block{{{7, 0}}, {{0, 32 * 48}, {500, 64 * 48}, {3000, 0}, {3001, 96 * 48}}} {
			args := Args{
				A: halves(3000+Rows*100+1000, 1), B: halves(3*4*2*TileLen, 2),
				Taps: []int{5, 64, 333}, Steps: 4, Blocks: blocks, LDA: 96, LDC: 48, Half: half,
			}
			want, got := numbers(4*Rows*48, 3), numbers(4*Rows*48, 3)
			args.C = want
			p.Multiply(&args)
			args.C = got
			k.Multiply(&args)
			if i, w, g := differ(want, got); i >= 0 {
				t.Fatalf("half %v, %d blocks: element %d is %v, want %v", half, len(blocks), i, g, w)
			}
		}
	}
}

// differ returns the first place where two results differ by more than rounding,
// and what stands there, or -1.
func differ(want, got []float32) (int, float32, float32) {
	for i := range want {
		if diff := math.Abs(float64(got[i] - want[i])); !(diff < 1e-4) {
			return i, want[i], got[i]
		}
	}
	return -1, 0, 0
}

func TestCorrelate(t *testing.T) {
	p, k := both()
	const half = 6 * TileLen
	for _, taps := range [][]int{{0}, {32, 0, 96, 7 * 32}} {
		for _, steps := range []int{1, 3, 5} {
			for _, fromC := range []bool{false, true} {
				b := halves(2*half, 2)
				args := Shifted{A: halves(Rows*200, 1), B: b, Half: half, Taps: taps, Steps: steps, LDA: 200, FromC: fromC, Next: b[100:]}
				want, got := numbers(5*Rows*Columns, 3), numbers(5*Rows*Columns, 3)
				args.C = want
				p.Correlate(&args)
				args.C = got
				k.Correlate(&args)
				if i, w, g := differ(want, got); i >= 0 {
					t.Fatalf("%d taps, %d steps, from C %v: element %d is %v, want %v", len(taps), steps, fromC, i, g, w)
				}
			}
		}
	}
}

func TestFlip(t *testing.T) {
	p, k := both()
	x := numbers(Rows*Columns, 1)
	want, got := make([]float32, len(x)), make([]float32, len(x))
	p.Flip(want, x)
	k.Flip(got, x)
	for i := range want {
		if got[i] != want[i] || want[i] != x[i%Rows*Columns+i/Rows] {
			t.Fatalf("element %d is %v, want %v", i, got[i], x[i%Rows*Columns+i/Rows])
		}
	}
}

// TestProduct multiplies by way of each layout and compares with the definition.
func TestProduct(t *testing.T) {
	const depth, steps = 64, 2
	a, b := halves(Rows*depth, 1), halves(depth*Columns, 2) // b by rows
	want := make([]float64, Rows*Columns)
	turnedA, turnedB := make([]uint16, len(a)), make([]uint16, len(b))
	for r := range Rows {
		for k := range depth {
			turnedA[k*Rows+r] = a[r*depth+k]
			for c := range Columns {
				turnedB[c*depth+k] = b[k*Columns+c]
				want[r*Columns+c] += float64(number(a[r*depth+k])) * float64(number(b[k*Columns+c]))
			}
		}
	}
	p, n := both()
	for _, k := range []*Kernels{p, n} {
		left := make([]uint16, len(a))
		for i := 0; i < Rows; i += 16 {
			k.Transpose(left[i*depth:], turnedA[i:], steps, depth, Rows)
		}
		for i := range left {
			if left[i] != a[i] {
				t.Fatalf("transposed: element %d is %04x, want %04x", i, left[i], a[i])
			}
		}
		for name, lay := range map[string]func(dst []uint16, half int){
			"pair": func(dst []uint16, half int) { k.Pair(dst, b[16*half:], steps, 2*TileLen, Columns) },
			"turn": func(dst []uint16, half int) { k.Turn(dst, turnedB[16*half*depth:], steps, 2*TileLen, depth) },
		} {
			right := make([]uint16, len(b))
			for half := range 2 {
				lay(right[half*TileLen:], half)
			}
			c := make([]float32, Rows*Columns)
			k.Multiply(&Args{A: a, B: right, C: c, Taps: []int{0}, Steps: steps, Blocks: make([]Block, 1), LDA: depth, LDC: Columns})
			for i := range want {
				if math.Abs(float64(c[i])-want[i]) > 1e-5 {
					t.Fatalf("%s: element %d is %v, want %v", name, i, c[i], want[i])
				}
			}
		}
	}
}

func TestStore(t *testing.T) {
	p, k := both()
	bias, c := numbers(32, 1), numbers(5*Columns, 2)
	c[7] = float32(math.NaN())
	for n := 1; n <= Columns; n++ {
		for i, ep := range []Epilogue{{}, {Bias: bias[:n]}, {Accumulate: true}, {Bias: bias, Accumulate: true, Rectify: true, Most: 0.25}, {Rectify: true, Most: float32(math.Inf(1))}} {
			t.Run(fmt.Sprint(n, " ", i), func(t *testing.T) {
				want, got := numbers(5*40, 3), numbers(5*40, 3)
				p.Store(want, c, 5, n, 40, &ep)
				k.Store(got, c, 5, n, 40, &ep)
				for i := range want {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						t.Fatalf("element %d is %v, want %v", i, got[i], want[i])
					}
				}
			})
		}
	}
}
