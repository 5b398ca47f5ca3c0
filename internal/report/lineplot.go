package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// LinePlot draws one or more series over a common x axis. On a wide page the
// series' names stand at the ends of their lines, on a narrow one in a legend.
type LinePlot struct {
	Title  string
	Note   string // a line below, with the inline marks of Section.Text
	X, Y   Axis
	Series []Series
	Lines  []RefLine
}

// Series is one line of a LinePlot: the points (X[i], Y[i]), in that order. A
// point that can't be drawn (not finite, or not positive on a logarithmic
// axis) breaks the line. X may be nil, and is then 1, 2, 3, … Where X and Y
// differ in length, what is beyond the shorter is left out.
type Series struct {
	Name  string
	X, Y  []float64
	Style Style
	// Color picks one of ten colours, from 1 to 10, so that a series keeps
	// its colour from plot to plot; zero takes the series' own turn.
	Color int
}

// Style is how a series is drawn. Lines of at most 24 points have markers.
type Style uint8

const (
	Solid Style = iota
	Dashed
	Points // markers without a line: a scatter plot
	Faint  // a pale line without markers: the noise behind a smoothed series
)

// RefLine is a horizontal line to compare with, such as a known result.
type RefLine struct {
	Y    float64
	Name string
}

const (
	markersUpTo = 24   // points, in a line with markers
	pointsUpTo  = 4000 // points, in a scatter plot
	fineFrom    = 500  // points, from which a faint line is drawn finer
)

func (p *LinePlot) render(b *builder) error {
	renderFigure(b, p)
	return nil
}

// SVG returns the plot as a whole SVG document.
func (p *LinePlot) SVG() string { return svgDocument(p, aloneSize(), true) }

func (p *LinePlot) title() (string, string) { return p.Title, p.Note }

func (s *Series) len() int {
	if s.X == nil {
		return len(s.Y)
	}
	return min(len(s.X), len(s.Y))
}

func (s *Series) x(i int) float64 {
	if s.X == nil {
		return float64(i + 1)
	}
	return s.X[i]
}

func (s *Series) colorIndex(i int) int {
	if s.Color > 0 {
		return s.Color - 1
	}
	return i
}

// describe says in words what the plot shows, for those who can't see it.
func (p *LinePlot) describe() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "plot of %s over %s.", cmp.Or(p.Y.Label, "y"), cmp.Or(p.X.Label, "x"))
	for i := range p.Series {
		s := &p.Series[i]
		pts := p.points(s)
		if len(pts) == 0 {
			fmt.Fprintf(&sb, " %s: no data.", cmp.Or(s.Name, "series"))
			continue
		}
		a, z := pts[0], pts[len(pts)-1]
		fmt.Fprintf(&sb, " %s: %d points, from %s at %s to %s at %s.", cmp.Or(s.Name, "series"),
			len(pts), significant(s.Y[a]), significant(s.x(a)), significant(s.Y[z]), significant(s.x(z)))
	}
	return sb.String()
}

// points returns the indices of the points that can be drawn.
func (p *LinePlot) points(s *Series) []int {
	var pts []int
	for i := range s.len() {
		_, okx := usable(s.x(i), p.X.Log)
		_, oky := usable(s.Y[i], p.Y.Log)
		if okx && oky {
			pts = append(pts, i)
		}
	}
	return pts
}

// xs and ys yield the coordinates of all points that can be drawn.
func (p *LinePlot) xs(yield func(float64) bool) {
	for i := range p.Series {
		for _, j := range p.points(&p.Series[i]) {
			if !yield(p.Series[i].x(j)) {
				return
			}
		}
	}
}

func (p *LinePlot) ys(yield func(float64) bool) {
	for i := range p.Series {
		for _, j := range p.points(&p.Series[i]) {
			if !yield(p.Series[i].Y[j]) {
				return
			}
		}
	}
	for _, l := range p.Lines {
		if !yield(l.Y) {
			return
		}
	}
}

// frame is the plot's inner rectangle with its two scales.
type frame struct {
	left, right, top, bottom float64
	x, y                     scale
}

func (f *frame) within(x, y float64) bool {
	const eps = 0.5
	return x >= f.left-eps && x <= f.right+eps && y >= f.top-eps && y <= f.bottom+eps
}

func (p *LinePlot) draw(b *builder, s size, top float64) float64 {
	direct := !s.narrow && len(p.Series) <= 8
	if entries := p.legendEntries(); !direct && len(entries) > 0 {
		top = b.legend(s, top, entries)
	}
	f := frame{top: top + 10, bottom: top + s.height}
	if p.Y.Label != "" {
		b.label(4, top+s.font*1.1, "name", "start", s.font, shorten(p.Y.Label, s.font, s.width-8))
		f.top += s.font * 1.5
		f.bottom += s.font * 0.6
	}
	f.y = p.Y.fit(p.ys, 5, true)
	f.left = yGutter(f.y.ticks, s.font)
	f.right = s.width - 14
	if direct {
		f.right = s.width - p.labelRoom(s)
	}
	f.x = p.X.fit(p.xs, int(max(3, (f.right-f.left)/s.tickRoom)), false)
	inset := 6.0 // keeps the first and last markers off the frame
	f.x.from, f.x.to = f.left+inset, f.right-inset
	f.y.from, f.y.to = f.bottom, f.top
	bottom := f.axes(b, s, p.X.Label)
	p.refLines(b, s, &f)
	for i := range p.Series {
		p.line(b, &f, i)
	}
	if direct {
		p.directLabels(b, s, &f)
	}
	if p.empty() {
		b.label((f.left+f.right)/2, (f.top+f.bottom)/2, "", "middle", s.font, "no data")
	}
	return bottom
}

// empty reports whether no series has a point that can be drawn.
func (p *LinePlot) empty() bool {
	for range p.xs {
		return false
	}
	return true
}

func (p *LinePlot) legendEntries() []legendEntry {
	var entries []legendEntry
	for i, s := range p.Series {
		if s.Name == "" {
			continue
		}
		e := legendEntry{name: s.Name, index: s.colorIndex(i)}
		switch s.Style {
		case Dashed:
			e.swatch = swatchDashed
		case Points:
			e.swatch = swatchMark
		case Faint:
			e.swatch = swatchFaint
		}
		entries = append(entries, e)
	}
	return entries
}

// axes draws grid lines, ticks and the x label, and returns the height below.
func (f *frame) axes(b *builder, s size, xLabel string) float64 {
	for _, t := range f.y.ticks {
		if y, ok := f.y.place(t.value); ok {
			b.line("gridline", f.left, y, f.right, y)
			b.label(f.left-8, y+s.font*0.35, "", "end", s.font, t.text)
		}
	}
	b.line("axis", f.left, f.bottom, f.right, f.bottom)
	base := f.bottom + s.font*1.5
	last := math.Inf(-1) // the right end of the tick text before
	for _, t := range f.x.ticks {
		x, ok := f.x.place(t.value)
		if !ok {
			continue
		}
		b.line("axis", x, f.bottom, x, f.bottom+4)
		if w := textWidth(t.text, s.font); x-w/2 > last+4 {
			b.label(x, base, "", "middle", s.font, t.text)
			last = x + w/2
		}
	}
	if xLabel == "" {
		return base + 8
	}
	b.label((f.left+f.right)/2, base+s.font*1.5, "name", "middle", s.font, shorten(xLabel, s.font, s.width-8))
	return base + s.font*1.5 + 8
}

func (p *LinePlot) refLines(b *builder, s size, f *frame) {
	for _, l := range p.Lines {
		y, ok := f.y.place(l.Y)
		if !ok || !f.within(f.left, y) {
			continue
		}
		b.line("ref", f.left, y, f.right, y)
		b.label(f.left+6, y-5, "", "start", s.font*0.92, shorten(l.Name, s.font*0.92, f.right-f.left))
	}
}

// line draws the i-th series.
func (p *LinePlot) line(b *builder, f *frame, i int) {
	s := &p.Series[i]
	index := s.colorIndex(i)
	b.raw("<g class=\"")
	b.raw(colorClass(index))
	b.raw("\">")
	if s.Style != Points {
		if d := p.path(s, f); d != "" {
			b.raw("<path class=\"path")
			switch s.Style {
			case Dashed:
				b.raw(" dashed")
			case Faint:
				b.raw(" faint")
			}
			if s.len() > fineFrom && s.Style == Faint {
				b.raw(" fine")
			}
			b.raw("\"")
			b.attr("d", d)
			b.raw("/>")
		}
	}
	pts := p.points(s)
	if len(pts) <= markersUpTo && s.Style != Faint || s.Style == Points {
		step := (len(pts) + pointsUpTo - 1) / pointsUpTo
		for k := 0; k < len(pts); k += step {
			p.point(b, f, s, index, pts[k])
		}
	}
	b.raw("</g>")
}

// point draws a marker that names its values under the pointer.
func (p *LinePlot) point(b *builder, f *frame, s *Series, index, i int) {
	x, _ := f.x.place(s.x(i))
	y, _ := f.y.place(s.Y[i])
	if !f.within(x, y) {
		return
	}
	b.raw("<g class=\"hover\"><title>")
	b.text(strings.TrimSpace(s.Name + " " + significant(s.Y[i]) + " at " + significant(s.x(i))))
	b.raw("</title><circle class=\"hit\"")
	b.attrNum("cx", x)
	b.attrNum("cy", y)
	b.raw(" r=\"10\"/>")
	b.marker(index, x, y)
	b.raw("</g>")
}

// path returns the line's path data: broken at points that can't be drawn,
// clipped to the frame, and thinned to what the frame can show.
func (p *LinePlot) path(s *Series, f *frame) string {
	var sb strings.Builder
	var run [][2]float64
	flush := func() {
		for _, piece := range clip(thin(run, 600), f) {
			for k, pt := range piece {
				cmd := "L"
				if k == 0 {
					cmd = "M"
				}
				sb.WriteString(cmd + coord(pt[0]) + " " + coord(pt[1]))
			}
		}
		run = run[:0]
	}
	for i := range s.len() {
		x, okx := f.x.place(s.x(i))
		y, oky := f.y.place(s.Y[i])
		if !okx || !oky {
			flush()
			continue
		}
		run = append(run, [2]float64{x, y})
	}
	flush()
	return sb.String()
}

// thin cuts a long line into n runs of points and keeps the first, the last,
// the lowest and the highest of each, so that no spike is lost.
func thin(pts [][2]float64, n int) [][2]float64 {
	if len(pts) <= 4*n {
		return pts
	}
	var out [][2]float64
	for k := range n {
		part := pts[k*len(pts)/n : (k+1)*len(pts)/n]
		keep := []int{0, 0, 0, len(part) - 1}
		for i, pt := range part {
			if pt[1] < part[keep[1]][1] {
				keep[1] = i
			}
			if pt[1] > part[keep[2]][1] {
				keep[2] = i
			}
		}
		slices.Sort(keep)
		for _, i := range slices.Compact(keep) {
			out = append(out, part[i])
		}
	}
	return out
}
