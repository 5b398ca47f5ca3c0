package report

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func decodeURI(t *testing.T, uri string) (image.Image, string) {
	t.Helper()
	head, body, _ := strings.Cut(uri, ",")
	data, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	m, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if want := "data:image/" + format + ";base64"; head != want {
		t.Errorf("%s holds a picture of format %s", head, format)
	}
	return m, format
}

func TestEncoding(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := func(h, w, c int) Image {
		m := Image{H: h, W: w, C: c, Pix: make([]uint8, h*w*c)}
		for i := range m.Pix {
			m.Pix[i] = uint8(r.Uint32())
		}
		return m
	}
	for name, c := range map[string]struct {
		m      Image
		e      Encoding
		format string
		w, h   int
	}{
		"tiny grey":        {shape(1, 28, r), Encoding{}, "png", 28, 28},
		"tiny noise":       {noise(9, 5, 3), Encoding{}, "png", 5, 9},
		"photograph":       {landscape(300, 400, r), Encoding{}, "jpeg", 400, 300},
		"large photograph": {landscape(500, 1000, r), Encoding{Fit: 250}, "jpeg", 250, 125},
		"flat":             {Image{H: 200, W: 200, C: 3, Pix: make([]uint8, 120_000)}, Encoding{}, "png", 200, 200},
		"exact":            {noise(700, 3, 1), Encoding{Exact: true}, "png", 3, 700},
		"thin":             {noise(2, 3000, 1), Encoding{}, "png", 640, 1},
	} {
		uri, err := c.e.dataURI(c.m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, format := decodeURI(t, uri)
		if size := got.Bounds().Size(); size != image.Pt(c.w, c.h) || c.format != format && name != "thin" {
			t.Errorf("%s: a %s of %v, want a %s of %d × %d", name, format, size, c.format, c.w, c.h)
		}
		if c.w != c.m.W || format != "png" {
			continue
		}
		for y := range c.h {
			for x := range c.w {
				i := (y*c.w + x) * c.m.C
				want := color.RGBA{c.m.Pix[i], c.m.Pix[i], c.m.Pix[i], 255}
				if c.m.C == 3 {
					want.G, want.B = c.m.Pix[i+1], c.m.Pix[i+2]
				}
				if color.RGBAModel.Convert(got.At(x, y)) != want {
					t.Fatalf("%s: pixel %d,%d is %v, want %v", name, y, x, got.At(x, y), want)
				}
			}
		}
	}
}

func TestDisplay(t *testing.T) {
	for _, c := range []struct{ h, w, side, wantW, wantH int }{
		{28, 28, 0, 112, 112}, {28, 28, 60, 56, 56}, {1, 1, 0, 112, 112}, {32, 64, 0, 128, 64},
		{96, 96, 0, 96, 96}, {240, 360, 0, 320, 213}, {100, 100, 0, 112, 112}, {2000, 100, 200, 10, 200}, {5000, 1, 0, 1, 320},
	} {
		w, h, hard := display(Image{H: c.h, W: c.w}, c.side)
		if w != c.wantW || h != c.wantH {
			t.Errorf("%d × %d at %d shows at %d × %d, want %d × %d", c.w, c.h, c.side, w, h, c.wantW, c.wantH)
		}
		if hard && (w%c.w != 0 || h%c.h != 0) {
			t.Errorf("%d × %d is not enlarged by a whole number", c.w, c.h)
		}
	}
}

func TestSheet(t *testing.T) {
	a := Image{H: 1, W: 2, C: 1, Pix: []uint8{10, 20}}
	c := Image{H: 3, W: 1, C: 3, Pix: []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9}}
	m, err := Sheet([][]Image{{a, {}}, {a, c}}, SheetOptions{Gap: 1, Scale: 2, Ground: color.Black})
	if err != nil {
		t.Fatal(err)
	}
	// Columns of 2 and 1, rows of 1 and 3 pixels, doubled, with gaps of 1.
	if got, want := m.Bounds().Size(), image.Pt(1+4+1+2+1, 1+2+1+6+1); got != want {
		t.Fatalf("the sheet is %v, want %v", got, want)
	}
	for _, p := range []struct {
		x, y int
		want color.RGBA
	}{
		{0, 0, color.RGBA{0, 0, 0, 255}}, {1, 1, color.RGBA{10, 10, 10, 255}}, {4, 2, color.RGBA{20, 20, 20, 255}},
		{6, 1, color.RGBA{0, 0, 0, 255}}, {6, 4, color.RGBA{1, 2, 3, 255}}, {7, 9, color.RGBA{7, 8, 9, 255}},
		{1, 4, color.RGBA{0, 0, 0, 255}}, {1, 6, color.RGBA{10, 10, 10, 255}},
	} {
		if got := color.RGBAModel.Convert(m.At(p.x, p.y)); got != p.want {
			t.Errorf("pixel x %d, y %d is %v, want %v", p.x, p.y, got, p.want)
		}
	}
	grey, err := Sheet(SheetRows([]Image{a, a, a}, 2), SheetOptions{Gap: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := grey.(*image.Gray); !ok || grey.Bounds().Size() != image.Pt(4, 2) {
		t.Errorf("three grey pictures in two columns make a %T of %v", grey, grey.Bounds().Size())
	}
}

// Heads stand above their columns, in ink that stands out, and widen those that
// are too narrow; the pictures stay as they are, in the middle.
func TestSheetHeads(t *testing.T) {
	a := Image{H: 2, W: 2, C: 1, Pix: []uint8{90, 90, 90, 90}}
	wide := Image{H: 2, W: 300, C: 1, Pix: make([]uint8, 600)}
	for _, ground := range []color.Gray{{Y: 255}, {Y: 0}} {
		m, err := Sheet([][]Image{{a, wide}, {a}}, SheetOptions{Gap: 1, Heads: []string{"one\nline", "two", "alone"}, Ground: ground})
		if err != nil {
			t.Fatal(err)
		}
		h := newHeads([]string{"one\nline", "two", "alone"}, ground)
		if got, want := m.Bounds().Size(), image.Pt(1+h.widths[0]+1+300+1+h.widths[2]+1, h.height+1+2+1+2+1); got != want {
			t.Fatalf("the sheet is %v, want %v", got, want)
		}
		if h.height != 2*headLine+headSide || h.widths[0] <= 2*headSide {
			t.Errorf("heads of two lines are %d high and %d wide", h.height, h.widths[0])
		}
		at := func(x, y int) uint8 { return color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y }
		if x, y := 1+(h.widths[0]-2)/2, h.height+1; at(x, y) != 90 || at(x+1, y+1) != 90 || at(x-1, y) != ground.Y {
			t.Error("the picture is not in the middle below its head")
		}
		ink := func(fromX, toX, fromY, toY int) (n int) {
			for y := fromY; y < toY; y++ {
				for x := fromX; x < toX; x++ {
					if v := int(at(x, y)) - int(ground.Y); v > 128 || v < -128 {
						n++
					}
				}
			}
			return n
		}
		second := 1 + h.widths[0] + 1
		if ink(0, second, 0, headLine) < 20 || ink(0, second, headLine, h.height) < 20 || ink(second, second+300, headLine, h.height) < 20 {
			t.Errorf("a head is missing on %v", ground)
		}
		if n := ink(second, second+300, 0, headLine); n != 0 {
			t.Errorf("a head of one line has %d dots in the line above it", n)
		}
	}
	if m, err := Sheet([][]Image{{a}}, SheetOptions{Heads: []string{strings.Repeat("w", 1<<20)}}); err != nil || m.Bounds().Dx() > 1<<15 {
		t.Errorf("an endless head makes a sheet of %v, %v", m.Bounds(), err)
	}
}

func TestSheetRefuses(t *testing.T) {
	one := Image{H: 1, W: 1, C: 1, Pix: []uint8{1}}
	for name, c := range map[string]struct {
		rows [][]Image
		o    SheetOptions
	}{
		"nothing":     {nil, SheetOptions{Gap: -1}},
		"huge scale":  {[][]Image{{one}}, SheetOptions{Scale: 1 << 40}},
		"huge":        {[][]Image{make([]Image, 1<<20)}, SheetOptions{Gap: 1000}},
		"wrong image": {[][]Image{{{H: 1, W: 1, C: 1}}}, SheetOptions{}},
	} {
		if m, err := Sheet(c.rows, c.o); err == nil {
			t.Errorf("%s: made a sheet of %v", name, m.Bounds())
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(c color.RGBA) float64 {
	f := func(v uint8) float64 { return linear(float64(v) / 255) }
	return 0.2126*f(c.R) + 0.7152*f(c.G) + 0.0722*f(c.B)
}

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func contrast(a, z string) float64 {
	x, y := luminance(parseHex(a)), luminance(parseHex(z))
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds texts to WCAG's 4.5 and lines and dots to its 3.
func TestContrast(t *testing.T) {
	byName := map[string]token{}
	for _, k := range tokens() {
		byName[k.name] = k
	}
	check := func(fg, bg token, least float64) {
		if c := contrast(fg.light, bg.light); c < least {
			t.Errorf("light %s on %s: contrast %.2f, want %.1f", fg.name, bg.name, c, least)
		}
		if c := contrast(fg.dark, bg.dark); c < least {
			t.Errorf("dark %s on %s: contrast %.2f, want %.1f", fg.name, bg.name, c, least)
		}
	}
	for _, bg := range []string{"bg", "panel", "wash"} {
		for _, fg := range []string{"ink", "soft", "accent", "good", "warn"} {
			check(byName[fg], byName[bg], 4.5)
		}
	}
	check(byName["ink"], byName["warnwash"], 4.5)
	check(byName["ink"], byName["goodwash"], 4.5)
	for _, s := range series() {
		check(s, byName["panel"], 3)
		if c := contrast(s.dark, "#0c0f13"); c < 3 {
			t.Errorf("%s on the map: contrast %.2f", s.name, c)
		}
	}
}

// TestColorBlind simulates dichromats (Viénot, Brettel and Mollon, 1999) and
// checks that the colours stay apart: the distance is Euclidean in CIE L*a*b*.
func TestColorBlind(t *testing.T) {
	lms := func(c color.RGBA) [3]float64 {
		r, g, b := linear(float64(c.R)/255), linear(float64(c.G)/255), linear(float64(c.B)/255)
		return [3]float64{17.8824*r + 43.5161*g + 4.11935*b, 3.45565*r + 27.1554*g + 3.86714*b, 0.0299566*r + 0.184309*g + 1.46709*b}
	}
	lab := func(v [3]float64) [3]float64 {
		r := 0.0809444479*v[0] - 0.130504409*v[1] + 0.116721066*v[2]
		g := -0.0102485335*v[0] + 0.0540193266*v[1] - 0.113614708*v[2]
		b := -0.000365296938*v[0] - 0.00412161469*v[1] + 0.693511405*v[2]
		f := func(t float64) float64 {
			if t > 0.008856 {
				return math.Cbrt(t)
			}
			return 7.787*t + 16.0/116
		}
		x := f((0.4124*r + 0.3576*g + 0.1805*b) / 0.9505)
		y := f(0.2126*r + 0.7152*g + 0.0722*b)
		z := f((0.0193*r + 0.1192*g + 0.9505*b) / 1.089)
		return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
	}
	sights := []struct {
		name string
		see  func([3]float64) [3]float64
	}{
		{"usual", func(v [3]float64) [3]float64 { return v }},
		{"protanope", func(v [3]float64) [3]float64 { return [3]float64{2.02344*v[1] - 2.52581*v[2], v[1], v[2]} }},
		{"deuteranope", func(v [3]float64) [3]float64 { return [3]float64{v[0], 0.494207*v[0] + 1.24827*v[2], v[2]} }},
	}
	for _, s := range sights {
		for _, dark := range []bool{false, true} {
			var seen [][3]float64
			for _, k := range series() {
				hex := k.light
				if dark {
					hex = k.dark
				}
				seen = append(seen, lab(s.see(lms(parseHex(hex)))))
			}
			least, pair := math.Inf(1), [2]int{}
			for i := range seen {
				for j := range i {
					d := math.Hypot(math.Hypot(seen[i][0]-seen[j][0], seen[i][1]-seen[j][1]), seen[i][2]-seen[j][2])
					if d < least {
						least, pair = d, [2]int{j, i}
					}
				}
			}
			if least < 15 {
				t.Errorf("%s, dark %v: colours %v are only %.1f apart", s.name, dark, pair, least)
			}
		}
	}
}
