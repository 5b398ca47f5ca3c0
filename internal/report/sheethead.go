package report

import (
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	point "golang.org/x/image/math/fixed"
)

// heads are the texts above the columns of a sheet.
type heads struct {
	face   font.Face
	lines  [][]string
	ink    image.Image
	widths []int // of the columns, that their heads fit
	height int   // of all lines; 0 without heads
}

// Sizes of a sheet's heads, in pixels.
const (
	headSize = 20
	headLine = 24
	headSide = 5 // free on either side of a text
)

// maxHead caps the length of a head's line, so that its width is one that a
// picture can have.
const maxHead = 200

func newHeads(texts []string, ground color.Color) *heads {
	h := &heads{}
	if len(texts) == 0 {
		return h
	}
	parsed, err := opentype.Parse(goregular.TTF)
	if err == nil {
		h.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: headSize, DPI: 72, Hinting: font.HintingFull})
	}
	if err != nil {
		panic("report: the font that is part of the program cannot be used: " + err.Error())
	}
	h.ink = image.Black
	if g, ok := color.GrayModel.Convert(ground).(color.Gray); ok && g.Y < 128 {
		h.ink = image.White
	}
	most := 0
	for _, text := range texts {
		lines := strings.Split(clean(text), "\n")
		width := 0
		for i, line := range lines {
			if r := []rune(line); len(r) > maxHead {
				lines[i] = string(r[:maxHead-1]) + "…"
			}
			width = max(width, font.MeasureString(h.face, lines[i]).Ceil()+2*headSide)
		}
		h.lines, h.widths = append(h.lines, lines), append(h.widths, width)
		most = max(most, len(lines))
	}
	h.height = most*headLine + headSide
	return h
}

// draw sets the heads above columns that begin at x, the last of which is
// where the sheet ends. The last lines of all stand side by side.
func (h *heads) draw(dst draw.Image, x []int, gap int) {
	for j, lines := range h.lines {
		d := font.Drawer{Dst: dst, Src: h.ink, Face: h.face}
		for i, line := range lines {
			width := d.MeasureString(line).Ceil()
			left := x[j] + (x[j+1]-x[j]-gap-width)/2
			base := gap + h.height - headSide - (len(lines)-1-i)*headLine - headLine/4
			d.Dot = point.P(left, base)
			d.DrawString(line)
		}
	}
}
