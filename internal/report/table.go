package report

import (
	"fmt"
	"math"
	"strconv"
)

// Table is a data table. Its first column names the rows.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]Cell // a row may be shorter than Columns, never longer
	Note    string   // a line below, with the inline marks of Section.Text
}

// Column describes one column of a Table.
type Column struct {
	Head string
	// Align is where the column's cells stand. Auto sets numbers to the
	// right and the rest to the left.
	Align Align
	// Best picks the value to highlight: the highest, the lowest or none.
	// All cells that show the same number as the best one are highlighted.
	Best Best
}

// Align is where the text of a column stands.
type Align uint8

const (
	Auto Align = iota
	Left
	Right
	Center
)

// Best says which of several values is the good one.
type Best uint8

const (
	NoBest Best = iota
	Highest
	Lowest
)

// better reports whether a beats c. A value that isn't a number beats nothing.
func (d Best) better(a, c float64) bool {
	switch {
	case math.IsNaN(a):
		return false
	case d == Highest:
		return math.IsNaN(c) || a > c
	case d == Lowest:
		return math.IsNaN(c) || a < c
	}
	return false
}

// Cell is one cell of a Table, made by Text or Num. The zero value is an
// empty cell.
type Cell struct {
	text  string
	value float64
	num   bool
}

// Text is a cell that holds text.
func Text(s string) Cell { return Cell{text: s} }

// Num is a cell that holds a number, shown with the given number of decimals
// (0 to 12) and with commas between the thousands. A value that isn't finite
// shows as a dash and is never the best.
func Num(v float64, decimals int) Cell {
	c := Cell{value: v, num: true}
	if !finite(v) {
		c.value, c.text = math.NaN(), dash
		return c
	}
	c.text = signed(grouped(strconv.FormatFloat(v, 'f', min(max(decimals, 0), 12), 64)))
	return c
}

// Int is a cell that holds a whole number, with commas between the thousands.
func Int(v int64) Cell {
	return Cell{text: signed(grouped(strconv.FormatInt(v, 10))), value: float64(v), num: true}
}

func (t *Table) render(b *builder) error {
	for i, row := range t.Rows {
		if len(row) > len(t.Columns) {
			return fmt.Errorf("table %q: row %d has %d cells for %d columns", t.Title, i+1, len(row), len(t.Columns))
		}
	}
	best := t.best()
	b.raw("<div class=\"block\">")
	blockTitle(b, t.Title)
	b.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\"")
	label := t.Title
	if label == "" {
		label = "Table"
	}
	b.attr("aria-label", label)
	b.raw("><table class=\"data\">\n<thead><tr>")
	for j, c := range t.Columns {
		b.raw("<th scope=\"col\" class=\"")
		b.raw(t.align(j))
		b.raw("\">")
		b.text(c.Head)
		b.raw("</th>")
	}
	b.raw("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		b.raw("<tr>")
		for j := range t.Columns {
			t.cell(b, row, j, best)
		}
		b.raw("</tr>\n")
	}
	b.raw("</tbody></table></div>\n")
	caption(b, t.Note)
	b.raw("</div>\n")
	return nil
}

func (t *Table) cell(b *builder, row []Cell, j int, best []string) {
	var c Cell
	if j < len(row) {
		c = row[j]
	}
	if j == 0 {
		b.raw("<th scope=\"row\" class=\"")
	} else {
		b.raw("<td class=\"")
	}
	b.raw(t.align(j))
	isBest := c.num && best[j] != "" && c.text == best[j]
	if isBest {
		b.raw(" best")
	}
	b.raw("\">")
	b.text(c.text)
	if isBest {
		b.raw("<span class=\"sr\"> (best)</span>")
	}
	if j == 0 {
		b.raw("</th>")
	} else {
		b.raw("</td>")
	}
}

// best returns for each column the text of its best number, or nothing. Text
// is compared, not value, because two cells that read the same should look
// the same. A column whose numbers all read the same has no best.
func (t *Table) best() []string {
	best := make([]string, len(t.Columns))
	for j, col := range t.Columns {
		top, text, differ, first := math.NaN(), "", false, ""
		for _, row := range t.Rows {
			if j >= len(row) || !row[j].num || math.IsNaN(row[j].value) {
				continue
			}
			if first == "" {
				first = row[j].text
			}
			differ = differ || row[j].text != first
			if col.Best.better(row[j].value, top) {
				top, text = row[j].value, row[j].text
			}
		}
		if differ {
			best[j] = text
		}
	}
	return best
}

func (t *Table) align(j int) markup {
	switch t.Columns[j].Align {
	case Left:
		return "l"
	case Right:
		return "r"
	case Center:
		return "c"
	}
	for _, row := range t.Rows {
		if j < len(row) && row[j].num {
			return "r"
		}
	}
	return "l"
}
