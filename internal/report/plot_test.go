package report

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var nan, inf = math.NaN(), math.Inf(1)

// TestHostileNumbers draws every kind of number in every kind of plot.
func TestHostileNumbers(t *testing.T) {
	values := [][]float64{
		nil, {}, {nan}, {inf}, {-inf}, {0}, {1}, {nan, 1, nan, 2, 3, inf, 4}, {1, 1, 1}, {-1, 0, 1},
		{1e300, -1e300}, {1e-320, 2e-320}, {5e99, -5e99}, {1, 1 + 1e-15}, {math.MaxFloat64, math.SmallestNonzeroFloat64},
	}
	for _, x := range append(values, []float64{3, 2, 1}) {
		for _, y := range values {
			for _, log := range []bool{false, true} {
				ax := Axis{Log: log}
				for _, fix := range []Axis{ax, {Log: log, Lo: 0.5, Hi: 2}, {Log: log, Zero: true}, {Log: log, Ticks: y}, {Log: log, Lo: -1, Hi: inf}} {
					p := &LinePlot{X: ax, Y: fix, Series: []Series{{Name: "a", X: x, Y: y}, {Name: "b", Y: y, Style: Points}},
						Lines: []RefLine{{inf, "inf"}, {1, "one"}}}
					checkXML(t, p.SVG())
				}
			}
			if t.Failed() {
				t.Fatalf("x %v, y %v", x, y)
			}
		}
		checkXML(t, (&BarPlot{Rows: []BarRow{{"a", x}, {"b", nil}}, Decimals: -1, Best: Lowest}).SVG())
	}
}

// TestTicks checks ticks for any range: at least two, ordered, inside, and
// told apart by their texts.
func TestTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Axis{Log: rapid.Bool().Draw(t, "log")}
		exp := rapid.Float64Range(-30, 30)
		lo := math.Pow(10, exp.Draw(t, "lo"))
		hi := lo * (1 + math.Pow(10, rapid.Float64Range(-3, 8).Draw(t, "ratio")))
		if !a.Log && rapid.Bool().Draw(t, "negative") {
			lo, hi = -hi, -lo
		}
		loose := rapid.Bool().Draw(t, "loose")
		s := a.fit(slices.Values([]float64{lo, hi}), rapid.IntRange(3, 10).Draw(t, "count"), loose)
		s.from, s.to = 0, 100
		if len(s.ticks) < 1 || loose && len(s.ticks) < 2 {
			t.Fatalf("%d ticks from %g to %g", len(s.ticks), lo, hi)
		}
		if len(s.ticks) > 40 {
			t.Fatalf("%d ticks from %g to %g", len(s.ticks), lo, hi)
		}
		last, seen := -1.0, map[string]bool{}
		for _, k := range s.ticks {
			at, ok := s.place(k.value)
			if !ok || at <= last || at < -0.01 || at > 100.01 {
				t.Fatalf("tick %g stands at %g after %g", k.value, at, last)
			}
			if seen[k.text] {
				t.Fatalf("two ticks are called %q from %g to %g", k.text, lo, hi)
			}
			last, seen[k.text] = at, true
		}
		for _, v := range []float64{lo, hi} {
			if at, ok := s.place(v); !ok || at < -0.01 || at > 100.01 {
				t.Fatalf("%g stands at %g, outside the axis", v, at)
			}
		}
	})
}

func TestTickTexts(t *testing.T) {
	texts := func(a Axis, lo, hi float64, count int) string {
		s := a.fit(slices.Values([]float64{lo, hi}), count, true)
		var out []string
		for _, k := range s.ticks {
			out = append(out, k.text)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		a      Axis
		lo, hi float64
		want   string
	}{
		{Axis{}, 0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{Axis{}, -3, 7, "−4 −2 0 2 4 6 8"},
		{Axis{}, 0, 12000, "0 5,000 10,000 15,000"},
		{Axis{}, 0, 3e7, "0 10⁷ 2×10⁷ 3×10⁷"},
		{Axis{}, 0, 4e-6, "0 10⁻⁶ 2×10⁻⁶ 3×10⁻⁶ 4×10⁻⁶"},
		{Axis{Log: true}, 1, 1000, "1 10 100 1,000"},
		{Axis{Log: true}, 0.01, 0.1, "0.01 0.02 0.05 0.1"},
		{Axis{Log: true}, 1e-9, 1e9, "10⁻⁸ 10⁻⁴ 1 10,000 10⁸"},
		{Axis{Log: true}, 210, 290, "220 240 260 280"},
		{Axis{Ticks: []float64{2, 4, 99}}, 1, 5, "2 4"},
		{Axis{Zero: true}, 3, 5, "0 1 2 3 4 5"},
	} {
		if got := texts(c.a, c.lo, c.hi, 5); got != c.want {
			t.Errorf("%+v from %g to %g: %q, want %q", c.a, c.lo, c.hi, got, c.want)
		}
	}
}

func TestSignificant(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {-1.5, "−1.5"}, {0.01234, "0.0123"}, {27.44, "27.4"}, {1234.6, "1,235"}, {nan, "–"}, {inf, "–"},
		{123456789, "1.23×10⁸"}, {1e-5, "10⁻⁵"}, {-2.5e-7, "−2.5×10⁻⁷"}, {0.99999, "1"},
	} {
		if got := significant(c.v); got != c.want {
			t.Errorf("significant(%g) = %q, want %q", c.v, got, c.want)
		}
	}
}

// TestSpread checks that names end up apart, in order, inside where they fit,
// and where they wished if nothing is in the way.
func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wants := rapid.SliceOfN(rapid.Float64Range(0, 100), 0, 9).Draw(t, "wants")
		slices.Sort(wants)
		const gap = 10
		at := spread(wants, gap, 0, 100)
		if len(at) != len(wants) {
			t.Fatalf("%d places for %d names", len(at), len(wants))
		}
		free := true
		for i := range at {
			if at[i] < -1e-9 || at[i] > 100+1e-9 {
				t.Fatalf("%v: outside", at)
			}
			if i > 0 && at[i]-at[i-1] < gap-1e-9 {
				t.Fatalf("%v: too near", at)
			}
			free = free && (i == 0 || wants[i]-wants[i-1] >= gap)
		}
		for i := range at {
			if free && math.Abs(at[i]-wants[i]) > 1e-9 {
				t.Fatalf("%v moved to %v for nothing", wants, at)
			}
		}
	})
}

// TestThin checks that a long line keeps its ends and its peaks.
func TestThin(t *testing.T) {
	pts := make([][2]float64, 50_000)
	for i := range pts {
		pts[i] = [2]float64{float64(i), math.Sin(float64(i))}
	}
	pts[12_345][1], pts[40_000][1] = 99, -99
	out := thin(pts, 600)
	if len(out) > 4*600 {
		t.Errorf("%d points are left", len(out))
	}
	for _, i := range []int{0, 12_345, 40_000, len(pts) - 1} {
		if !slices.Contains(out, pts[i]) {
			t.Errorf("point %d is lost", i)
		}
	}
	if !slices.IsSortedFunc(out, func(a, z [2]float64) int { return int(a[0] - z[0]) }) {
		t.Error("the order is lost")
	}
}

func TestClip(t *testing.T) {
	f := &frame{left: 0, right: 10, top: 0, bottom: 10}
	for _, c := range []struct {
		pts  [][2]float64
		want [][][2]float64
	}{
		{nil, nil},
		{[][2]float64{{5, 5}}, [][][2]float64{{{5, 5}}}},
		{[][2]float64{{50, 5}}, nil},
		{[][2]float64{{1, 1}, {9, 9}}, [][][2]float64{{{1, 1}, {9, 9}}}},
		{[][2]float64{{-5, 5}, {15, 5}}, [][][2]float64{{{0, 5}, {10, 5}}}},
		{[][2]float64{{5, 5}, {5, 20}, {6, 20}, {6, 5}}, [][][2]float64{{{5, 5}, {5, 10}}, {{6, 10}, {6, 5}}}},
		{[][2]float64{{-5, -5}, {-1, 20}}, nil},
	} {
		got := clip(c.pts, f)
		if !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("clip(%v) = %v, want %v", c.pts, got, c.want)
		}
	}
}

// TestLineGaps checks that a missing value breaks the line and that a value
// outside a fixed range doesn't leave the frame.
func TestLineGaps(t *testing.T) {
	p := &LinePlot{Y: Axis{Lo: 0, Hi: 1}, Series: []Series{{Y: []float64{0.1, 0.5, nan, 0.5, 30, 0.2}}}}
	d := regexp.MustCompile(`class="path" d="([^"]*)"`).FindStringSubmatch(p.SVG())
	if d == nil {
		t.Fatal("there is no line")
	}
	if n := strings.Count(d[1], "M"); n != 3 {
		t.Errorf("the line has %d pieces, want 3: before and after the gap, and after the peak: %s", n, d[1])
	}
}

func TestBestCells(t *testing.T) {
	tab := &Table{Columns: []Column{{}, {Best: Lowest}, {Best: Highest}, {Best: Highest}},
		Rows: [][]Cell{{Text("a"), Num(0.101, 1), Num(nan, 1), Int(5)}, {Text("b"), Num(0.099, 1), Num(2, 1), Int(5)}, {Text("c"), Num(0.3, 1)}}}
	html := render(t, tab)
	// 0.101 and 0.099 both show as 0.1 and are both best; neither equal fives
	// nor a single number are.
	if n := strings.Count(html, `class="r best">0.1<`); n != 2 {
		t.Errorf("%d cells of the first column are best, want 2", n)
	}
	if n := strings.Count(html, ` best">`); n != 2 {
		t.Errorf("%d cells are best, want 2: one number alone beats nothing", n)
	}
	if got := Num(-1234567.891, 2).text; got != "−1,234,567.89" {
		t.Errorf("Num shows %q", got)
	}
}
