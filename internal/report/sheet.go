package report

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// SheetOptions says how a contact sheet looks. The zero value sets the
// pictures at their own size, 2 pixels apart, on white.
type SheetOptions struct {
	// Gap is the number of pixels between pictures and around them; zero
	// means 2, less than zero means none.
	Gap int
	// Scale enlarges every picture by a whole number, pixels kept hard; zero
	// means 1.
	Scale int
	// Ground is the colour between the pictures; nil means white.
	Ground color.Color
	// Heads stand above the columns, each in as many lines as it has; a column
	// is at least as wide as its head.
	Heads []string
}

// maxSheet caps a sheet's pixels: 256 million take 1 GB.
const maxSheet = 1 << 28

// maxScale caps the gap and the scale, so that no sum of sizes overflows.
const maxScale = 1 << 10

// Sheet draws rows of pictures as one image. A column is as wide as its
// widest picture and a row as high as its highest; smaller pictures stand in
// the middle of their place and empty ones leave it free. The result is an
// *image.Gray if all pictures and the ground are grey, else an *image.RGBA.
// It fails for a picture whose bytes don't fill its shape and for a sheet of
// more than 256 million pixels.
func Sheet(rows [][]Image, o SheetOptions) (image.Image, error) {
	gap, scale := max(o.Gap, 0), max(o.Scale, 1)
	if o.Gap == 0 {
		gap = 2
	}
	if gap > maxScale || scale > maxScale {
		return nil, fmt.Errorf("sheet with gap %d and scale %d: neither may exceed %d", gap, scale, maxScale)
	}
	ground := o.Ground
	if ground == nil {
		ground = color.White
	}
	var widths []int
	heights := make([]int, len(rows))
	grey := isGrey(ground)
	for i, row := range rows {
		for j, m := range row {
			if err := m.check(); err != nil {
				return nil, fmt.Errorf("sheet row %d, column %d: %w", i+1, j+1, err)
			}
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], m.W)
			heights[i] = max(heights[i], m.H)
			grey = grey && (m.C == 1 || m.empty())
		}
	}
	above := newHeads(o.Heads, ground)
	x, y := starts(scaled(widths, scale, above.widths), gap), starts(scaled(heights, scale, nil), gap)
	for i := range y {
		y[i] += above.height
	}
	w, h := x[len(x)-1], y[len(heights)]
	if w <= 0 || h <= 0 || w > maxSheet/h {
		return nil, fmt.Errorf("sheet of %d × %d pixels: it must have from 1 to %d; give fewer pictures or a smaller scale", w, h, maxSheet)
	}
	var dst draw.Image = image.NewRGBA(image.Rect(0, 0, w, h))
	if grey {
		dst = image.NewGray(image.Rect(0, 0, w, h))
	}
	draw.Draw(dst, dst.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	above.draw(dst, x, gap)
	for i, row := range rows {
		for j, m := range row {
			if m.empty() {
				continue
			}
			at := image.Pt(x[j]+(x[j+1]-x[j]-gap-m.W*scale)/2, y[i]+(heights[i]-m.H)*scale/2)
			to := image.Rectangle{Min: at, Max: at.Add(image.Pt(m.W*scale, m.H*scale))}
			draw.NearestNeighbor.Scale(dst, to, m.std(), image.Rect(0, 0, m.W, m.H), draw.Src, nil)
		}
	}
	return dst, nil
}

// SheetRows lays images out in rows of n for Sheet; n below 1 means 1.
func SheetRows(images []Image, n int) [][]Image {
	n = max(n, 1)
	rows := make([][]Image, 0, (len(images)+n-1)/n)
	for len(images) > n {
		rows = append(rows, images[:n:n])
		images = images[n:]
	}
	if len(images) > 0 {
		rows = append(rows, images)
	}
	return rows
}

// scaled returns the sizes enlarged, each at least as large as least says.
func scaled(sizes []int, scale int, least []int) []int {
	out := make([]int, max(len(sizes), len(least)))
	for i, s := range sizes {
		out[i] = s * scale
	}
	for i, l := range least {
		out[i] = max(out[i], l)
	}
	return out
}

// starts returns where each cell begins, and last where the sheet ends.
func starts(sizes []int, gap int) []int {
	at := make([]int, len(sizes)+1)
	at[0] = gap
	for i, s := range sizes {
		at[i+1] = at[i] + s + gap
	}
	return at
}

func isGrey(c color.Color) bool {
	r, g, b, a := c.RGBA()
	return r == g && g == b && a == 0xffff
}
