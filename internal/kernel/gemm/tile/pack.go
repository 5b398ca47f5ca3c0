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

// vector is how many elements copyRows moves at once.
const vector = 8

// Pack copies rows of n elements, ld apart in src, to dst as rows of width
// elements filled up with zeros.
func (kern *Kernels) Pack(dst, src []float32, rows, n, ld, width int) {
	if n == width && n%vector == 0 && kern.moves() {
		_, _ = src[(rows-1)*ld+n-1], dst[rows*width-1]
		copyRows(&dst[0], &src[0], width, ld, rows, n/vector)
		return
	}
	for r := range rows {
		d := dst[r*width : r*width+width : r*width+width]
		copy(d, src[r*ld:r*ld+n])
		clear(d[n:])
	}
}

// PackTile arranges a tile of the left factor, which src holds as n rows of k
// elements ld apart, so that the elements of one step lie side by side: row r
// of step s goes to dst[s·Rows+r]. What lies between row n and the next step is
// left undefined.
func (kern *Kernels) PackTile(dst, src []float32, k, n, ld int) {
	height, done := kern.Rows(), 0
	if kern.moves() && n == height {
		done = kern.interleave(dst, src, k, ld)
	}
	for r := range n {
		packColumn(dst[r:], src[r*ld:r*ld+k], done, height)
	}
}

// interleave does as much of PackTile as it can and returns how many steps that
// is. A tile of 12 rows is made of rows 0 to 7 and 4 to 11, in all steps. One of
// 6 is made of 8 rows, the last two of which are written over by the next step:
// this leaves a step at the end, and what fills no vector.
func (kern *Kernels) interleave(dst, src []float32, k, ld int) int {
	switch height := kern.Rows(); {
	case height == 12 && k >= vector:
		_, _ = src[11*ld+k-1], dst[k*height-1]
		nearby(k, func(s, n int) {
			transposeRows(dst[s*height:], src[s:], height, ld, n)
			transposeRows(dst[s*height+4:], src[4*ld+s:], height, ld, n)
		})
		return k
	case height == 6 && k > vector && len(src) >= 7*ld+k:
		_ = dst[k*height-1]
		transpose8(&dst[0], &src[0], height, ld, (k-1)/vector)
		return (k - 1) / vector * vector
	}
	return 0
}

// nearby calls part for one run of k steps after the other, each short enough for
// the first-level cache to keep what several passes over it read and write.
func nearby(k int, part func(first, n int)) {
	const enough = 128
	for first := 0; first < k; {
		n := k - first
		if n >= 2*enough {
			n = enough
		}
		part(first, n)
		first += n
	}
}

// transposeRows transposes 8 rows of at least as many elements, ld apart in src, to
// dst, width apart. What is left over of whole blocks is in a last one that lies
// partly over the one before.
func transposeRows(dst, src []float32, width, ld, k int) {
	transpose8(&dst[0], &src[0], width, ld, k/vector)
	if rest := k - vector; k%vector != 0 {
		transpose8(&dst[rest*width], &src[rest], width, ld, 1)
	}
}

// PackTileTransposed is PackTile of a matrix that src holds transposed, as k
// rows of n elements ld apart.
func (kern *Kernels) PackTileTransposed(dst, src []float32, k, n, ld int) {
	height, done := kern.Rows(), 0
	vectors := (height + vector - 1) / vector
	// As in interleave, what is too much in one step is written over by the next.
	if steps := k - 1; kern.moves() && n == height && steps > 0 && len(src) >= (steps-1)*ld+vectors*vector {
		_ = dst[(steps-1)*height+vectors*vector-1]
		copyRows(&dst[0], &src[0], height, ld, steps, vectors)
		done = steps
	}
	for s := done; s < k; s++ {
		copy(dst[s*height:][:n], src[s*ld:])
	}
}

// moves reports whether this level has transpose8 and copyRows.
func (kern *Kernels) moves() bool { return moves && kern.level != isa.Generic }

// PackTransposed copies the transpose of n rows of k elements, ld apart in src,
// to dst: k rows of width elements filled up with zeros.
func (kern *Kernels) PackTransposed(dst, src []float32, k, n, ld, width int) {
	if kern.moves() && k >= vector && n >= vector {
		// What is left over is in a last block that lies partly over the one
		// before.
		_, _ = src[(n-1)*ld+k-1], dst[(k-1)*width+n-1]
		nearby(k, func(s, steps int) {
			for c := 0; c < n; c += vector {
				c := min(c, n-vector)
				transposeRows(dst[s*width+c:], src[c*ld+s:], width, ld, steps)
			}
		})
	} else {
		for c := range n {
			packColumn(dst[c:], src[c*ld:c*ld+k], 0, width)
		}
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
