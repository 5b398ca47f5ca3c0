// Package idx reads the IDX format of the MNIST family of data sets: a magic
// number that names the element type and the number of dimensions, the
// dimensions as big-endian 32-bit numbers, and the elements in row-major
// order. Its definition is on the MNIST page of LeCun, Cortes and Burges.
package idx

import (
	"encoding/binary"
	"fmt"
	"io"

	"hourglass/format"
	"hourglass/format/internal/bounded"
)

// Error is a fault in an IDX file, with its offset. Its chain holds [ErrCorrupt],
// [ErrUnsupported] or [ErrTooLarge].
type Error = format.Error

// Kinds of faults.
var (
	ErrCorrupt     = format.ErrCorrupt     // not what the format says
	ErrUnsupported = format.ErrUnsupported // elements other than unsigned bytes
	ErrTooLarge    = format.ErrTooLarge    // above the limit
)

// Limits bounds what is accepted; the zero value allows 16 GiB.
type Limits = format.Limits

// MaxDims is the largest number of dimensions accepted.
const MaxDims = 4

// typeNames are the element types of the format by their code.
var typeNames = map[byte]string{
	0x08: "unsigned byte", 0x09: "signed byte", 0x0b: "16-bit integer",
	0x0c: "32-bit integer", 0x0d: "32-bit float", 0x0e: "64-bit float",
}

const typeUint8 = 0x08

// Array is an array of unsigned bytes.
type Array struct {
	Shape []int   // 1 to MaxDims dimensions
	Data  []uint8 // row-major
}

// Read reads an IDX file of unsigned bytes from r, up to its end: data that
// follows the array is an error. All errors are of type *Error.
func Read(r io.Reader, limits Limits) (*Array, error) {
	fail := func(offset int64, kind error, format string, args ...any) (*Array, error) {
		return nil, &Error{Format: "idx", Offset: offset, Kind: kind, Reason: fmt.Sprintf(format, args...)}
	}
	var head [4 + 4*MaxDims]byte
	if n, err := io.ReadFull(r, head[:4]); err != nil {
		return nil, short(int64(n), "the magic number is cut short", err)
	}
	if head[0] != 0 || head[1] != 0 {
		return fail(0, ErrCorrupt, "the magic number begins with %#02x %#02x, not with two zeros", head[0], head[1])
	}
	name, known := typeNames[head[2]]
	if !known {
		return fail(2, ErrCorrupt, "%#02x is not an element type", head[2])
	}
	if head[2] != typeUint8 {
		return fail(2, ErrUnsupported, "elements of type %s; images and labels are unsigned bytes", name)
	}
	dims := int(head[3])
	if dims < 1 || dims > MaxDims {
		return fail(3, ErrCorrupt, "%d dimensions; 1 to %d are accepted", dims, MaxDims)
	}
	if n, err := io.ReadFull(r, head[4:4+4*dims]); err != nil {
		return nil, short(int64(4+n), "the dimensions are cut short", err)
	}
	a := &Array{Shape: make([]int, dims)}
	for i := range a.Shape {
		d := binary.BigEndian.Uint32(head[4+4*i:])
		if d > 1<<31-1 {
			return fail(int64(4+4*i), ErrTooLarge, "dimension %d is %d", i, d)
		}
		a.Shape[i] = int(d)
	}
	start := int64(4 + 4*dims)
	size, ok := bounded.Product(a.Shape, 1, limits.Max())
	if !ok {
		return fail(4, ErrTooLarge, "an array of shape %v is above the limit of %d bytes", a.Shape, limits.Max())
	}
	if limits.Size > 0 && limits.Size < start+size {
		return fail(limits.Size, ErrCorrupt, "the file ends before the array of shape %v does, at %d", a.Shape, start+size)
	}
	var err error
	if a.Data, err = bounded.Read(r, size, limits.Size > 0); err != nil {
		return nil, short(start+int64(len(a.Data)), fmt.Sprintf("the array of shape %v is cut short", a.Shape), err)
	}
	if err := bounded.End(r, "idx", start+size, a.Shape); err != nil {
		return nil, err
	}
	return a, nil
}

func short(offset int64, reason string, err error) error {
	return &Error{Format: "idx", Offset: offset, Kind: ErrCorrupt, Reason: reason, Err: err}
}
