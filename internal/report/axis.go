package report

import (
	"math"
)

// Axis describes one axis of a plot. The zero value is a linear axis that
// fits the data.
type Axis struct {
	Label string
	// Log makes the axis logarithmic. Values that aren't positive are then
	// left out, as values that aren't finite are on any axis.
	Log bool
	// Zero makes a linear axis begin (or end) at zero.
	Zero bool
	// Lo and Hi fix the range if Lo < Hi; what lies outside is clipped.
	Lo, Hi float64
	// Ticks are the places of the ticks, such as 2, 4, 8, 16; nil sets ticks
	// at round numbers. Those outside the range are left out.
	Ticks []float64
}

// scale maps values to places in a picture.
type scale struct {
	log      bool
	lo, hi   float64 // the range, log10 of it on a logarithmic axis; lo < hi
	from, to float64 // the places of lo and hi
	ticks    []tick
}

type tick struct {
	value float64
	text  string
}

// place returns where v stands, and whether it can be drawn at all.
func (s *scale) place(v float64) (float64, bool) {
	v, ok := usable(v, s.log)
	if !ok {
		return 0, false
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from), true
}

// usable returns v as it is drawn, its log10 on a logarithmic axis, and
// whether it can be drawn. Values too close to zero to have a name are zero.
func usable(v float64, log bool) (float64, bool) {
	if !finite(v) {
		return 0, false
	}
	if math.Abs(v) < 1/drawable {
		v = 0
	}
	if log {
		return math.Log10(v), v > 0
	}
	return v, true
}

// fit chooses the range for the values that each yields and sets about count
// ticks. Where loose is set the range is widened to the next ticks, so that a
// curve doesn't touch the frame.
func (a Axis) fit(each func(yield func(float64) bool), count int, loose bool) scale {
	s := scale{log: a.Log, lo: math.Inf(1), hi: math.Inf(-1)}
	if lo, ok := usable(a.Lo, a.Log); ok && a.Lo < a.Hi {
		if hi, ok := usable(a.Hi, a.Log); ok && lo < hi {
			s.lo, s.hi, loose = lo, hi, false
		}
	}
	if s.lo > s.hi {
		for v := range each {
			if v, ok := usable(v, a.Log); ok {
				s.lo, s.hi = min(s.lo, v), max(s.hi, v)
			}
		}
		s.mend(a.Zero && !a.Log)
	}
	switch {
	case len(a.Ticks) > 0:
		s.ticksAt(a.Ticks)
	case a.Log:
		s.logTicks(count, loose)
	default:
		s.linearTicks(count, loose)
	}
	return s
}

// mend makes a range of nothing, of one point and of points that are as good
// as one.
func (s *scale) mend(zero bool) {
	if s.lo > s.hi {
		s.lo, s.hi = 0, 1
	}
	if zero {
		s.lo, s.hi = min(s.lo, 0), max(s.hi, 0)
	}
	largest := max(math.Abs(s.lo), math.Abs(s.hi))
	if s.hi-s.lo > 1e-9*largest {
		return
	}
	pad := largest / 10
	if pad == 0 || s.log {
		pad = 0.5
	}
	s.lo -= pad
	s.hi += pad
}

func (s *scale) ticksAt(values []float64) {
	for _, v := range values {
		at, ok := usable(v, s.log)
		if !ok || at < s.lo-1e-9*(s.hi-s.lo) || at > s.hi+1e-9*(s.hi-s.lo) {
			continue
		}
		s.ticks = append(s.ticks, tick{v, significant(v)})
	}
}

// niceStep returns the step of 1, 2 or 5 times a power of ten that cuts span
// into about count pieces.
func niceStep(span float64, count int) float64 {
	raw := span / float64(max(count, 1))
	mag := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*mag*1.0000001 {
			return m * mag
		}
	}
	return 10 * mag
}

func (s *scale) linearTicks(count int, loose bool) {
	step := niceStep(s.hi-s.lo, count)
	if loose {
		s.lo = math.Floor(s.lo/step+1e-6) * step
		s.hi = math.Ceil(s.hi/step-1e-6) * step
	}
	largest := max(math.Abs(s.lo), math.Abs(s.hi))
	first, last := math.Ceil(s.lo/step-1e-6), math.Floor(s.hi/step+1e-6)
	for i := 0.0; first+i <= last; i++ {
		v := (first + i) * step
		s.ticks = append(s.ticks, tick{v, tickText(v, step, largest)})
	}
}

// logTicks sets ticks at the powers of ten; at 1, 2 and 5 times them on a
// short range; and at round numbers where even those are too far apart.
func (s *scale) logTicks(count int, loose bool) {
	if loose {
		pad := 0.04 * (s.hi - s.lo)
		s.lo -= pad
		s.hi += pad
	}
	every := 1.0
	multiples := []float64{1, 2, 5}
	switch decades := s.hi - s.lo; {
	case decades > float64(count):
		every = math.Ceil(decades / float64(count))
		multiples = multiples[:1]
	case decades*3 > float64(count)+1:
		multiples = multiples[:1]
	}
	s.ticks = nil
	for e := math.Floor(s.lo/every) * every; e <= s.hi; e += every {
		for _, m := range multiples {
			if at := e + math.Log10(m); at >= s.lo-1e-9 && at <= s.hi+1e-9 {
				v := m * math.Pow(10, e)
				s.ticks = append(s.ticks, tick{v, logTickText(v)})
			}
		}
	}
	if len(s.ticks) >= 2 {
		return
	}
	lo, hi := math.Pow(10, s.lo), math.Pow(10, s.hi)
	linear := scale{lo: lo, hi: hi}
	linear.linearTicks(max(count, 5), false)
	s.ticks = s.ticks[:0]
	for _, t := range linear.ticks {
		if t.value > 0 {
			s.ticks = append(s.ticks, t)
		}
	}
}
