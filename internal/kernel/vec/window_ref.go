package vec

// Windows of two by two pixels, side by side: the small row has n pixels of c
// channels, the rows x0 and x1 of the image have 2*n each.

func max2x2Ref(dst, x0, x1 []float32, c int) {
	for ; len(dst) >= c; dst, x0, x1 = dst[c:], x0[2*c:], x1[2*c:] {
		for i := range c {
			dst[i] = max(x0[i], x0[c+i], x1[i], x1[c+i])
		}
	}
}

func sum2x2Ref(dst, x0, x1 []float32, c int, scale float32) {
	for ; len(dst) >= c; dst, x0, x1 = dst[c:], x0[2*c:], x1[2*c:] {
		for i := range c {
			dst[i] = ((x0[i] + x0[c+i]) + (x1[i] + x1[c+i])) * scale
		}
	}
}

func maxGrad2x2Ref(dx0, dx1, x0, x1, g []float32, c int) {
	for len(g) >= c {
		for i := range c {
			at, best := 0, x0[i]
			for k, x := range [3]float32{x0[c+i], x1[i], x1[c+i]} {
				if x > best || x != x && best == best {
					at, best = k+1, x
				}
			}
			var d [4]float32
			d[at] = g[i]
			dx0[i], dx0[c+i], dx1[i], dx1[c+i] = d[0], d[1], d[2], d[3]
		}
		dx0, dx1, x0, x1, g = dx0[2*c:], dx1[2*c:], x0[2*c:], x1[2*c:], g[c:]
	}
}

func spread2x2Ref(dx0, dx1, g []float32, c int, scale float32) {
	for ; len(g) >= c; dx0, dx1, g = dx0[2*c:], dx1[2*c:], g[c:] {
		for i := range c {
			v := g[i] * scale
			dx0[i], dx0[c+i], dx1[i], dx1[c+i] = v, v, v, v
		}
	}
}
