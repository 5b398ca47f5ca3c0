package report

import "fmt"

// Grid shows pictures in rows, such as an input beside its reconstructions.
// Rows of up to four pictures stand next to each other where there is room,
// each with its column heads; longer rows share one line of heads and can be
// scrolled sideways on a small screen.
type Grid struct {
	Title   string
	Columns []string // column heads; may be empty
	Rows    []GridRow
	Note    string // a line below, with the inline marks of Section.Text
	// Side is the size in CSS pixels of a picture's longer side; zero suits
	// the pictures. Tiny pictures are enlarged by whole numbers only.
	Side     int
	Encoding Encoding
}

// GridRow is one row of pictures.
type GridRow struct {
	Label string // may be empty
	Tiles []Tile
}

// Tile is a picture with what is to be said about it.
type Tile struct {
	Image   Image
	Caption string // below the picture: "27.4 dB"
	Class   string // its class, where classes are known; Neighbours compares it
	Alt     string // for those who can't see it; by default made of the texts around
	Best    bool   // sets the caption off as the best of its row
}

// cardColumns is the widest row that is shown as a card beside others.
const cardColumns = 4

func (g *Grid) columns() int {
	n := len(g.Columns)
	for _, r := range g.Rows {
		n = max(n, len(r.Tiles))
	}
	return n
}

func (g *Grid) render(b *builder) error {
	b.raw("<div class=\"block\">")
	blockTitle(b, g.Title)
	var err error
	if g.columns() <= cardColumns {
		err = g.cards(b)
	} else {
		err = g.table(b)
	}
	if err != nil {
		return fmt.Errorf("grid %q: %w", g.Title, err)
	}
	caption(b, g.Note)
	b.raw("</div>\n")
	return nil
}

func (g *Grid) cards(b *builder) error {
	n := g.columns()
	b.raw("<div class=\"cards n")
	b.text(fmt.Sprint(n))
	switch w := g.widest(); {
	case w > 176:
		b.raw(" large")
	case w > 116:
		b.raw(" medium")
	}
	b.raw("\">\n")
	for i, r := range g.Rows {
		b.raw("<figure class=\"card\">")
		if r.Label != "" {
			b.element("figcaption", "", r.Label)
		}
		b.raw("<div class=\"tiles\">")
		for j, t := range r.Tiles {
			head := g.head(j)
			b.raw("<div class=\"tile\">")
			if head != "" {
				b.element("span", "head", head)
			}
			if err := g.tile(b, t, r.Label, head); err != nil {
				return fmt.Errorf("row %d, picture %d: %w", i+1, j+1, err)
			}
			b.raw("</div>")
		}
		b.raw("</div></figure>\n")
	}
	b.raw("</div>\n")
	return nil
}

// widest returns the width in CSS pixels of the widest picture: photographs
// get wider cards.
func (g *Grid) widest() int {
	widest := 0
	for _, r := range g.Rows {
		for _, t := range r.Tiles {
			if t.Image.empty() || t.Image.check() != nil {
				continue
			}
			w, _, _ := display(t.Image, g.Side)
			widest = max(widest, w)
		}
	}
	return widest
}

func (g *Grid) table(b *builder) error {
	b.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\"")
	label := g.Title
	if label == "" {
		label = "Pictures"
	}
	b.attr("aria-label", label)
	b.raw("><table class=\"pictures\">\n")
	labels := false
	for _, r := range g.Rows {
		labels = labels || r.Label != ""
	}
	if len(g.Columns) > 0 {
		b.raw("<thead><tr>")
		if labels {
			b.raw("<td></td>")
		}
		for _, c := range g.Columns {
			b.raw("<th scope=\"col\">")
			b.text(c)
			b.raw("</th>")
		}
		b.raw("</tr></thead>\n")
	}
	b.raw("<tbody>\n")
	for i, r := range g.Rows {
		b.raw("<tr>")
		if labels {
			b.raw("<th scope=\"row\">")
			b.text(r.Label)
			b.raw("</th>")
		}
		for j, t := range r.Tiles {
			b.raw("<td><div class=\"tile\">")
			if err := g.tile(b, t, r.Label, g.head(j)); err != nil {
				return fmt.Errorf("row %d, picture %d: %w", i+1, j+1, err)
			}
			b.raw("</div></td>")
		}
		b.raw("</tr>\n")
	}
	b.raw("</tbody></table></div>\n")
	return nil
}

func (g *Grid) head(j int) string {
	if j < len(g.Columns) {
		return g.Columns[j]
	}
	return ""
}

func (g *Grid) tile(b *builder, t Tile, row, head string) error {
	alt := t.Alt
	if alt == "" {
		alt = joinTexts(row, head, t.Class, t.Caption)
	}
	if err := b.picture(t.Image, g.Side, g.Encoding, alt); err != nil {
		return err
	}
	if t.Caption != "" {
		class := markup("caption")
		if t.Best {
			class = "caption best"
		}
		b.element("span", class, t.Caption)
	}
	return nil
}

// joinTexts joins the texts that aren't empty with commas.
func joinTexts(texts ...string) string {
	s := ""
	for _, t := range texts {
		switch {
		case t == "":
		case s == "":
			s = t
		default:
			s += ", " + t
		}
	}
	if s == "" {
		return "picture"
	}
	return s
}
