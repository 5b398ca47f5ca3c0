package data

import (
	"image"

	"golang.org/x/image/draw"
)

// Rescale brings an image of bytes [height,width,channels], grey or in colour, to
// h×w pixels by Catmull and Rom's splines; one of that size is returned as it is.
func Rescale(pixels []uint8, height, width, channels, h, w int) []uint8 {
	if height == h && width == w {
		return pixels
	}
	out := make([]uint8, h*w*channels)
	if channels == 1 {
		from, to := image.NewGray(image.Rect(0, 0, width, height)), image.NewRGBA(image.Rect(0, 0, w, h))
		copy(from.Pix, pixels)
		draw.CatmullRom.Scale(to, to.Rect, from, from.Rect, draw.Src, nil)
		for i := range out {
			out[i] = to.Pix[4*i]
		}
		return out
	}
	from, to := image.NewRGBA(image.Rect(0, 0, width, height)), image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range height * width {
		copy(from.Pix[4*i:4*i+4], []uint8{pixels[3*i], pixels[3*i+1], pixels[3*i+2], 255})
	}
	draw.CatmullRom.Scale(to, to.Rect, from, from.Rect, draw.Src, nil)
	for i := range h * w {
		copy(out[3*i:3*i+3], to.Pix[4*i:])
	}
	return out
}
