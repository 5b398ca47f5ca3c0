package tile

import "unsafe"

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

// PackTransposed copies the transpose of n rows of k elements, ld apart in src,
// to dst: k rows of width elements filled up with zeros.
func (kern *Kernels) PackTransposed(dst, src []float32, k, n, ld, width int) {
	for c := range n {
		s := src[c*ld : c*ld+k]
		for r, v := range s {
			dst[r*width+c] = v
		}
	}
	if n < width {
		for r := range k {
			clear(dst[r*width+n : r*width+width])
		}
	}
}
