package report

import (
	"strconv"
)

// Facts is a list of names and values, such as sizes and settings.
type Facts struct {
	Title string // may be empty
	Items []Fact
}

// Fact is one row of Facts.
type Fact struct {
	Key   string
	Value string
	Note  string // small print behind the value; may be empty
}

func (f *Facts) render(b *builder) error {
	b.raw("<div class=\"block\">")
	blockTitle(b, f.Title)
	b.raw("<dl class=\"facts\">\n")
	for _, it := range f.Items {
		b.raw("<div><dt>")
		b.text(it.Key)
		b.raw("</dt><dd>")
		b.text(it.Value)
		if it.Note != "" {
			b.raw(" ")
			b.element("small", "", it.Note)
		}
		b.raw("</dd></div>\n")
	}
	b.raw("</dl></div>\n")
	return nil
}

// Note is a callout: a remark, good news or a warning.
type Note struct {
	Tone  Tone
	Title string // may be empty
	Text  string // with the inline marks of Section.Text
}

func (n *Note) render(b *builder) error {
	b.raw("<aside role=\"note\" class=\"callout ")
	b.raw(n.Tone.class())
	b.raw("\">")
	switch n.Tone {
	case Warn:
		b.raw("<span class=\"sr\">Warning: </span>")
	}
	if n.Title != "" {
		b.element("strong", "head", n.Title)
	}
	b.prose(n.Text)
	b.raw("</aside>\n")
	return nil
}

// Code is text to be copied as it stands, such as the command that makes the
// report again. One click selects all of it.
type Code struct {
	Title string // may be empty
	Text  string
}

func (c *Code) render(b *builder) error {
	b.raw("<div class=\"block\">")
	blockTitle(b, c.Title)
	b.raw("<pre class=\"code\" tabindex=\"0\"><code>")
	b.text(c.Text)
	b.raw("</code></pre></div>\n")
	return nil
}

// List is a list that opens on demand, such as the files that were skipped
// and why.
type List struct {
	Title string // always visible; the number of items is set behind it
	Items []ListItem
	Open  bool // open from the beginning
	// Max caps the items shown, the rest being counted in a last line;
	// zero means 1,000.
	Max int
}

// ListItem is one entry of a List.
type ListItem struct {
	Text string
	Note string // the reason, say; may be empty
}

const listMax = 1000

func (l *List) render(b *builder) error {
	n := l.Max
	if n <= 0 {
		n = listMax
	}
	n = min(n, len(l.Items))
	b.raw("<details class=\"block\"")
	if l.Open {
		b.raw(" open")
	}
	b.raw("><summary>")
	b.text(l.Title)
	b.raw(" ")
	b.element("span", "count", grouped(strconv.Itoa(len(l.Items))))
	b.raw("</summary>\n<ul class=\"list\">\n")
	for _, it := range l.Items[:n] {
		b.raw("<li>")
		b.element("span", "item", it.Text)
		if it.Note != "" {
			b.raw(" ")
			b.element("small", "", it.Note)
		}
		b.raw("</li>\n")
	}
	if rest := len(l.Items) - n; rest > 0 {
		b.raw("<li><small>and ")
		b.text(grouped(strconv.Itoa(rest)))
		b.raw(" more</small></li>\n")
	}
	b.raw("</ul></details>\n")
	return nil
}

// Columns sets blocks side by side where the window is wide enough, and
// below each other where it isn't.
type Columns struct {
	Blocks []Block
}

func (c *Columns) render(b *builder) error {
	b.raw("<div class=\"columns\">\n")
	for _, block := range c.Blocks {
		if block == nil {
			continue
		}
		b.raw("<div>")
		if err := block.render(b); err != nil {
			return err
		}
		b.raw("</div>\n")
	}
	b.raw("</div>\n")
	return nil
}

// blockTitle writes a block's heading, if it has one.
func blockTitle(b *builder, title string) {
	if title != "" {
		b.element("h3", "", title)
		b.raw("\n")
	}
}

// caption writes the line under a figure, if there is one.
func caption(b *builder, note string) {
	if note != "" {
		b.raw("<p class=\"caption\">")
		b.inline(note)
		b.raw("</p>\n")
	}
}
