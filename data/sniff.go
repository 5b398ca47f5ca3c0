package data

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// codec decodes one image format. The standard library's registry
// (image.RegisterFormat) is not used: it is global, so any package linked in
// could change what is accepted here.
type codec struct {
	name   string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var (
	jpegCodec = codec{"JPEG", jpeg.DecodeConfig, jpeg.Decode}
	pngCodec  = codec{"PNG", png.DecodeConfig, png.Decode}
	gifCodec  = codec{"GIF", gif.DecodeConfig, gif.Decode}
	bmpCodec  = codec{"BMP", bmp.DecodeConfig, bmp.Decode}
	tiffCodec = codec{"TIFF", tiff.DecodeConfig, tiff.Decode}
	webpCodec = codec{"WebP", webp.DecodeConfig, webp.Decode}
)

// sniffLen is how much of a file sniffImage and sniffContainer want to see.
const sniffLen = 512

// sniffImage returns the codec for a file that begins with head, or nil.
func sniffImage(head []byte) *codec {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		return &jpegCodec
	case has(0, "\x89PNG\r\n\x1a\n"):
		return &pngCodec
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return &gifCodec
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return &tiffCodec
	case has(0, "RIFF") && has(8, "WEBPVP8"):
		return &webpCodec
	case has(0, "BM") && len(head) >= 18:
		// Two letters are not much of a signature: a text may begin with
		// them. The size of the header that follows is one of a few.
		switch binary.LittleEndian.Uint32(head[14:]) {
		case 12, 40, 52, 56, 64, 108, 124:
			return &bmpCodec
		}
	}
	return nil
}

// claimsImage reports whether the name of a file says that it is an image.
func claimsImage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

// container is the kind of a source that is one file.
type container uint8

const (
	kindUnknown container = iota
	kindImage
	kindZip
	kindTar
	kindGzip
	kindZstd
	kindIDX
	kindNPY
	kindCIFAR
)

// sniffContainer tells from the first bytes of a file what it holds.
func sniffContainer(head []byte) container {
	switch {
	case sniffImage(head) != nil:
		return kindImage
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return kindZip
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return kindGzip
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return kindZstd
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return kindNPY
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return kindTar
	case len(head) >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 0x08 && head[2] <= 0x0e && head[3] >= 1 && head[3] <= 4:
		return kindIDX
	}
	return kindUnknown
}

// isGray reports whether an image that begins with head and has the given
// header holds no colour.
func isGray(c *codec, head []byte, cfg image.Config) bool {
	if c == &pngCodec && len(head) > 25 {
		// The colour type in IHDR: Go has no model for grey with alpha.
		switch head[25] {
		case 0, 4:
			return true
		case 2, 6:
			return false
		}
	}
	switch m := cfg.ColorModel.(type) {
	case color.Palette:
		for _, entry := range m {
			r, g, b, _ := entry.RGBA()
			if r != g || g != b {
				return false
			}
		}
		return len(m) > 0
	default:
		return m == color.GrayModel || m == color.Gray16Model
	}
}
