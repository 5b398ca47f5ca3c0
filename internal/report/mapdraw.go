package report

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// mapGround is the map's background, the same as style.css gives the block.
func mapGround() color.RGBA { return parseHex("#0c0f13") }

// mapColor is the colour of a class on the map.
func mapColor(i int) color.RGBA {
	if i < 0 {
		return parseHex("#a3acb8")
	}
	return parseHex(series()[i].dark)
}

// tintLevels is how many brightnesses a colour has in a tinted map: eleven
// colours (ten classes and grey) of 23 fit a palette of 256.
const tintLevels = 23

// tintPalette holds for each colour, grey first, its way from the ground.
func tintPalette() color.Palette {
	ground := mapGround()
	var p color.Palette
	for c := -1; c < seriesColors; c++ {
		full := mapColor(c)
		for k := range tintLevels {
			p = append(p, mix(ground, full, float64(k)/(tintLevels-1)))
		}
	}
	return p
}

// tintLevel maps a grey to its level, dark greys lifted so that a black shoe
// still shows.
func tintLevel() (levels [256]int) {
	for g := range levels {
		levels[g] = int(math.Round(math.Pow(float64(g)/255, 0.75) * (tintLevels - 1)))
	}
	return levels
}

// paintTint draws dots and tinted thumbnails. Where two overlap the brighter
// one shows, as light would.
func (m *Map) paintTint(l *mapLayout) *image.Paletted {
	dst := image.NewPaletted(image.Rect(0, 0, l.w, l.h), tintPalette())
	set := func(x, y, color, level int) {
		if !image.Pt(x, y).In(dst.Rect) {
			return
		}
		at := &dst.Pix[y*dst.Stride+x]
		if int(*at)%tintLevels < level {
			*at = uint8((color+1)*tintLevels + level)
		}
	}
	for _, p := range l.at {
		if p.drawn || p.covered {
			continue
		}
		eachDot(p.x, p.y, l.dotRadius(), func(x, y int, cover float64) {
			set(x, y, p.color, int(math.Round(cover*(tintLevels-1)*0.7)))
		})
	}
	levels := tintLevel()
	for _, p := range l.at {
		if !p.drawn {
			continue
		}
		t := fitThumb(m.Points[p.index].Thumb, l.thumb)
		b := t.Bounds()
		x0, y0 := p.x-b.Dx()/2, p.y-b.Dy()/2
		for y := range b.Dy() {
			for x := range b.Dx() {
				g := color.GrayModel.Convert(t.At(x, y)).(color.Gray).Y
				set(x0+x, y0+y, p.color, levels[g])
			}
		}
	}
	return dst
}

// frameWidth is the width of the frame around a thumbnail.
const frameWidth = 2

// paintFrames draws dots, and thumbnails in frames of their class' colour.
func (m *Map) paintFrames(l *mapLayout) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, l.w, l.h))
	draw.Draw(dst, dst.Rect, image.NewUniform(mapGround()), image.Point{}, draw.Src)
	for _, p := range l.at {
		if p.drawn || p.covered {
			continue
		}
		c := mapColor(p.color)
		eachDot(p.x, p.y, l.dotRadius(), func(x, y int, cover float64) {
			if image.Pt(x, y).In(dst.Rect) {
				dst.SetRGBA(x, y, mix(dst.RGBAAt(x, y), c, cover*0.85))
			}
		})
	}
	for _, p := range l.at {
		if !p.drawn {
			continue
		}
		t := fitThumb(m.Points[p.index].Thumb, l.thumb-2*frameWidth)
		b := t.Bounds()
		at := image.Pt(p.x-b.Dx()/2, p.y-b.Dy()/2)
		to := image.Rectangle{Min: at, Max: at.Add(b.Size())}
		if p.color >= 0 {
			draw.Draw(dst, to.Inset(-frameWidth), image.NewUniform(mapColor(p.color)), image.Point{}, draw.Src)
		}
		draw.Draw(dst, to, t, b.Min, draw.Src)
	}
	return dst
}

// dotRadius is the radius of a point without a thumbnail: large where dots
// are all there is to see.
func (l *mapLayout) dotRadius() float64 {
	r := float64(l.w) / 350
	if l.thumb == 0 {
		r = float64(l.w) / 220
	}
	if len(l.at) > 5000 {
		r *= 0.6
	}
	return max(r, 1.5)
}

// eachDot calls f for the pixels of a disc, with the share of each that the
// disc covers.
func eachDot(cx, cy int, r float64, f func(x, y int, cover float64)) {
	n := int(math.Ceil(r))
	for dy := -n; dy <= n; dy++ {
		for dx := -n; dx <= n; dx++ {
			d := math.Sqrt(float64(dx*dx + dy*dy))
			if cover := min(max(r+0.5-d, 0), 1); cover > 0 {
				f(cx+dx, cy+dy, cover)
			}
		}
	}
}

// fitThumb returns m resampled so that its longer side is side.
func fitThumb(m Image, side int) image.Image {
	long := max(m.H, m.W)
	return resize(m.std(), max(1, m.W*side/long), max(1, m.H*side/long))
}

// mix returns the colour that is share of the way from a to z.
func mix(a, z color.RGBA, share float64) color.RGBA {
	f := func(a, z uint8) uint8 {
		return uint8(math.Round(float64(a) + (float64(z)-float64(a))*share))
	}
	return color.RGBA{f(a.R, z.R), f(a.G, z.G), f(a.B, z.B), 255}
}
