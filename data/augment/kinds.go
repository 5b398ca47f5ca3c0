package augment

import (
	"math"

	"hourglass/internal/random"
)

// stage is the part of the work that a transformation belongs to.
type stage uint8

const (
	geometry stage = iota
	colour
	blur
	noise
	erase
)

// maxValues is the largest number of values that one transformation draws.
const maxValues = 8

// values are what a transformation has drawn for one image.
type values [maxValues]float64

// kind is one sort of transformation.
type kind struct {
	Info
	id     uint8 // its place among the random streams: never changes
	stage  stage
	values []string // names of what is drawn
	draw   func(r *random.Source, strength float64, h, w int) values
	// steady draws are those of epoch 0; what they gave is turned round in odd
	// epochs, where it is 0 or 1.
	steady bool

	inverse func(v values, h, w int) matrix             // geometry: output to input
	recolor func(m *affine, v values, mean *[3]float64) // colour: what follows m
}

// Info describes one transformation of a list.
type Info struct {
	Name    string  // in lists
	Default float64 // strength where the list gives none
	Max     float64 // greatest strength; the least is 0, which does nothing
	Doc     string  // what the strength s means
}

// Transformations describes what lists are made of, in the order in which it
// is best listed.
func Transformations() []Info {
	table := kinds()
	infos := make([]Info, len(table))
	for i := range table {
		infos[i] = table[i].Info
	}
	return infos
}

// kinds is the table of all transformations.
func kinds() []kind {
	factor := []string{"factor"}
	box := []string{"x", "y", "width", "height"}
	return []kind{
		{Info: Info{"flip", 0.5, 1, "mirrors left to right with probability s"},
			id: 1, stage: geometry, values: []string{"flipped"}, draw: drawCoin, inverse: inverseFlip},
		{Info: Info{"alternate", 1, 1, "mirrors left to right in every other epoch, half of the images in the even ones, a share s of all (Jordan 2024, section 3.6)"},
			id: 19, stage: geometry, values: []string{"flipped"}, draw: drawAlternate, steady: true, inverse: inverseFlip},
		{Info: Info{"shift", 2, 1024, "moves by whole pixels, uniform in -s to s, on each axis"},
			id: 2, stage: geometry, values: []string{"x", "y"}, draw: drawShift, inverse: inverseShift},
		{Info: Info{"rotate", 15, 180, "turns about the middle, uniform in -s to s degrees, anticlockwise"},
			id: 3, stage: geometry, values: []string{"degrees"}, draw: drawSymmetric, inverse: inverseRotate},
		{Info: Info{"skew", 0.2, 0.8, "shears each axis along the other by a slope uniform in -s to s"},
			id: 4, stage: geometry, values: []string{"x", "y"}, draw: drawPair, inverse: inverseSkew},
		{Info: Info{"scale", 0.2, 4, "enlarges about the middle by a factor log-uniform in 1/(1+s) to 1+s"},
			id: 5, stage: geometry, values: factor, draw: drawScale, inverse: inverseScale},
		{Info: Info{"crop", 0.5, 0.95, "cuts out a rectangle of 1-s to 1 of the area and 3/4 to 4/3 of the aspect, and brings it to full size (Szegedy et al. 2015, section 6)"},
			id: 6, stage: geometry, values: box, draw: drawCrop, inverse: inverseCrop},
		{Info: Info{"perspective", 0.3, 0.6, "looks at a quadrilateral whose corners lie up to s half sides inside the image's"},
			id: 7, stage: geometry, values: []string{"x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3"}, draw: drawPerspective, inverse: inversePerspective},
		{Info: Info{"brightness", 0.3, 1, "multiplies by a factor uniform in 1-s to 1+s"},
			id: 8, stage: colour, values: factor, draw: drawFactor, recolor: recolorBrightness},
		{Info: Info{"darken", 0.5, 1, "multiplies by a factor uniform in 1-s to 1"},
			id: 9, stage: colour, values: factor, draw: drawDarken, recolor: recolorBrightness},
		{Info: Info{"lighten", 0.5, 4, "multiplies by a factor uniform in 1 to 1+s"},
			id: 10, stage: colour, values: factor, draw: drawLighten, recolor: recolorBrightness},
		{Info: Info{"contrast", 0.4, 1, "multiplies the distance from the image's mean grey by a factor uniform in 1-s to 1+s"},
			id: 11, stage: colour, values: factor, draw: drawFactor, recolor: recolorContrast},
		{Info: Info{"saturation", 0.5, 1, "multiplies the distance from grey of each pixel by a factor uniform in 1-s to 1+s"},
			id: 12, stage: colour, values: factor, draw: drawFactor, recolor: recolorSaturation},
		{Info: Info{"hue", 0.1, 0.5, "turns the hue, in YIQ, uniform in -s to s of a full turn"},
			id: 13, stage: colour, values: []string{"turns"}, draw: drawSymmetric, recolor: recolorHue},
		{Info: Info{"colour", 0.1, 1, "adds to each channel a number uniform in -s to s of the range"},
			id: 14, stage: colour, values: []string{"red", "green", "blue"}, draw: drawTriple, recolor: recolorShift},
		{Info: Info{"grey", 0.2, 1, "takes the colour away with probability s"},
			id: 15, stage: colour, values: []string{"grey"}, draw: drawCoin, recolor: recolorGrey},
		{Info: Info{"blur", 1, 10, "blurs by a Gaussian whose deviation is uniform in 0 to s pixels"},
			id: 16, stage: blur, values: []string{"deviation"}, draw: drawUpTo},
		{Info: Info{"noise", 0.05, 1, "adds Gaussian noise whose deviation is uniform in 0 to s of the range"},
			id: 17, stage: noise, values: []string{"deviation"}, draw: drawUpTo},
		{Info: Info{"erase", 0.3, 0.9, "with probability one half, fills a rectangle of up to s of the area with random bytes (Zhong et al. 2020, algorithm 1)"},
			id: 18, stage: erase, values: box, draw: drawErase},
	}
}

func symmetric(r *random.Source, s float64) float64 { return s * (2*r.Float64() - 1) }

func drawCoin(r *random.Source, s float64, _, _ int) (v values) {
	if r.Float64() < s {
		v[0] = 1
	}
	return v
}

// drawAlternate gives 0 or 1, the state of epoch 0, and −1 for an image that
// takes no part.
func drawAlternate(r *random.Source, s float64, _, _ int) (v values) {
	if r.Float64() >= s {
		v[0] = -1
	} else if r.Float64() < 0.5 {
		v[0] = 1
	}
	return v
}

func drawSymmetric(r *random.Source, s float64, _, _ int) values { return values{symmetric(r, s)} }

func drawPair(r *random.Source, s float64, _, _ int) values {
	return values{symmetric(r, s), symmetric(r, s)}
}

func drawTriple(r *random.Source, s float64, _, _ int) values {
	return values{symmetric(r, s), symmetric(r, s), symmetric(r, s)}
}

func drawUpTo(r *random.Source, s float64, _, _ int) values   { return values{s * r.Float64()} }
func drawFactor(r *random.Source, s float64, _, _ int) values { return values{1 + symmetric(r, s)} }
func drawDarken(r *random.Source, s float64, _, _ int) values { return values{1 - s*r.Float64()} }
func drawLighten(r *random.Source, s float64, _, _ int) values {
	return values{1 + s*r.Float64()}
}

func drawShift(r *random.Source, s float64, _, _ int) values {
	n := int(s)
	return values{float64(r.IntN(2*n+1) - n), float64(r.IntN(2*n+1) - n)}
}

func drawScale(r *random.Source, s float64, _, _ int) values {
	return values{math.Exp(symmetric(r, math.Log1p(s)))}
}

// tries is how often a rectangle of an area and an aspect is drawn before the
// image is left as it is, because none fitted into it.
const tries = 10

// rectangle draws a rectangle of whole pixels, at least one, with an area
// uniform in least to most of the image's and an aspect (width by height)
// log-uniform in 1/aspect to aspect. It has no size if none fitted.
func rectangle(r *random.Source, least, most, aspect float64, h, w int) values {
	for range tries {
		area := (least + (most-least)*r.Float64()) * float64(h) * float64(w)
		ratio := math.Exp(symmetric(r, math.Log(aspect)))
		rw, rh := int(math.Sqrt(area*ratio)+0.5), int(math.Sqrt(area/ratio)+0.5)
		if rw >= 1 && rh >= 1 && rw <= w && rh <= h {
			return values{float64(r.IntN(w - rw + 1)), float64(r.IntN(h - rh + 1)), float64(rw), float64(rh)}
		}
	}
	return values{}
}

func drawCrop(r *random.Source, s float64, h, w int) values {
	v := rectangle(r, 1-s, 1, 4./3, h, w)
	if v[2] == 0 {
		return values{0, 0, float64(w), float64(h)}
	}
	return v
}

func drawErase(r *random.Source, s float64, h, w int) values {
	if r.Float64() < 0.5 {
		return values{}
	}
	return rectangle(r, min(0.02, s), s, 1/0.3, h, w)
}

func drawPerspective(r *random.Source, s float64, _, _ int) (v values) {
	for i := range v {
		v[i] = s * r.Float64()
	}
	return v
}
