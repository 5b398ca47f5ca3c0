// Package tile cuts images that are too large to be worked on at once into
// overlapping rectangles of one size.
package tile

import "fmt"

// Options say how an image is cut.
type Options struct {
	// MaxPixels is the greatest area of a tile; an image of at most as much is
	// one tile.
	MaxPixels int
	// Margin is how far, in pixels, a tile reaches beyond what is kept of it,
	// except where the image ends: at least as far as a network sees.
	Margin int
	// Align is what all places and sizes are multiples of: how much a network
	// shrinks an image. 0 means 1.
	Align int
}

// Tile is a rectangle of a plan's size whose upper left corner is row Y and
// column X, and the part of it that is kept: rows KeepY to KeepY+KeepHeight-1
// of the image, and columns likewise. The parts that are kept cover the image
// without overlapping.
type Tile struct {
	Y, X                  int
	KeepY, KeepX          int
	KeepHeight, KeepWidth int
}

// Plan is a cut image.
type Plan struct {
	// Height and Width are the image's, rounded up to multiples of Align: what
	// the caller fills the image up to.
	Height, Width int
	// TileHeight and TileWidth are those of every tile, so that one program
	// works on them all.
	TileHeight, TileWidth int
	Tiles                 []Tile
}

// Cut plans the tiles of an image of height×width pixels. The plan follows
// from its arguments alone. It fails if a tile of MaxPixels has no room for
// anything but margins.
func Cut(height, width int, o Options) (Plan, error) {
	if o.Align == 0 {
		o.Align = 1
	}
	if o.MaxPixels < o.Align*o.Align && o.Align > 0 {
		return Plan{}, fmt.Errorf("tile: tiles of %d pixels hold no square of %d", o.MaxPixels, o.Align)
	}
	if height < 1 || width < 1 || o.Align < 1 || o.Margin < 0 {
		return Plan{}, fmt.Errorf("tile: an image of %d×%d pixels, margins of %d and multiples of %d", height, width, o.Margin, o.Align)
	}
	up := func(n int) int { return (n + o.Align - 1) / o.Align * o.Align }
	p := Plan{Height: up(height), Width: up(width)}
	p.TileHeight, p.TileWidth = p.Height, p.Width
	margin := up(o.Margin)
	if p.Height > o.MaxPixels/p.Width {
		// Near to square tiles waste the least on margins; what an image that
		// is narrow leaves goes to the other side.
		side := o.Align
		for (side+o.Align)*(side+o.Align) <= o.MaxPixels {
			side += o.Align
		}
		p.TileHeight, p.TileWidth = min(p.Height, side), min(p.Width, side)
		p.TileHeight = min(p.Height, max(p.TileHeight, o.MaxPixels/p.TileWidth/o.Align*o.Align))
		p.TileWidth = min(p.Width, max(p.TileWidth, o.MaxPixels/p.TileHeight/o.Align*o.Align))
	}
	rows, ok := spans(p.Height, p.TileHeight, margin, o.Align)
	columns, okay := spans(p.Width, p.TileWidth, margin, o.Align)
	if !ok || !okay {
		return Plan{}, fmt.Errorf("tile: tiles of %d pixels have no room within margins of %d", o.MaxPixels, margin)
	}
	for _, r := range rows {
		for _, c := range columns {
			p.Tiles = append(p.Tiles, Tile{r.at, c.at, r.keep, c.keep, r.length, c.length})
		}
	}
	return p, nil
}

// span is a tile along one axis.
type span struct{ at, keep, length int }

// spans cuts an axis into tiles of the given size with margins between. The
// parts that are kept are of about one length.
func spans(length, size, margin, align int) ([]span, bool) {
	if size >= length {
		return []span{{0, 0, length}}, true
	}
	inner := size - 2*margin // kept of a tile that has neighbours on both sides
	if inner < align {
		return nil, false
	}
	// The outer tiles keep one margin more.
	n := max(2, (length-2*margin+inner-1)/inner)
	var all []span
	from := 0
	for i := range n {
		to := length
		if i < n-1 {
			to = min(length, (margin+(i+1)*(length-2*margin)/n)/align*align)
		}
		if to <= from {
			continue
		}
		at := max(0, min(from-margin, length-size))
		all = append(all, span{at / align * align, from, to - from})
		from = to
	}
	return all, true
}
