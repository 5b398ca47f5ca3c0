// Package format holds what the readers of its sub-packages share: faults that
// say where they are, and limits on what a file may ask for.
package format

import (
	"errors"
	"fmt"
)

// Kinds of faults, found in the chain of an [Error] by [errors.Is].
var (
	ErrCorrupt     = errors.New("corrupt data")
	ErrUnsupported = errors.New("unsupported")
	ErrTooLarge    = errors.New("too large")
)

// Error is a fault in a file.
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

// Limits bounds what a reader accepts. The zero value holds defaults.
type Limits struct {
	// MaxBytes caps the data of the file, decoded; 0 means [DefaultMaxBytes].
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
