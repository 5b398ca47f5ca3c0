package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// maskReader turns label files into masks. Each worker has its own.
type maskReader struct {
	list          ClassList
	places        [256]uint8
	known         [256]bool
	colors        map[[3]uint8]uint8
	height, width int   // of the masks
	maxPixels     int64 // of one label

	seen  [256]bool // values met, where there is no list yet
	data  []byte
	whole []uint8 // a label at its own size
}

func newMaskReader(l ClassList, height, width int, maxPixels int64) *maskReader {
	m := &maskReader{list: l, height: height, width: width, maxPixels: maxPixels, colors: l.colors()}
	m.places, m.known = l.table()
	return m
}

// found reports whether the classes are yet to be found from the values.
func (m *maskReader) found() bool { return len(m.list.Classes) == 0 }

// read writes to dst [height,width] the label file in data, whose image has
// imageHeight×imageWidth pixels: the places of classes, or values where the
// classes are yet to be found.
func (m *maskReader) read(dst []uint8, data []byte, imageHeight, imageWidth int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged PNG: the decoder failed with %v", p)
		}
	}()
	if sniffImage(data) != &pngCodec {
		return errors.New("it is no PNG: labels have to be, since other formats change values or are rare")
	}
	cfg, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return decodeError(&pngCodec, err)
	}
	if cfg.Width < 1 || cfg.Height < 1 {
		return fmt.Errorf("%d×%d pixels: it has no area", cfg.Width, cfg.Height)
	}
	if cfg.Width != imageWidth || cfg.Height != imageHeight {
		return fmt.Errorf("it has %d×%d pixels and its image %d×%d: a label needs one pixel for each of the image",
			cfg.Width, cfg.Height, imageWidth, imageHeight)
	}
	if int64(cfg.Width) > m.maxPixels/int64(cfg.Height) {
		return fmt.Errorf("%d×%d pixels is more than the %d that one label may have", cfg.Width, cfg.Height, m.maxPixels)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return decodeError(&pngCodec, err)
	}
	if n := cfg.Width * cfg.Height; cap(m.whole) < n {
		m.whole = make([]uint8, n)
	}
	m.whole = m.whole[:cfg.Width*cfg.Height]
	if err := m.classify(img, greyStep(data)); err != nil {
		return err
	}
	if err := m.checkArea(); err != nil {
		return err
	}
	m.sample(dst, cfg.Width, cfg.Height)
	return nil
}

// greyStep returns what the decoder multiplies the values of a grey PNG of less
// than 8 bits by, so that they fill 0 to 255.
func greyStep(data []byte) uint8 {
	if len(data) > 25 && data[25] == 0 && data[24] < 8 {
		return uint8(255 / (1<<data[24] - 1))
	}
	return 1
}

// classify fills m.whole from the pixels of a label.
func (m *maskReader) classify(img image.Image, step uint8) error {
	b := img.Bounds()
	w := b.Dx()
	switch img := img.(type) {
	case *image.Paletted:
		if m.paletteHasColors(img) {
			break
		}
		return m.values(w, func(x, y int) int { return int(img.Pix[y*img.Stride+x]) })
	case *image.Gray:
		return m.values(w, func(x, y int) int { return int(img.Pix[y*img.Stride+x] / step) })
	case *image.Gray16:
		return m.values(w, func(x, y int) int { return int(img.Gray16At(b.Min.X+x, b.Min.Y+y).Y) })
	}
	at := func(x, y int) [3]uint8 {
		c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
		return [3]uint8{c.R, c.G, c.B}
	}
	if len(m.colors) == 0 {
		// Grey values may have been written as colours.
		for i := range m.whole {
			if c := at(i%w, i/w); c[0] != c[1] || c[1] != c[2] {
				return fmt.Errorf("the pixel in column %d, row %d has the colour %s, and no class has a colour: give each its own in a file of classes",
					i%w, i/w, formatColor(c))
			}
		}
		return m.values(w, func(x, y int) int { return int(at(x, y)[0] / step) })
	}
	last, place := [3]uint8{}, uint8(0)
	ok := false
	for i := range m.whole {
		if c := at(i%w, i/w); c != last || !ok {
			if place, ok = m.colors[c]; !ok {
				return fmt.Errorf("the colour %s in column %d, row %d is that of no class: correct the label, or add the class to the file of classes",
					formatColor(c), i%w, i/w)
			}
			last = c
		}
		m.whole[i] = place
	}
	return nil
}

// paletteHasColors reports whether the pixels of an image with a palette all
// have colours of classes: it was then made from a label in colours, and its
// indices mean nothing.
func (m *maskReader) paletteHasColors(img *image.Paletted) bool {
	if len(m.colors) == 0 {
		return false
	}
	var used [256]bool
	for y := range img.Rect.Dy() {
		for _, v := range img.Pix[y*img.Stride:][:img.Rect.Dx()] {
			used[v] = true
		}
	}
	for i, c := range img.Palette {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		if _, ok := m.colors[[3]uint8{n.R, n.G, n.B}]; used[i] && !ok {
			return false
		}
	}
	return true
}

// values fills m.whole from the values of a label.
func (m *maskReader) values(w int, at func(x, y int) int) error {
	for i := range m.whole {
		v := at(i%w, i/w)
		switch {
		case v > 255 || !m.found() && !m.known[v]:
			return fmt.Errorf("the value %d in column %d, row %d is that of no class: %s; correct the label, or name more classes",
				v, i%w, i/w, m.list.describe())
		case m.found():
			m.whole[i] = uint8(v)
			m.seen[v] = true
		default:
			m.whole[i] = m.places[v]
		}
	}
	return nil
}

// checkArea reports a label of which nothing can be learnt.
func (m *maskReader) checkArea() error {
	for _, v := range m.whole {
		if m.found() && !(m.known[v] && m.places[v] == Ignored) || !m.found() && v != Ignored {
			return nil
		}
	}
	return errors.New("its area is zero: every pixel is of the ignored value; label some, or leave the image out")
}

// sample reduces m.whole to the masks' size by the same crop that images get,
// each pixel that of the nearest centre, so that no class is invented.
func (m *maskReader) sample(dst []uint8, w, h int) {
	crop := CentreCrop(image.Rect(0, 0, w, h), m.width, m.height)
	for y := range m.height {
		row := m.whole[(crop.Min.Y+(2*y+1)*crop.Dy()/(2*m.height))*w:]
		for x := range m.width {
			dst[y*m.width+x] = row[crop.Min.X+(2*x+1)*crop.Dx()/(2*m.width)]
		}
	}
}
