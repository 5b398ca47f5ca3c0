package tile

import (
	"unsafe"

	"hourglass/internal/isa"
)

// Align returns the part of s that begins at a 64-byte boundary. It drops at
// most AlignSlack elements.
func Align(s []float32) []float32 {
	if len(s) == 0 {
		return s
	}
	past := uintptr(unsafe.Pointer(unsafe.SliceData(s))) % 64
	if past == 0 {
		return s
	}
	return s[min(len(s), int(64-past)/4):]
}

// AlignSlack is how many elements Align may drop.
const AlignSlack = 15

// Pack copies rows of n elements, ld apart in src, to dst as rows of width
// elements filled up with zeros.
func Pack(dst, src []float32, rows, n, ld, width int) {
	for r := range rows {
		d := dst[r*width : r*width+width : r*width+width]
		copy(d, src[r*ld:r*ld+n])
		clear(d[n:])
	}
}

// Deal copies runs of n elements of src, and what is left, to dst, where they
// lie stride apart.
func Deal(dst, src []float32, n, stride int) {
	for len(src) > n {
		if n == 12 { // in registers, without a call
			*(*[12]float32)(dst) = *(*[12]float32)(src)
		} else {
			copy(dst[:n], src)
		}
		src, dst = src[n:], dst[stride:]
	}
	copy(dst, src)
}

// PackTransposed copies the transpose of n rows of k elements, ld apart in src,
// to dst: k rows of width elements filled up with zeros.
func (kern *Kernels) PackTransposed(dst, src []float32, k, n, ld, width int) {
	kBlocks := 0
	if transposes && kern.level != isa.Generic {
		kBlocks = k / 8 * 8
	}
	c := 0
	for ; kBlocks > 0 && c+8 <= n; c += 8 {
		_, _ = src[(c+7)*ld+k-1], dst[(k-1)*width+c+7]
		transpose8(&dst[c], &src[c*ld], width, ld, kBlocks/8)
		for i := c; i < c+8; i++ {
			packColumn(dst[i:], src[i*ld:i*ld+k], kBlocks, width)
		}
	}
	for ; c < n; c++ {
		packColumn(dst[c:], src[c*ld:c*ld+k], 0, width)
	}
	if n < width {
		for r := range k {
			clear(dst[r*width+n : r*width+width])
		}
	}
}

// packColumn copies the elements of src from the given one on to dst, width
// apart.
func packColumn(dst, src []float32, from, width int) {
	for r := from; r < len(src); r++ {
		dst[r*width] = src[r]
	}
}

// PackDot arranges a run of steps of columns for Dot: for each vector of steps
// the vectors of the columns in turn. Step s of column c is
// src[s·step+c·column], and steps must be a multiple of Lanes.
func (kern *Kernels) PackDot(dst, src []float32, steps, columns, step, column int) {
	lanes := kern.Lanes()
	for s := 0; s < steps; s += lanes {
		for c := range columns {
			d := dst[s*columns+c*lanes:][:lanes]
			for i := range d {
				d[i] = src[(s+i)*step+c*column]
			}
		}
	}
}
