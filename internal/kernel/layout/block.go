package layout

// tile is the side of the squares in which a transpose walks: 16 rows of 64
// bytes each stay in the first-level cache together with their transpose.
const tile = 16

// blocks copies what the innermost loops cover, for each place of the axis
// around them, from the given offsets on.
func (c *Plan[T]) blocks(dst, src int, around axis) {
	n := c.inner.n
	switch c.kind {
	case runs:
		if n <= shortRun {
			c.shortRuns(dst, src, around)
			return
		}
		for range around.n {
			copy(c.dst[dst:dst+n], c.src[src:src+n])
			dst, src = dst+around.dst, src+around.src
		}
	case repeats:
		for range around.n {
			v := c.src[src]
			d := c.dst[dst : dst+n]
			for i := range d {
				d[i] = v
			}
			dst, src = dst+around.dst, src+around.src
		}
	case transpose:
		for range around.n {
			transposeBlock(c.dst[dst:], c.src[src:], c.second.n, n, c.second.dst, c.inner.src)
			dst, src = dst+around.dst, src+around.src
		}
	default:
		d, s := c.dst, c.src
		for range around.n {
			i, j := dst, src
			for range n {
				d[i] = s[j]
				i, j = i+c.inner.dst, j+c.inner.src
			}
			dst, src = dst+around.dst, src+around.src
		}
	}
}

// shortRun is the length up to which a run, such as a pixel's channels, is
// copied by a loop rather than by a call.
const shortRun = 8

func (c *Plan[T]) shortRuns(dst, src int, around axis) {
	n := c.inner.n
	if n == 3 { // the colours of a pixel
		for range around.n {
			d, s := (*[3]T)(c.dst[dst:]), (*[3]T)(c.src[src:])
			d[0], d[1], d[2] = s[0], s[1], s[2]
			dst, src = dst+around.dst, src+around.src
		}
		return
	}
	for range around.n {
		d, s := c.dst[dst:dst+n], c.src[src:src+n]
		for i := range d {
			d[i] = s[i]
		}
		dst, src = dst+around.dst, src+around.src
	}
}

// transposeBlock sets dst[i*dstStride+j] = src[j*srcStride+i] for i < rows and
// j < cols, square by square. Strides are positive.
func transposeBlock[T Element](dst, src []T, rows, cols, dstStride, srcStride int) {
	for i0 := 0; i0 < rows; i0 += tile {
		n := min(tile, rows-i0)
		for j0 := 0; j0 < cols; j0 += tile {
			j, end := j0, min(j0+tile, cols)
			for ; j+4 <= end; j += 4 {
				transpose4(dst[i0*dstStride+j:], src[j*srcStride+i0:], n, dstStride, srcStride)
			}
			for ; j < end; j++ {
				d := i0*dstStride + j
				for _, v := range src[j*srcStride+i0:][:n] {
					dst[d] = v
					d += dstStride
				}
			}
		}
	}
}

// transpose4 is transposeBlock for four columns, whose sources are read side
// by side.
func transpose4[T Element](dst, src []T, n, dstStride, srcStride int) {
	s0 := src[:n]
	s1, s2, s3 := src[srcStride:][:len(s0)], src[2*srcStride:][:len(s0)], src[3*srcStride:][:len(s0)]
	at := 0
	for i := range s0 {
		d := (*[4]T)(dst[at:])
		d[0], d[1], d[2], d[3] = s0[i], s1[i], s2[i], s3[i]
		at += dstStride
	}
}

// Transpose sets dst[j*rows+i] = src[i*cols+j]: dst is the [cols, rows]
// transpose of the [rows, cols] matrix src. They must not overlap.
func Transpose[T Element](dst, src []T, rows, cols int) {
	if rows*cols == 0 {
		return
	}
	transposeBlock(dst[:rows*cols], src[:rows*cols], cols, rows, rows, cols)
}
