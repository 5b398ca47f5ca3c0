package report

// clip cuts a line at the frame's edges and returns the pieces inside
// (Liang and Barsky, 1984, segment by segment).
func clip(pts [][2]float64, f *frame) [][][2]float64 {
	if len(pts) == 1 && f.within(pts[0][0], pts[0][1]) {
		return [][][2]float64{pts}
	}
	var pieces [][][2]float64
	var piece [][2]float64
	for i := 1; i < len(pts); i++ {
		a, z, ok := clipSegment(pts[i-1], pts[i], f)
		if !ok {
			continue
		}
		if len(piece) == 0 || piece[len(piece)-1] != a {
			if len(piece) > 0 {
				pieces = append(pieces, piece)
			}
			piece = [][2]float64{a}
		}
		piece = append(piece, z)
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

func clipSegment(a, z [2]float64, f *frame) (from, to [2]float64, ok bool) {
	dx, dy := z[0]-a[0], z[1]-a[1]
	t0, t1 := 0.0, 1.0
	for _, e := range [4][2]float64{
		{-dx, a[0] - f.left}, {dx, f.right - a[0]},
		{-dy, a[1] - f.top}, {dy, f.bottom - a[1]},
	} {
		p, q := e[0], e[1]
		switch {
		case p == 0 && q < 0:
			return a, z, false
		case p < 0:
			t0 = max(t0, q/p)
		case p > 0:
			t1 = min(t1, q/p)
		}
	}
	if t0 > t1 {
		return a, z, false
	}
	from, to = a, z
	if t0 > 0 {
		from = [2]float64{a[0] + t0*dx, a[1] + t0*dy}
	}
	if t1 < 1 {
		to = [2]float64{a[0] + t1*dx, a[1] + t1*dy}
	}
	return from, to, true
}
