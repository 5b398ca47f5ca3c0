// Package bounded is what the parsers of simple binary formats share: reads whose
// memory follows what has arrived, not what a header promises.
package bounded

import (
	"fmt"
	"io"
	"math"

	"hourglass/format"
)

// Product multiplies the dimensions and the size of an element. It returns
// false if a dimension is negative or the product exceeds max.
func Product(shape []int, elem int, max int64) (int64, bool) {
	n := int64(elem)
	zero := false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, false
		case d == 0:
			// The other dimensions must still be sane.
			zero = true
		case n > max/int64(d):
			return 0, false
		default:
			n *= int64(d)
		}
	}
	if zero {
		return 0, true
	}
	return n, n <= max && n <= math.MaxInt
}

// firstPiece is what Read takes before it has seen any data.
const firstPiece = 1 << 20

// Read returns n bytes of r. If exact is false, n is only what a header says,
// and memory grows with what arrives. The error is io.ErrUnexpectedEOF if r
// ends early; the bytes before are returned with it.
func Read(r io.Reader, n int64, exact bool) ([]byte, error) {
	size := n
	if !exact {
		size = min(n, firstPiece)
	}
	buf := make([]byte, size)
	have := int64(0)
	for {
		m, err := io.ReadFull(r, buf[have:])
		have += int64(m)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if have == n {
			return buf, nil
		}
		if err != nil {
			return buf[:have], err
		}
		grown := make([]byte, min(n, 2*have))
		copy(grown, buf)
		buf = grown
	}
}

// End checks that nothing follows an array of a shape in r, which has been read up to
// offset, and that the end is whole: a compressed file has its checksum there. It
// returns a *format.Error of a format of that name.
func End(r io.Reader, name string, offset int64, shape []int) error {
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n != 0:
		return &format.Error{Format: name, Offset: offset, Kind: format.ErrCorrupt, Reason: fmt.Sprintf("data follows the array of shape %v", shape)}
	case err != io.EOF:
		return &format.Error{Format: name, Offset: offset, Kind: format.ErrCorrupt, Reason: fmt.Sprintf("the end after the array of shape %v is damaged", shape), Err: err}
	}
	return nil
}
