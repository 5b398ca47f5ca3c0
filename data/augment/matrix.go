package augment

import "math"

// matrix is a homography in row order, on points (x, y, 1) whose origin is the
// middle of the image: x to the right, y downward, in pixels.
type matrix [9]float64

var identity = matrix{1, 0, 0, 0, 1, 0, 0, 0, 1}

// times returns the map that does b first and then a.
func (a *matrix) times(b *matrix) (m matrix) {
	for i := range 3 {
		for j := range 3 {
			m[3*i+j] = a[3*i]*b[j] + a[3*i+1]*b[3+j] + a[3*i+2]*b[6+j]
		}
	}
	return m
}

// adjugate returns the inverse but for a factor, which means nothing to a
// homography.
func (a *matrix) adjugate() matrix {
	return matrix{
		a[4]*a[8] - a[5]*a[7], a[2]*a[7] - a[1]*a[8], a[1]*a[5] - a[2]*a[4],
		a[5]*a[6] - a[3]*a[8], a[0]*a[8] - a[2]*a[6], a[2]*a[3] - a[0]*a[5],
		a[3]*a[7] - a[4]*a[6], a[1]*a[6] - a[0]*a[7], a[0]*a[4] - a[1]*a[3],
	}
}

// affine tells whether parallels stay parallel.
func (a *matrix) affine() bool { return a[6] == 0 && a[7] == 0 }

func inverseFlip(v values, _, _ int) matrix {
	if v[0] == 0 {
		return identity
	}
	return matrix{-1, 0, 0, 0, 1, 0, 0, 0, 1}
}

func inverseShift(v values, _, _ int) matrix {
	return matrix{1, 0, -v[0], 0, 1, -v[1], 0, 0, 1}
}

func inverseRotate(v values, _, _ int) matrix {
	sin, cos := math.Sincos(v[0] * (math.Pi / 180))
	return matrix{cos, -sin, 0, sin, cos, 0, 0, 0, 1}
}

// inverseSkew inverts x' = x + a·y, y' = y + b·x; the strengths keep a·b below
// one.
func inverseSkew(v values, _, _ int) matrix {
	a, b := v[0], v[1]
	f := 1 / (1 - a*b)
	return matrix{f, -a * f, 0, -b * f, f, 0, 0, 0, 1}
}

func inverseScale(v values, _, _ int) matrix {
	return matrix{1 / v[0], 0, 0, 0, 1 / v[0], 0, 0, 0, 1}
}

func inverseCrop(v values, h, w int) matrix {
	fh, fw := float64(h), float64(w)
	return matrix{
		v[2] / fw, 0, v[0] + v[2]/2 - fw/2,
		0, v[3] / fh, v[1] + v[3]/2 - fh/2,
		0, 0, 1,
	}
}

// inversePerspective maps the output's rectangle to a quadrilateral of the
// input (Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989,
// section 2.2.3). Corners go round from the upper left, clockwise. The
// strengths keep the quadrilateral convex.
func inversePerspective(v values, h, w int) matrix {
	hw, hh := float64(w)/2, float64(h)/2
	x := [4]float64{-hw * (1 - v[0]), hw * (1 - v[2]), hw * (1 - v[4]), -hw * (1 - v[6])}
	y := [4]float64{-hh * (1 - v[1]), -hh * (1 - v[3]), hh * (1 - v[5]), hh * (1 - v[7])}
	dx1, dx2, sx := x[1]-x[2], x[3]-x[2], x[0]-x[1]+x[2]-x[3]
	dy1, dy2, sy := y[1]-y[2], y[3]-y[2], y[0]-y[1]+y[2]-y[3]
	det := dx1*dy2 - dx2*dy1
	g, k := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	square := matrix{
		x[1] - x[0] + g*x[1], x[3] - x[0] + k*x[3], x[0],
		y[1] - y[0] + g*y[1], y[3] - y[0] + k*y[3], y[0],
		g, k, 1,
	}
	unit := matrix{1 / float64(w), 0, 0.5, 0, 1 / float64(h), 0.5, 0, 0, 1}
	return square.times(&unit)
}
