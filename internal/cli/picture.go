package cli

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path"
	"strings"
	"unicode"

	"hourglass/internal/atomicfile"
)

// gap is the space, in pixels, between pictures side by side.
const gap = 2

// sideBySide sets pictures [height,width,channels] of bytes in a row, with
// white between them. Channels are 1 (grey) or 3 (colour).
func sideBySide(height, width, channels int, pictures ...[]uint8) image.Image {
	return inRows(height, width, channels, len(pictures), pictures...)
}

// inRows sets pictures in rows of so many, in the manner of sideBySide.
func inRows(height, width, channels, columns int, pictures ...[]uint8) image.Image {
	rows := (len(pictures) + columns - 1) / columns
	all := image.Rect(0, 0, columns*(width+gap)-gap, rows*(height+gap)-gap)
	if channels == 1 {
		m := image.NewGray(all)
		fill(m.Pix)
		for i, p := range pictures {
			left, top := i%columns*(width+gap), i/columns*(height+gap)
			for y := range height {
				copy(m.Pix[(top+y)*m.Stride+left:], p[y*width:(y+1)*width])
			}
		}
		return m
	}
	m := image.NewRGBA(all)
	fill(m.Pix)
	for i, p := range pictures {
		left, top := i%columns*(width+gap), i/columns*(height+gap)
		for y := range height {
			for x := range width {
				at := 3 * (y*width + x)
				m.SetRGBA(left+x, top+y, color.RGBA{p[at], p[at+1], p[at+2], 255})
			}
		}
	}
	return m
}

func fill(pix []uint8) {
	for i := range pix {
		pix[i] = 255
	}
}

// writePNG writes a picture, whole or not at all.
func writePNG(path string, m image.Image) error {
	return encodePNG(path, m, png.DefaultCompression, atomicfile.Write)
}

func encodePNG(path string, m image.Image, level png.CompressionLevel, write func(string, func(io.Writer) error) error) error {
	enc := png.Encoder{CompressionLevel: level}
	if err := write(path, func(w io.Writer) error { return enc.Encode(w, m) }); err != nil {
		return fmt.Errorf("cannot write an image: %w", err)
	}
	return nil
}

// outFolder makes the folder for results, and tries whether files can be made
// in it: a folder that takes none is better known before the work than after.
func outFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return unwritable(fmt.Errorf("cannot make the folder for the results: %w", err))
	}
	f, err := os.CreateTemp(dir, ".hourglass-*")
	if err != nil {
		return unwritable(fmt.Errorf("cannot write to the folder %s: %w", dir, err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// pictureName names the file of image i of n. The number keeps files of equal
// names from different folders apart; the rest helps a person to find one.
func pictureName(i, n int, name string) string {
	digits := len(fmt.Sprint(max(n-1, 0)))
	number := fmt.Sprintf("%0*d", digits, i)
	base := path.Base(name)
	base = strings.TrimSuffix(base, path.Ext(base))
	base = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, base)
	const longest = 80
	if r := []rune(base); len(r) > longest {
		base = string(r[:longest])
	}
	if strings.Trim(base, "-.") == "" || base == number {
		return number + ".png"
	}
	return number + "-" + base + ".png"
}
