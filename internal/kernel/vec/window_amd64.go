//go:build amd64 && !noasm

package vec

// holdWindows returns the number of windows of a small row, and panics if the
// rows beneath them are too short.
func holdWindows(small, c int, rows ...[]float32) int {
	n := small / c
	for _, r := range rows {
		if len(r) < 2*n*c {
			short()
		}
	}
	return n
}

func max2x2Of(f *func(dst, x0, x1 *float32, n, c int)) func(dst, x0, x1 []float32, c int) {
	return func(dst, x0, x1 []float32, c int) {
		(*f)(addr(dst), addr(x0), addr(x1), holdWindows(len(dst), c, x0, x1), c)
	}
}

func sum2x2Of(f *func(dst, x0, x1 *float32, n, c int, scale float32)) func(dst, x0, x1 []float32, c int, scale float32) {
	return func(dst, x0, x1 []float32, c int, scale float32) {
		(*f)(addr(dst), addr(x0), addr(x1), holdWindows(len(dst), c, x0, x1), c, scale)
	}
}

func maxGrad2x2Of(f *func(g, dx0, dx1, x0, x1 *float32, n, c int)) func(dx0, dx1, x0, x1, g []float32, c int) {
	return func(dx0, dx1, x0, x1, g []float32, c int) {
		n := holdWindows(len(g), c, dx0, dx1, x0, x1)
		(*f)(addr(g), addr(dx0), addr(dx1), addr(x0), addr(x1), n, c)
	}
}

func spread2x2Of(f *func(g, dx0, dx1 *float32, n, c int, scale float32)) func(dx0, dx1, g []float32, c int, scale float32) {
	return func(dx0, dx1, g []float32, c int, scale float32) {
		(*f)(addr(g), addr(dx0), addr(dx1), holdWindows(len(g), c, dx0, dx1), c, scale)
	}
}
