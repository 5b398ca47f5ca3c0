package segment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"hourglass/data"
)

const (
	// overlapShare is how much of its height and width a tile has in common
	// with the next, at least. The outer quarter of that is not used, because
	// the network saw zeros beyond it where there was image; over the half
	// between, one tile gives way to the other.
	overlapShare = 4
	// MaxScale bounds what an image is enlarged by.
	MaxScale = data.MaxPairScale
	// maxScaled bounds the pixels of an image brought to the scale of a model.
	maxScaled = 1 << 28
	// maxRow bounds the shares of the classes in a row of tiles: 2 GB.
	maxRow = 1 << 29
)

// Segment returns the class of each pixel [height,width] of an image
// [height,width,channels] of any size. The image is brought to the scale of
// those that were learnt from (scale times its size; 0 means the model's own),
// passed through in tiles of the size learnt from, which overlap and are
// blended, and the shares of the classes are interpolated back. An image
// smaller than a tile is continued by its reflection.
func (m *Model) Segment(ctx context.Context, pixels []uint8, height, width int, scale float64) ([]uint8, error) {
	c := m.config
	if height < 1 || width < 1 || len(pixels)/height/width != c.Channels || len(pixels) != height*width*c.Channels {
		return nil, fmt.Errorf("segment: %d bytes are no image of %d×%d×%d", len(pixels), height, width, c.Channels)
	}
	if scale == 0 {
		scale = c.Scale
	}
	if !(scale > 0 && scale <= MaxScale) {
		return nil, fmt.Errorf("segment: the scale is %v; it must be positive and at most %d", scale, MaxScale)
	}
	h, w := max(1, int(math.Round(float64(height)*scale))), max(1, int(math.Round(float64(width)*scale)))
	if h > maxScaled/w {
		return nil, fmt.Errorf("segment: the image would have %d×%d pixels, more than %d: choose a smaller scale", w, h, maxScaled)
	}
	if int64(c.Height)*int64(w)*int64(len(c.Labels.Classes)) > maxRow {
		return nil, fmt.Errorf("segment: the image would be %d pixels wide, too much for one row of tiles: cut it into pieces, or choose a smaller scale", w)
	}
	if h == c.Height && w == c.Width && h == height && w == width {
		return m.Classes(pixels)
	}
	out := &enlarger{k: len(c.Labels.Classes), from: [2]int{h, w}, to: [2]int{height, width}, classes: make([]uint8, height*width)}
	if err := m.tiled(ctx, data.Rescale(pixels, height, width, c.Channels, h, w), h, w, out.add); err != nil {
		return nil, err
	}
	return out.classes, nil
}

// starts returns where tiles begin that cover length pixels, evenly spaced.
func starts(length, tile int) []int {
	if length <= tile {
		return []int{0}
	}
	step := max(1, tile-tile/overlapShare)
	n := (length-tile+step-1)/step + 1
	at := make([]int, n)
	for i := range at {
		at[i] = i * (length - tile) / (n - 1)
	}
	return at
}

// ramp returns the weights of a tile's rows or columns: 1 but near those of its
// ends that are not also ends of the image.
func ramp(tile int, first, last bool) []float32 {
	w := make([]float32, tile)
	overlap := float64(tile / overlapShare)
	rise := func(i int) float32 {
		return float32(max(0, min(1, (float64(i)+0.5-overlap/4)/max(1, overlap/2))))
	}
	for i := range w {
		w[i] = 1
		if !first {
			w[i] = min(w[i], rise(i))
		}
		if !last {
			w[i] = min(w[i], rise(tile-1-i))
		}
	}
	return w
}

// tiled passes an image through in tiles and calls emit with the shares of the
// classes [w,K] of each row, from the first on. Only the rows of one row of
// tiles are held at a time.
func (m *Model) tiled(ctx context.Context, pixels []uint8, h, w int, emit func(y int, shares []float32)) error {
	c := m.config
	k := len(c.Labels.Classes)
	tops, lefts := starts(h, c.Height), starts(w, c.Width)
	line := w * k
	sums, weights := make([]float32, c.Height*line), make([]float32, c.Height*w)
	tiles := make([]uint8, len(lefts)*c.Height*c.Width*c.Channels)
	for i, top := range tops {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.cut(tiles, pixels, h, w, top, lefts)
		vertical := ramp(c.Height, i == 0, i == len(tops)-1)
		err := m.sharesOf(tiles, func(j int, shares []float32) {
			horizontal := ramp(c.Width, j == 0, j == len(lefts)-1)
			columns := min(c.Width, w-lefts[j])
			for y := range min(c.Height, h-top) {
				for x := range columns {
					weight := vertical[y] * horizontal[x]
					if weight == 0 {
						continue
					}
					at := y*w + lefts[j] + x
					weights[at] += weight
					sum, p := sums[at*k:(at+1)*k], shares[(y*c.Width+x)*k:]
					for class := range sum {
						sum[class] += weight * p[class]
					}
				}
			}
		})
		if err != nil {
			return err
		}
		done := h - top
		if i+1 < len(tops) {
			done = tops[i+1] - top
		}
		for y := range done {
			row := sums[y*line : (y+1)*line]
			for x := range w {
				if weight := weights[y*w+x]; weight != 1 {
					for class := range k {
						row[x*k+class] /= weight
					}
				}
			}
			emit(top+y, row)
		}
		if i+1 < len(tops) {
			clear(sums[copy(sums, sums[done*line:]):])
			clear(weights[copy(weights, weights[done*w:]):])
		}
	}
	return nil
}

// cut copies a row of tiles out of an image.
func (m *Model) cut(tiles, pixels []uint8, h, w, top int, lefts []int) {
	c := m.config
	at := 0
	for _, left := range lefts {
		for y := range c.Height {
			row := pixels[data.Mirrored(top+y, h)*w*c.Channels:]
			for x := range c.Width {
				from := data.Mirrored(left+x, w) * c.Channels
				at += copy(tiles[at:at+c.Channels], row[from:])
			}
		}
	}
}

// enlarger interpolates rows of shares to the rows of an image and keeps the
// class that has the most.
type enlarger struct {
	k        int
	from, to [2]int // height and width
	classes  []uint8

	done  int       // rows of the image
	above []float32 // the row of shares before the last
	mixed []float32
}

// place returns where pixel i of n lies among m, as the pixel before it and the
// share of the one after.
func place(i, n, m int) (before, after int, share float32) {
	p := (float64(i)+0.5)*float64(m)/float64(n) - 0.5
	p = max(0, min(float64(m-1), p))
	before = int(p)
	return before, min(before+1, m-1), float32(p - float64(before))
}

// add takes row y of the shares, which come in order.
func (e *enlarger) add(y int, row []float32) {
	if e.above == nil {
		e.above, e.mixed = slices.Clone(row), make([]float32, len(row))
	}
	for ; e.done < e.to[0]; e.done++ {
		before, after, share := place(e.done, e.to[0], e.from[0])
		if after > y {
			break // it needs a row that is still to come
		}
		upper := e.above
		if before == y {
			upper = row
		}
		for i, v := range upper {
			e.mixed[i] = v + share*(row[i]-v)
		}
		e.line(e.classes[e.done*e.to[1] : (e.done+1)*e.to[1]])
	}
	copy(e.above, row)
}

// line chooses the classes of one row of the image.
func (e *enlarger) line(classes []uint8) {
	for x := range classes {
		before, after, share := place(x, e.to[1], e.from[1])
		a, b := e.mixed[before*e.k:(before+1)*e.k], e.mixed[after*e.k:]
		best, most := 0, float32(-1)
		for class, v := range a {
			if s := v + share*(b[class]-v); s > most {
				best, most = class, s
			}
		}
		classes[x] = uint8(best)
	}
}
