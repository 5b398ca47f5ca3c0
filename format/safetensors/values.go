package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// Element is a Go type that a tensor's elements can have.
type Element interface {
	bool | uint8 | int8 | uint16 | int16 | uint32 | int32 | float32 | uint64 | int64 | float64
}

// DTypeOf returns the element type that stores values of T.
func DTypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case bool:
		return Bool
	case uint8:
		return U8
	case int8:
		return I8
	case uint16:
		return U16
	case int16:
		return I16
	case uint32:
		return U32
	case int32:
		return I32
	case float32:
		return F32
	case uint64:
		return U64
	case int64:
		return I64
	}
	return F64
}

// littleEndian says whether numbers lie in memory as they lie in a file.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// New returns a tensor of the given values. On little-endian machines it
// shares their memory, so that a model is not held twice while it is written;
// the values must not change before it has been.
func New[T Element](name string, shape []int, values []T) Tensor {
	t := Tensor{Name: name, DType: DTypeOf[T](), Shape: shape}
	if littleEndian {
		t.Data = bytesOf(values)
	} else {
		t.Data = encode(values)
	}
	return t
}

// Values returns a copy of the elements of t as values of T, which must be the
// type that stores them; F16 and BF16 are read as the uint16 of their bits.
func Values[T Element](t Tensor) ([]T, error) {
	if err := matches[T](t.Name, t.DType); err != nil {
		return nil, err
	}
	if len(t.Data)%t.DType.Size() != 0 {
		return nil, fmt.Errorf("safetensors: tensor %q: %d bytes are no whole number of %v", t.Name, len(t.Data), t.DType)
	}
	values := make([]T, len(t.Data)/t.DType.Size())
	return values, decode(t.Name, values, t.Data)
}

// matches returns an error if values of T cannot hold elements of type d.
func matches[T Element](name string, d DType) error {
	want := DTypeOf[T]()
	if d == want || want == U16 && (d == F16 || d == BF16) {
		return nil
	}
	return fmt.Errorf("safetensors: tensor %q holds %v, not %v", name, d, want)
}

// bytesOf returns the memory of s. On a little-endian machine that is its
// encoding. Bools are bytes of 0 and 1 in Go as in the format.
func bytesOf[T Element](s []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}

// encode returns the bytes of s on any machine.
func encode[T Element](s []T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, s)
	if err != nil {
		panic(err) // all types of Element have a fixed size
	}
	return b
}

// decode fills dst from its bytes. It refuses bools that are neither 0 nor 1:
// in Go's memory such a bool would be neither true nor false.
func decode[T Element](name string, dst []T, src []byte) error {
	if bools, ok := any(dst).([]bool); ok {
		for i, b := range src {
			if b > 1 {
				return fmt.Errorf("safetensors: tensor %q: element %d is %d, not the 0 or 1 of a BOOL", name, i, b)
			}
			bools[i] = b == 1
		}
		return nil
	}
	if littleEndian {
		copy(bytesOf(dst), src)
		return nil
	}
	if _, err := binary.Decode(src, binary.LittleEndian, dst); err != nil {
		panic(err) // the lengths agree
	}
	return nil
}

// toFloat32 converts elements of a floating-point type. Numbers of a float64
// are rounded to nearest even.
func toFloat32(dst []float32, src []byte, d DType) {
	le := binary.LittleEndian
	switch d {
	case F16:
		for i := range dst {
			dst[i] = halfToFloat32(le.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(le.Uint16(src[2*i:])) << 16)
		}
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(src[8*i:])))
		}
	default:
		panic("safetensors: not a floating-point type")
	}
}

// halfToFloat32 converts the bits of an IEEE 754 binary16. Every such number
// is a float32 too.
func halfToFloat32(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero and subnormal numbers: fraction * 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinities and NaNs
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
