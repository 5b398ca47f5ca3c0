package conv

import (
	"fmt"

	"hourglass/internal/kernel/gemm/tile"
)

// offset is where a tap reads, in pixels relative to a grid point's own pixel,
// and which filter position it is.
type offset struct {
	y, x   int
	filter int // kh·KW + kw
}

// offsets returns what the taps of a filter read for a point of the output.
func (s Shape) offsets() []offset {
	var all []offset
	for kh := range s.KH {
		for kw := range s.KW {
			all = append(all, offset{y: kh*s.DilationH - s.PadTop, x: kw*s.DilationW - s.PadLeft, filter: kh*s.KW + kw})
		}
	}
	return all
}

// source is how blocks of a grid of points read an image: grid point (i, j)
// with a tap (y, x) reads pixel (i·stepH+y, j·stepW+x). Where that can lie
// outside the image, the pixels that a block needs are first copied into a
// buffer with zeros around them.
type source struct {
	images, height, width, channels int
	perGroup                        int // channels that one group reads
	stepH, stepW                    int
	gridH, gridW                    int

	minY, minX   int // least tap offsets
	spanY, spanX int // greatest less least
	padded       bool

	// A block is some images, or some grid rows of one image.
	blockImages, blockRows int
	bufH, bufW             int // the buffer's pixels for one image of a block

	pixel, row, image int // strides between pixels of what the kernels read
	gap               int // unused elements after each pixel of the buffer
}

// newSource takes the union of the offsets that any tap has.
func newSource(images, height, width, channels, groups, stepH, stepW, gridH, gridW int, taps []offset) source {
	s := source{
		images: images, height: height, width: width, channels: channels,
		perGroup: channels / groups,
		stepH:    stepH, stepW: stepW, gridH: gridH, gridW: gridW,
	}
	maxY, maxX := 0, 0
	for i, t := range taps {
		if i == 0 {
			s.minY, maxY, s.minX, maxX = t.y, t.y, t.x, t.x
		}
		s.minY, maxY = min(s.minY, t.y), max(maxY, t.y)
		s.minX, maxX = min(s.minX, t.x), max(maxX, t.x)
	}
	s.spanY, s.spanX = maxY-s.minY, maxX-s.minX
	s.padded = s.minY < 0 || s.minX < 0 ||
		(gridH-1)*stepH+maxY >= height || (gridW-1)*stepW+maxX >= width
	return s
}

const (
	bufferLimit = 1 << 16 // float32s of a buffer: leaves room in a second-level cache
	minBlocks   = 8       // enough parts for uneven workers to end together
)

// cut chooses blocks of about the given number of grid points, but at least
// the given fewest if smaller ones would still be too few to share out. Where it
// is free to, it fills tiles of the given number of points.
func (s *source) cut(points, fewest, tile int) {
	for {
		s.cutFor(points, tile)
		if s.blocks() >= minBlocks || points/2 < fewest {
			break
		}
		points /= 2
	}
	s.pixel, s.row, s.image = s.channels, s.width*s.channels, s.height*s.width*s.channels
	if s.padded {
		s.bufH = (s.blockRows-1)*s.stepH + s.spanY + 1
		s.bufW = (s.gridW-1)*s.stepW + s.spanX + 1
		s.pixel = s.perGroup + s.gap
		s.row, s.image = s.bufW*s.pixel, s.bufH*s.bufW*s.pixel
	}
}

func (s *source) cutFor(points, tile int) {
	rowLen := ((s.gridW-1)*s.stepW + s.spanX + 1) * (s.perGroup + s.gap) // of the buffer
	imageLen := ((s.gridH-1)*s.stepH + s.spanY + 1) * rowLen
	s.blockRows = s.gridH
	s.blockImages = min(points/(s.gridH*s.gridW), bufferLimit/imageLen, s.images)
	if s.blockImages > 0 {
		return
	}
	s.blockImages = 1
	fit := (bufferLimit/rowLen-s.spanY-1)/s.stepH + 1
	s.blockRows = max(1, min(points/s.gridW, fit, s.gridH))
	s.blockRows = ceilDiv(s.gridH, ceilDiv(s.gridH, s.blockRows)) // of even height
	if s.gridW == 1 {
		s.blockRows = min(ceilDiv(s.blockRows, tile)*tile, s.gridH)
	}
}

func (s *source) blocks() int {
	return ceilDiv(s.images, s.blockImages) * ceilDiv(s.gridH, s.blockRows)
}

// block is images n0 to n1 and grid rows i0 to i1. Either it has one image or
// all grid rows.
type block struct{ n0, n1, i0, i1 int }

func (s *source) block(index int) block {
	perImage := ceilDiv(s.gridH, s.blockRows)
	n0 := index / perImage * s.blockImages
	i0 := index % perImage * s.blockRows
	return block{n0, min(n0+s.blockImages, s.images), i0, min(i0+s.blockRows, s.gridH)}
}

// bufferLen is the length of the buffer for one block.
func (s *source) bufferLen() int {
	if !s.padded {
		return 0
	}
	return s.blockImages*s.image + tile.AlignSlack
}

// maxBuffer bounds the buffer of one worker: 256 MB. A single row of a block can
// need more than bufferLimit, since all rows between its first and its last tap
// lie in the buffer, but only absurd dilations and strides come near this.
const maxBuffer = 1 << 26

// check reports a block, as cut left it, that does not fit a buffer.
func (s *source) check() error {
	if n := s.bufferLen(); n > maxBuffer {
		return fmt.Errorf("conv: filters that span %d×%d pixels of a %d×%d image need %d elements of padded copies, more than %d; use smaller dilations and strides",
			s.spanY+1, s.spanX+1, s.height, s.width, n, maxBuffer)
	}
	return nil
}

// offset returns where a tap at (y, x) reads relative to offset 0 of what load
// returns.
func (s *source) offset(y, x int) int {
	if s.padded {
		y -= s.minY
		x -= s.minX
	}
	return y*s.row + x*s.pixel
}

// load returns what the kernels read for one group of a block: the image
// itself, or the buffer with the block's pixels and zeros around them.
func (s *source) load(buffer, x []float32, b block, group int) []float32 {
	if !s.padded {
		return x[(b.n0*s.height+b.i0*s.stepH)*s.row+group*s.perGroup:]
	}
	buffer = tile.Align(buffer)
	left := min(max(0, -s.minX), s.bufW)            // zeros before the image
	right := min(max(left, s.width-s.minX), s.bufW) // zeros from here on
	rows := (b.i1-b.i0-1)*s.stepH + s.spanY + 1
	for n := b.n0; n < b.n1; n++ {
		for r := range rows {
			dst := buffer[(n-b.n0)*s.image+r*s.row:][:s.row]
			y := b.i0*s.stepH + s.minY + r
			if y < 0 || y >= s.height || left == right {
				clear(dst)
				continue
			}
			clear(dst[:left*s.pixel])
			clear(dst[right*s.pixel:])
			from := ((n*s.height+y)*s.width+left+s.minX)*s.channels + group*s.perGroup
			if s.pixel == s.channels {
				copy(dst[left*s.pixel:right*s.pixel], x[from:])
				continue
			}
			for j := left; j < right; j++ {
				copy(dst[j*s.pixel:][:s.perGroup], x[from+(j-left)*s.channels:])
			}
		}
	}
	return buffer
}
