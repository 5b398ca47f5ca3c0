package report

// thinOut chooses the points that are drawn as thumbnails: each, in order,
// whose place isn't taken yet. A grid of cells finds the neighbours, so that
// many points take no longer than they must.
func (m *Map) thinOut(l *mapLayout) {
	if l.thumb == 0 {
		return
	}
	c := newCells(l)
	for i := range l.at {
		p := &l.at[i]
		if m.Points[p.index].Thumb.empty() || c.near(l, *p, l.thumb*9/10) {
			continue
		}
		p.drawn = true
		c.add(l, i)
	}
	for i := range l.at {
		p := &l.at[i]
		p.covered = !p.drawn && c.near(l, *p, l.thumb*9/20)
	}
}

// cells holds the thumbnails drawn so far by the cell of the picture that
// their middle lies in. Cells are as large as thumbnails.
type cells struct {
	side, cols, rows int
	held             [][]int // indices into mapLayout.at
}

func newCells(l *mapLayout) *cells {
	c := &cells{side: l.thumb, cols: l.w/l.thumb + 1, rows: l.h/l.thumb + 1}
	c.held = make([][]int, c.cols*c.rows)
	return c
}

func (c *cells) add(l *mapLayout, i int) {
	at := l.at[i].y/c.side*c.cols + l.at[i].x/c.side
	c.held[at] = append(c.held[at], i)
}

// near reports whether a thumbnail's middle is less than reach away from p in
// both directions; reach is at most the cells' side.
func (c *cells) near(l *mapLayout, p mapPlace, reach int) bool {
	cx, cy := p.x/c.side, p.y/c.side
	for y := max(cy-1, 0); y <= min(cy+1, c.rows-1); y++ {
		for x := max(cx-1, 0); x <= min(cx+1, c.cols-1); x++ {
			for _, j := range c.held[y*c.cols+x] {
				q := l.at[j]
				if max(p.x-q.x, q.x-p.x) < reach && max(p.y-q.y, q.y-p.y) < reach {
					return true
				}
			}
		}
	}
	return false
}
