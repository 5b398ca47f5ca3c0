// Package resize scales images [N, H, W, C]: by whole factors with the nearest
// pixel, and to any size by bilinear interpolation, forward and backward. Work
// is cut into rows by the shape alone and every sum has a fixed order, so
// results have the same bits for any number of threads.
package resize

import (
	"fmt"

	"hourglass/internal/kernel/vec"
)

// grain is about the number of elements worth a part of its own.
const grain = 16 << 10

// few is the number of channels below which a loop here beats a vector kernel.
const few = 8

// rows cuts rows of all images, counted through, into parts.
type rows struct{ total, perPart, parts int }

// newRows cuts total rows of weight elements each.
func newRows(total, weight int) rows {
	r := rows{total: total, perPart: max(1, grain/weight)}
	r.parts = (total + r.perPart - 1) / r.perPart
	return r
}

func (r *rows) bounds(part int) (lo, hi int) {
	lo = part * r.perPart
	return lo, min(lo+r.perPart, r.total)
}

func check(what string, sizes ...int) error {
	for _, n := range sizes {
		if n < 1 {
			return fmt.Errorf("resize: %s with sizes %v: each must be at least 1", what, sizes)
		}
	}
	return nil
}

// copyPixel copies the channels of one pixel.
func copyPixel(dst, src []float32) {
	if len(dst) < few {
		src = src[:len(dst)]
		for i := range dst {
			dst[i] = src[i]
		}
		return
	}
	copy(dst, src)
}

// addPixel adds the channels of one pixel, times scale.
func addPixel(set *vec.Set, dst, src []float32, scale float32) {
	if len(dst) < few {
		src = src[:len(dst)]
		for i := range dst {
			dst[i] += float32(src[i] * scale)
		}
		return
	}
	set.AxpY(dst, src, scale)
}

// mixPixels sets dst to a*(1-w) + b*w.
func mixPixels(set *vec.Set, dst, a, b []float32, w float32) {
	if len(dst) < few {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = float32(a[i]*(1-w)) + float32(b[i]*w)
		}
		return
	}
	set.Scale(dst, a, 1-w)
	set.AxpY(dst, b, w)
}
