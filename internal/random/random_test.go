package random

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The published vectors of the Random123 distribution for philox4x32-10.
func TestPhiloxKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	for _, v := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{f, f, f, f}, [2]uint32{f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(v.counter, v.key); got != v.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", v.counter, v.key, got, v.want)
		}
	}
}

func TestPartsEqualTheWhole(t *testing.T) {
	for name, f := range map[string]func([]float32, uint64, uint64, uint64, uint64){"uniform": UniformAt, "normal": NormalAt} {
		whole := make([]float32, 131)
		f(whole, 7, 8, 9, 0)
		for offset := range whole {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 9, 64} {
				if offset+n > len(whole) {
					continue
				}
				part := make([]float32, n)
				f(part, 7, 8, 9, uint64(offset))
				if !slices.Equal(part, whole[offset:offset+n]) {
					t.Fatalf("%s: %d numbers at %d differ from those of the whole", name, n, offset)
				}
			}
		}
	}
}

// TestPairsOfBlocks holds the pairs against single blocks, across a carry too.
func TestPairsOfBlocks(t *testing.T) {
	s := newSequence(3, 4, 5)
	for _, i := range []uint64{0, 1, 7, 1<<32 - 1, 1<<64 - 1} {
		a, b, w := s.block(i), s.block(i+1), s.two(i)
		if !slices.Equal(w[:4], a[:]) || !slices.Equal(w[4:], b[:]) {
			t.Errorf("the pair at %d is %x, want %x, %x", i, w, a, b)
		}
	}
}

func TestCoordinatesMatter(t *testing.T) {
	draw := func(seed, stream, counter uint64) [8]float32 {
		var v [8]float32
		Uniform(v[:], seed, stream, counter)
		return v
	}
	seen := map[[8]float32]bool{}
	for i := range uint64(4) {
		for j := range uint64(4) {
			for k := range uint64(4) {
				seen[draw(i, j, k)] = true
				seen[draw(i<<32, j<<32, k<<32)] = true
			}
		}
	}
	// i = j = k = 0 is drawn twice.
	if len(seen) != 2*64-1 {
		t.Errorf("%d distinct sequences, want %d", len(seen), 2*64-1)
	}
}

func TestUniformDistribution(t *testing.T) {
	v := make([]float32, 1<<17)
	Uniform(v, 1, 2, 3)
	var bins [64]int
	for _, x := range v {
		if x < 0 || x >= 1 {
			t.Fatalf("%v is outside [0, 1)", x)
		}
		bins[int(x*64)]++
	}
	want := float64(len(v)) / 64
	chi := 0.0
	for _, b := range bins {
		chi += (float64(b) - want) * (float64(b) - want) / want
	}
	if chi > 120 { // 63 degrees of freedom: exceeded with probability 2e-5
		t.Errorf("chi-squared %.1f over 64 bins", chi)
	}
}

func TestNormalDistribution(t *testing.T) {
	v := make([]float32, 1<<17)
	Normal(v, 1, 2, 3)
	var m [5]float64
	for _, x := range v {
		p := 1.0
		for k := range m {
			m[k] += p
			p *= float64(x)
		}
	}
	n := float64(len(v))
	for k, want := range []float64{1, 0, 1, 0, 3} {
		tolerance := 5 * math.Sqrt([]float64{0, 1, 2, 15, 96}[k]/n) // five standard errors
		if got := m[k] / n; math.Abs(got-want) > tolerance {
			t.Errorf("moment %d is %v, want %v", k, got, want)
		}
	}
	// Neighbours come from one Box-Muller pair and must not be correlated.
	c := 0.0
	for i := 0; i < len(v); i += 2 {
		c += float64(v[i]) * float64(v[i+1])
	}
	if c /= n / 2; math.Abs(c) > 5/math.Sqrt(n/2) {
		t.Errorf("neighbours correlate by %v", c)
	}
}

func TestBoxMullerEnds(t *testing.T) {
	for _, a := range []uint32{0, 1, math.MaxUint32} {
		for _, b := range []uint32{0, math.MaxUint32} {
			x, y := boxMuller(a, b)
			if r := math.Hypot(float64(x), float64(y)); math.IsNaN(r) || r > 6.67 {
				t.Errorf("boxMuller(%d, %d) = %v, %v", a, b, x, y)
			}
		}
	}
}

func TestSource(t *testing.T) {
	var _ rand.Source = NewSource(0, 0, 0)
	a, b := NewSource(1, 2, 3), NewSource(4, 5, 6)
	b.Uint64()
	b.Reset(1, 2, 3)
	for i := range 100 {
		if x, y := a.Uint64(), b.Uint64(); x != y {
			t.Fatalf("number %d differs after Reset", i)
		}
	}
	var counts [7]int
	for range 70000 {
		counts[a.IntN(7)]++
	}
	for i, n := range counts {
		if n < 9500 || n > 10500 { // more than five standard deviations
			t.Errorf("IntN(7) gave %d %d times in 70000", i, n)
		}
	}
	if x := a.IntN(1); x != 0 {
		t.Errorf("IntN(1) = %d", x)
	}
	if x := a.IntN(math.MaxInt); x < 0 {
		t.Errorf("IntN(MaxInt) = %d", x)
	}
	sum, squares := 0.0, 0.0
	for range 10000 {
		x := a.Float64()
		if x < 0 || x >= 1 {
			t.Fatalf("Float64 gave %v", x)
		}
		sum += x
		z := a.NormFloat64()
		squares += z * z
	}
	if math.Abs(sum/10000-0.5) > 0.015 {
		t.Errorf("mean of Float64 is %v", sum/10000)
	}
	if math.Abs(squares/10000-1) > 0.08 {
		t.Errorf("variance of NormFloat64 is %v", squares/10000)
	}
}

func TestPerm(t *testing.T) {
	for n := range 50 {
		p := Perm(n, 1, 2)
		if !slices.Equal(p, Perm(n, 1, 2)) {
			t.Fatalf("Perm(%d) is not a function of its arguments", n)
		}
		slices.Sort(p)
		for i, x := range p {
			if x != i {
				t.Fatalf("Perm(%d) is no permutation", n)
			}
		}
	}
	counts := map[[4]int]int{}
	for stream := range uint64(24000) {
		counts[[4]int(Perm(4, 9, stream))]++
	}
	if len(counts) != 24 {
		t.Errorf("%d of the 24 permutations of 4 occur", len(counts))
	}
	for p, n := range counts {
		if n < 840 || n > 1160 { // five standard deviations
			t.Errorf("permutation %v occurs %d times in 24000", p, n)
		}
	}
}

func BenchmarkUniform(b *testing.B) {
	v := make([]float32, 4096)
	b.SetBytes(4 * int64(len(v)))
	for b.Loop() {
		Uniform(v, 1, 2, 3)
	}
}

func BenchmarkNormal(b *testing.B) {
	v := make([]float32, 4096)
	b.SetBytes(4 * int64(len(v)))
	for b.Loop() {
		Normal(v, 1, 2, 3)
	}
}

func TestFillDoesNotAllocate(t *testing.T) {
	dst := make([]float32, 1003)
	if n := testing.AllocsPerRun(10, func() { UniformAt(dst, 1, 2, 3, 5) }); n != 0 {
		t.Errorf("UniformAt allocates %v times", n)
	}
	if n := testing.AllocsPerRun(10, func() { NormalAt(dst, 1, 2, 3, 5) }); n != 0 {
		t.Errorf("NormalAt allocates %v times", n)
	}
}
