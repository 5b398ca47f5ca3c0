package layout

// tile is the side of the squares in which a transpose walks: 16 rows of 64
// bytes each stay in the first-level cache together with their transpose.
const tile = 16

// block copies what the innermost loops cover, at the given offsets.
func (c *Plan[T]) block(dst, src int) {
	n := c.inner.n
	switch c.kind {
	case runs:
		copyRun(c.dst[dst:dst+n], c.src[src:src+n])
	case repeats:
		v := c.src[src]
		d := c.dst[dst : dst+n]
		for i := range d {
			d[i] = v
		}
	case transpose:
		transposeBlock(c.dst[dst:], c.src[src:], c.second.n, n, c.second.dst, c.inner.src)
	default:
		d, s := c.dst, c.src
		for range n {
			d[dst] = s[src]
			dst += c.inner.dst
			src += c.inner.src
		}
	}
}

// copyRun copies a run; the shortest ones, such as a pixel's channels, without
// a call.
func copyRun[T Element](dst, src []T) {
	if len(dst) <= 8 {
		src = src[:len(dst)]
		for i := range dst {
			dst[i] = src[i]
		}
		return
	}
	copy(dst, src)
}

// transposeBlock sets dst[i*dstStride+j] = src[j*srcStride+i] for i < rows and
// j < cols, square by square. Strides are positive.
func transposeBlock[T Element](dst, src []T, rows, cols, dstStride, srcStride int) {
	for i0 := 0; i0 < rows; i0 += tile {
		i1 := min(i0+tile, rows)
		for j0 := 0; j0 < cols; j0 += tile {
			j1 := min(j0+tile, cols)
			for i := i0; i < i1; i++ {
				d := dst[i*dstStride+j0 : i*dstStride+j1]
				s := j0*srcStride + i
				for j := range d {
					d[j] = src[s]
					s += srcStride
				}
			}
		}
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
