package conv

import (
	"fmt"

	"hourglass/internal/kernel/amx"
)

// planes is how blocks of an image are laid out for products of bfloat16 numbers:
// so that the pixels that a tap of a filter reads for one point after the other
// of a grid lie at one distance, over the ends of rows and images.
//
// Grid point (i, j) with a tap (y, x) reads pixel (i·stepH+y, j·stepW+x). For each
// remainder of rows and columns by the steps, the pixels that have it are a plane of
// their own, in which neighbouring points read neighbouring pixels. Behind each row of
// a plane are as many zeros as any tap reaches beyond either border: those behind
// a row are those before the next one too. So it is with rows and images. Points
// that fall on these zeros are computed like the others, and their results dropped.
type planes struct {
	images, height, width, channels int
	stepH, stepW                    int
	gridH, gridW                    int

	above, left  int // rows and pixels that taps reach back, in planes
	below, right int // and ahead
	kept         []remainder

	depth    int // channels in whole steps of a product
	pixel    int // elements from pixel to pixel
	row      int // pixels from row to row
	imageRow int // rows from image to image

	// A block is some images, or some grid rows of one image.
	blockImages, blockRows int
	pixels                 int // in a plane of a block
}

// remainder is what the rows and columns of a plane leave when divided by the
// steps.
type remainder struct{ y, x int }

const (
	planeLimit = 1 << 18 // elements of the planes of a block, 512 KB, if an image can be cut so small
	leastRows  = 4       // grid rows in a block, if planes get larger by it
)

// newPlanes takes the union of the offsets that any tap has.
func newPlanes(images, height, width, channels, stepH, stepW, gridH, gridW int, taps []offset) planes {
	p := planes{
		images: images, height: height, width: width, channels: channels,
		stepH: stepH, stepW: stepW, gridH: gridH, gridW: gridW,
		depth: amx.Width(channels),
	}
	for _, t := range taps {
		r, y, x := p.split(t)
		p.above, p.below = max(p.above, -y), max(p.below, y)
		p.left, p.right = max(p.left, -x), max(p.right, x)
		if p.slot(r) < 0 {
			p.kept = append(p.kept, r)
		}
	}
	p.pixel = p.depth
	if p.pixel%256 == 0 {
		p.pixel += amx.Depth // or rows of a tile would share a few sets of the caches
	}
	w, h := min(ceilDiv(width, stepW), gridW+p.right), min(ceilDiv(height, stepH), gridH+p.below)
	p.row, p.imageRow = max(w+p.left, gridW+p.right), max(h+p.above, gridH+p.below)
	return p
}

// split returns the plane of a tap and where in it the tap reads.
func (p *planes) split(t offset) (r remainder, y, x int) {
	y, x = floorDiv(t.y, p.stepH), floorDiv(t.x, p.stepW)
	return remainder{t.y - y*p.stepH, t.x - x*p.stepW}, y, x
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// slot returns which of the kept planes a remainder has, or -1.
func (p *planes) slot(r remainder) int {
	for i, k := range p.kept {
		if k == r {
			return i
		}
	}
	return -1
}

// cut makes blocks as large as the limit, in elements, allows, but for at least
// so many blocks if images are cut in pieces of some rows or not at all.
func (p *planes) cut(limit, blocks int) {
	fits := func() bool {
		p.measure()
		return p.elements() <= limit && p.blocks() >= blocks
	}
	p.blockRows = p.gridH
	for p.blockImages = p.images; p.blockImages > 1; p.blockImages = ceilDiv(p.blockImages, 2) {
		if fits() {
			return
		}
	}
	for p.blockRows > leastRows && !fits() {
		p.blockRows = max(leastRows, ceilDiv(p.blockRows, 2))
	}
	p.measure()
}

// measure sets the size of the planes of a block.
func (p *planes) measure() {
	rows := p.above + (p.blockImages-1)*p.imageRow + p.blockRows + p.below
	need := p.lead() + amx.Width(p.points(p.blockImages, p.blockRows)) + p.below*p.row + p.right
	p.pixels = amx.Width(max(need, p.left+rows*p.row))
}

// elements is the size of the planes of a block.
func (p *planes) elements() int { return len(p.kept) * p.pixels * p.pixel }

// lead is the pixel of a plane at which the first point of a block lies.
func (p *planes) lead() int { return p.left + p.above*p.row }

// points returns how many points in a row a block of images or rows has, those
// between its rows and images included.
func (p *planes) points(images, rows int) int {
	return ((images-1)*p.imageRow+rows-1)*p.row + p.gridW
}

// tap returns the pixel, of all planes, that a tap reads for the first point.
func (p *planes) tap(t offset) int {
	r, y, x := p.split(t)
	return p.slot(r)*p.pixels + p.lead() + y*p.row + x
}

func (p *planes) blocks() int {
	return ceilDiv(p.images, p.blockImages) * ceilDiv(p.gridH, p.blockRows)
}

func (p *planes) block(i int) block {
	bands := ceilDiv(p.gridH, p.blockRows)
	n0, i0 := i/bands*p.blockImages, i%bands*p.blockRows
	return block{n0, min(n0+p.blockImages, p.images), i0, min(i0+p.blockRows, p.gridH)}
}

// check reports planes that are too large.
func (p *planes) check() error {
	if n := p.elements(); n > 2*maxBuffer {
		return fmt.Errorf("conv: filters that reach over %d×%d pixels of a %d×%d image need %d elements of padded copies, more than %d; use smaller dilations and strides",
			p.left+p.right+1, p.above+p.below+1, p.height, p.width, n, 2*maxBuffer)
	}
	return nil
}

// rows returns how many rows load writes.
func (p *planes) rows() int { return p.pixels/p.row + 1 }

// solid reports whether points are neighbours where pixels are: nothing lies
// between rows and images, and nothing is left out.
func (p *planes) solid() bool {
	return p.stepH == 1 && p.stepW == 1 && p.above+p.below+p.left+p.right == 0 && p.row == p.width && p.imageRow == p.height
}

// load writes rows from the first to before the last of a block's planes.
func (p *planes) load(kern *amx.Kernels, dst []uint16, x []float32, b block, first, last int) {
	if len(p.kept) == 0 {
		return // no tap reaches the image, and there is no room for it
	}
	if p.solid() {
		from, to := first*p.row, min(last*p.row, p.pixels)
		end := min(to, p.points(b.n1-b.n0, b.i1-b.i0))
		if n := max(0, end-from); n > 0 {
			kern.Round(dst[from*p.pixel:], x[((b.n0*p.height+b.i0)*p.width+from)*p.channels:], p.channels, n, p.pixel, p.channels)
			from += n
		}
		clear(dst[from*p.pixel : max(from, to)*p.pixel])
		return
	}
	for i, r := range p.kept {
		plane := dst[i*p.pixels*p.pixel:][:p.pixels*p.pixel]
		width := min(ceilDiv(p.width-r.x, p.stepW), p.gridW+p.right)
		height := min(ceilDiv(p.height-r.y, p.stepH), p.gridH+p.below)
		if first == 0 {
			clear(plane[:p.left*p.pixel])
		}
		for row := first; row < last; row++ {
			at := (p.left + row*p.row) * p.pixel
			if at >= len(plane) {
				break
			}
			to := plane[at:min(at+p.row*p.pixel, len(plane))]
			n, y, end := b.n0, b.i0+row-p.above, min(height, b.i1+p.below)
			if p.blockImages > 1 && y >= 0 {
				n, y = b.n0+y/p.imageRow, y%p.imageRow
			}
			if n >= b.n1 || y < 0 || y >= end || width <= 0 || len(to) < width*p.pixel {
				clear(to)
				continue
			}
			from := x[((n*p.height+y*p.stepH+r.y)*p.width+r.x)*p.channels:]
			kern.Round(to, from, p.channels, width, p.pixel, p.stepW*p.channels)
			clear(to[width*p.pixel:])
		}
	}
}

// run is some points of a block that are neighbours in a row of a grid: which
// of the block's points the first is, its image, and its place in the grid.
type run struct{ point, n, image, i, j int }

// run returns the first run in a grid of the given size among a block's points
// from the first to before the last. It has no points if there is none.
func (p *planes) run(b block, gridH, gridW, first, last int) run {
	perImage := p.imageRow * p.row
	for at := first; at < last; {
		image, rest := b.n0, at
		if p.blockImages > 1 {
			image, rest = b.n0+at/perImage, at%perImage
		}
		i, j := b.i0+rest/p.row, rest%p.row
		if i < min(b.i1, gridH) && j < gridW && image < b.n1 {
			return run{at, min(gridW-j, last-at), image, i, j}
		}
		at += p.row - j
	}
	return run{}
}
