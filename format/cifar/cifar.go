// Package cifar reads the binary version of CIFAR-10 and CIFAR-100
// (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009):
// records of one label (CIFAR-10) or of a coarse and a fine one (CIFAR-100),
// followed by the red, the green and the blue plane of a 32×32 image.
package cifar

import (
	"fmt"
	"io"

	"hourglass/format"
	"hourglass/format/internal/bounded"
)

// Error is a fault in a file, with its offset. Its chain holds [ErrCorrupt],
// [ErrUnsupported] or [ErrTooLarge].
type Error = format.Error

// Kinds of faults.
var (
	ErrCorrupt  = format.ErrCorrupt  // not what the format says
	ErrTooLarge = format.ErrTooLarge // above the limit
)

// Limits bounds what is accepted; the zero value allows 16 GiB.
type Limits = format.Limits

// Sizes of the format.
const (
	Side     = 32
	Channels = 3
	Pixels   = Side * Side * Channels // values of an image

	record10, record100 = 1 + Pixels, 2 + Pixels

	fine, coarse = 100, 20 // classes of CIFAR-100
)

// Images is the contents of one file.
type Images struct {
	Pixels  []uint8 // [N,32,32,3]
	Labels  []uint8 // [N], below Classes; in CIFAR-100 the fine ones
	Coarse  []uint8 // [N], below 20; nil in CIFAR-10
	Classes int     // 10 or 100
}

// IsSize reports whether a file of the given size can be of this format.
func IsSize(size int64) bool {
	return size > 0 && (size%record10 == 0 || size%record100 == 0)
}

// Read reads a file up to its end. Whether it is CIFAR-10 or CIFAR-100 follows
// from its length and labels. All errors are of type *Error.
func Read(r io.Reader, limits Limits) (*Images, error) {
	data, err := readAll(r, limits)
	if err != nil {
		return nil, err
	}
	size := int64(len(data))
	switch {
	case size == 0:
		return nil, &Error{Format: "cifar", Kind: ErrCorrupt, Reason: "the file is empty"}
	case size%record10 == 0:
		// Both can only be at lengths of more than 3,000 images each.
		at, ok := labelsBelow(data, record10, 0, 10)
		if ok {
			return unpack(data, record10), nil
		}
		if size%record100 != 0 {
			return nil, badLabel(data, at, 10)
		}
		fallthrough
	case size%record100 == 0:
		if at, ok := labelsBelow(data, record100, 0, coarse); !ok {
			return nil, badLabel(data, at, coarse)
		}
		if at, ok := labelsBelow(data, record100, 1, fine); !ok {
			return nil, badLabel(data, at, fine)
		}
		return unpack(data, record100), nil
	}
	return nil, &Error{
		Format: "cifar", Offset: size, Kind: ErrCorrupt,
		Reason: fmt.Sprintf("%d bytes are no whole number of records of %d bytes (CIFAR-10) or %d (CIFAR-100): the file is cut short or of another kind", size, record10, record100),
	}
}

func readAll(r io.Reader, limits Limits) ([]byte, error) {
	if limits.Size > limits.Max() {
		return nil, tooLarge(limits)
	}
	if limits.Size > 0 {
		data, err := bounded.Read(r, limits.Size, true)
		if err != nil {
			return nil, &Error{Format: "cifar", Offset: int64(len(data)), Kind: ErrCorrupt, Reason: "the file cannot be read", Err: err}
		}
		return data, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, limits.Max()+1))
	if err != nil {
		return nil, &Error{Format: "cifar", Offset: int64(len(data)), Kind: ErrCorrupt, Reason: "the file cannot be read", Err: err}
	}
	if int64(len(data)) > limits.Max() {
		return nil, tooLarge(limits)
	}
	return data, nil
}

func tooLarge(limits Limits) error {
	return &Error{Format: "cifar", Offset: limits.Max(), Kind: ErrTooLarge, Reason: fmt.Sprintf("the file is above the limit of %d bytes", limits.Max())}
}

func badLabel(data []byte, at, classes int) error {
	return &Error{Format: "cifar", Offset: int64(at), Kind: ErrCorrupt, Reason: fmt.Sprintf("label %d is not below %d", data[at], classes)}
}

// labelsBelow reports whether the byte at the given place of each record is
// below classes, and if not, where the first is that is not.
func labelsBelow(data []byte, record, place, classes int) (at int, ok bool) {
	for at = place; at < len(data); at += record {
		if int(data[at]) >= classes {
			return at, false
		}
	}
	return 0, true
}

// unpack takes the records in data apart. The pixels stay in data: each image
// moves towards its beginning, and its planes become triples.
func unpack(data []byte, record int) *Images {
	n, labels := len(data)/record, record-Pixels
	m := &Images{Labels: make([]uint8, n), Classes: 10}
	if labels == 2 {
		m.Coarse, m.Classes = make([]uint8, n), fine
	}
	var planes [Pixels]uint8
	for i := range n {
		rec := data[i*record : (i+1)*record]
		m.Labels[i] = rec[labels-1]
		if labels == 2 {
			m.Coarse[i] = rec[0]
		}
		copy(planes[:], rec[labels:])
		out := data[i*Pixels : (i+1)*Pixels]
		for k := range Side * Side {
			out[3*k] = planes[k]
			out[3*k+1] = planes[Side*Side+k]
			out[3*k+2] = planes[2*Side*Side+k]
		}
	}
	m.Pixels = data[: n*Pixels : n*Pixels]
	return m
}
