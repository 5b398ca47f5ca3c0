package segment

import (
	"math"
	"testing"

	"hourglass/data"
)

func mask(rows ...string) []uint8 {
	var m []uint8
	for _, r := range rows {
		for _, c := range r {
			if c == '.' {
				m = append(m, data.Ignored)
			} else {
				m = append(m, uint8(c-'0'))
			}
		}
	}
	return m
}

func TestConfusionPanicsOnOtherClasses(t *testing.T) {
	for name, pair := range map[string][2][]uint8{"truth": {mask("3"), mask("0")}, "answer": {mask("0"), mask("3")}, "length": {mask("00"), mask("0")}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: counted", name)
				}
			}()
			NewConfusion(3).Add(pair[0], pair[1])
		}()
	}
}

// Hand-computed: class 0 has 4 pixels of which 3 are found, class 1 has 3 of
// which 2 are found, class 2 has 1 which is missed; class 3 does not occur.
func TestConfusion(t *testing.T) {
	c := NewConfusion(4)
	c.Add(mask("0000", "111.", "2..."), mask("0001", "1102", "0000"))
	if got, want := c.Accuracy(), 5./8; got != want {
		t.Errorf("accuracy %v, want %v", got, want)
	}
	want := []struct{ iou, recall, precision, share float64 }{
		{3. / 6, 3. / 4, 3. / 5, 4. / 8}, {2. / 4, 2. / 3, 2. / 3, 3. / 8}, {0, 0, -1, 1. / 8}, {-1, -1, -1, 0},
	}
	value := func(v *float64) float64 {
		if v == nil {
			return -1
		}
		return *v
	}
	for i, s := range c.Classes([]string{"a", "b", "c", "d"}) {
		if w := want[i]; value(s.IoU) != w.iou || value(s.Recall) != w.recall || value(s.Precision) != w.precision || s.Share != w.share {
			t.Errorf("class %s: IoU %v, recall %v, precision %v, share %v; want %+v", s.Class, value(s.IoU), value(s.Recall), value(s.Precision), s.Share, w)
		}
	}
	if got, want := c.MIoU(), (3./6+2./4+0)/3; math.Abs(got-want) > 1e-15 {
		t.Errorf("mIoU %v, want %v", got, want)
	}
	if c.Count(0, 1) != 1 || c.Count(2, 0) != 1 {
		t.Error("the counts are wrong")
	}
	empty := NewConfusion(2)
	empty.Add(mask("..."), mask("000"))
	if empty.MIoU() != 0 || empty.Accuracy() != 0 || empty.Classes([]string{"a", "b"})[0].IoU != nil {
		t.Error("a table without pixels has scores")
	}
}

func TestBoundaryScore(t *testing.T) {
	const h, w = 6, 8
	truth := mask("00001111", "00001111", "00001111", "00001111", "00001111", "00001111")
	moved := mask("00011111", "00011111", "00011111", "00011111", "00011111", "00011111")
	for _, c := range []struct {
		name          string
		truth, answer []uint8
		tolerance     float64
		want          float64
		ok            bool
	}{
		{"the same", truth, truth, 0, 1, true},
		{"moved by one, none tolerated", truth, moved, 0.5, 0, true},
		{"moved by one, one tolerated", truth, moved, 1, 1, true},
		{"all one class", truth, mask("00000000", "00000000", "00000000", "00000000", "00000000", "00000000"), 1, 0, true},
		{"no outline at all", make([]uint8, h*w), make([]uint8, h*w), 1, 0, false},
		{"ignored pixels", mask("....1111", "00001111", "00001111", "00001111", "00001111", "00001111"),
			mask("11111111", "00001111", "00001111", "00001111", "00001111", "00001111"), 0, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newBoundaryScorer(h, w, 2)
			s.tolerance = c.tolerance
			got, ok := s.score(c.truth, c.answer)
			if math.Abs(got-c.want) > 1e-12 || ok != c.ok {
				t.Errorf("%v, %v, want %v, %v", got, ok, c.want, c.ok)
			}
		})
	}
	if got := Tolerance(180, 240); math.Abs(got-2.25) > 1e-12 {
		t.Errorf("the tolerance at 240×180 is %v", got)
	}
}

// near must agree with the definition.
func TestNearAgreesWithBruteForce(t *testing.T) {
	const h, w = 17, 23
	s := newBoundaryScorer(h, w, 2)
	for seed := range uint32(20) {
		s.tolerance = float64(seed) / 4
		a, b := make([]bool, h*w), make([]bool, h*w)
		for i := range a {
			a[i] = (uint32(i)*2654435761+seed*40503)>>28 < 3
			b[i] = (uint32(i)*2246822519+seed*9973)>>28 < 1
		}
		want := 0
		for i := range a {
			for j := range b {
				dy, dx := float64(i/w-j/w), float64(i%w-j%w)
				if a[i] && b[j] && math.Hypot(dy, dx) <= s.tolerance {
					want++
					break
				}
			}
		}
		if got := s.near(a, b); got != want {
			t.Errorf("at %v: %d, want %d", s.tolerance, got, want)
		}
	}
}
