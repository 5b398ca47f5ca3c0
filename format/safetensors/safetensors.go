// Package safetensors reads and writes the safetensors format of Hugging Face
// (https://huggingface.co/docs/safetensors): named tensors and a map of
// strings, with nothing in it that could run.
//
// A file is the length of its header as 8 bytes, little-endian; the header, a
// JSON object padded with spaces; and the elements of all tensors,
// little-endian and row-major, without gaps. The header gives each tensor's
// type, shape and place:
//
//	{"__metadata__": {"key": "value"}, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
//
// Files are checked whole before a tensor is read: the header is at most
// [MaxHeader] bytes, names are unique, and the tensors' places match their
// types and shapes, do not overlap, and cover the data exactly.
package safetensors

import (
	"fmt"

	"hourglass/format"
)

// Error is a fault in a file, with its offset. Its chain holds [ErrCorrupt],
// [ErrUnsupported] or [ErrTooLarge].
type Error = format.Error

// Kinds of faults.
var (
	ErrCorrupt     = format.ErrCorrupt     // not what the format says
	ErrUnsupported = format.ErrUnsupported // an element type unknown here
	ErrTooLarge    = format.ErrTooLarge    // a header above MaxHeader, or more than MaxDims dimensions
)

const (
	// MaxHeader is the largest header in bytes, set by the format.
	MaxHeader = 100_000_000
	// MaxDims is the largest number of dimensions of a tensor.
	MaxDims = 64
)

const (
	metadataKey = "__metadata__"
	alignment   = 8 // of the data within a file
	prefix      = 8 // bytes of the header's length
)

// DType is the type of a tensor's elements.
type DType uint8

// Element types. F16 and BF16 have no type in Go: their bits are read as
// uint16 from Tensor.Data, or converted by File.Float32s.
const (
	Bool DType = iota + 1 // a byte, 0 or 1
	U8
	I8
	U16
	I16
	F16  // IEEE 754 binary16
	BF16 // the upper half of a float32
	U32
	I32
	F32
	U64
	I64
	F64
)

// dtypes holds what is known of each type.
var dtypes = [...]struct {
	name string
	size int
}{
	Bool: {"BOOL", 1}, U8: {"U8", 1}, I8: {"I8", 1},
	U16: {"U16", 2}, I16: {"I16", 2}, F16: {"F16", 2}, BF16: {"BF16", 2},
	U32: {"U32", 4}, I32: {"I32", 4}, F32: {"F32", 4},
	U64: {"U64", 8}, I64: {"I64", 8}, F64: {"F64", 8},
}

func (d DType) valid() bool { return d >= Bool && int(d) < len(dtypes) }

// String returns the name that the format gives the type, such as "F32".
func (d DType) String() string {
	if !d.valid() {
		return fmt.Sprintf("safetensors.DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Size returns the number of bytes of an element.
func (d DType) Size() int {
	if !d.valid() {
		panic("safetensors: size of an unknown type")
	}
	return dtypes[d].size
}

// parseDType is the inverse of String.
func parseDType(name string) (DType, bool) {
	for d := Bool; d.valid(); d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return 0, false
}

// Info describes a tensor in a file.
type Info struct {
	Name   string
	DType  DType
	Shape  []int // row-major; empty for a single number
	Offset int64 // of its first byte in the file
	Bytes  int64 // its length, the product of Shape times DType.Size
}

// Elements returns the number of elements.
func (i Info) Elements() int { return int(i.Bytes) / i.DType.Size() }

// Tensor is a tensor in memory. [New] makes one of a slice, and [Values] makes
// a slice of one.
type Tensor struct {
	Name  string
	DType DType
	Shape []int  // row-major; empty for a single number
	Data  []byte // the elements, little-endian
}
