package safetensors

import (
	"encoding/binary"
	"math"
)

// NewHalf returns a tensor that stores values as F16, rounded to nearest even:
// eleven significant bits, and infinity from 65,520 on.
func NewHalf(name string, shape []int, values []float32) Tensor {
	t := Tensor{Name: name, DType: F16, Shape: shape, Data: make([]byte, 0, 2*len(values))}
	for _, v := range values {
		t.Data = binary.LittleEndian.AppendUint16(t.Data, float32ToHalf(v))
	}
	return t
}

// RoundToHalf replaces values by what an F16 keeps of them.
func RoundToHalf(values []float32) {
	for i, v := range values {
		values[i] = halfToFloat32(float32ToHalf(v))
	}
}

// float32ToHalf rounds to the nearest IEEE 754 binary16, to even where two are
// as near.
func float32ToHalf(v float32) uint16 {
	b := math.Float32bits(v)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN keeps its first bits, and stays one
		return sign | 0x7e00 | uint16(b>>13&0x1ff)
	case b >= 0x477ff000: // 65,520
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: multiples of 2^-24
		// The sum puts the last bit of the result at the last bit of 0.5 and
		// lets the processor round.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-0x38000000)>>13)
}
