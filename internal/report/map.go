package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"slices"
	"strconv"
)

// Map is a picture of a collection: each point at its two coordinates, drawn
// as its thumbnail where there is room and as a dot elsewhere, in the colour
// of its class. It is drawn here, as one image, so that thousands of points
// stay light and move smoothly; where a script may run, the pointer shows
// each point's texts.
type Map struct {
	Title  string
	Note   string // a line below, with the inline marks of Section.Text
	Points []MapPoint
	// Classes names the classes that MapPoint.Class counts. The nine largest
	// have colours of their own, further ones share grey.
	Classes []string
	// Style says how thumbnails show their class.
	Style MapStyle
	// Pixels is the side of the drawn image; zero means 1,600.
	Pixels int
}

// MapPoint is one point of a Map. A point whose coordinates aren't finite is
// left out and counted below the map.
type MapPoint struct {
	X, Y  float64
	Class int    // an index into Map.Classes; less than zero for none
	Label string // such as the file's name; shown under the pointer
	Thumb Image  // its picture; the zero Image for a dot
}

// MapStyle is how thumbnails show the class of their point.
type MapStyle uint8

const (
	// MapAuto tints if three quarters of the thumbnails are grey on black,
	// or if there are none, and frames otherwise.
	MapAuto MapStyle = iota
	// MapTint draws a thumbnail as light in the colour of its class, so that
	// black is nothing: for figures on black, such as written digits.
	MapTint
	// MapFrame draws a thumbnail as it is, in a frame of its class' colour.
	MapFrame
)

const (
	mapPixels    = 1600
	mapPixelsMin = 200
	mapPixelsMax = 4096
	mapPointsMax = 200_000
	mapLabelMax  = 200 // bytes of a point's label
	mapQuality   = 84  // of the JPEG that holds framed thumbnails
	ownColors    = seriesColors - 1
)

func (m *Map) render(b *builder) error {
	if err := m.renderMap(b); err != nil {
		return fmt.Errorf("map %q: %w", m.Title, err)
	}
	return nil
}

func (m *Map) renderMap(b *builder) error {
	l, err := m.layout()
	if err != nil {
		return err
	}
	src, err := m.paint(l)
	if err != nil {
		return err
	}
	script, err := json.Marshal(m.hover(l))
	if err != nil {
		return err
	}
	b.maps++
	id := strconv.Itoa(b.maps)
	b.raw("<div class=\"block map\">")
	blockTitle(b, m.Title)
	b.raw("<div class=\"tools\">")
	m.legend(b, l)
	b.raw("<fieldset class=\"zoom\"><legend class=\"sr\">Zoom</legend>")
	for _, k := range []string{"1", "2", "4"} {
		b.raw("<input type=\"radio\"")
		b.attr("name", "zoom"+id)
		b.attr("id", "zoom"+id+"-"+k)
		b.attr("class", "z"+k)
		if k == "1" {
			b.raw(" checked")
		}
		b.raw("><label")
		b.attr("for", "zoom"+id+"-"+k)
		b.raw(">")
		b.text(k + "×")
		b.raw("</label>")
	}
	b.raw("</fieldset></div>\n<div class=\"view\" tabindex=\"0\" role=\"region\"")
	b.attr("aria-label", cmp.Or(m.Title, "Map"))
	b.raw("><div class=\"plane\"><img")
	b.attrInt("width", l.w)
	b.attrInt("height", l.h)
	b.attr("alt", m.describe(l))
	b.attr("src", src)
	b.raw("><div class=\"ring\"></div></div></div>")
	b.raw("<div class=\"tip\" aria-hidden=\"true\"><canvas></canvas><div><b></b><span></span></div></div>\n")
	b.raw("<script type=\"application/json\">")
	b.raw(markup(script)) // json.Marshal writes < > & as \u escapes
	b.raw("</script>\n")
	caption(b, m.Note)
	if lost := len(m.Points) - len(l.at); lost > 0 {
		caption(b, fmt.Sprintf("%d points without finite coordinates are left out.", lost))
	}
	if l.outside > 0 {
		caption(b, fmt.Sprintf("%d points lie far outside and stand at the edge.", l.outside))
	}
	b.raw("</div>\n")
	return nil
}

func (m *Map) describe(l *mapLayout) string {
	s := fmt.Sprintf("map of %d points", len(l.at))
	for _, c := range l.legend {
		s += fmt.Sprintf(", %s %d", c.name, c.n)
	}
	return s
}

func (m *Map) legend(b *builder, l *mapLayout) {
	b.raw("<ul class=\"legend\">")
	for _, c := range l.legend {
		b.raw("<li><span class=\"swatch ")
		b.raw(c.class())
		b.raw("\"></span>")
		b.text(c.name)
		b.raw(" ")
		b.element("small", "", grouped(strconv.Itoa(c.n)))
		b.raw("</li>")
	}
	b.raw("</ul>")
}

// mapClass is a line of the legend.
type mapClass struct {
	name  string
	n     int // points
	color int // one of the series' colours; less than zero for grey
}

func (c mapClass) class() markup {
	if c.color < 0 {
		return "cx"
	}
	return colorClass(c.color)
}

// mapLayout is where everything goes.
type mapLayout struct {
	w, h    int
	thumb   int // side of a thumbnail's place
	at      []mapPlace
	legend  []mapClass
	outside int
	tint    bool
}

// mapPlace is a point in the picture.
type mapPlace struct {
	index int // in Map.Points
	x, y  int
	color int  // as in mapClass
	drawn bool // as a thumbnail
	// covered is set for a point under another's thumbnail: its dot would
	// only look like a part of that picture.
	covered bool
}

func (m *Map) layout() (*mapLayout, error) {
	if len(m.Points) > mapPointsMax {
		return nil, fmt.Errorf("has %d points: at most %d can be drawn; give a sample", len(m.Points), mapPointsMax)
	}
	side := m.Pixels
	if side <= 0 {
		side = mapPixels
	}
	side = min(max(side, mapPixelsMin), mapPixelsMax)
	l := &mapLayout{w: side, h: side}
	colors := m.colors(l)
	var xs, ys []float64
	dark, thumbs := 0, 0
	for i, p := range m.Points {
		if err := p.Thumb.check(); err != nil {
			return nil, fmt.Errorf("point %d: %w", i+1, err)
		}
		if p.Class >= len(m.Classes) {
			return nil, fmt.Errorf("point %d is of class %d, and %d classes are named", i+1, p.Class, len(m.Classes))
		}
		if !finite(p.X) || !finite(p.Y) {
			continue
		}
		if !p.Thumb.empty() {
			thumbs++
			if onBlack(p.Thumb) {
				dark++
			}
		}
		xs, ys = append(xs, p.X), append(ys, p.Y)
		color := -1
		if p.Class >= 0 {
			color = colors[p.Class]
		}
		l.at = append(l.at, mapPlace{index: i, color: color})
	}
	l.tint = m.Style == MapTint || m.Style == MapAuto && 4*dark >= 3*thumbs
	if thumbs > 0 {
		// Twice the area that the points would fill evenly: dense parts are
		// thinned, sparse ones need no microscope.
		l.thumb = int(min(max(float64(side)/math.Sqrt(float64(thumbs))*1.4, 32), 80))
	}
	l.place(xs, ys)
	m.thinOut(l)
	return l, nil
}

// colors gives the largest classes their colours, fills the legend and
// returns the colour of each class.
func (m *Map) colors(l *mapLayout) []int {
	n := make([]int, len(m.Classes))
	none := 0
	for _, p := range m.Points {
		switch {
		case p.Class < 0:
			none++
		case p.Class < len(n):
			n[p.Class]++
		}
	}
	limit := seriesColors
	if len(n) > limit {
		limit = ownColors
	}
	bySize := make([]int, len(n))
	for i := range bySize {
		bySize[i] = i
	}
	slices.SortStableFunc(bySize, func(a, z int) int { return n[z] - n[a] })
	chosen := slices.Clone(bySize[:min(limit, len(bySize))])
	slices.Sort(chosen)
	colors := make([]int, len(n))
	for i := range colors {
		colors[i] = -1
	}
	for k, c := range chosen {
		colors[c] = k
		l.legend = append(l.legend, mapClass{m.Classes[c], n[c], k})
	}
	if rest := bySize[len(chosen):]; len(rest) > 0 {
		sum := 0
		for _, c := range rest {
			sum += n[c]
		}
		l.legend = append(l.legend, mapClass{fmt.Sprintf("%d other classes", len(rest)), sum, -1})
	}
	if none > 0 && len(n) > 0 {
		l.legend = append(l.legend, mapClass{"no class", none, -1})
	}
	return colors
}

// place turns coordinates into pixels, with one scale for both axes, because
// distances are what a map is about. The frame holds all but the outermost
// points; those stand at its edge.
func (l *mapLayout) place(xs, ys []float64) {
	x0, x1 := middle(xs)
	y0, y1 := middle(ys)
	span := max(x1-x0, y1-y0)
	if !(span > 1/drawable) {
		span = 1
	}
	margin := float64(max(l.thumb/2, 5) + 4)
	k := (float64(l.w) - 2*margin) / span
	l.h = int(min(max((y1-y0)*k+2*margin, float64(l.w)*0.5), float64(l.w)))
	for i := range l.at {
		x := float64(l.w)/2 + (xs[i]-(x0+x1)/2)*k
		y := float64(l.h)/2 - (ys[i]-(y0+y1)/2)*k // up is up
		cx := min(max(x, margin), float64(l.w)-margin)
		cy := min(max(y, margin), float64(l.h)-margin)
		if math.Abs(cx-x) > 1 || math.Abs(cy-y) > 1 {
			l.outside++
		}
		l.at[i].x, l.at[i].y = int(math.Round(cx)), int(math.Round(cy))
	}
}

// middle returns the range of all values but outliers: those further from
// the central half than three times its width, as in a box plot drawn wide.
func middle(values []float64) (lo, hi float64) {
	if len(values) == 0 {
		return 0, 0
	}
	v := slices.Clone(values)
	slices.Sort(v)
	q1, q3 := v[len(v)/4], v[len(v)*3/4]
	reach := 3 * (q3 - q1)
	if reach == 0 {
		return v[0], v[len(v)-1]
	}
	return max(v[0], q1-reach), min(v[len(v)-1], q3+reach)
}

// mapHover is what the page's script reads.
type mapHover struct {
	W       int      `json:"w"`
	Thumb   int      `json:"t"`
	Classes []string `json:"c"`
	Points  [][]any  `json:"p"` // x, y, class, drawn (0 or 1), label
}

func (m *Map) hover(l *mapLayout) mapHover {
	h := mapHover{W: l.w, Thumb: l.thumb, Classes: []string{}, Points: [][]any{}}
	for _, c := range m.Classes {
		h.Classes = append(h.Classes, clean(c))
	}
	for _, p := range l.at {
		pt := m.Points[p.index]
		drawn := 0
		if p.drawn {
			drawn = 1
		}
		label := clean(pt.Label)
		if len(label) > mapLabelMax {
			label = clean("…" + label[len(label)-mapLabelMax:])
		}
		h.Points = append(h.Points, []any{p.x, p.y, max(pt.Class, -1), drawn, label})
	}
	return h
}

// onBlack reports whether a picture is grey with black corners.
func onBlack(m Image) bool {
	if m.C != 1 {
		return false
	}
	black := 0
	for _, i := range []int{0, m.W - 1, (m.H - 1) * m.W, m.H*m.W - 1} {
		if m.Pix[i] < 48 {
			black++
		}
	}
	return black >= 3
}

// paint draws the map and encodes it: tints and dots need few colours and
// make a small PNG, framed photographs a small JPEG.
func (m *Map) paint(l *mapLayout) (string, error) {
	if l.tint {
		return pngURI(m.paintTint(l))
	}
	var buf bytes.Buffer
	var img image.Image = m.paintFrames(l)
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: mapQuality}); err != nil {
		return "", errors.New("encode as JPEG: " + err.Error())
	}
	return uri("image/jpeg", buf.Bytes()), nil
}
