// Package bounded is what the parsers of simple binary formats share: errors
// that carry the offset of the fault, and reads whose memory follows what has
// arrived, not what a header promises.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Kinds of faults, found in the chain of an Error by errors.Is.
var (
	ErrCorrupt     = errors.New("corrupt data")
	ErrUnsupported = errors.New("unsupported")
	ErrTooLarge    = errors.New("too large")
)

// Error is a fault in the input.
type Error struct {
	Format string // such as "npy"
	Offset int64  // byte at which the fault was noticed
	Kind   error  // ErrCorrupt, ErrUnsupported or ErrTooLarge
	Reason string // what is wrong
	Err    error  // the cause, where another package found the fault; or nil
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: offset %d: %v: %s", e.Format, e.Offset, e.Kind, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// DefaultMaxBytes caps the data of one file where no other limit is given.
const DefaultMaxBytes = 16 << 30

// Limits bounds what a parser accepts. The zero value holds defaults.
type Limits struct {
	// MaxBytes caps the data of the file, decoded; 0 means DefaultMaxBytes.
	MaxBytes int64

	// Size is the number of bytes that the reader is known to hold, or 0 if
	// it is not known. With it a file that was cut short is refused at once,
	// and memory is taken in one piece.
	Size int64
}

// Max returns the cap on the data in bytes.
func (l Limits) Max() int64 {
	if l.MaxBytes <= 0 {
		return DefaultMaxBytes
	}
	return l.MaxBytes
}

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
// returns a *Error of a format.
func End(r io.Reader, format string, offset int64, shape []int) error {
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n != 0:
		return &Error{Format: format, Offset: offset, Kind: ErrCorrupt, Reason: fmt.Sprintf("data follows the array of shape %v", shape)}
	case err != io.EOF:
		return &Error{Format: format, Offset: offset, Kind: ErrCorrupt, Reason: fmt.Sprintf("the end after the array of shape %v is damaged", shape), Err: err}
	}
	return nil
}
