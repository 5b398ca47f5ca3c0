package classify

// view is one way to look at an image in use: mirrored or not, and moved.
type view struct {
	mirrored bool
	dx, dy   int // the image moves so many pixels right and down
	weight   float64
}

// viewsOf returns the views of one of [TTAs], whose weights add up to 1; nil
// for another name.
func viewsOf(tta string) []view {
	switch tta {
	case "none":
		return []view{{weight: 1}}
	case "mirror":
		return []view{{weight: 0.5}, {mirrored: true, weight: 0.5}}
	case "shift":
		var views []view
		for _, mirrored := range []bool{false, true} {
			views = append(views, view{mirrored, 0, 0, 0.25}, view{mirrored, 1, 1, 0.125}, view{mirrored, -1, -1, 0.125})
		}
		return views
	}
	return nil
}

// apply writes to dst what the view shows of images [N,h,w,c]. What comes in
// at a border is its reflection.
func (v view) apply(dst, src []uint8, h, w, c int) {
	if !v.mirrored && v.dx == 0 && v.dy == 0 {
		copy(dst, src)
		return
	}
	size := h * w * c
	for at := 0; at < len(src); at += size {
		for y := range h {
			from := src[at+reflect(y-v.dy, h)*w*c:][:w*c]
			to := dst[at+y*w*c:][:w*c]
			for x := range w {
				sx := reflect(x-v.dx, w)
				if v.mirrored {
					sx = w - 1 - sx
				}
				copy(to[x*c:(x+1)*c], from[sx*c:(sx+1)*c])
			}
		}
	}
}

// reflect brings a place up to one step outside of n places back in; the place
// at the border is not repeated.
func reflect(i, n int) int {
	switch {
	case i < 0:
		return min(-i, n-1)
	case i >= n:
		return max(2*n-2-i, 0)
	}
	return i
}
