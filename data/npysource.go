package data

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"hourglass/format/npy"
)

// npyPiece is the number of elements of a .npy file that are converted at a
// time.
const npyPiece = 64 << 10

// maxElement is the largest size in bytes of an element of a .npy file.
const maxElement = 8

// openNPY reads images [N,H,W] or [N,H,W,C]: uint8 as they are, float32 and
// float64 from 0–1.
func openNPY(ctx context.Context, p string, o Options) (*raw, error) {
	in, limits, err := openLimited(p, o)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	limits.MaxBytes = o.MaxBytes * maxElement
	h, err := npy.ReadHeader(in, limits)
	if err != nil {
		return nil, err
	}
	b := &raw{channels: 1, part: partOf(filepath.Base(p))}
	switch len(h.Shape) {
	case 4:
		b.channels = h.Shape[3]
		fallthrough
	case 3:
		b.n, b.height, b.width = h.Shape[0], h.Shape[1], h.Shape[2]
	default:
		return nil, fmt.Errorf("an array of shape %v holds no images: [N,H,W] or [N,H,W,C] is wanted", h.Shape)
	}
	if min(b.height, b.width) < 1 || b.channels != 1 && b.channels != 3 {
		return nil, fmt.Errorf("an array of shape %v holds no images of 1 or 3 channels: where the channels come first, move them last", h.Shape)
	}
	n := h.Len()
	if int64(n) > o.MaxBytes {
		return nil, &LimitError{p, fmt.Sprintf("the array of shape %v takes more bytes than are allowed", h.Shape), o.MaxBytes, "give a part of it"}
	}
	switch h.DType {
	case npy.Uint8, npy.Float32, npy.Float64:
	default:
		return nil, fmt.Errorf("elements are %v: uint8 (0–255) or a float type (0–1) is wanted", h.DType)
	}
	if h.Fortran {
		b.pixels, err = readFortran(p, h, o)
	} else {
		b.pixels, err = readPieces(ctx, in, h, limits.Size > 0)
	}
	return b, err
}

// readPieces reads the elements in pieces, so that only their pixels take
// memory. If the file is not known to hold them all, that grows as they come.
func readPieces(ctx context.Context, in io.Reader, h *npy.Header, known bool) ([]uint8, error) {
	n, size := h.Len(), h.DType.Size()
	var pixels []uint8
	if known {
		pixels = make([]uint8, 0, n)
	}
	values := make([]float32, min(n, npyPiece))
	buf := make([]byte, len(values)*size)
	for len(pixels) < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		piece := values[:min(n-len(pixels), npyPiece)]
		bytes := buf[:len(piece)*size]
		if m, err := io.ReadFull(in, bytes); err != nil {
			return nil, &FormatError{
				Format: "npy", Offset: h.Offset + int64(len(pixels))*int64(size) + int64(m), Kind: npy.ErrCorrupt,
				Reason: fmt.Sprintf("the array of shape %v is cut short", h.Shape), Err: err,
			}
		}
		if h.DType == npy.Uint8 {
			pixels = append(pixels, bytes...)
			continue
		}
		npy.DecodeFloat32(piece, bytes, h.DType, h.BigEndian)
		var err error
		if pixels, err = appendUnit(pixels, piece); err != nil {
			return nil, err
		}
	}
	return pixels, h.End(in)
}

// readFortran reads an array whose first index varies fastest. It has to be in
// memory as a whole to be turned round.
func readFortran(p string, h *npy.Header, o Options) ([]uint8, error) {
	in, limits, err := openLimited(p, o)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	limits.MaxBytes = o.MaxBytes
	a, err := npy.Read(in, limits)
	if err != nil {
		return nil, err
	}
	if h.DType == npy.Uint8 {
		return a.Uint8()
	}
	return appendUnit(make([]uint8, 0, a.Len()), a.Float32())
}

// appendUnit appends values of 0–1 as pixels of 0–255, rounded.
func appendUnit(pixels []uint8, values []float32) ([]uint8, error) {
	for _, v := range values {
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("element %d is %g, but floats must be in 0–1: scale the array, or save it as uint8", len(pixels), v)
		}
		pixels = append(pixels, uint8(v*255+0.5))
	}
	return pixels, nil
}
