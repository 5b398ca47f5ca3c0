package cli

import (
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"io"

	"hourglass/internal/atomicfile"
)

// animationSide is what tiny pictures are enlarged to in an animation, or about
// it: pixels of the longer side.
const animationSide = 224

// greys is a palette of every grey.
var greys = func() color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		p[i] = color.Gray{Y: uint8(i)}
	}
	return p
}()

// writeAnimation writes pictures of one size, shown one after the other for so
// many hundredths of a second each, the first and last for longer, as a GIF.
// Grey ones keep every level.
func writeAnimation(file string, frames []image.Image, delay int) error {
	g := &gif.GIF{}
	for i, m := range frames {
		size := m.Bounds().Size()
		scale := max(1, animationSide/max(size.X, size.Y))
		colors := color.Palette(palette.Plan9)
		if _, grey := m.(*image.Gray); grey {
			colors = greys
		}
		frame := image.NewPaletted(image.Rect(0, 0, size.X*scale, size.Y*scale), colors)
		large := image.NewRGBA(frame.Rect)
		for y := range frame.Rect.Dy() {
			for x := range frame.Rect.Dx() {
				large.Set(x, y, m.At(m.Bounds().Min.X+x/scale, m.Bounds().Min.Y+y/scale))
			}
		}
		draw.FloydSteinberg.Draw(frame, frame.Rect, large, image.Point{})
		g.Image = append(g.Image, frame)
		g.Delay = append(g.Delay, delay)
		if i == 0 || i == len(frames)-1 {
			g.Delay[i] = 10 * delay
		}
	}
	err := atomicfile.Write(file, func(w io.Writer) error { return gif.EncodeAll(w, g) })
	if err != nil {
		return fmt.Errorf("cannot write an animation: %w", err)
	}
	return nil
}
