package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"golang.org/x/image/draw"
	"golang.org/x/image/tiff"
)

// probeLen is how much of a file is read to find its size and colours. Most
// headers end well before; if one does not, the whole file is read.
const probeLen = 64 << 10

// header is what is known of an image before it is decoded.
type header struct {
	codec         *codec
	width, height int // as shown, after the EXIF orientation
	gray          bool
	turn          orientation
}

var errNotImage = errors.New("its content is not JPEG, PNG, GIF, BMP, TIFF or WebP")

// probe reads the header of an image from r, of which at most limit bytes are
// read, into *scratch; while that is more than its beginning, whole is locked. It
// returns errNotImage if r holds something else.
func probe(r io.Reader, scratch *[]byte, limit, maxPixels int64, whole sync.Locker) (h header, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its header cannot be read: the decoder failed with %v", p)
		}
	}()
	head, err := readUpTo(r, (*scratch)[:0], probeLen)
	*scratch = head
	if err != nil {
		return h, err
	}
	if len(head) == 0 {
		return h, errors.New("the file is empty")
	}
	if h.codec = sniffImage(head); h.codec == nil {
		return h, errNotImage
	}
	cfg, err := h.codec.config(bytes.NewReader(head))
	if len(head) == probeLen && (err != nil || h.codec == &webpCodec && hasEXIF(head)) {
		whole.Lock()
		defer whole.Unlock()
		if head, err = readUpTo(r, head, limit); err != nil {
			*scratch = head
			return h, err
		}
		*scratch = head
		cfg, err = h.codec.config(bytes.NewReader(head))
	}
	if err != nil && h.codec == &webpCodec && animated(head) {
		return h, errors.New("it is an animated WebP, which is not read")
	}
	if err != nil {
		return h, decodeError(h.codec, err)
	}
	if cfg.Width < 1 || cfg.Height < 1 {
		return h, fmt.Errorf("%d×%d pixels: it has no area", cfg.Width, cfg.Height)
	}
	if int64(cfg.Width) > maxPixels/int64(cfg.Height) {
		return h, fmt.Errorf("%d×%d pixels is more than the %d that one image may have", cfg.Width, cfg.Height, maxPixels)
	}
	h.width, h.height = cfg.Width, cfg.Height
	h.gray = isGray(h.codec, head, cfg)
	if h.turn = orientationOf(h.codec, head); h.turn.transposes() {
		h.width, h.height = h.height, h.width
	}
	return h, nil
}

// decode decodes the file in data and writes its pixels to dst. A decoder that
// panics does no more harm than one that fails.
func (r *renderer) decode(dst []uint8, h header, data []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged %s: the decoder failed with %v", h.codec.name, p)
		}
	}()
	img, err := h.decodeImage(data)
	if err != nil {
		return err
	}
	r.render(dst, img, h.turn)
	return nil
}

// decodeImage decodes the file in data, whose header h is, as it is stored.
func (h header) decodeImage(data []byte) (image.Image, error) {
	if c := sniffImage(data); c == nil || c.name != h.codec.name {
		return nil, errChanged
	}
	img, err := h.codec.decode(bytes.NewReader(data))
	if err != nil {
		return nil, decodeError(h.codec, err)
	}
	if h.codec == &webpCodec {
		widenWebP(img)
	}
	img = interpolateColours(img)
	width, height := h.width, h.height
	if h.turn.transposes() {
		width, height = height, width
	}
	if b := img.Bounds(); b.Min != (image.Point{}) || b.Dx() != width || b.Dy() != height {
		if h.codec != &gifCodec {
			return nil, errChanged
		}
		// The first frame of a GIF may cover a part of the screen only.
		screen := image.NewNRGBA(image.Rect(0, 0, width, height))
		draw.Draw(screen, b, img, b.Min, draw.Src)
		img = screen
	}
	return img, nil
}

// What the chunk VP8X at the head of a WebP file says of it.
const (
	webpAnimated = 0x02
	webpEXIF     = 0x08
)

func animated(head []byte) bool { return webpFlags(head)&webpAnimated != 0 }

// hasEXIF reports whether EXIF data follow the pixels of a WebP file.
func hasEXIF(head []byte) bool { return webpFlags(head)&webpEXIF != 0 }

func webpFlags(head []byte) byte {
	if len(head) > 20 && string(head[12:16]) == "VP8X" {
		return head[20]
	}
	return 0
}

func decodeError(c *codec, err error) error {
	if kind := tiff.UnsupportedError(""); errors.As(err, &kind) {
		return fmt.Errorf("a kind of %s that is not read: %w", c.name, err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("damaged %s: it ends too early", c.name)
	}
	return fmt.Errorf("damaged %s: %w", c.name, err)
}

// readUpTo appends to buf what r still holds, until buf has limit bytes. The
// end of r is no error.
func readUpTo(r io.Reader, buf []byte, limit int64) ([]byte, error) {
	for int64(len(buf)) < limit {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		room := buf[len(buf):cap(buf)]
		if left := limit - int64(len(buf)); int64(len(room)) > left {
			room = room[:left]
		}
		n, err := r.Read(room)
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// readWhole reads all of r into buf, or fails if that is more than limit.
func readWhole(r io.Reader, buf []byte, limit int64) ([]byte, error) {
	buf, err := readUpTo(r, buf[:0], limit+1)
	if err == nil && int64(len(buf)) > limit {
		err = fmt.Errorf("it holds more than the %d bytes that one file may have", limit)
	}
	return buf, err
}
