// Package tensor holds the values that programs read and write: a shape, an
// element type and a flat buffer in row-major order.
package tensor

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// MaxElements bounds the number of elements of one tensor, so that sizes in
// bytes never overflow an int64 and 32-bit offsets suffice in kernels.
const MaxElements = math.MaxInt32

// MaxAxes bounds the number of axes of one tensor.
const MaxAxes = 16

// Shape lists the length of each axis, outermost first. A scalar has no axes.
type Shape []int

// Elements returns the number of elements, 1 for a scalar.
func (s Shape) Elements() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Rank returns the number of axes.
func (s Shape) Rank() int { return len(s) }

// Equal reports whether both shapes have the same axes.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Clone returns a copy of s.
func (s Shape) Clone() Shape { return slices.Clone(s) }

// String writes a shape as [2 3 4].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = fmt.Sprint(d)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// Validate reports whether there are at most [MaxAxes] axes, every one is
// positive and the number of elements is at most [MaxElements].
func (s Shape) Validate() error {
	if len(s) > MaxAxes {
		return fmt.Errorf("tensor: shape %v has more than %d axes", s, MaxAxes)
	}
	n := 1
	for i, d := range s {
		if d <= 0 {
			return fmt.Errorf("tensor: axis %d of shape %v is %d; axes must be positive", i, s, d)
		}
		if n > MaxElements/d {
			return fmt.Errorf("tensor: shape %v has more than %d elements", s, MaxElements)
		}
		n *= d
	}
	return nil
}

// Strides returns the distance in elements between neighbours along each axis
// of a dense row-major buffer.
func (s Shape) Strides() []int {
	strides := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		strides[i] = n
		n *= s[i]
	}
	return strides
}

// Broadcast returns the shape of an element-wise operation on operands of
// shapes s and t: aligned at the last axis, axes must agree or be 1.
func Broadcast(s, t Shape) (Shape, error) {
	out := make(Shape, max(len(s), len(t)))
	for i := range out {
		a, b := 1, 1
		if j := i - (len(out) - len(s)); j >= 0 {
			a = s[j]
		}
		if j := i - (len(out) - len(t)); j >= 0 {
			b = t[j]
		}
		switch {
		case a == b || b == 1:
			out[i] = a
		case a == 1:
			out[i] = b
		default:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast: axis %d is %d and %d", s, t, i, a, b)
		}
	}
	return out, nil
}
