package report

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// markup is text that is HTML or SVG already. Constants convert to it by
// themselves and variables of type string do not, so that the compiler finds
// a caller's text that would reach the page without being escaped.
type markup string

// builder collects a page. Text goes in through text and attr, which escape.
type builder struct {
	sb   strings.Builder
	maps int // maps so far: numbers their inputs, and tells if a script is needed
}

func (b *builder) String() string { return b.sb.String() }

func (b *builder) raw(m markup) { b.sb.WriteString(string(m)) }

// text writes s escaped, for an element's content or an attribute's value.
func (b *builder) text(s string) { b.sb.WriteString(html.EscapeString(clean(s))) }

// attr writes a space and name="value".
func (b *builder) attr(name markup, value string) {
	b.raw(" ")
	b.raw(name)
	b.raw("=\"")
	b.text(value)
	b.raw("\"")
}

func (b *builder) attrInt(name markup, v int) { b.attr(name, strconv.Itoa(v)) }

// attrNum writes a length in SVG units, to a tenth: finer than a screen shows.
func (b *builder) attrNum(name markup, v float64) { b.attr(name, coord(v)) }

// element writes <tag class>text</tag>; an empty class is left out.
func (b *builder) element(tag, class markup, text string) {
	b.raw("<")
	b.raw(tag)
	if class != "" {
		b.raw(" class=\"")
		b.raw(class)
		b.raw("\"")
	}
	b.raw(">")
	b.text(text)
	b.raw("</")
	b.raw(tag)
	b.raw(">")
}

// prose writes paragraphs with the inline marks of Section.Text.
func (b *builder) prose(s string) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for para := range strings.SplitSeq(s, "\n\n") {
		if para = strings.TrimSpace(para); para == "" {
			continue
		}
		b.raw("<p>")
		b.inline(para)
		b.raw("</p>\n")
	}
}

// inline writes s with `code` and **strong** marked. A mark that is never
// closed is text.
func (b *builder) inline(s string) {
	marks := []struct {
		mark string
		tag  markup
	}{{"`", "code"}, {"**", "strong"}}
	for s != "" {
		at, which := len(s), -1
		for i, m := range marks {
			if j := strings.Index(s, m.mark); j >= 0 && j < at {
				at, which = j, i
			}
		}
		b.text(s[:at])
		if which < 0 {
			return
		}
		m := marks[which]
		s = s[at+len(m.mark):]
		inner, rest, closed := strings.Cut(s, m.mark)
		if !closed || inner == "" {
			b.text(m.mark)
			continue
		}
		b.element(m.tag, "", inner)
		s = rest
	}
}

// clean replaces what has no place in a document: bytes that aren't UTF-8,
// control characters (not allowed in SVG at all), and the characters that
// change the direction of the text around them, with which a file name can
// pose as another.
func clean(s string) string {
	ok := true
	for i := 0; i < len(s) && ok; i++ {
		ok = s[i] >= ' ' && s[i] < 0x7f || s[i] == '\n'
	}
	if ok {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ', r >= 0x7f && r < 0xa0,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069,
			r&0xfffe == 0xfffe:
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// coord formats a length in SVG units: one decimal, none where it is zero.
func coord(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}
