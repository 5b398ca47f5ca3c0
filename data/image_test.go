package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// pngWithSize replaces the size in the header of a PNG.
func pngWithSize(b []byte, w, h uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func encode(t *testing.T, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFormats reads the same two-coloured image in every format.
func TestFormats(t *testing.T) {
	img := plain(16, 16, color.NRGBA{230, 30, 40, 255})
	for y := 8; y < 16; y++ {
		for x := range 16 {
			img.SetNRGBA(x, y, color.NRGBA{20, 60, 200, 255})
		}
	}
	deep := image.NewNRGBA64(img.Rect)
	for y := range 16 {
		for x := range 16 {
			deep.Set(x, y, img.At(x, y))
		}
	}
	paletted := image.NewPaletted(img.Rect, color.Palette{color.White, color.NRGBA{230, 30, 40, 255}, color.NRGBA{20, 60, 200, 255}})
	for i := range paletted.Pix {
		paletted.Pix[i] = 1 + uint8(i/128)
	}
	files := []member{
		{"a.png", encodePNG(t, img)},
		{"b.jpg", encodeJPEG(t, img)},
		{"c.png", encodePNG(t, deep)},
		{"d.png", encodePNG(t, paletted)},
		{"e.gif", encode(t, func(b *bytes.Buffer) error { return gif.Encode(b, paletted, nil) })},
		{"f.bmp", encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, img) })},
		{"g.tiff", encode(t, func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) })},
		{"h", encodePNG(t, img)},      // no extension
		{"i.txt", encodeJPEG(t, img)}, // a wrong one
		{"j.png", encodeJPEG(t, img)}, // another's
		{"nested/k.PNG", encodePNG(t, img)},
	}
	dir := folderOf(t, files...)
	want := len(files)
	for _, name := range []string{"cmyk.jpg", "progressive.jpg", "lossless.webp", "lossy.webp", "lzw.tiff"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
		want++
	}
	s := mustOpen(t, dir, Options{})
	if s.Len() != want || s.Height != 16 || s.Width != 16 || s.Channels != 3 || len(s.Skipped) != 0 {
		t.Fatalf("%d images of %d×%d×%d, skipped %v", s.Len(), s.Height, s.Width, s.Channels, s.Skipped)
	}
	for i := range s.Len() {
		near(t, s, i, 3, 3, 12, 230, 30, 40)
		near(t, s, i, 12, 13, 12, 20, 60, 200)
	}
	for _, exact := range []string{"a.png", "c.png", "d.png", "e.gif", "f.bmp", "g.tiff", "lossless.webp", "lzw.tiff"} {
		i := slices.Index(s.Names, exact)
		near(t, s, i, 0, 7, 0, 230, 30, 40)
		near(t, s, i, 15, 8, 0, 20, 60, 200)
	}
}

// TestWebPRange holds the colours of lossy WebP to those that libwebp gives.
func TestWebPRange(t *testing.T) {
	s := mustOpen(t, "testdata/lossy.webp", Options{})
	near(t, s, 0, 3, 3, 2, 230, 30, 40)
	near(t, s, 0, 12, 13, 2, 19, 61, 199)
}

func TestGrayStaysGray(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 16, 16))
	for i := range deep.Pix {
		deep.Pix[i] = 0x77
	}
	grays := image.NewPaletted(deep.Rect, color.Palette{color.Black, color.Gray{90}})
	for i := range grays.Pix {
		grays.Pix[i] = 1
	}
	alpha, err := os.ReadFile("testdata/gray_alpha.png")
	if err != nil {
		t.Fatal(err)
	}
	files := []member{
		{"alpha.png", alpha},
		{"deep.png", encodePNG(t, deep)},
		{"gray.jpg", encodeJPEG(t, grayImage(16, 16, 0))},
		{"gray.png", encodePNG(t, grayImage(16, 16, 5))},
		{"palette.png", encodePNG(t, grays)},
	}
	s := mustOpen(t, folderOf(t, files...), Options{})
	if s.Channels != 1 || s.Len() != len(files) {
		t.Fatalf("%d images of %d channels", s.Len(), s.Channels)
	}
	near(t, s, 0, 2, 2, 0, 100)
	near(t, s, 0, 12, 2, 0, 255) // transparent: white shows
	near(t, s, 1, 5, 5, 0, 0x77)
	near(t, s, 3, 3, 1, 0, 5+16+3)
	near(t, s, 4, 1, 1, 0, 90)

	if s := mustOpen(t, folderOf(t, files...), Options{RGB: true}); s.Channels != 3 {
		t.Errorf("RGB gave %d channels", s.Channels)
	} else {
		near(t, s, 4, 1, 1, 0, 90, 90, 90)
	}
	files = append(files, member{"red.png", encodePNG(t, plain(16, 16, color.NRGBA{255, 0, 0, 255}))})
	if s := mustOpen(t, folderOf(t, files...), Options{}); s.Channels != 3 {
		t.Errorf("one coloured image among grey ones gave %d channels", s.Channels)
	}
	if s := mustOpen(t, folderOf(t, files...), Options{Gray: true}); s.Channels != 1 {
		t.Errorf("Gray gave %d channels", s.Channels)
	} else {
		near(t, s, 5, 1, 1, 0, 76) // the luma of red
	}
}

func TestTransparencyLiesOnWhite(t *testing.T) {
	half := plain(16, 16, color.NRGBA{0, 0, 0, 128})
	s := mustOpen(t, fileOf(t, "half.png", encodePNG(t, half)), Options{})
	near(t, s, 0, 3, 3, 1, 127, 127, 127)
	s = mustOpen(t, fileOf(t, "half.png", encodePNG(t, half)), Options{Size: 5})
	near(t, s, 0, 2, 2, 1, 127, 127, 127)
}

func TestFrameSmallerThanScreen(t *testing.T) {
	frame := image.NewPaletted(image.Rect(4, 4, 12, 12), palette.Plan9)
	for i := range frame.Pix {
		frame.Pix[i] = uint8(frame.Palette.Index(color.RGBA{0xff, 0, 0, 0xff}))
	}
	b := encode(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{ColorModel: frame.Palette, Width: 16, Height: 16}})
	})
	s := mustOpen(t, fileOf(t, "a.gif", b), Options{})
	if s.Height != 16 || s.Width != 16 {
		t.Fatalf("%d×%d", s.Width, s.Height)
	}
	near(t, s, 0, 1, 1, 0, 255, 255, 255)
	near(t, s, 0, 8, 8, 0, 255, 0, 0)
}

func TestResize(t *testing.T) {
	// Left third black, middle third red, right third black: the square crop
	// of the middle is all red.
	img := plain(90, 30, color.Black)
	for y := range 30 {
		for x := 30; x < 60; x++ {
			img.SetNRGBA(x, y, color.NRGBA{200, 0, 0, 255})
		}
	}
	p := fileOf(t, "a.png", encodePNG(t, img))
	for _, size := range []int{1, 10, 30, 47} {
		s := mustOpen(t, p, Options{Size: size})
		if s.Height != size || s.Width != size {
			t.Fatalf("%d×%d, want %d", s.Width, s.Height, size)
		}
		for _, at := range []int{0, size / 2, size - 1} {
			near(t, s, 0, at, at, 1, 200, 0, 0)
		}
	}
	s := mustOpen(t, p, Options{Height: 10, Width: 30})
	near(t, s, 0, 2, 5, 0, 0, 0, 0)
	near(t, s, 0, 15, 5, 0, 200, 0, 0)

	// Shrinking averages over the area: stripes of one pixel become grey.
	stripes := plain(64, 64, color.Black)
	for y := range 64 {
		for x := 0; x < 64; x += 2 {
			stripes.Set(x, y, color.White)
		}
	}
	s = mustOpen(t, fileOf(t, "b.png", encodePNG(t, stripes)), Options{Size: 8})
	for x := 1; x < 7; x++ {
		near(t, s, 0, x, 3, 6, 127, 127, 127)
	}
}

func TestCentreCrop(t *testing.T) {
	tests := []struct{ w, h, tw, th, x0, y0, x1, y1 int }{
		{10, 10, 5, 5, 0, 0, 10, 10},
		{20, 10, 5, 5, 5, 0, 15, 10},
		{10, 21, 5, 5, 0, 5, 10, 15},
		{1, 1, 64, 32, 0, 0, 1, 1},
		{100, 1, 1, 1, 49, 0, 50, 1},
		{30, 20, 60, 40, 0, 0, 30, 20},
	}
	for _, tt := range tests {
		got := CentreCrop(image.Rect(0, 0, tt.w, tt.h), tt.tw, tt.th)
		if want := image.Rect(tt.x0, tt.y0, tt.x1, tt.y1); got != want {
			t.Errorf("%d×%d for %d×%d: %v, want %v", tt.w, tt.h, tt.tw, tt.th, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	agree := folderOf(t, member{"a.png", encodePNG(t, shaded(20, 12, 0))}, member{"b.png", encodePNG(t, shaded(20, 12, 1))})
	if s := mustOpen(t, agree, Options{}); s.Width != 20 || s.Height != 12 {
		t.Errorf("images of 20×12 became %d×%d", s.Width, s.Height)
	}
	mixed := folderOf(t, member{"a.png", encodePNG(t, shaded(20, 12, 0))}, member{"b.png", encodePNG(t, shaded(12, 20, 1))})
	if s := mustOpen(t, mixed, Options{}); s.Width != DefaultSize || s.Height != DefaultSize {
		t.Errorf("mixed images became %d×%d", s.Width, s.Height)
	}
	dot := folderOf(t, member{"a.png", encodePNG(t, shaded(20, 12, 0))}, member{"dot.png", encodePNG(t, plain(1, 1, color.White))})
	s := mustOpen(t, dot, Options{})
	wantSkipped(t, s, "dot.png", "1×1 pixels is less than the 8 a side that are taken unless a size is given")
	if s.Width != 20 || s.Height != 12 {
		t.Errorf("beside a skipped image, 20×12 became %d×%d", s.Width, s.Height)
	}
	s = mustOpen(t, dot, Options{Size: 16})
	if s.Len() != 2 {
		t.Fatalf("%d images with a size given", s.Len())
	}
	near(t, s, 1, 7, 7, 0, 255, 255, 255)
}
