package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// align is what the first element's offset is a multiple of, so that the file
// can be mapped into memory.
const align = 64

// writePiece is the number of bytes that are converted at a time.
const writePiece = 64 << 10

// Write writes data, in row-major order, as an array of the given shape:
// version 1.0, little-endian, C order. It fails if the shape does not hold
// len(data) elements.
func Write[T float32 | int32 | uint8](w io.Writer, shape []int, data []T) error {
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt/d {
			return fmt.Errorf("npy: shape %v cannot be written", shape)
		}
		n *= d
	}
	if n != len(data) || len(shape) > MaxDims {
		return fmt.Errorf("npy: %d elements cannot be written with shape %v", len(data), shape)
	}
	descr := ""
	switch any(data).(type) {
	case []float32:
		descr = "<f4"
	case []int32:
		descr = "<i4"
	case []uint8:
		descr = "|u1"
	}
	if _, err := w.Write(encodeHeader(descr, shape)); err != nil {
		return err
	}
	if b, ok := any(data).([]uint8); ok {
		_, err := w.Write(b)
		return err
	}
	buf := make([]byte, 0, writePiece)
	for len(data) > 0 {
		piece := data[:min(len(data), writePiece/4)]
		data = data[len(piece):]
		buf = buf[:0]
		switch piece := any(piece).(type) {
		case []float32:
			for _, v := range piece {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
		case []int32:
			for _, v := range piece {
				buf = binary.LittleEndian.AppendUint32(buf, uint32(v))
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// encodeHeader returns a header of version 1.0.
func encodeHeader(descr string, shape []int) []byte {
	var dims strings.Builder
	for i, d := range shape {
		if i > 0 {
			dims.WriteByte(' ')
		}
		fmt.Fprintf(&dims, "%d,", d)
	}
	tuple := dims.String()
	if len(shape) > 1 {
		tuple = strings.TrimSuffix(tuple, ",")
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	const fixed = len(magic) + 4
	pad := align - (fixed+len(dict)+1)%align
	if pad == align {
		pad = 0
	}
	head := append([]byte(magic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(dict)+pad+1))
	head = append(head, dict...)
	head = append(head, strings.Repeat(" ", pad)...)
	return append(head, '\n')
}
