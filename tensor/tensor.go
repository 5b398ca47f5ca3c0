package tensor

import (
	"fmt"
)

// DType is the type of a tensor's elements.
type DType uint8

const (
	Float32 DType = iota + 1
	Int32
	Uint8
)

// String returns the type's short name: f32, i32 or u8.
func (d DType) String() string {
	switch d {
	case Float32:
		return "f32"
	case Int32:
		return "i32"
	case Uint8:
		return "u8"
	}
	return fmt.Sprintf("tensor.DType(%d)", uint8(d))
}

// Size returns the number of bytes of one element.
func (d DType) Size() int {
	if d == Uint8 {
		return 1
	}
	return 4
}

// Tensor is a dense row-major array. The element slice is shared, never
// copied, by the accessors.
type Tensor struct {
	shape Shape
	dtype DType
	f32   []float32
	i32   []int32
	u8    []uint8
}

// New returns a tensor of zeros. It panics on an invalid shape or type; check
// shapes that come from outside with [Shape.Validate].
func New(dtype DType, shape ...int) *Tensor {
	s := Shape(shape).Clone()
	if err := s.Validate(); err != nil {
		panic(err)
	}
	t := &Tensor{shape: s, dtype: dtype}
	switch n := s.Elements(); dtype {
	case Float32:
		t.f32 = make([]float32, n)
	case Int32:
		t.i32 = make([]int32, n)
	case Uint8:
		t.u8 = make([]uint8, n)
	default:
		panic(fmt.Sprintf("tensor: unknown element type %d", dtype))
	}
	return t
}

// Of wraps a slice of elements, without copying it, in a tensor of the given
// shape. It panics if their counts differ.
func Of[E float32 | int32 | uint8](data []E, shape ...int) *Tensor {
	t := &Tensor{shape: Shape(shape).Clone()}
	if err := t.shape.Validate(); err != nil {
		panic(err)
	}
	if n := t.shape.Elements(); n != len(data) {
		panic(fmt.Sprintf("tensor: %d elements do not fill shape %v of %d", len(data), t.shape, n))
	}
	switch data := any(data).(type) {
	case []float32:
		t.dtype, t.f32 = Float32, data
	case []int32:
		t.dtype, t.i32 = Int32, data
	case []uint8:
		t.dtype, t.u8 = Uint8, data
	}
	return t
}

// Scalar returns a float32 tensor without axes.
func Scalar(v float32) *Tensor { return Of([]float32{v}) }

// Shape returns the tensor's shape, which must not be changed.
func (t *Tensor) Shape() Shape { return t.shape }

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Float32 returns the elements of a Float32 tensor, nil for other types.
func (t *Tensor) Float32() []float32 { return t.f32 }

// Int32 returns the elements of an Int32 tensor, nil for other types.
func (t *Tensor) Int32() []int32 { return t.i32 }

// Uint8 returns the elements of a Uint8 tensor, nil for other types.
func (t *Tensor) Uint8() []uint8 { return t.u8 }

// CopyFrom copies the elements of u. It fails unless type and shape agree.
func (t *Tensor) CopyFrom(u *Tensor) error {
	if t.dtype != u.dtype || !t.shape.Equal(u.shape) {
		return fmt.Errorf("tensor: cannot copy %v%v into %v%v", u.dtype, u.shape, t.dtype, t.shape)
	}
	copy(t.f32, u.f32)
	copy(t.i32, u.i32)
	copy(t.u8, u.u8)
	return nil
}

// Clone returns a copy with a buffer of its own.
func (t *Tensor) Clone() *Tensor {
	c := New(t.dtype, t.shape...)
	if err := c.CopyFrom(t); err != nil {
		panic(err) // same type and shape by construction
	}
	return c
}
