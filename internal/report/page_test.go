package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func render(t *testing.T, blocks ...Block) string {
	t.Helper()
	p := &Page{Title: "t", Sections: []Section{{Title: "s", Blocks: blocks}}}
	var buf bytes.Buffer
	if err := p.Render(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// dataURI matches pictures, whose bytes may change with the encoder.
var dataURI = regexp.MustCompile(`data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+`)

// TestGolden holds the markup of a small page with most blocks. The style,
// the script and the pictures' bytes have files and tests of their own.
func TestGolden(t *testing.T) {
	dot := Image{H: 2, W: 2, C: 1, Pix: []uint8{0, 80, 160, 255}}
	p := &Page{
		Title: "A small page", Subtitle: "with little on it", Footer: "The `end`.",
		Lead: []Figure{{Label: "PSNR", Value: "27.4", Unit: "dB", Note: "PCA 24.1 dB", Tone: Good}},
		Sections: []Section{
			{Title: "Words", Text: "One **strong** word.\n\nAnother `paragraph`.", Blocks: []Block{
				&Facts{Title: "Facts", Items: []Fact{{"d", "784", "28 × 28"}}},
				&Note{Tone: Warn, Title: "Mind", Text: "the gap"},
				&Code{Title: "Again", Text: "hourglass learn"},
				&List{Title: "Skipped", Items: []ListItem{{"a.png", "empty"}, {"b.png", ""}}, Max: 1},
				&Table{Title: "Table", Columns: []Column{{Head: "name"}, {Head: "error", Best: Lowest}},
					Rows: [][]Cell{{Text("a"), Num(0.25, 2)}, {Text("b"), Num(0.5, 2)}, {Text("c")}}},
			}},
			{Title: "Pictures", Blocks: []Block{
				&Grid{Columns: []string{"in", "out"}, Rows: []GridRow{{Label: "r", Tiles: []Tile{{Image: dot}, {Image: dot, Caption: "9 dB", Best: true}}}}},
				&Neighbours{Spaces: []string{"latent"}, Rows: []NeighbourRow{{Query: Tile{Image: dot, Class: "a"},
					Near: [][]Tile{{{Image: dot, Class: "a"}, {Image: dot, Class: "b"}}}}}},
				&Map{Title: "Map", Classes: []string{"a", "b"}, Pixels: 200,
					Points: []MapPoint{{X: 0, Y: 0, Class: 0, Label: "p", Thumb: dot}, {X: 1, Y: 1, Class: 1}, {X: 2, Y: 0, Class: -1}}},
			}},
			{Title: "Plots", Blocks: []Block{&Columns{Blocks: []Block{
				&LinePlot{Title: "Lines", X: Axis{Label: "x"}, Y: Axis{Label: "y"}, Series: []Series{{Name: "s", Y: []float64{1, 3, 2}}}},
				&BarPlot{Title: "Bars", Label: "y", Rows: []BarRow{{"a", []float64{1}}, {"b", []float64{2}}}, Best: Highest},
			}}}},
		},
	}
	golden(t, p, "small.html")
}

// golden compares a page's markup with a file in testdata.
func golden(t *testing.T, p *Page, file string) {
	t.Helper()
	var buf bytes.Buffer
	if err := p.Render(&buf); err != nil {
		t.Fatal(err)
	}
	got := buf.String()
	got = strings.ReplaceAll(got, string(styleSheet()), "STYLE")
	got = strings.ReplaceAll(got, string(mapScript), "SCRIPT")
	got = regexp.MustCompile(`sha256-[A-Za-z0-9+/=&#;]+`).ReplaceAllString(got, "DIGEST")
	got = dataURI.ReplaceAllString(got, "PICTURE")
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the page differs from %s (rewrite it with -update if that is meant):\n%s", path, diff)
	}
}

// TestHostileText puts markup into every text there is and looks for it.
func TestHostileText(t *testing.T) {
	const bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x00\x1b\u202egnp.\xff&amp;]]>--></script>"
	m := Image{H: 1, W: 1, C: 1, Pix: []uint8{9}}
	tile := Tile{Image: m, Caption: bad, Class: bad, Alt: bad}
	nan := math.NaN()
	page := &Page{Title: bad, Subtitle: bad, Footer: bad, Lang: bad, Lead: []Figure{{bad, bad, bad, bad, Warn}}}
	blocks := []Block{
		&Facts{Title: bad, Items: []Fact{{bad, bad, bad}}},
		&Note{Title: bad, Text: bad + " **" + bad + "** `" + bad + "`"},
		&Code{Title: bad, Text: bad},
		&List{Title: bad, Items: []ListItem{{bad, bad}}},
		&Table{Title: bad, Note: bad, Columns: []Column{{Head: bad}}, Rows: [][]Cell{{Text(bad)}}},
		&Grid{Title: bad, Note: bad, Columns: []string{bad}, Rows: []GridRow{{bad, []Tile{tile}}}},
		&Grid{Title: bad, Columns: []string{bad, bad, bad, bad, bad}, Rows: []GridRow{{bad, []Tile{tile}}}},
		&Neighbours{Title: bad, Note: bad, Spaces: []string{bad}, Rows: []NeighbourRow{{tile, [][]Tile{{tile, {Image: m}}}}}},
		&Map{Title: bad, Note: bad, Classes: []string{bad}, Points: []MapPoint{{Label: bad, Thumb: m}, {X: nan}}},
		&LinePlot{Title: bad, Note: bad, X: Axis{Label: bad}, Y: Axis{Label: bad}, Series: []Series{{Name: bad, Y: []float64{1, 2}}, {Name: bad}},
			Lines: []RefLine{{1.5, bad}}},
		&BarPlot{Title: bad, Note: bad, Label: bad, Unit: bad, Series: []string{bad, bad}, Rows: []BarRow{{bad, []float64{1, 2}}}},
	}
	for range 4 { // enough for a table of contents
		page.Sections = append(page.Sections, Section{Title: bad, Text: bad, Blocks: []Block{&Columns{Blocks: blocks}}})
	}
	var buf bytes.Buffer
	if err := page.Render(&buf); err != nil {
		t.Fatal(err)
	}
	html := buf.String()
	for _, s := range []string{"<script>alert", "<img src=x", "onerror=alert(2)>", "\x00", "\x1b", "\u202e", "\xff"} {
		if i := strings.Index(html, s); i >= 0 {
			t.Errorf("%q reached the page: …%q…", s, html[max(0, i-80):min(len(html), i+80)])
		}
	}
	// The only scripts are our own: one of data for each map, one of code.
	if n, want := strings.Count(html, "<script"), 4+1; n != want {
		t.Errorf("the page has %d script elements, want %d", n, want)
	}
	if !strings.Contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the text itself doesn't show")
	}
	for _, p := range []Plot{blocks[9].(*LinePlot), blocks[10].(*BarPlot)} {
		checkXML(t, p.SVG())
	}
}

// checkXML fails unless s is well-formed XML with finite coordinates.
func checkXML(t *testing.T, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v in\n%s", err, s)
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range el.Attr {
			if a.Name.Local != "aria-label" && (strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf")) {
				t.Errorf("<%s %s=%q>", el.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
}

func TestInlineMarks(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain", "<p>plain</p>\n"},
		{"a\r\n\r\nb", "<p>a</p>\n<p>b</p>\n"},
		{"a **b** `c`", "<p>a <strong>b</strong> <code>c</code></p>\n"},
		{"`**`", "<p><code>**</code></p>\n"},
		{"2 ** 3", "<p>2 ** 3</p>\n"},
		{"a ` b", "<p>a ` b</p>\n"},
		{"****", "<p>****</p>\n"},
		{"**<b>**", "<p><strong>&lt;b&gt;</strong></p>\n"},
	} {
		b := &builder{}
		b.prose(c.in)
		if got := b.String(); got != c.want {
			t.Errorf("prose(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// demoHTML is the demonstration page, rendered once for the tests that read it.
var demoHTML = sync.OnceValues(func() (string, error) {
	var buf bytes.Buffer
	err := demoPage().Render(&buf)
	return buf.String(), err
})

// TestSameBytes renders the same data twice.
func TestSameBytes(t *testing.T) {
	a, err := demoHTML()
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	if err := demoPage().Render(&z); err != nil {
		t.Fatal(err)
	}
	if a != z.String() {
		t.Error("the same data gave two different pages")
	}
}

// TestNoNetwork looks for anything that would make a browser fetch.
func TestNoNetwork(t *testing.T) {
	page, err := demoHTML()
	if err != nil {
		t.Fatal(err)
	}
	html := dataURI.ReplaceAllString(page, "data:")
	for _, s := range []string{"http:", "https:", "url(", "@import", "<link rel=\"stylesheet", "fetch(", "XMLHttpRequest"} {
		if strings.Contains(html, s) {
			t.Errorf("the page contains %q", s)
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if m[1] != "data:" && !strings.HasPrefix(m[1], "#") {
			t.Errorf("the page refers to %q", m[1])
		}
	}
	if strings.Contains(html, " style=\"") {
		t.Error("the page has a style attribute, which its own policy forbids")
	}
}

// TestHeadings checks that no level of heading is skipped and that every
// picture has a text.
func TestHeadings(t *testing.T) {
	page, err := demoHTML()
	if err != nil {
		t.Fatal(err)
	}
	level := 0
	for _, m := range regexp.MustCompile(`<h([1-6])`).FindAllStringSubmatch(page, -1) {
		l := int(m[1][0] - '0')
		if l > level+1 {
			t.Errorf("h%d follows h%d", l, level)
		}
		level = l
	}
	for _, m := range regexp.MustCompile(`<img[^>]*>`).FindAllString(page, -1) {
		if !strings.Contains(m, ` alt="`) || strings.Contains(m, ` alt=""`) {
			t.Errorf("a picture without text: %s", dataURI.ReplaceAllString(m, "…"))
		}
	}
}

// TestWrongData checks that contradictions end in errors that name the place.
func TestWrongData(t *testing.T) {
	short := Image{H: 2, W: 2, C: 3, Pix: make([]uint8, 11)}
	four := Image{H: 1, W: 1, C: 4, Pix: make([]uint8, 4)}
	for name, c := range map[string]struct {
		block Block
		want  string
	}{
		"short image":  {&Grid{Title: "g", Rows: []GridRow{{Tiles: []Tile{{Image: short}}}}}, "needs 12 bytes and has 11"},
		"short, wide":  {&Grid{Rows: []GridRow{{Tiles: make([]Tile, 5)}, {Tiles: []Tile{{}, {Image: short}}}}}, "row 2, picture 2"},
		"channels":     {&Neighbours{Rows: []NeighbourRow{{Query: Tile{Image: four}}}}, "give 1 (grey) or 3 (colour)"},
		"spaces":       {&Neighbours{Rows: []NeighbourRow{{Near: make([][]Tile, 1)}}}, "0 are named"},
		"cells":        {&Table{Title: "x", Columns: make([]Column, 1), Rows: [][]Cell{make([]Cell, 2)}}, `table "x": row 1 has 2 cells for 1 columns`},
		"class":        {&Map{Points: []MapPoint{{Class: 3}}, Classes: []string{"a"}}, "point 1 is of class 3, and 1 classes are named"},
		"map image":    {&Map{Points: []MapPoint{{Class: -1, Thumb: short}}}, "point 1: image"},
		"too many":     {&Map{Points: make([]MapPoint, mapPointsMax+1)}, "give a sample"},
		"inside":       {&Columns{Blocks: []Block{&Grid{Rows: []GridRow{{Tiles: []Tile{{Image: four}}}}}}}, "4 channels"},
		"negative":     {&Grid{Rows: []GridRow{{Tiles: []Tile{{Image: Image{H: -1, W: 1, C: 1}}}}}}, "sides must be"},
		"pixels alone": {&Grid{Rows: []GridRow{{Tiles: []Tile{{Image: Image{Pix: []uint8{1}, C: 1}}}}}}, "sides must be"},
	} {
		p := &Page{Sections: []Section{{Title: "here", Blocks: []Block{c.block}}}}
		var buf bytes.Buffer
		err := p.Render(&buf)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `report section "here", block 1: `) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
		if buf.Len() > 0 {
			t.Errorf("%s: %d bytes were written beside the error", name, buf.Len())
		}
	}
}

type failingWriter struct{}

var errFull = errors.New("disk full")

func (failingWriter) Write([]byte) (int, error) { return 0, errFull }

func TestWriterFails(t *testing.T) {
	if err := new(Page).Render(failingWriter{}); !errors.Is(err, errFull) {
		t.Errorf("Render returned %v, want the writer's error", err)
	}
}

func TestWriteFileKeepsOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	if err := (&Page{Title: "first"}).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	bad := &Page{Sections: []Section{{Blocks: []Block{&Table{Rows: [][]Cell{{Text("x")}}}}}}}
	if err := bad.WriteFile(path); err == nil {
		t.Fatal("a contradictory page was written")
	}
	got, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(got), "<h1>first</h1>") {
		t.Errorf("the earlier report is gone: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestEmptyBlocks renders blocks without data.
func TestEmptyBlocks(t *testing.T) {
	html := render(t, nil, &Facts{}, &Note{}, &Code{}, &List{}, &Columns{Blocks: []Block{nil}}, &Table{}, &Table{Columns: make([]Column, 2)},
		&Grid{}, &Neighbours{}, &Map{}, &LinePlot{}, &BarPlot{}, &LinePlot{Series: make([]Series, 3)}, &BarPlot{Rows: make([]BarRow, 2)},
		&Grid{Rows: []GridRow{{Tiles: make([]Tile, 1)}}})
	if n := strings.Count(html, "no data"); n < 3 {
		t.Errorf("only %d of the empty plots say so", n)
	}
}

// TestMapSize holds a map of 2,000 coloured photographs and one of 2,000 grey
// pictures to the size that a report can bear.
func TestMapSize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	grey := shapeMap(2000, r)
	photos := shapeMap(2000, r)
	for i := range photos.Points {
		photos.Points[i].Thumb = landscape(48, 64, r)
	}
	for name, c := range map[string]struct {
		m     *Map
		limit int
	}{"grey": {grey, 500_000}, "photographs": {photos, 1_500_000}} {
		if n := len(render(t, c.m)); n > c.limit {
			t.Errorf("%s: the page has %d bytes, more than %d", name, n, c.limit)
		}
	}
}
