package tile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const guard = float32(-12345.5)

// layout draws a call's arguments at random: rows anywhere or some side by side, taps
// forwards and backwards, C with gaps. A and B hold not one element more than is read.
func layout(r *rand.Rand, kern *Kernels, kind string, m, n int) *Args {
	t := &Args{N: n, KStride: 1 + r.IntN(3), LDB: n + r.IntN(3), CStride: 1, FromC: r.IntN(2) == 0, ReLU: r.IntN(2) == 0, Most: []float32{1, float32(math.Inf(1))}[r.IntN(2)]}
	lanes := 1
	switch kind {
	case "dot":
		lanes = kern.Lanes()
		t.KStride, t.CStride = 1, 1+r.IntN(3)
	case "scaled":
		t.LDB = 1 + r.IntN(4)
	}
	width := 0 // of a step of A
	if kind == "elementwise" || kind == "scaled" {
		width = n - 1
	}
	at, low, high, steps := 0, 0, 0, 0
	for range r.IntN(4) {
		tap := Tap{Delta: r.IntN(50) - 25, Skip: lanes * r.IntN(3), Len: lanes * (1 + r.IntN(20))}
		t.Taps = append(t.Taps, tap)
		at += tap.Delta
		low, high = min(low, at), max(high, at+(tap.Len-1)*t.KStride)
		steps += tap.Skip + tap.Len
	}
	cRow, cEnd := (n-1)*t.CStride+1, 3
	for range m {
		t.Rows = append(t.Rows, r.IntN(40)-low)
		t.CRows = append(t.CRows, cEnd)
		cEnd += cRow + r.IntN(4)
	}
	if kind == "broadcast" && r.IntN(2) == 0 {
		t.Adjacent = []int{m, 16, 12, 8, 5, 1}[r.IntN(6)]
		for i := range m {
			if i%t.Adjacent > 0 {
				t.Rows[i] = t.Rows[i-1] + 1
			}
		}
	}
	r.Shuffle(m, func(i, j int) { t.CRows[i], t.CRows[j] = t.CRows[j], t.CRows[i] })
	t.A = random(r, slices.Max(t.Rows)+high+width+1)
	switch {
	case kind == "dot":
		t.B = random(r, steps*n)
	case steps == 0:
		t.B = random(r, 1)
	case kind == "scaled":
		t.B = random(r, (steps-1)*t.LDB+1)
	default:
		t.B = random(r, (steps-1)*t.LDB+n)
	}
	if r.IntN(2) == 0 {
		t.Bias = random(r, n)
	}
	t.C = make([]float32, cEnd+70)
	for i := range t.C {
		t.C[i] = guard
	}
	for i := range m {
		for j := range n {
			t.C[t.CRows[i]+j*t.CStride] = r.Float32()
		}
	}
	return t
}

// random returns n numbers, misaligned, and NaNs around them that a kernel
// which reads too far would mix in.
func random(r *rand.Rand, n int) []float32 {
	offset := 64 + r.IntN(16)
	s := make([]float32, offset+n+64)
	for i := range s {
		s[i] = float32(math.NaN())
	}
	s = s[offset : offset+n : offset+n]
	for i := range s {
		s[i] = r.Float32()*2 - 1
	}
	return s
}

// expect computes a call's contract in float64.
func expect(kern *Kernels, t *Args, kind string, m int) []float64 {
	out := make([]float64, len(t.C))
	for i, v := range t.C {
		out[i] = float64(v)
	}
	for r := range m {
		for n := range t.N {
			at := t.CRows[r] + n*t.CStride
			var sum float64
			if t.FromC {
				sum = float64(t.C[at])
			}
			if t.Bias != nil {
				sum += float64(t.Bias[n])
			}
			a, s := t.Rows[r], 0
			for _, tap := range t.Taps {
				a += tap.Delta
				s += tap.Skip
				for i := range tap.Len {
					ai, bi := a+i*t.KStride, s*t.LDB+n
					switch kind {
					case "elementwise":
						ai += n
					case "scaled":
						ai, bi = ai+n, s*t.LDB
					case "dot":
						lanes := kern.Lanes()
						bi = s/lanes*lanes*t.N + n*lanes + s%lanes
					}
					sum += float64(t.A[ai]) * float64(t.B[bi])
					s++
				}
			}
			if t.ReLU {
				sum = min(max(sum, 0), float64(t.Most))
			}
			out[at] = sum
		}
	}
	return out
}

func TestKernels(t *testing.T) {
	for _, level := range levels() {
		kern := For(level)
		for _, kind := range []struct {
			name    string
			run     func(*Args, int)
			columns int
		}{
			{"broadcast", kern.Broadcast, kern.Columns()},
			{"elementwise", kern.Elementwise, kern.Columns()},
			{"scaled", kern.Scaled, kern.Columns()},
			{"dot", kern.Dot, MaxDotColumns},
		} {
			r := rand.New(rand.NewPCG(5, 6))
			for m := 1; m <= 27; m++ {
				for n := 1; n <= kind.columns; n++ {
					args := layout(r, kern, kind.name, m, n)
					want := expect(kern, args, kind.name, m)
					kind.run(args, m)
					for i, v := range args.C {
						if !(math.Abs(float64(v)-want[i]) <= 1e-5) {
							t.Fatalf("%v %s: %d rows of %d columns, taps %v: C[%d] is %v, want %v",
								level, kind.name, m, n, args.Taps, i, v, want[i])
						}
					}
				}
			}
		}
	}
}

// TestNaN checks that what is not a number stays visible through a ReLU, in
// every kind of kernel.
func TestNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, level := range levels() {
		kern := For(level)
		lanes := kern.Lanes()
		a := make([]float32, lanes+8)
		a[3] = nan
		for name, run := range map[string]func(*Args, int){
			"broadcast": kern.Broadcast, "elementwise": kern.Elementwise, "scaled": kern.Scaled, "dot": kern.Dot,
		} {
			args := &Args{A: a, B: make([]float32, lanes), C: []float32{1}, Rows: []int{0}, CRows: []int{0},
				Taps: []Tap{{Len: lanes}}, KStride: 1, N: 1, CStride: 1, LDB: 1, ReLU: true, Most: 6}
			run(args, 1)
			if args.C[0] == args.C[0] {
				t.Errorf("%v %s: a NaN became %v", level, name, args.C[0])
			}
		}
	}
}

func TestPack(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for _, level := range levels() {
		kern := For(level)
		for range 300 {
			rows, n, slack := 1+r.IntN(40), 1+r.IntN(kern.Columns()), r.IntN(5)
			width := kern.Panel(n)
			name := fmt.Sprintf("%v: %d rows of %d, %d apart", level, rows, n, n+slack)
			src := random(r, (rows-1)*(n+slack)+n)
			dst := random(r, rows*width)
			kern.Pack(dst, src, rows, n, n+slack, width)
			checkPacked(t, name, dst, rows, n, width, func(i, j int) float32 { return src[i*(n+slack)+j] })

			src = random(r, (n-1)*(rows+slack)+rows)
			dst = random(r, rows*width)
			kern.PackTransposed(dst, src, rows, n, rows+slack, width)
			checkPacked(t, name+" transposed", dst, rows, n, width, func(i, j int) float32 { return src[j*(rows+slack)+i] })

			height := kern.Rows()
			n = 1 + r.IntN(height)
			if r.IntN(2) == 0 {
				n = height
			}
			src = random(r, (n-1)*(rows+slack)+rows+r.IntN(3)*(rows+slack))
			dst, check := guarded(r, rows*height)
			kern.PackTile(dst, src, rows, n, rows+slack)
			checkTile(t, name+" tile", dst, rows, n, height, func(i, j int) float32 { return src[j*(rows+slack)+i] })
			check(t, name+" tile")

			src = random(r, (rows-1)*(n+slack)+n+r.IntN(9))
			dst, check = guarded(r, rows*height)
			kern.PackTileTransposed(dst, src, rows, n, n+slack)
			checkTile(t, name+" transposed tile", dst, rows, n, height, func(i, j int) float32 { return src[i*(n+slack)+j] })
			check(t, name+" transposed tile")
		}
	}
}

// guarded returns n elements and a check that nothing after them changed.
func guarded(r *rand.Rand, n int) ([]float32, func(t *testing.T, name string)) {
	whole := make([]float32, n+32)
	for i := range whole {
		whole[i] = guard
	}
	offset := r.IntN(16)
	return whole[offset : offset+n : offset+n], func(t *testing.T, name string) {
		t.Helper()
		for i, v := range whole {
			if (i < offset || i >= offset+n) && v != guard {
				t.Fatalf("%s: wrote %v at %d of %d elements", name, v, i-offset, n)
			}
		}
	}
}

func checkTile(t *testing.T, name string, dst []float32, steps, n, height int, want func(i, j int) float32) {
	t.Helper()
	for i := range steps {
		for j := range n {
			if dst[i*height+j] != want(i, j) {
				t.Fatalf("%s: row %d of step %d is %v, want %v", name, j, i, dst[i*height+j], want(i, j))
			}
		}
	}
}

func checkPacked(t *testing.T, name string, dst []float32, rows, n, width int, want func(i, j int) float32) {
	t.Helper()
	for i := range rows {
		for j := range width {
			var w float32
			if j < n {
				w = want(i, j)
			}
			if dst[i*width+j] != w {
				t.Fatalf("%s: element %d of row %d is %v, want %v", name, j, i, dst[i*width+j], w)
			}
		}
	}
}

func TestAlign(t *testing.T) {
	s := make([]float32, 64)
	for i := range 40 {
		a := Align(s[i:])
		if dropped := len(s) - i - len(a); dropped > AlignSlack || cap(a) != cap(s)-i-dropped {
			t.Errorf("Align drops %d elements", dropped)
		}
		if again := Align(a); len(again) != len(a) {
			t.Errorf("an aligned slice loses %d elements", len(a)-len(again))
		}
	}
	if a := Align(s[63:]); len(a) > 1 {
		t.Errorf("Align made %d elements of one", len(a))
	}
}
