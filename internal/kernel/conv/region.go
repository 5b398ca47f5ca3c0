package conv

import (
	"cmp"
	"slices"

	"hourglass/internal/kernel/gemm/tile"
)

// region is a rectangle of a phase's grid, from point (i0, j0) on, whose points
// all use the same taps. Where the source is copied with zeros around it, a
// phase is one region with all taps. Where it is read in place, the points near
// a border, whose filters reach beyond it, are regions with the taps that stay
// inside.
type region struct {
	i0, j0, gridH, gridW int
	first                int // where the first tap reads, relative to the point's own pixel
	taps                 []tile.Tap
	rows, cRows          []int // where the points of a full block read and write
}

func compareOffsets(a, b offset) int { return cmp.Or(a.y-b.y, a.x-b.x) }

// maxRegions is how many regions a phase is cut into at most: those of a 3×3
// filter. Larger filters would make many narrow ones.
const maxRegions = 9

// fewRegions reports whether reading the source in place is worth it: there are
// few regions, and in a block those along a border fill tiles, or else are lost
// among the others.
func (c *correlator) fewRegions() bool {
	s := &c.src
	if s.gridH*s.gridW < 16*c.kern.Rows() && s.blockImages*min(s.gridH, s.gridW) < 2*c.kern.Rows() {
		return false
	}
	for i := range c.phases {
		p := &c.phases[i]
		rows, cols := c.borders(p)
		if (len(rows)-1)*(len(cols)-1) > maxRegions {
			return false
		}
	}
	return true
}

// borders returns where along each side of a phase's grid the set of taps that
// lie inside the source changes, the ends included.
func (c *correlator) borders(p *phase) (rows, cols []int) {
	rows, cols = []int{0, p.gridH}, []int{0, p.gridW}
	for _, o := range p.offsets {
		rows = appendInside(rows, o.y, c.src.stepH, c.src.height, p.gridH)
		cols = appendInside(cols, o.x, c.src.stepW, c.src.width, p.gridW)
	}
	slices.Sort(rows)
	slices.Sort(cols)
	return slices.Compact(rows), slices.Compact(cols)
}

// appendInside appends the first i with 0 <= i·step+at and the first with
// i·step+at >= size, as far as they lie in the grid.
func appendInside(borders []int, at, step, size, grid int) []int {
	return append(borders,
		min(ceilDiv(max(0, -at), step), grid),
		min(ceilDiv(max(0, size-at), step), grid))
}

// cutRegions returns the regions of a phase, without their taps and rows.
func (c *correlator) cutRegions(p *phase) []region {
	if c.src.padded {
		return []region{{gridH: p.gridH, gridW: p.gridW}}
	}
	rows, cols := c.borders(p)
	var regions []region
	for i := range len(rows) - 1 {
		for j := range len(cols) - 1 {
			regions = append(regions, region{
				i0: rows[i], j0: cols[j], gridH: rows[i+1] - rows[i], gridW: cols[j+1] - cols[j],
			})
		}
	}
	return regions
}

// planRegion lists a region's taps, joined where one reads on where the one
// before it ends, and where its points read and write.
func (c *correlator) planRegion(p *phase, r *region, stepsPerTap int) {
	s := &c.src
	start, end, skipped := 0, 0, 0
	for _, o := range p.offsets {
		y, x := r.i0*s.stepH+o.y, r.j0*s.stepW+o.x
		if !s.padded && (y < 0 || y >= s.height || x < 0 || x >= s.width) {
			skipped += stepsPerTap
			continue
		}
		at := s.offset(o.y, o.x)
		switch {
		case len(r.taps) == 0:
			r.first = at
			start = at
			r.taps = append(r.taps, tile.Tap{Skip: skipped, Len: stepsPerTap})
		case at == end && skipped == 0:
			r.taps[len(r.taps)-1].Len += stepsPerTap
		default:
			r.taps = append(r.taps, tile.Tap{Delta: at - start, Skip: skipped, Len: stepsPerTap})
			start = at
		}
		end, skipped = at+stepsPerTap*c.kStride, 0
	}
	for n := range s.blockImages {
		for i := range min(s.blockRows, r.gridH) {
			for j := range r.gridW {
				r.rows = append(r.rows, n*s.image+i*s.stepH*s.row+j*s.stepW*s.pixel)
				r.cRows = append(r.cRows, ((n*c.dstH+i*c.outH)*c.dstW+j*c.outW)*c.dstC)
			}
		}
	}
}
