package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// BarPlot draws horizontal bars from zero, one or more to a row, each with its
// value behind it.
type BarPlot struct {
	Title string
	Note  string // a line below, with the inline marks of Section.Text
	Label string // what the bars measure: "5-NN accuracy, %"
	// Series names the bars of each row; one bar a row needs no name.
	Series []string
	Rows   []BarRow
	// Decimals is the number of decimals of the values (0 to 9); less than
	// zero chooses three significant digits.
	Decimals int
	Unit     string // set behind each value: "%", " dB"; may be empty
	// Best, for plots with one bar a row, keeps the best bar's colour full
	// and mutes the others.
	Best Best
}

// BarRow is a row of a BarPlot. A value that isn't finite shows as a dash.
type BarRow struct {
	Label  string
	Values []float64 // one for each of BarPlot.Series
}

func (p *BarPlot) render(b *builder) error {
	renderFigure(b, p)
	return nil
}

// SVG returns the plot as a whole SVG document.
func (p *BarPlot) SVG() string { return svgDocument(p, aloneSize(), true) }

func (p *BarPlot) title() (string, string) { return p.Title, p.Note }

func (p *BarPlot) describe() string {
	var sb strings.Builder
	sb.WriteString("bars")
	if p.Label != "" {
		sb.WriteString(" of " + p.Label)
	}
	sb.WriteString(".")
	for _, r := range p.Rows {
		fmt.Fprintf(&sb, " %s:", r.Label)
		for j, v := range r.Values {
			if j > 0 {
				sb.WriteString(",")
			}
			if j < len(p.Series) && p.Series[j] != "" {
				sb.WriteString(" " + p.Series[j])
			}
			sb.WriteString(" " + p.format(v))
		}
		sb.WriteString(".")
	}
	return sb.String()
}

func (p *BarPlot) format(v float64) string {
	switch {
	case !finite(v):
		return dash
	case p.Decimals < 0:
		return significant(v) + p.Unit
	}
	return signed(grouped(strconv.FormatFloat(v, 'f', min(p.Decimals, 9), 64))) + p.Unit
}

func (p *BarPlot) values(yield func(float64) bool) {
	for _, r := range p.Rows {
		for _, v := range r.Values {
			if !yield(v) {
				return
			}
		}
	}
}

// best returns the best value of a plot with one bar a row, or NaN.
func (p *BarPlot) best() float64 {
	best := math.NaN()
	for _, r := range p.Rows {
		if len(r.Values) > 1 {
			return math.NaN()
		}
		for _, v := range r.Values {
			if finite(v) && p.Best.better(v, best) {
				best = v
			}
		}
	}
	return best
}

// Heights of a bar, between bars of a row and between rows.
const (
	barThick = 16.0
	barGap   = 3.0
	rowGap   = 12.0
)

func (p *BarPlot) draw(b *builder, s size, top float64) float64 {
	if len(p.Series) > 1 {
		var entries []legendEntry
		for i, name := range p.Series {
			entries = append(entries, legendEntry{name, i, swatchBox})
		}
		top = b.legend(s, top, entries)
	}
	if p.Label != "" {
		b.label(4, top+s.font*1.1, "name", "start", s.font, shorten(p.Label, s.font, s.width-8))
		top += s.font * 1.8
	}
	left, labelLine := 2.0, s.font*1.45
	if !s.narrow {
		left, labelLine = p.labelWidth(s), 0
	}
	sc := Axis{Zero: true}.fit(p.values, 4, false)
	before, behind := p.valueRoom(s)
	sc.from, sc.to = left+before, s.width-behind
	if len(p.Rows) == 0 {
		b.label(s.width/2, top+30, "", "middle", s.font, "no data")
		return top + 60
	}
	y := top + 4
	best := p.best()
	for _, r := range p.Rows {
		n := float64(max(1, len(r.Values)))
		if s.narrow {
			b.label(left, y+s.font*0.95, "name", "start", s.font, shorten(r.Label, s.font, s.width-left))
		} else {
			mid := y + (n*barThick+(n-1)*barGap)/2
			b.label(left-10, mid+s.font*0.35, "name", "end", s.font, shorten(r.Label, s.font, left-12))
		}
		y += labelLine
		for j, v := range r.Values {
			p.bar(b, s, &sc, y, v, j, best)
			y += barThick + barGap
		}
		if len(r.Values) == 0 {
			y += barThick + barGap
		}
		y += rowGap - barGap
	}
	bottom := y - rowGap + 6
	zero, _ := sc.place(0)
	b.line("axis", zero, top, zero, bottom)
	return bottom + 6
}

// bar draws one bar with its value at its outer end.
func (p *BarPlot) bar(b *builder, s size, sc *scale, y, v float64, j int, best float64) {
	zero, _ := sc.place(0)
	text := p.format(v)
	x, ok := sc.place(v)
	if !ok {
		b.label(zero+6, y+barThick*0.75, "", "start", s.font, text)
		return
	}
	b.raw("<g class=\"")
	b.raw(colorClass(j))
	b.raw("\">")
	class, textClass := markup("bar"), markup("name")
	switch {
	case v == best:
		textClass = "strong"
	case !math.IsNaN(best):
		class = "bar muted"
	}
	b.rect(class, min(x, zero), y, math.Abs(x-zero), barThick)
	if v < 0 {
		b.label(x-6, y+barThick*0.75, textClass, "end", s.font, text)
	} else {
		b.label(x+6, y+barThick*0.75, textClass, "start", s.font, text)
	}
	b.raw("</g>")
}

// labelWidth is the room left of the bars for the rows' labels.
func (p *BarPlot) labelWidth(s size) float64 {
	w := 0.0
	for _, r := range p.Rows {
		w = max(w, textWidth(r.Label, s.font))
	}
	return min(math.Ceil(w)+14, s.width*0.36)
}

// valueRoom is the room for the values behind bars of either sign.
func (p *BarPlot) valueRoom(s size) (before, behind float64) {
	behind = 12
	for v := range p.values {
		w := textWidth(p.format(v), s.font) + 12
		if finite(v) && v < 0 {
			before = max(before, w)
		} else {
			behind = max(behind, w)
		}
	}
	return before, behind
}
