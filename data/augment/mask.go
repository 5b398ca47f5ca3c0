package augment

import (
	"fmt"
	"math"
)

// ApplyMask writes to dst what the geometry of p makes of a mask [h,w], with
// the draw that [Worker.Apply] makes for the image of the same seed, epoch and
// index: each element is the nearest one, so that no class is invented. What
// lies outside the mask becomes outside where the list says border=zero. Other
// stages leave a mask as it is. dst and src must not overlap. It panics if they are
// not masks [h,w].
func (k *Worker) ApplyMask(p *Pipeline, dst, src []int32, outside int32, h, w int, seed, epoch uint64, index int) {
	if len(dst) != h*w || len(src) != h*w {
		panic(fmt.Sprintf("augment: masks of %d×%d in %d and %d elements", h, w, len(dst), len(src)))
	}
	m := p.matrix(&k.random, h, w, seed, epoch, index)
	for y := range h {
		for x := range w {
			px, py := m.at(x, y, h, w)
			sx, sy := inside(int(math.Floor(px+0.5)), w, p.zero), inside(int(math.Floor(py+0.5)), h, p.zero)
			if sx < 0 || sy < 0 {
				dst[y*w+x] = outside
			} else {
				dst[y*w+x] = src[sy*w+sx]
			}
		}
	}
}

// Box is an upright rectangle in pixels: the image's upper left corner is
// (0, 0), its lower right one (w, h).
type Box struct{ X0, Y0, X1, Y1 float64 }

// Box returns the smallest box around what the geometry of p makes of b, within
// the image, and whether anything of it is left there. The draw is that of
// [Worker.Apply].
func (k *Worker) Box(p *Pipeline, b Box, h, w int, seed, epoch uint64, index int) (Box, bool) {
	inverse := p.matrix(&k.random, h, w, seed, epoch, index)
	m := inverse.adjugate()
	if m[8] < 0 {
		for i := range m {
			m[i] = -m[i]
		}
	}
	cx, cy := float64(w)/2, float64(h)/2
	corners := [5][2]float64{{b.X0, b.Y0}, {b.X1, b.Y0}, {b.X1, b.Y1}, {b.X0, b.Y1}, {b.X0, b.Y0}}
	out := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	include := func(x, y, d float64) {
		x, y = x/d+cx, y/d+cy
		out = Box{min(out.X0, x), min(out.Y0, y), max(out.X1, x), max(out.Y1, y)}
	}
	// A perspective may put a part of the box behind the viewer: each edge is
	// cut where it goes there.
	near := 1e-6 * m[8]
	var last [3]float64
	for i, corner := range corners {
		x, y := corner[0]-cx, corner[1]-cy
		v := [3]float64{m[0]*x + m[1]*y + m[2], m[3]*x + m[4]*y + m[5], m[6]*x + m[7]*y + m[8]}
		if i > 0 && (v[2] < near) != (last[2] < near) {
			t := (near - last[2]) / (v[2] - last[2])
			include(last[0]+t*(v[0]-last[0]), last[1]+t*(v[1]-last[1]), near)
		}
		if v[2] >= near {
			include(v[0], v[1], v[2])
		}
		last = v
	}
	out = Box{max(out.X0, 0), max(out.Y0, 0), min(out.X1, float64(w)), min(out.Y1, float64(h))}
	if !(out.X0 < out.X1 && out.Y0 < out.Y1) {
		return Box{}, false
	}
	return out, true
}
