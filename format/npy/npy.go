// Package npy reads and writes NumPy's .npy format, versions 1.0 to 3.0: a
// magic string, a header that is a Python dictionary, and the elements of one
// array. The format is defined by NumPy Enhancement Proposal 1 and the
// documentation of numpy.lib.format.
//
// Elements are numbers of the types float32, float64, uint8, int8, int16,
// uint16, int32, int64 and bool, in either byte order, in C or Fortran order.
// Pickled objects, strings and records are refused.
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"hourglass/format"
	"hourglass/format/internal/bounded"
)

// Error is a fault in a .npy file, with its offset. Its chain holds [ErrCorrupt],
// [ErrUnsupported] or [ErrTooLarge].
type Error = format.Error

// Kinds of faults.
var (
	ErrCorrupt     = format.ErrCorrupt     // not what the format says
	ErrUnsupported = format.ErrUnsupported // a type or version that is not read
	ErrTooLarge    = format.ErrTooLarge    // above a limit
)

// Limits bounds what is accepted; the zero value allows 16 GiB.
type Limits = format.Limits

// MaxDims is the largest number of dimensions accepted.
const MaxDims = 8

// DType is the type of an element, without its byte order.
type DType uint8

// The types that are read.
const (
	Float32 DType = iota + 1
	Float64
	Uint8
	Int8
	Int16
	Uint16
	Int32
	Int64
	Bool
)

// dtypes gives the name and the size in bytes of each type, and the code that
// stands for it after the byte order.
var dtypes = [...]struct {
	name string
	code string
	size int
}{
	Float32: {"float32", "f4", 4},
	Float64: {"float64", "f8", 8},
	Uint8:   {"uint8", "u1", 1},
	Int8:    {"int8", "i1", 1},
	Int16:   {"int16", "i2", 2},
	Uint16:  {"uint16", "u2", 2},
	Int32:   {"int32", "i4", 4},
	Int64:   {"int64", "i8", 8},
	Bool:    {"bool", "b1", 1},
}

// String returns NumPy's name of the type.
func (d DType) String() string {
	if int(d) < len(dtypes) && dtypes[d].size > 0 {
		return dtypes[d].name
	}
	return fmt.Sprintf("npy.DType(%d)", uint8(d))
}

// Size returns the bytes of an element.
func (d DType) Size() int { return dtypes[d].size }

// Header is what comes before the elements.
type Header struct {
	DType     DType
	BigEndian bool
	Fortran   bool  // the first index varies fastest in the file
	Shape     []int // empty for a single number
	Offset    int64 // of the first element in the file
}

// Len returns the number of elements.
func (h *Header) Len() int {
	n := 1
	for _, d := range h.Shape {
		n *= d
	}
	return n
}

// Array is an array in memory.
type Array struct {
	Shape []int // empty for a single number
	DType DType // of the elements in the file

	raw []byte // little-endian, row-major
}

// Len returns the number of elements.
func (a *Array) Len() int { return len(a.raw) / a.DType.Size() }

// Read reads an array from r, up to its end: data that follows the array is an
// error. All errors are of type *Error.
func Read(r io.Reader, limits Limits) (*Array, error) {
	h, err := ReadHeader(r, limits)
	if err != nil {
		return nil, err
	}
	size := int64(h.Len()) * int64(h.DType.Size())
	raw, err := bounded.Read(r, size, limits.Size > 0)
	if err != nil {
		return nil, &Error{Format: "npy", Offset: h.Offset + int64(len(raw)), Kind: ErrCorrupt, Reason: fmt.Sprintf("the array of shape %v is cut short", h.Shape), Err: err}
	}
	if err := h.End(r); err != nil {
		return nil, err
	}
	if h.BigEndian {
		swap(raw, h.DType.Size())
	}
	if h.Fortran {
		raw = rowMajor(raw, h.Shape, h.DType.Size())
	}
	return &Array{Shape: h.Shape, DType: h.DType, raw: raw}, nil
}

// End checks that nothing follows the array in r, which has been read up to there,
// and that the end is whole: a compressed file has its checksum there. Its errors are
// of type *Error.
func (h *Header) End(r io.Reader) error {
	return bounded.End(r, "npy", h.Offset+int64(h.Len())*int64(h.DType.Size()), h.Shape)
}

func fault(offset int64, kind error, format string, args ...any) error {
	return &Error{Format: "npy", Offset: offset, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// Float32 returns the elements in row-major order, converted. Numbers that
// float32 does not hold are rounded to the nearest that it does.
func (a *Array) Float32() []float32 {
	out := make([]float32, a.Len())
	DecodeFloat32(out, a.raw, a.DType, false)
	return out
}

// Uint8 returns the elements in row-major order, without copying them. It fails
// if they are not uint8 or bool.
func (a *Array) Uint8() ([]uint8, error) {
	if a.DType != Uint8 && a.DType != Bool {
		return nil, fmt.Errorf("npy: elements are %v, not uint8", a.DType)
	}
	return a.raw, nil
}

// Int32 returns the elements in row-major order. It fails if they are not
// integers or do not fit.
func (a *Array) Int32() ([]int32, error) {
	if a.DType == Float32 || a.DType == Float64 {
		return nil, fmt.Errorf("npy: elements are %v, not integers", a.DType)
	}
	out := make([]int32, a.Len())
	for i := range out {
		v := integer(a.raw[i*a.DType.Size():], a.DType)
		if v != int64(int32(v)) {
			return nil, fmt.Errorf("npy: element %d is %d, which int32 does not hold", i, v)
		}
		out[i] = int32(v)
	}
	return out, nil
}

// integer returns the first element of b.
func integer(b []byte, d DType) int64 {
	switch d {
	case Int8:
		return int64(int8(b[0]))
	case Int16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case Uint16:
		return int64(binary.LittleEndian.Uint16(b))
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case Int64:
		return int64(binary.LittleEndian.Uint64(b))
	}
	return int64(b[0])
}

// DecodeFloat32 converts len(dst) elements of a file, as they stand in raw, to
// float32. It lets a file be read in pieces, after ReadHeader.
func DecodeFloat32(dst []float32, raw []byte, d DType, bigEndian bool) {
	size := d.Size()
	raw = raw[:len(dst)*size]
	if bigEndian && size > 1 {
		raw = append([]byte(nil), raw...)
		swap(raw, size)
	}
	switch d {
	case Float32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case Float64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(integer(raw[i*size:], d))
		}
	}
}

// swap reverses the bytes of each element.
func swap(raw []byte, size int) {
	for at := 0; at+size <= len(raw); at += size {
		for i, j := at, at+size-1; i < j; i, j = i+1, j-1 {
			raw[i], raw[j] = raw[j], raw[i]
		}
	}
}

// rowMajor reorders elements whose first index varies fastest.
func rowMajor(raw []byte, shape []int, size int) []byte {
	out := make([]byte, len(raw))
	strides := make([]int, len(shape)) // in the file, in elements
	step := 1
	for i, d := range shape {
		strides[i] = step
		step *= d
	}
	index := make([]int, len(shape))
	from := 0
	for to := 0; to < len(out); to += size {
		copy(out[to:to+size], raw[from*size:])
		for k := len(shape) - 1; k >= 0; k-- {
			index[k]++
			from += strides[k]
			if index[k] < shape[k] {
				break
			}
			from -= shape[k] * strides[k]
			index[k] = 0
		}
	}
	return out
}
