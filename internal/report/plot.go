package report

import (
	"math"
	"unicode"
)

// The plots are drawn here and not by gonum/plot, whose SVG writes colours,
// one font and a fixed size into every element: it can follow neither a dark
// page nor a narrow one.

// Plot is a block that can also stand alone, as an SVG image in a document.
type Plot interface {
	Block
	// SVG returns the plot as a whole SVG document, 720 units wide, which
	// follows the reader's light or dark setting.
	SVG() string
}

// size is one of the sizes in which a plot is drawn. A page holds three and
// shows the one that suits the place, because text that shrinks with its plot
// can't be read on a phone.
type size struct {
	width    float64
	height   float64 // of the plot without legend and title
	font     float64 // of ticks and labels
	narrow   bool
	class    markup
	tickRoom float64 // of one tick on the x axis, for choosing their number
}

// sizes returns the sizes in a page: for half of it, all of it, and a phone.
func sizes() [3]size {
	return [3]size{
		{width: 520, height: 300, font: 12.5, class: "wide", tickRoom: 62},
		{width: 1030, height: 350, font: 13.5, class: "broad", tickRoom: 85},
		{width: 340, height: 270, font: 12, narrow: true, class: "narrow", tickRoom: 60},
	}
}

// aloneSize is the size of a plot that stands alone in a document.
func aloneSize() size {
	return size{width: 692, height: 360, font: 13.5, class: "alone", tickRoom: 85}
}

// drawing is what a plot must know to be a figure on a page: draw adds its
// elements below the given height and returns its whole height.
type drawing interface {
	title() (title, note string)
	describe() string
	draw(b *builder, s size, top float64) float64
}

// renderFigure writes a plot in all sizes with its title and note.
func renderFigure(b *builder, d drawing) {
	title, note := d.title()
	b.raw("<figure class=\"block figure\">")
	blockTitle(b, title)
	for _, s := range sizes() {
		b.raw(markup(svgDocument(d, s, false)))
	}
	caption(b, note)
	b.raw("</figure>\n")
}

// svgDocument draws a plot as an <svg> element; alone adds what one outside
// of a page needs.
func svgDocument(d drawing, s size, alone bool) string {
	title, _ := d.title()
	body := &builder{}
	top := 0.0
	if alone && title != "" {
		top = 30
		body.label(4, 18, "title", "start", 16, title)
	}
	bottom := d.draw(body, s, top)
	margin := 0.0 // a page has its own
	if alone {
		margin = 14
	}
	width, height := coord(s.width+2*margin), coord(bottom+2*margin)
	b := &builder{}
	b.raw("<svg")
	if alone {
		b.raw(" xmlns=\"http://www.w3.org/2000/svg\"")
		b.attr("width", width)
		b.attr("height", height)
	}
	b.raw(" class=\"plot ")
	b.raw(s.class)
	b.raw("\" role=\"img\"")
	b.attr("viewBox", coord(-margin)+" "+coord(-margin)+" "+width+" "+height)
	b.attr("aria-label", joinTexts(title, d.describe()))
	b.raw(">")
	if alone {
		b.raw("<style>")
		b.raw(svgStyle())
		b.raw("</style>")
	}
	b.raw(markup(body.String()))
	b.raw("</svg>\n")
	return b.String()
}

// label writes a line of text at x, y (its base line).
func (b *builder) label(x, y float64, class, anchor markup, font float64, s string) {
	b.raw("<text")
	if class != "" {
		b.raw(" class=\"")
		b.raw(class)
		b.raw("\"")
	}
	b.attrNum("x", x)
	b.attrNum("y", y)
	b.attrNum("font-size", font)
	if anchor != "start" {
		b.raw(" text-anchor=\"")
		b.raw(anchor)
		b.raw("\"")
	}
	b.raw(">")
	b.text(s)
	b.raw("</text>")
}

func (b *builder) line(class markup, x1, y1, x2, y2 float64) {
	b.raw("<line class=\"")
	b.raw(class)
	b.raw("\"")
	b.attrNum("x1", x1)
	b.attrNum("y1", y1)
	b.attrNum("x2", x2)
	b.attrNum("y2", y2)
	b.raw("/>")
}

func (b *builder) rect(class markup, x, y, w, h float64) {
	b.raw("<rect class=\"")
	b.raw(class)
	b.raw("\"")
	b.attrNum("x", x)
	b.attrNum("y", y)
	b.attrNum("width", w)
	b.attrNum("height", h)
	b.attrNum("rx", min(2.5, w/2))
	b.raw("/>")
}

// marker draws the i-th of the shapes that tell series apart beside their
// colours, around x, y.
func (b *builder) marker(i int, x, y float64) {
	d := ""
	at := func(cmd string, dx, dy float64) { d += cmd + coord(x+dx) + " " + coord(y+dy) }
	switch i % 4 {
	case 0:
		b.raw("<circle class=\"mark\"")
		b.attrNum("cx", x)
		b.attrNum("cy", y)
		b.raw(" r=\"4\"/>")
		return
	case 1: // square
		at("M", -3.6, -3.6)
		at("L", 3.6, -3.6)
		at("L", 3.6, 3.6)
		at("L", -3.6, 3.6)
	case 2: // triangle
		at("M", 0, -4.8)
		at("L", 4.6, 3.6)
		at("L", -4.6, 3.6)
	case 3: // diamond
		at("M", 0, -5.2)
		at("L", 5.2, 0)
		at("L", 0, 5.2)
		at("L", -5.2, 0)
	}
	b.raw("<path class=\"mark\"")
	b.attr("d", d+"Z")
	b.raw("/>")
}

// colorClass is the class that gives an element the i-th colour.
func colorClass(i int) markup {
	return markup([]string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}[i%seriesColors])
}

// textWidth estimates how wide s is set at the given font size. Fonts differ
// from one system to the next, so it errs on the wide side.
func textWidth(s string, font float64) float64 {
	em := 0.0
	for _, r := range s {
		switch {
		case r == '.' || r == ',' || r == 'i' || r == 'l' || r == 'j' || r == '\'' || r == ':' || r == '|' || r == '!':
			em += 0.31
		case r == ' ' || r == 'f' || r == 't' || r == 'r' || r == '(' || r == ')' || r == '-' || r == '/':
			em += 0.39
		case r == 'm' || r == 'w' || r == 'M' || r == 'W' || r == '%' || r == '@' || r == '—':
			em += 0.92
		case unicode.IsUpper(r):
			em += 0.69
		case r >= 0x1100:
			em += 1.02
		default:
			em += 0.58
		}
	}
	return em * font
}

// shorten cuts s with an ellipsis so that it takes at most width.
func shorten(s string, font, width float64) string {
	if textWidth(s, font) <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if cut := string(runes[:n]) + "…"; textWidth(cut, font) <= width {
			return cut
		}
	}
	return "…"
}

// legendEntry is a series in a legend.
type legendEntry struct {
	name  string
	index int // of the series
	swatch
}

type swatch uint8

const (
	swatchLine swatch = iota
	swatchDashed
	swatchFaint
	swatchMark
	swatchBox
)

// legend sets entries in lines of at most s.width and returns the height
// below them.
func (b *builder) legend(s size, top float64, entries []legendEntry) float64 {
	const left, room = 4.0, 26.0
	lineHeight := s.font * 1.65
	x, y := left, top+s.font*1.2
	for _, e := range entries {
		name := shorten(e.name, s.font, s.width-left-room)
		w := room + textWidth(name, s.font) + 18
		if x > left && x+w > s.width+8 {
			x, y = left, y+lineHeight
		}
		mid := y - s.font*0.34
		b.raw("<g class=\"")
		b.raw(colorClass(e.index))
		b.raw("\">")
		switch e.swatch {
		case swatchBox:
			b.rect("bar", x+4, mid-5, 12, 10)
		case swatchMark:
			b.marker(e.index, x+10, mid)
		case swatchDashed:
			b.line("path dashed", x, mid, x+20, mid)
			b.marker(e.index, x+10, mid)
		case swatchFaint:
			b.line("path faint", x, mid, x+20, mid)
		default:
			b.line("path", x, mid, x+20, mid)
			b.marker(e.index, x+10, mid)
		}
		b.raw("</g>")
		b.label(x+room, y, "name", "start", s.font, name)
		x += w
	}
	return y + s.font*0.9
}

// yGutter is the room that an axis' tick texts take beside it.
func yGutter(ticks []tick, font float64) float64 {
	w := 0.0
	for _, t := range ticks {
		w = max(w, textWidth(t.text, font))
	}
	return math.Ceil(w) + 12
}
