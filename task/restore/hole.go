package restore

import (
	"image"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"hourglass/internal/random"
)

// Hole names a shape of what is missing from an image.
type Hole string

const (
	Pixels  Hole = "pixels"  // single pixels, each by chance
	Blocks  Hole = "blocks"  // squares
	Strokes Hole = "strokes" // bent lines of some width
	Text    Hole = "text"    // lines of letters
)

// Holes returns the kinds of holes, all of which are trained on.
func Holes() []Hole { return []Hole{Pixels, Blocks, Strokes, Text} }

// holeKinds says of each kind which percentages of an image are missing in
// training, and at which it is judged. Text is judged at one, with thin letters
// throughout; what it covers follows from them.
var holeKinds = map[Hole]struct {
	least, most, judged float64
	name                string
}{
	Pixels:  {2, 85, 25, "25% of the pixels"},
	Blocks:  {2, 25, 10, "10% in blocks"},
	Strokes: {2, 20, 10, "10% in strokes"},
	Text:    {3, 20, 8, "thin text"},
}

// Judged returns the percentage at which a kind of hole is judged.
func (k Hole) Judged() float64 { return holeKinds[k].judged }

// Describe names the kind with that percentage.
func (k Hole) Describe() string { return holeKinds[k].name }

// holeStream keeps the draws of holes apart from others of the same seed.
const holeStream = 0x484f4c45 << 32

// Cutter draws holes. It keeps its buffers; it must not be used by two
// goroutines at once.
type Cutter struct {
	source  random.Source
	letters *image.Alpha
}

// Cut marks about the given percentage of mask [height,width] as missing, with
// 1 where the rest has 0. At least one pixel is missing and one is not, unless
// there is only one. What it draws is a function of the seed and the counter,
// which belongs to one image. Thin makes letters of the least size. Squares have
// sides of 4 pixels to 3 more than a sixth of the image's shorter one.
func (c *Cutter) Cut(mask []float32, height, width int, kind Hole, percent float64, thin bool, seed, counter uint64) {
	clear(mask)
	c.source.Reset(seed, holeStream, counter)
	want := max(1, int(percent/100*float64(height*width)))
	if kind == Pixels {
		for i := range mask {
			if c.source.Float64()*100 < percent {
				mask[i] = 1
			}
		}
	}
	cut := canvas{mask, height, width, 0}
	// Most shapes mark something; the bound is for those that do not.
	for tries := 0; kind != Pixels && cut.marked < want && tries < 10000; tries++ {
		switch kind {
		case Blocks:
			side := 4 + c.source.IntN(max(1, min(height, width)/6))
			cut.block(c.source.IntN(height)-side/2, c.source.IntN(width)-side/2, side)
		case Strokes:
			c.stroke(&cut)
		case Text:
			c.line(&cut, thin)
		default:
			panic("restore: hole of no kind " + string(kind)) // callers take it from Holes
		}
	}
	// A hole is needed, and something around it.
	if n := c.source.IntN(len(mask)); cut.count() == 0 {
		mask[n] = 1
	} else if cut.count() == len(mask) && len(mask) > 1 {
		mask[n] = 0
	}
}

// canvas marks places of a mask and counts them.
type canvas struct {
	mask          []float32
	height, width int
	marked        int
}

func (c *canvas) count() int {
	n := 0
	for _, v := range c.mask {
		n += int(v)
	}
	return n
}

func (c *canvas) set(y, x int) {
	if y >= 0 && y < c.height && x >= 0 && x < c.width && c.mask[y*c.width+x] == 0 {
		c.mask[y*c.width+x] = 1
		c.marked++
	}
}

func (c *canvas) block(y, x, side int) {
	for i := range side {
		for j := range side {
			c.set(y+i, x+j)
		}
	}
}

// stroke walks through the image with a turning direction.
func (c *Cutter) stroke(cut *canvas) {
	y, x := c.source.Float64()*float64(cut.height), c.source.Float64()*float64(cut.width)
	angle := 2 * math.Pi * c.source.Float64()
	width := 1 + c.source.IntN(6)
	steps := 8 + c.source.IntN(max(1, (cut.height+cut.width)/2))
	bend := 0.0
	for range steps {
		cut.block(int(y)-width/2, int(x)-width/2, width)
		bend = 0.9*bend + 0.06*c.source.NormFloat64()
		angle += bend
		y, x = y+math.Sin(angle), x+math.Cos(angle)
	}
}

// alphabet is what lines of text are made of.
const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789    "

// line writes a line of letters.
func (c *Cutter) line(cut *canvas, thin bool) {
	face := basicfont.Face7x13
	var text [48]byte
	n := 4 + c.source.IntN(len(text)-3)
	for i := range n {
		text[i] = alphabet[c.source.IntN(len(alphabet))]
	}
	scale := 1
	if !thin {
		scale += c.source.IntN(3)
	}
	top := c.source.IntN(cut.height+face.Height*scale) - face.Height*scale
	left := c.source.IntN(cut.width+8*scale) - 8*scale
	if c.letters == nil {
		c.letters = image.NewAlpha(image.Rect(0, 0, face.Advance*len(text), face.Height))
	}
	clear(c.letters.Pix)
	d := font.Drawer{Dst: c.letters, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}
	d.DrawBytes(text[:n])
	for y := range face.Height {
		for x := range face.Advance * n {
			if c.letters.Pix[y*c.letters.Stride+x] >= 128 {
				cut.block(top+y*scale, left+x*scale, scale)
			}
		}
	}
}
