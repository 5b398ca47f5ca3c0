package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
)

// Image is a picture: [H,W,C] bytes from 0 to 255, row by row, with the
// channels of a pixel side by side; C is 1 (grey) or 3 (red, green, blue).
// The zero Image is an empty place.
type Image struct {
	H, W, C int
	Pix     []uint8 // H*W*C bytes; only read
}

// maxSide caps an image's sides, so that a wrong shape ends in an error and
// not in an exhausted memory.
const maxSide = 1 << 15

func (m Image) empty() bool { return m.H == 0 && m.W == 0 && len(m.Pix) == 0 }

func (m Image) check() error {
	switch {
	case m.empty():
		return nil
	case m.C != 1 && m.C != 3:
		return fmt.Errorf("image [%d,%d,%d] has %d channels: give 1 (grey) or 3 (colour)", m.H, m.W, m.C, m.C)
	case m.H < 1 || m.W < 1 || m.H > maxSide || m.W > maxSide:
		return fmt.Errorf("image [%d,%d,%d]: sides must be from 1 to %d", m.H, m.W, m.C, maxSide)
	case len(m.Pix) != m.H*m.W*m.C:
		return fmt.Errorf("image [%d,%d,%d] needs %d bytes and has %d", m.H, m.W, m.C, m.H*m.W*m.C, len(m.Pix))
	}
	return nil
}

// std returns the picture as an image.Image: *image.Gray, which shares the
// pixels, or *image.RGBA.
func (m Image) std() image.Image {
	if m.C == 1 {
		return &image.Gray{Pix: m.Pix, Stride: m.W, Rect: image.Rect(0, 0, m.W, m.H)}
	}
	dst := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i, o := 0, 0; i < len(m.Pix); i, o = i+3, o+4 {
		dst.Pix[o], dst.Pix[o+1], dst.Pix[o+2], dst.Pix[o+3] = m.Pix[i], m.Pix[i+1], m.Pix[i+2], 255
	}
	return dst
}

// Encoding says how pictures go into the page. The zero value suits
// thumbnails and photographs: a picture of at most 128 pixels a side is kept
// exactly, as a PNG; a larger one, or any if a Quality is given, is made to
// fit 640 pixels and becomes a JPEG of quality 88, or a PNG where that is
// smaller.
type Encoding struct {
	Exact   bool // always PNG, never resized
	Quality int  // JPEG quality, 1 to 100; zero means 88, for large pictures only
	Fit     int  // the longer side's limit in pixels; zero means 640
}

const (
	exactSide      = 128
	defaultFit     = 640
	defaultQuality = 88
)

// dataURI encodes a valid, non-empty image.
func (e Encoding) dataURI(m Image) (string, error) {
	src := m.std()
	side := max(m.H, m.W)
	if e.Exact || side <= exactSide && e.Quality <= 0 {
		return pngURI(src)
	}
	fit, quality := e.Fit, e.Quality
	if fit <= 0 {
		fit = defaultFit
	}
	if quality <= 0 || quality > 100 {
		quality = defaultQuality
	}
	if side > fit {
		src = resize(src, max(1, m.W*fit/side), max(1, m.H*fit/side))
	}
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, src, &jpeg.Options{Quality: quality}); err != nil {
		return "", fmt.Errorf("encode image [%d,%d,%d] as JPEG: %w", m.H, m.W, m.C, err)
	}
	// Drawings, masks and flat pictures are smaller, and free of ringing, as
	// PNG.
	var p bytes.Buffer
	if err := encodePNG(&p, src); err != nil {
		return "", err
	}
	if p.Len() <= jpg.Len() {
		return uri("image/png", p.Bytes()), nil
	}
	return uri("image/jpeg", jpg.Bytes()), nil
}

// resize scales src to w × h, and keeps grey images grey.
func resize(src image.Image, w, h int) image.Image {
	var dst draw.Image = image.NewRGBA(image.Rect(0, 0, w, h))
	if _, grey := src.(*image.Gray); grey {
		dst = image.NewGray(image.Rect(0, 0, w, h))
	}
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	return dst
}

func pngURI(m image.Image) (string, error) {
	var p bytes.Buffer
	if err := encodePNG(&p, m); err != nil {
		return "", err
	}
	return uri("image/png", p.Bytes()), nil
}

func encodePNG(p *bytes.Buffer, m image.Image) error {
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(p, m); err != nil {
		return fmt.Errorf("encode image %v as PNG: %w", m.Bounds(), err)
	}
	return nil
}

func uri(mime string, data []byte) string {
	return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// Sides, in CSS pixels, at which pictures are shown unless a block says
// otherwise.
const (
	tinySide  = 96  // pictures up to here are enlarged, with hard pixels
	thumbSide = 112 // what a tiny picture is enlarged to, or about it
	photoSide = 320
)

// display returns the width and height, in CSS pixels, at which to show an
// image whose longer side should take about side (zero: a default by size),
// and whether to keep its pixels hard. A tiny image is enlarged by a whole
// number, so that all its pixels come out equally large.
func display(m Image, side int) (w, h int, hard bool) {
	long := max(m.H, m.W)
	hard = long <= tinySide
	switch {
	case side <= 0 && hard:
		side = thumbSide
	case side <= 0:
		side = min(photoSide, max(long, thumbSide))
	}
	if hard {
		k := max(1, (side+long/2)/long)
		return m.W * k, m.H * k, true
	}
	return max(1, m.W*side/long), max(1, m.H*side/long), false
}

// picture writes an <img>, or an empty place of the same size for an empty
// image.
func (b *builder) picture(m Image, side int, e Encoding, alt string) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.empty() {
		b.raw("<span class=\"hole\" role=\"img\" aria-label=\"no picture\"></span>")
		return nil
	}
	src, err := e.dataURI(m)
	if err != nil {
		return err
	}
	w, h, hard := display(m, side)
	b.raw("<img")
	if hard {
		b.raw(" class=\"hard\"")
	}
	b.attrInt("width", w)
	b.attrInt("height", h)
	b.attr("alt", alt)
	b.attr("src", src)
	b.raw(">")
	return nil
}

// parseHex turns "#rrggbb" into a colour; the palette is the only caller.
func parseHex(s string) color.RGBA {
	var c color.RGBA
	if _, err := fmt.Sscanf(s, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
		panic("report: palette entry " + s + " is not #rrggbb")
	}
	c.A = 255
	return c
}
