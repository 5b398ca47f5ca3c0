package report

import (
	"cmp"
	"math"
	"slices"
)

// labelRoom is the room right of a line plot for the names of its series.
func (p *LinePlot) labelRoom(s size) float64 {
	w := 0.0
	for i := range p.Series {
		w = max(w, textWidth(p.labelOf(&p.Series[i]), s.font))
	}
	if w == 0 {
		return 14
	}
	return min(math.Ceil(w)+28, s.width*0.36)
}

// labelOf is what stands at the end of a series' line.
func (p *LinePlot) labelOf(s *Series) string {
	if s.Name != "" && len(p.points(s)) == 0 {
		return s.Name + " (no data)"
	}
	return s.Name
}

// directLabels sets each series' name level with the end of its line, moved
// apart where they would overlap, with a thin line back to where they belong.
func (p *LinePlot) directLabels(b *builder, s size, f *frame) {
	type name struct {
		text     string
		index    int
		endX     float64
		at, want float64
	}
	var names []name
	for i := range p.Series {
		series := &p.Series[i]
		if series.Name == "" {
			continue
		}
		n := name{text: p.labelOf(series), index: series.colorIndex(i), endX: f.right, want: f.bottom}
		if pts := p.points(series); len(pts) > 0 {
			last := slices.MaxFunc(pts, func(a, z int) int { return cmp.Compare(series.x(a), series.x(z)) })
			x, _ := f.x.place(series.x(last))
			y, _ := f.y.place(series.Y[last])
			n.endX = min(max(x, f.left), f.right)
			n.want = min(max(y, f.top), f.bottom)
		}
		names = append(names, n)
	}
	slices.SortStableFunc(names, func(a, z name) int { return cmp.Compare(a.want, z.want) })
	wants := make([]float64, len(names))
	for i, n := range names {
		wants[i] = n.want
	}
	for i, at := range spread(wants, s.font*1.35, f.top, f.bottom) {
		names[i].at = at
	}
	for _, n := range names {
		b.raw("<g class=\"")
		b.raw(colorClass(n.index))
		b.raw("\">")
		if n.endX < f.right-14 || math.Abs(n.at-n.want) > 4 {
			b.raw("<path class=\"lead\"")
			b.attr("d", "M"+coord(n.endX+6)+" "+coord(n.want)+"L"+coord(max(n.endX+6, f.right))+" "+coord(n.want)+
				"L"+coord(f.right+9)+" "+coord(n.at))
			b.raw("/>")
		}
		b.marker(n.index, f.right+13, n.at)
		b.label(f.right+22, n.at+s.font*0.35, "name", "start", s.font, shorten(n.text, s.font, s.width-f.right-22))
		b.raw("</g>")
	}
}

// spread moves the sorted places in wants apart until neighbours are gap
// away from each other, each as near to its wish as the others let it, and
// keeps them between lo and hi as far as they fit. Overlapping names form
// groups, which are centred over the mean of their wishes.
func spread(wants []float64, gap, lo, hi float64) []float64 {
	type group struct {
		sum float64 // of wishes, each less its offset in the group
		n   int
	}
	start := func(g group) float64 {
		extent := float64(g.n-1) * gap
		return max(lo, min(g.sum/float64(g.n), hi-extent))
	}
	var groups []group
	for _, w := range wants {
		groups = append(groups, group{w, 1})
		for len(groups) > 1 {
			a, z := groups[len(groups)-2], groups[len(groups)-1]
			if start(a)+float64(a.n)*gap <= start(z) {
				break
			}
			merged := group{a.sum + z.sum - float64(a.n*z.n)*gap, a.n + z.n}
			groups = append(groups[:len(groups)-2], merged)
		}
	}
	at := make([]float64, 0, len(wants))
	for _, g := range groups {
		for i := range g.n {
			at = append(at, start(g)+float64(i)*gap)
		}
	}
	return at
}
