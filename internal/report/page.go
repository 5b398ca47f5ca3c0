// Package report turns plain data into one HTML file: headline numbers,
// tables, pictures, plots and maps. The file asks the network for nothing,
// reads well on a phone, a laptop, a projector and paper, follows the reader's
// light or dark setting and needs no JavaScript to be read (a map answers the
// pointer where there is some).
//
// A page is built from blocks, so that every task can lay out its own. The
// same data gives the same bytes: nothing here asks for the time, and nothing
// iterates over a map. Every text is escaped; a file name that holds markup
// shows as the text it is.
package report

import (
	"fmt"
	"io"
	"strconv"

	"hourglass/internal/atomicfile"
)

// Page is one report. The zero value renders as an empty page.
type Page struct {
	// Title is the page's heading and the document's title.
	Title string
	// Subtitle is one line below the title: what was done, to what.
	Subtitle string
	// Lead holds the headline numbers, most important first.
	Lead []Figure
	// Sections follow in order. Four or more get a table of contents.
	Sections []Section
	// Footer is the small print at the end; it may hold the inline marks
	// that Section.Text describes. A date belongs here if it belongs anywhere.
	Footer string
	// Lang is the BCP 47 language tag of the texts; empty means "en".
	Lang string
}

// Figure is one headline number.
type Figure struct {
	Label string // what is measured: "held-out PSNR"
	Value string // the formatted number: "27.4"
	Unit  string // "dB"; may be empty
	Note  string // what to compare it with: "PCA 24.1 dB"; may be empty
	Tone  Tone   // how the note reads: Plain, Good or Warn
}

// Section is a heading with a text and blocks below it.
type Section struct {
	Title string
	// Text is plain text. A blank line begins a new paragraph, **text** is
	// emphasised and `text` is set as code; nothing else has a meaning.
	Text   string
	Blocks []Block
}

// Block is a piece of a section. The blocks are BarPlot, Code, Columns, Facts,
// Grid, LinePlot, List, Map, Neighbours, Note and Table, each used by pointer.
// The set is closed, because the escaping and the determinism that a page
// promises are kept inside this package.
type Block interface {
	render(b *builder) error
}

// Tone says how a number or a note is meant to be read.
type Tone uint8

const (
	Plain Tone = iota // a fact
	Good              // good news
	Warn              // something to look at
)

func (t Tone) class() markup {
	switch t {
	case Good:
		return "good"
	case Warn:
		return "warn"
	}
	return "plain"
}

// tocFrom is the number of sections from which a table of contents helps more
// than it delays.
const tocFrom = 4

// Render writes the page to w. It fails when a block's data contradict
// themselves (an image whose pixels don't fill its shape, a row with more
// cells than columns), naming the section and the block, and then writes
// nothing; or when w fails.
func (p *Page) Render(w io.Writer) error {
	b := &builder{}
	lang := p.Lang
	if lang == "" {
		lang = "en"
	}
	b.raw("<!DOCTYPE html>\n<html")
	b.attr("lang", lang)
	b.raw(">\n<head>\n<meta charset=\"utf-8\">\n")
	b.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	b.raw("<meta name=\"color-scheme\" content=\"light dark\">\n")
	b.raw("<meta http-equiv=\"Content-Security-Policy\"")
	b.attr("content", contentPolicy())
	b.raw(">\n<title>")
	b.text(p.Title)
	b.raw("</title>\n<link rel=\"icon\"")
	b.attr("href", iconURI())
	b.raw(">\n<style>")
	b.raw(styleSheet())
	b.raw("</style>\n</head>\n<body>\n<header class=\"top\">\n")
	b.raw(glassMark)
	b.raw("<div><h1>")
	b.text(p.Title)
	b.raw("</h1>\n")
	if p.Subtitle != "" {
		b.element("p", "sub", p.Subtitle)
	}
	b.raw("</div></header>\n<main>\n")
	p.lead(b)
	p.contents(b)
	for i := range p.Sections {
		if err := p.Sections[i].render(b, i); err != nil {
			return err
		}
	}
	b.raw("</main>\n")
	if p.Footer != "" {
		b.raw("<footer>")
		b.prose(p.Footer)
		b.raw("</footer>\n")
	}
	if b.maps > 0 {
		b.raw("<script>")
		b.raw(mapScript)
		b.raw("</script>\n")
	}
	b.raw("</body>\n</html>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// WriteFile renders the page into the file at path: into a temporary file
// beside it first, synced, then renamed, so that a full disk or a crash leaves
// an earlier report whole.
func (p *Page) WriteFile(path string) error {
	return atomicfile.Write(path, p.Render)
}

func (p *Page) lead(b *builder) {
	if len(p.Lead) == 0 {
		return
	}
	b.raw("<dl class=\"lead\">\n")
	for _, f := range p.Lead {
		b.raw("<div><dt>")
		b.text(f.Label)
		b.raw("</dt><dd><span class=\"value\">")
		b.text(f.Value)
		b.raw("</span>")
		if f.Unit != "" {
			b.raw(" ")
			b.element("span", "unit", f.Unit)
		}
		if f.Note != "" {
			b.raw("<span class=\"note ")
			b.raw(f.Tone.class())
			b.raw("\">")
			b.text(f.Note)
			b.raw("</span>")
		}
		b.raw("</dd></div>\n")
	}
	b.raw("</dl>\n")
}

func (p *Page) contents(b *builder) {
	if len(p.Sections) < tocFrom {
		return
	}
	b.raw("<nav aria-label=\"Contents\"><ul>")
	for i, s := range p.Sections {
		b.raw("<li><a")
		b.attr("href", "#"+sectionID(i))
		b.raw(">")
		b.text(s.Title)
		b.raw("</a></li>")
	}
	b.raw("</ul></nav>\n")
}

func sectionID(i int) string { return "s" + strconv.Itoa(i+1) }

func (s *Section) render(b *builder, i int) error {
	b.raw("<section")
	b.attr("id", sectionID(i))
	b.raw(">\n")
	if s.Title != "" {
		b.element("h2", "", s.Title)
		b.raw("\n")
	}
	b.prose(s.Text)
	for j, block := range s.Blocks {
		if block == nil {
			continue
		}
		if err := block.render(b); err != nil {
			return fmt.Errorf("report section %q, block %d: %w", s.Title, j+1, err)
		}
	}
	b.raw("</section>\n")
	return nil
}
