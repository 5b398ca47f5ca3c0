package report

import (
	"cmp"
	"fmt"
	"strconv"

	"hourglass/task/lab"
)

// Lab lays out the page of a session of `hourglass lab`: a section for each
// experiment with its claim, what came out, and how it was made. Neither s nor
// the results, which are those of the summary with their pictures, are
// changed.
func Lab(s *lab.Summary, results []*lab.Result) *Page {
	holding, all := s.Claimed()
	p := &Page{
		Title: counted(all, "experiment") + " on " + sourceName(s.Source),
		Subtitle: fmt.Sprintf("Small networks, each trained with and without one trick and judged on %s that none of them saw. Of the claims, %s.",
			counted(s.HeldOut, "image"), holdCounted(holding, all)),
		Footer: "Made by `hourglass lab`. Every figure on this page stands in `" + lab.SummaryFile +
			"` beside it; the page itself asks the network for nothing.",
	}
	for _, r := range results {
		h := r.Headline
		p.Lead = append(p.Lead, Figure{Label: h.Label, Value: signed(h.Value), Unit: h.Unit, Note: h.Note, Tone: toneOfClaim(r)})
		p.Sections = append(p.Sections, labSection(r))
	}
	p.Sections = append(p.Sections, labAgain(s))
	return p
}

func holdCounted(holding, all int) string {
	switch {
	case all == 0:
		return "none was tested"
	case holding == all:
		return "all hold"
	case holding == 0:
		return "none holds as it stands"
	}
	return fmt.Sprintf("%s of %s hold", whole(holding), whole(all))
}

func toneOfClaim(r *lab.Result) Tone {
	if r.Holds {
		return Good
	}
	return Warn
}

// labSection shows one experiment.
func labSection(r *lab.Result) Section {
	title, text := r.Finding()
	sec := Section{Title: r.Title, Text: "**Claim.** " + r.Claim,
		Blocks: []Block{&Note{Tone: toneOfClaim(r), Title: title, Text: sentence(text)}}}
	if len(r.Plots) > 0 {
		columns := &Columns{}
		for i := range r.Plots {
			columns.Blocks = append(columns.Blocks, labPlot(&r.Plots[i]))
		}
		sec.Blocks = append(sec.Blocks, columns)
	}
	for i := range r.Tables {
		sec.Blocks = append(sec.Blocks, labTable(&r.Tables[i]))
	}
	for i := range r.Pictures {
		sec.Blocks = append(sec.Blocks, labPictures(&r.Pictures[i]))
	}
	recipe := &Facts{Title: "How it was made"}
	for _, f := range r.Recipe {
		recipe.Items = append(recipe.Items, Fact{Key: f.Key, Value: f.Value})
	}
	value, unit := duration(r.Seconds)
	recipe.Items = append(recipe.Items, Fact{Key: "time", Value: value + " " + unit})
	figures := &List{Title: "All figures"}
	for _, f := range r.Figures {
		text := significant(float64(f.Value))
		if f.Unit != "" {
			text += " " + f.Unit
		}
		figures.Items = append(figures.Items, ListItem{Text: text, Note: f.About})
	}
	sec.Blocks = append(sec.Blocks, recipe, figures)
	return sec
}

func labPlot(p *lab.Plot) *LinePlot {
	axis := func(a lab.Axis) Axis { return Axis{Label: a.Label, Log: a.Log, Lo: a.Lo, Hi: a.Hi} }
	plot := &LinePlot{Title: p.Title, Note: p.Note, X: axis(p.X), Y: axis(p.Y)}
	for _, s := range p.Series {
		style := Solid
		switch {
		case s.Points:
			style = Points
		case s.Dashed:
			style = Dashed
		}
		plot.Series = append(plot.Series, Series{Name: s.Name, X: floats(s.X), Y: floats(s.Y), Style: style, Color: s.Color})
	}
	for _, l := range p.Lines {
		plot.Lines = append(plot.Lines, RefLine{Y: float64(l.Y), Name: l.Name})
	}
	return plot
}

func floats(numbers []lab.Number) []float64 {
	f := make([]float64, len(numbers))
	for i, n := range numbers {
		f[i] = float64(n)
	}
	return f
}

func labTable(t *lab.Table) *Table {
	table := &Table{Title: t.Title, Note: t.Note, Columns: []Column{{Head: t.Head}}}
	for _, c := range t.Columns {
		best := NoBest
		switch c.Best {
		case "highest":
			best = Highest
		case "lowest":
			best = Lowest
		}
		table.Columns = append(table.Columns, Column{Head: c.Head, Best: best})
	}
	for _, row := range t.Rows {
		cells := []Cell{Text(row.Name)}
		for i, v := range row.Values {
			decimals := 0
			if i < len(t.Columns) {
				decimals = t.Columns[i].Decimals
			}
			cells = append(cells, Num(float64(v), decimals))
		}
		table.Rows = append(table.Rows, cells)
	}
	return table
}

func labPictures(p *lab.Pictures) *Grid {
	g := &Grid{Title: p.Title, Note: p.Note, Columns: p.Columns, Side: 84}
	for _, row := range p.Rows {
		tiles := make([]Tile, len(row.Images))
		for i, pix := range row.Images {
			tiles[i].Image = Image{H: row.Height, W: row.Width, C: row.Channels, Pix: pix}
		}
		g.Rows = append(g.Rows, GridRow{Label: row.Name, Tiles: tiles})
	}
	return g
}

// labAgain holds all that it takes to make the session again.
func labAgain(s *lab.Summary) Section {
	sec := Section{Title: "Make it again",
		Text: fmt.Sprintf("The same images, choices and seed (**%d**) give the same figures, bit by bit, on `%s` instructions with any number of threads; times excepted. Held-out images choose nothing: rates and codes are chosen on validation images, which are taken from those to learn from.", s.Seed, s.ISA)}
	if s.Command != "" {
		sec.Blocks = append(sec.Blocks, &Code{Title: "The command", Text: s.Command})
	}
	value, unit := duration(s.Seconds)
	facts := &Facts{Title: "The images and the machine", Items: []Fact{
		{"source", s.Source, ""},
		{"fingerprint", cmp.Or(s.Fingerprint, dash), "of the data"},
		{"image size", fmt.Sprintf("%d × %d × %d", s.Height, s.Width, s.Channels), "height × width × channels"},
		{"classes", whole(len(s.Classes)), ""},
		{"to learn from", counted(s.Train, "image"), ""},
		{"to choose by", counted(s.Validation, "image"), ""},
		{"to judge by", counted(s.HeldOut, "image"), ""},
		{"sizes", s.Scale, ""},
		{"seed", strconv.FormatUint(s.Seed, 10), ""},
		{"instructions", cmp.Or(s.ISA, dash), ""},
		{"time", value + " " + unit, "of all experiments together"},
	}}
	sec.Blocks = append(sec.Blocks, facts)
	if len(s.Missing) > 0 {
		l := &List{Title: "Not run", Open: true}
		for _, name := range s.Missing {
			l.Items = append(l.Items, ListItem{Text: name})
		}
		sec.Blocks = append(sec.Blocks, l)
	}
	return sec
}
