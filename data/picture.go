package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"sync"

	"golang.org/x/image/draw"
)

// Picture is an image as it was stored, for work whose result is an image of
// the same kind: at its own size, with its depth and its transparency.
type Picture struct {
	Height, Width int
	Channels      int       // 1 (grey) or 3
	Deep          bool      // 16 bits a sample instead of 8
	Pixels        []float32 // [Height,Width,Channels] in 0–1, not multiplied by alpha
	Alpha         []uint16  // [Height,Width], 65535 is opaque; nil if all of it is
}

// OpenPicture reads the image file at path, turned the way its EXIF orientation
// says. Of o it heeds MaxPixels and MaxFileBytes.
func OpenPicture(path string, o Options) (*Picture, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, reason(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, not an image", path)
	}
	content, err := readWhole(f, nil, o.MaxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, reason(err))
	}
	p, err := decodePicture(content, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// decodePicture decodes the content of a file.
func decodePicture(content []byte, o Options) (p *Picture, err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("damaged image: the decoder failed with %v", failure)
		}
	}()
	var scratch []byte
	h, err := probe(bytes.NewReader(content), &scratch, o.MaxFileBytes, o.MaxPixels, new(sync.Mutex))
	if err != nil {
		return nil, err
	}
	img, err := h.decodeImage(content)
	if err != nil {
		return nil, err
	}
	return pictureOf(img, h.gray, h.turn), nil
}

// pictureOf reads the samples of an image.
func pictureOf(img image.Image, gray bool, turn orientation) *Picture {
	b := img.Bounds()
	p := &Picture{Height: b.Dy(), Width: b.Dx(), Channels: 3}
	if turn.transposes() {
		p.Height, p.Width = p.Width, p.Height
	}
	if gray {
		p.Channels = 1
	}
	switch img.(type) {
	case *image.Gray16, *image.RGBA64, *image.NRGBA64:
		p.Deep = true
	}
	if !opaque(img) {
		p.Alpha = make([]uint16, p.Height*p.Width)
	} else if !p.Deep {
		// Drawing knows every kind of 8-bit image, and is fast.
		flat := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
		draw.Draw(flat, flat.Rect, img, b.Min, draw.Src)
		img, b = flat, flat.Rect
	}
	at := sampler(img)
	p.Pixels = make([]float32, p.Height*p.Width*p.Channels)
	for y := range p.Height {
		for x := range p.Width {
			sx, sy := turn.source(x, y, b.Dx(), b.Dy())
			c := at(b.Min.X+sx, b.Min.Y+sy)
			i := y*p.Width + x
			if p.Alpha != nil {
				p.Alpha[i] = c.A
			}
			if p.Channels == 1 {
				p.Pixels[i] = float32(c.R) / math.MaxUint16
				continue
			}
			p.Pixels[3*i] = float32(c.R) / math.MaxUint16
			p.Pixels[3*i+1] = float32(c.G) / math.MaxUint16
			p.Pixels[3*i+2] = float32(c.B) / math.MaxUint16
		}
	}
	return p
}

// sampler returns what reads a pixel whose colour is not multiplied by alpha:
// even under alpha 0, where the kind of image keeps it, a colour stays.
func sampler(img image.Image) func(x, y int) color.NRGBA64 {
	switch m := img.(type) {
	case *image.NRGBA64:
		return m.NRGBA64At
	case *image.NRGBA:
		return func(x, y int) color.NRGBA64 {
			c := m.NRGBAAt(x, y)
			return color.NRGBA64{R: uint16(c.R) * 0x101, G: uint16(c.G) * 0x101, B: uint16(c.B) * 0x101, A: uint16(c.A) * 0x101}
		}
	}
	return func(x, y int) color.NRGBA64 {
		return color.NRGBA64Model.Convert(img.At(x, y)).(color.NRGBA64)
	}
}

// source returns the column and row of the stored image, w×h, that is shown
// at x and y.
func (o orientation) source(x, y, w, h int) (int, int) {
	if o.transposes() {
		x, y = y, x
	}
	switch o {
	case 2, 8: // see pack: these read columns backwards
		x = w - 1 - x
	case 4, 6:
		y = h - 1 - y
	case 3, 7:
		x, y = w-1-x, h-1-y
	}
	return x, y
}

// Image returns the picture for an encoder: 16 bits deep if p is, grey if it is
// and has no alpha. Values outside of 0–1 are clipped.
func (p *Picture) Image() (image.Image, error) {
	if p.Channels != 1 && p.Channels != 3 || len(p.Pixels) != p.Height*p.Width*p.Channels ||
		p.Alpha != nil && len(p.Alpha) != p.Height*p.Width {
		return nil, errors.New("data: the picture's pixels are not as many as its size says")
	}
	area := image.Rect(0, 0, p.Width, p.Height)
	sample := func(i int) uint16 { return uint16(max(0, min(1, p.Pixels[i]))*math.MaxUint16 + 0.5) }
	colour := func(i int) color.NRGBA64 {
		c := color.NRGBA64{A: math.MaxUint16}
		if p.Alpha != nil {
			c.A = p.Alpha[i]
		}
		if p.Channels == 1 {
			c.R = sample(i)
			c.G, c.B = c.R, c.R
			return c
		}
		c.R, c.G, c.B = sample(3*i), sample(3*i+1), sample(3*i+2)
		return c
	}
	var set func(x, y int, c color.NRGBA64)
	var img image.Image
	switch grey := p.Channels == 1 && p.Alpha == nil; {
	case grey && p.Deep:
		m := image.NewGray16(area)
		img, set = m, func(x, y int, c color.NRGBA64) { m.SetGray16(x, y, color.Gray16{Y: c.R}) }
	case grey:
		m := image.NewGray(area)
		img, set = m, func(x, y int, c color.NRGBA64) { m.Pix[y*m.Stride+x] = eight(c.R) }
	case p.Deep:
		m := image.NewNRGBA64(area)
		img, set = m, m.SetNRGBA64
	default:
		m := image.NewNRGBA(area)
		img, set = m, func(x, y int, c color.NRGBA64) {
			m.SetNRGBA(x, y, color.NRGBA{R: eight(c.R), G: eight(c.G), B: eight(c.B), A: eight(c.A)})
		}
	}
	for y := range p.Height {
		for x := range p.Width {
			set(x, y, colour(y*p.Width+x))
		}
	}
	return img, nil
}

// eight rounds a 16-bit sample to 8 bits.
func eight(v uint16) uint8 { return uint8((uint32(v) + 128) / 257) }
