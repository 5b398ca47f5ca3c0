package pool

import "math"

// visit calls f for every output element with the indices of the valid cells
// of its window in the input, by rows.
func visit(s Shape, f func(out int, cells []int)) {
	var cells []int
	out := 0
	for n := range s.N {
		for oh := range s.OutH() {
			for ow := range s.OutW() {
				for c := range s.C {
					cells = cells[:0]
					for kh := range s.KernelH {
						for kw := range s.KernelW {
							h, w := oh*s.StrideH-s.PadTop+kh, ow*s.StrideW-s.PadLeft+kw
							if h >= 0 && h < s.H && w >= 0 && w < s.W {
								cells = append(cells, ((n*s.H+h)*s.W+w)*s.C+c)
							}
						}
					}
					f(out, cells)
					out++
				}
			}
		}
	}
}

// maxRef is the definition of Max in float64: the maxima and the gradient.
func maxRef(s Shape, x, dy []float32) (y, dx []float64) {
	y, dx = make([]float64, len(dy)), make([]float64, len(x))
	visit(s, func(out int, cells []int) {
		at := cells[0]
		for _, k := range cells {
			if m := x[at]; m == m && (x[k] > m || x[k] != x[k]) {
				at = k
			}
		}
		y[out] = float64(x[at])
		dx[at] += float64(dy[out])
	})
	return y, dx
}

// avgRef is the definition of Avg in float64: the averages and the gradient.
// Its magnitudes bound the rounding errors of both.
func avgRef(s Shape, x, dy []float32) (y, dx, yMagnitude, dxMagnitude []float64) {
	y, dx = make([]float64, len(dy)), make([]float64, len(x))
	yMagnitude, dxMagnitude = make([]float64, len(dy)), make([]float64, len(x))
	visit(s, func(out int, cells []int) {
		n := float64(len(cells))
		if s.IncludePad {
			n = float64(s.KernelH * s.KernelW)
		}
		for _, k := range cells {
			y[out] += float64(x[k]) / n
			yMagnitude[out] += math.Abs(float64(x[k])) / n
			dx[k] += float64(dy[out]) / n
			dxMagnitude[k] += math.Abs(float64(dy[out])) / n
		}
	})
	return y, dx, yMagnitude, dxMagnitude
}
