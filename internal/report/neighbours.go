package report

import (
	"fmt"
	"strconv"
)

// Neighbours shows a few pictures with their nearest neighbours in one or
// more spaces, such as the latent space and the pixels. Where classes are
// known, neighbours of the query's own class are marked and counted.
type Neighbours struct {
	Title    string
	Spaces   []string // names of the spaces: "latent", "pixels"
	Rows     []NeighbourRow
	Note     string
	Side     int // as in Grid
	Encoding Encoding
}

// NeighbourRow is a query and, for each of Neighbours.Spaces, its neighbours,
// nearest first.
type NeighbourRow struct {
	Query Tile
	Near  [][]Tile
}

func (n *Neighbours) render(b *builder) error {
	b.raw("<div class=\"block\">")
	blockTitle(b, n.Title)
	b.raw("<div class=\"hoods\">\n")
	for i, r := range n.Rows {
		if err := n.row(b, r); err != nil {
			return fmt.Errorf("neighbours %q, row %d: %w", n.Title, i+1, err)
		}
	}
	b.raw("</div>\n")
	caption(b, n.Note)
	b.raw("</div>\n")
	return nil
}

func (n *Neighbours) row(b *builder, r NeighbourRow) error {
	if len(r.Near) > len(n.Spaces) {
		return fmt.Errorf("has neighbours in %d spaces, and %d are named", len(r.Near), len(n.Spaces))
	}
	b.raw("<div class=\"hood\"><div class=\"tile query\">")
	alt := r.Query.Alt
	if alt == "" {
		alt = "query, " + joinTexts(r.Query.Class, r.Query.Caption)
	}
	if err := b.picture(r.Query.Image, n.Side, n.Encoding, alt); err != nil {
		return err
	}
	n.tileText(b, r.Query)
	b.raw("</div><div class=\"spaces\">")
	for i, tiles := range r.Near {
		b.raw("<div class=\"space\"><span class=\"head\">")
		b.text(n.Spaces[i])
		n.score(b, r.Query, tiles)
		b.raw("</span><ol>")
		for _, t := range tiles {
			if err := n.neighbour(b, r.Query, t); err != nil {
				return err
			}
		}
		b.raw("</ol></div>")
	}
	b.raw("</div></div>\n")
	return nil
}

// score counts the neighbours of the query's class, where it has one.
func (n *Neighbours) score(b *builder, query Tile, tiles []Tile) {
	if query.Class == "" || len(tiles) == 0 {
		return
	}
	same := 0
	for _, t := range tiles {
		if t.Class == query.Class {
			same++
		}
	}
	b.raw(" <span class=\"score\">")
	b.text(strconv.Itoa(same) + " of " + strconv.Itoa(len(tiles)))
	b.raw("<span class=\"sr\"> of its class</span></span>")
}

func (n *Neighbours) neighbour(b *builder, query, t Tile) error {
	mark := markup("tile")
	verdict := ""
	if query.Class != "" {
		mark, verdict = "tile miss", "another class"
		if t.Class == query.Class {
			mark, verdict = "tile match", "same class"
		}
	}
	alt := t.Alt
	if alt == "" {
		alt = joinTexts(t.Class, verdict, t.Caption)
	}
	b.raw("<li class=\"")
	b.raw(mark)
	b.raw("\">")
	if err := b.picture(t.Image, n.Side, n.Encoding, alt); err != nil {
		return err
	}
	n.tileText(b, t)
	b.raw("</li>")
	return nil
}

func (n *Neighbours) tileText(b *builder, t Tile) {
	if t.Class != "" {
		b.element("span", "class", t.Class)
	}
	if t.Caption != "" {
		b.element("span", "caption", t.Caption)
	}
}
