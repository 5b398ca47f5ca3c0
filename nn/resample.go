package nn

import (
	"hourglass/engine/graph"
)

// UpsampleNearest repeats each pixel of images [N,H,W,C] along height and
// width.
type UpsampleNearest struct {
	Factor int `json:"factor,omitempty"` // 0 means 2
}

// Kind returns "upsample_nearest".
func (UpsampleNearest) Kind() string { return "upsample_nearest" }

// Apply implements [Layer].
func (l UpsampleNearest) Apply(c *Context, x *graph.Node) *graph.Node {
	factor, ok := upFactor(c, l, x, l.Factor)
	if !ok {
		return x
	}
	return c.b.UpsampleNearest(x, factor)
}

// UpsampleBilinear interpolates images [N,H,W,C] with half-pixel centres
// (PyTorch's align_corners=False), to Height×Width or by a factor.
type UpsampleBilinear struct {
	Factor int `json:"factor,omitempty"` // 0 means 2, where no size is named
	Height int `json:"height,omitempty"` // size of the result instead of a factor; both or none
	Width  int `json:"width,omitempty"`
}

// Kind returns "upsample_bilinear".
func (UpsampleBilinear) Kind() string { return "upsample_bilinear" }

// Apply implements [Layer].
func (l UpsampleBilinear) Apply(c *Context, x *graph.Node) *graph.Node {
	if l.Height == 0 && l.Width == 0 {
		factor, ok := upFactor(c, l, x, l.Factor)
		if !ok {
			return x
		}
		return c.b.ResizeBilinear(x, factor*x.Shape()[1], factor*x.Shape()[2])
	}
	if !images(c, l, x) {
		return x
	}
	if l.Factor != 0 || l.Height < 1 || l.Width < 1 {
		return c.Fail(l, x, "name either a factor or a positive height and width, not factor %d and %dx%d", l.Factor, l.Height, l.Width)
	}
	return c.b.ResizeBilinear(x, l.Height, l.Width)
}

// upFactor fills in and checks the factor of a layer that enlarges images.
func upFactor(c *Context, l Layer, x *graph.Node, factor int) (int, bool) {
	if !images(c, l, x) {
		return 0, false
	}
	if factor == 0 {
		factor = 2
	}
	if factor < 1 || factor > maxWindow {
		c.Fail(l, x, "factor is %d; it must be 1 to %d", factor, maxWindow)
		return 0, false
	}
	return factor, true
}

// PixelShuffle turns channels into pixels (Shi et al. 2016, section 3.2):
// [N,H,W,C·r²] becomes [N,H·r,W·r,C]. Input channel c·r²+i·r+j goes to row i
// and column j of the r×r block of output channel c, PyTorch's order.
type PixelShuffle struct {
	Factor int `json:"factor,omitempty"` // r; 0 means 2
}

// Kind returns "pixel_shuffle".
func (PixelShuffle) Kind() string { return "pixel_shuffle" }

// Apply implements [Layer].
func (l PixelShuffle) Apply(c *Context, x *graph.Node) *graph.Node {
	r, ok := upFactor(c, l, x, l.Factor)
	if !ok {
		return x
	}
	n, h, w, channels := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
	if channels%(r*r) != 0 {
		return c.Fail(l, x, "the channels must be a multiple of %d", r*r)
	}
	out := channels / (r * r)
	b := c.b
	y := b.Transpose(b.Reshape(x, n, h, w, out, r, r), 0, 1, 4, 2, 5, 3)
	return b.Reshape(y, n, h*r, w*r, out)
}
