package cpu

import (
	"hourglass/internal/kernel/vec"
	"hourglass/tensor"
)

// mode says how an operand's elements reach a tile.
type mode uint8

const (
	direct   mode = iota // a slice of its buffer
	steady               // repeated, the same in every tile
	periodic             // repeated with a period that tiles do not divide
	strided              // repeated along inner axes
	convert              // integers
)

// operand is an input of a chain.
type operand struct {
	buf    *buffer
	mode   mode
	slot   int       // the scratch tile of what is neither direct nor steady
	tile   []float32 // steady: while it runs
	period int
	shape  []int // strided: the result's axes, merged
	stride []int // elements of the operand along them, 0 where it repeats
}

func newOperand(b *buffer, shape, result tensor.Shape, tile int) operand {
	op := operand{buf: b, period: b.size}
	period, isPeriodic := periodOf(shape, result)
	switch {
	case b.dtype != tensor.Float32 && b.size == result.Elements():
		op.mode = convert
	case b.dtype == tensor.Float32 && b.size == result.Elements():
		op.mode = direct
	case isPeriodic && tile%period == 0:
		op.mode = steady
	case isPeriodic:
		op.mode = periodic
	default:
		op.mode = strided
		op.shape, op.stride = mergedStrides(shape, result)
	}
	return op
}

// periodOf returns the number of elements of an operand that repeats whole,
// such as a bias over channels.
func periodOf(shape, result tensor.Shape) (int, bool) {
	for len(shape) > 0 && shape[0] == 1 {
		shape = shape[1:]
	}
	if !shape.Equal(result[len(result)-len(shape):]) {
		return 0, false
	}
	return shape.Elements(), true
}

// mergedStrides aligns an operand with the result and joins axes that can be
// walked as one.
func mergedStrides(shape, result tensor.Shape) (axes, strides []int) {
	own := shape.Strides()
	lead := len(result) - len(shape)
	for i, n := range result {
		stride := 0
		if i >= lead && shape[i-lead] > 1 {
			stride = own[i-lead]
		}
		if n == 1 {
			continue
		}
		if k := len(axes) - 1; k >= 0 && strides[k] == stride*n {
			axes[k] *= n
			strides[k] = stride
			continue
		}
		axes = append(axes, n)
		strides = append(strides, stride)
	}
	return axes, strides
}

// fill writes the operand's elements for result elements [at, at+len(tile)).
func (op *operand) fill(tile []float32, at int, v *vec.Set) {
	switch {
	case op.buf.dtype != tensor.Float32:
		op.fillConverted(tile, at, v)
	case op.mode == strided:
		op.fillStrided(tile, at, v)
	case op.period == 1:
		v.Fill(tile, op.buf.f32[0])
	default:
		for i := 0; i < len(tile); {
			from := (at + i) % op.period
			i += copy(tile[i:], op.buf.f32[from:])
		}
	}
}

func (op *operand) fillConverted(tile []float32, at int, v *vec.Set) {
	if op.mode == convert {
		if op.buf.dtype == tensor.Uint8 {
			v.FromUint8(tile, op.buf.u8[at:at+len(tile)])
		} else {
			v.FromInt32(tile, op.buf.i32[at:at+len(tile)])
		}
		return
	}
	for i := range tile {
		from := op.source(at + i)
		if op.buf.dtype == tensor.Uint8 {
			tile[i] = float32(op.buf.u8[from])
		} else {
			tile[i] = float32(op.buf.i32[from])
		}
	}
}

// source returns the operand's element for element i of the result.
func (op *operand) source(i int) int {
	if op.mode != strided {
		return i % op.period
	}
	from := 0
	for k := len(op.shape) - 1; k >= 0; k-- {
		from += i % op.shape[k] * op.stride[k]
		i /= op.shape[k]
	}
	return from
}

// fillStrided walks runs along the innermost merged axis, along which the
// operand either repeats one element or is contiguous.
func (op *operand) fillStrided(tile []float32, at int, v *vec.Set) {
	inner := op.shape[len(op.shape)-1]
	repeats := op.stride[len(op.stride)-1] == 0
	for i := 0; i < len(tile); {
		run := min(inner-(at+i)%inner, len(tile)-i)
		from := op.source(at + i)
		if repeats {
			if run == 1 {
				tile[i] = op.buf.f32[from]
			} else {
				v.Fill(tile[i:i+run], op.buf.f32[from])
			}
		} else {
			copy(tile[i:i+run], op.buf.f32[from:])
		}
		i += run
	}
}
