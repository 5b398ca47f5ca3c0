package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"slices"
	"testing"
)

// exifData returns EXIF data whose only tag is the orientation.
func exifData(order binary.AppendByteOrder, value uint16) []byte {
	var b []byte
	if order.String() == "LittleEndian" {
		b = append(b, "II*\x00"...)
	} else {
		b = append(b, "MM\x00*"...)
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, value)
	return append(b, 0, 0, 0, 0, 0, 0)
}

// exifSegment returns EXIF data as an APP1 segment.
func exifSegment(order binary.AppendByteOrder, value uint16) []byte {
	b := exifData(order, value)
	head := []byte{0xff, 0xe1}
	head = binary.BigEndian.AppendUint16(head, uint16(2+6+len(b)))
	return append(append(head, "Exif\x00\x00"...), b...)
}

// withChunk puts EXIF data behind the first chunk of a PNG.
func withChunk(png, exif []byte) []byte {
	const first = 8 + 12 + 13 // the signature and IHDR
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
	chunk = append(append(chunk, "eXIf"...), exif...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return slices.Concat(png[:first], chunk, png[first:])
}

// withSegment puts a segment after the start of a JPEG.
func withSegment(jpeg, segment []byte) []byte {
	return slices.Concat(jpeg[:2], segment, jpeg[2:])
}

func TestOrientation(t *testing.T) {
	// Upright, the image is 32×16: red at the top left, green at the top
	// right, blue at the bottom left, white at the bottom right.
	corners := [2][2]color.NRGBA{
		{{255, 0, 0, 255}, {0, 255, 0, 255}},
		{{0, 0, 255, 255}, {255, 255, 255, 255}},
	}
	upright := func(x, y int) color.NRGBA { return corners[y/8][x/16] }
	// How the stored pixel x, y of a w×h image is found in the upright one,
	// as the EXIF standard (CIPA DC-008, Orientation) words it: which side of
	// the upright image the first row and the first column are.
	stored := map[uint16]func(x, y int) color.NRGBA{
		1: func(x, y int) color.NRGBA { return upright(x, y) },
		2: func(x, y int) color.NRGBA { return upright(31-x, y) },
		3: func(x, y int) color.NRGBA { return upright(31-x, 15-y) },
		4: func(x, y int) color.NRGBA { return upright(x, 15-y) },
		5: func(x, y int) color.NRGBA { return upright(y, x) },
		6: func(x, y int) color.NRGBA { return upright(31-y, x) },
		7: func(x, y int) color.NRGBA { return upright(31-y, 15-x) },
		8: func(x, y int) color.NRGBA { return upright(y, 15-x) },
	}
	for value := uint16(1); value <= 8; value++ {
		w, h := 32, 16
		if value >= 5 {
			w, h = h, w
		}
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				img.SetNRGBA(x, y, stored[value](x, y))
			}
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, p := range []string{
				fileOf(t, "a.jpg", withSegment(encodeJPEG(t, img), exifSegment(order, value))),
				fileOf(t, "a.png", withChunk(encodePNG(t, img), exifData(order, value))),
			} {
				for _, o := range []Options{{}, {Height: 8, Width: 16}} {
					s := mustOpen(t, p, o)
					if s.Width != 2*s.Height {
						t.Fatalf("%s, orientation %d: %d×%d", p, value, s.Width, s.Height)
					}
					for i, at := range [][2]int{{2, 2}, {s.Width - 3, 2}, {2, s.Height - 3}, {s.Width - 3, s.Height - 3}} {
						c := corners[i/2][i%2]
						near(t, s, 0, at[0], at[1], 40, c.R, c.G, c.B)
					}
				}
			}
		}
	}
}

func TestOrientationByPillow(t *testing.T) {
	for _, kind := range []string{"jpg", "png", "webp", "tiff"} {
		s := mustOpen(t, "testdata/turned."+kind, Options{})
		// A quarter clockwise: what was above is on the right.
		near(t, s, 0, 13, 8, 12, 230, 30, 40)
		near(t, s, 0, 2, 8, 12, 20, 60, 200)
	}
}

// TestOrientationBehindPixels has more pixels than is read of a file to find its
// header.
func TestOrientationBehindPixels(t *testing.T) {
	turned, err := os.ReadFile("testdata/turned.webp")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(turned, []byte("EXIF"))
	if at < 0 {
		t.Fatal("no EXIF data")
	}
	padding := binary.LittleEndian.AppendUint32([]byte("JUNK"), 2*probeLen)
	long := slices.Concat(turned[:at], padding, make([]byte, 2*probeLen), turned[at:])
	binary.LittleEndian.PutUint32(long[4:], uint32(len(long)-8))
	s := mustOpen(t, fileOf(t, "a.webp", long), Options{})
	near(t, s, 0, 13, 8, 12, 230, 30, 40)
}

func TestOrientationMalformed(t *testing.T) {
	jpeg := encodeJPEG(t, shaded(16, 16, 0))
	good := exifSegment(binary.LittleEndian, 6)
	edit := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	const tiff = 10 // offset of the TIFF structure in the segment
	tests := map[string][]byte{
		"value 0":             edit(tiff+18, 0),
		"value 9":             edit(tiff+18, 9),
		"not a short":         edit(tiff+12, 4),
		"other tag":           edit(tiff+10, 0x13),
		"byte order":          edit(tiff, 'X'),
		"directory too far":   edit(tiff+4, 0xff, 0xff, 0xff, 0x7f),
		"directory in header": edit(tiff+4, 2),
		"no entries":          edit(tiff+8, 0),
		"not EXIF":            edit(4, 'Y'),
	}
	for name, segment := range tests {
		if got := jpegOrientation(withSegment(jpeg, segment)); got != 1 {
			t.Errorf("%s: orientation %d, want 1", name, got)
		}
	}
	whole := withSegment(jpeg, good)
	if got := jpegOrientation(whole); got != 6 {
		t.Fatalf("orientation %d, want 6", got)
	}
	for n := range 2 + len(good) - 6 {
		if got := jpegOrientation(whole[:n]); got != 1 {
			t.Errorf("cut to %d bytes: orientation %d, want 1", n, got)
		}
	}
	exif := exifData(binary.LittleEndian, 6)
	png := withChunk(encodePNG(t, shaded(16, 16, 0)), exif)
	if got := orientationOf(&pngCodec, png); got != 6 {
		t.Fatalf("PNG: orientation %d, want 6", got)
	}
	last := bytes.Index(png, exif) + len(exif) - 6 // before what follows the tag
	for n := range last {
		if got := orientationOf(&pngCodec, png[:n]); got != 1 {
			t.Errorf("PNG cut to %d bytes: orientation %d, want 1", n, got)
		}
	}
	filled := slices.Concat(jpeg[:2], []byte{0xff, 0xff, 0xff, 0x01}, good, jpeg[2:])
	if got := jpegOrientation(filled); got != 6 {
		t.Errorf("after fill bytes: orientation %d, want 6", got)
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(withSegment([]byte{0xff, 0xd8, 0xff, 0xd9}, exifSegment(binary.LittleEndian, 6)))
	f.Add(withSegment([]byte{0xff, 0xd8, 0xff, 0xd9}, exifSegment(binary.BigEndian, 8)))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 0})
	for _, kind := range []string{"jpg", "png", "webp", "tiff"} {
		if b, err := os.ReadFile("testdata/turned." + kind); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range []*codec{&jpegCodec, &pngCodec, &webpCodec, &tiffCodec} {
			if o := orientationOf(c, b); o < 1 || o > 8 {
				t.Fatalf("%s: orientation %d", c.name, o)
			}
		}
	})
}
