package report

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// full returns a picture of one value.
func full(side, channels int, v uint8) Image {
	m := Image{H: side, W: side, C: channels, Pix: make([]uint8, side*side*channels)}
	for i := range m.Pix {
		m.Pix[i] = v
	}
	return m
}

func layoutOf(t *testing.T, m *Map) *mapLayout {
	t.Helper()
	l, err := m.layout()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestMapPicture finds the thumbnails where their points are, in both styles.
func TestMapPicture(t *testing.T) {
	for _, style := range []MapStyle{MapTint, MapFrame} {
		m := &Map{Classes: []string{"a", "b"}, Style: style, Points: []MapPoint{
			{X: 0, Y: 0, Class: 0, Thumb: full(28, 1, 255)}, {X: 4, Y: 0, Class: 1, Thumb: full(28, 1, 255)},
			{X: 4, Y: 4, Class: -1, Thumb: full(28, 1, 255)}, {X: 0, Y: 4, Class: 1},
		}}
		l := layoutOf(t, m)
		src, err := m.paint(l)
		if err != nil {
			t.Fatal(err)
		}
		img, _ := decodeURI(t, src)
		if img.Bounds() != image.Rect(0, 0, l.w, l.h) {
			t.Errorf("style %d: the picture is %v, want %d × %d", style, img.Bounds(), l.w, l.h)
		}
		same := func(x, y int, want color.RGBA, what string) {
			got := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			far := func(a, z uint8) bool { return max(a, z)-min(a, z) > 50 } // JPEG, and the dots' softness
			if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) {
				t.Errorf("style %d: %s is %v, want about %v", style, what, got, want)
			}
		}
		white := color.RGBA{255, 255, 255, 255}
		for i, p := range l.at[:3] {
			if !p.drawn {
				t.Fatalf("style %d: thumbnail %d isn't drawn", style, i)
			}
			own := mapColor(p.color)
			if style == MapTint {
				same(p.x, p.y, own, fmt.Sprintf("thumbnail %d", i))
			} else {
				same(p.x, p.y, white, fmt.Sprintf("thumbnail %d", i))
			}
		}
		dot := l.at[3]
		same(dot.x, dot.y, mix(mapGround(), mapColor(1), 0.8), "the dot")
		same(l.w/2, l.h/2, mapGround(), "the middle")
		if l.at[0].y <= l.at[2].y || l.at[0].x >= l.at[1].x {
			t.Error("up isn't up, or right isn't right")
		}
	}
}

// TestMapStyle checks which thumbnails are tinted when nobody says.
func TestMapStyle(t *testing.T) {
	black := shape(0, 28, rand.New(rand.NewPCG(1, 1)))
	for name, c := range map[string]struct {
		thumb Image
		want  bool
	}{"grey on black": {black, true}, "grey on white": {full(28, 1, 250), false}, "colour": {full(28, 3, 0), false}, "none": {Image{}, true}} {
		m := &Map{Points: []MapPoint{{Class: -1, Thumb: c.thumb}}}
		if got := layoutOf(t, m).tint; got != c.want {
			t.Errorf("%s: tinted is %v, want %v", name, got, c.want)
		}
	}
}

// TestMapThinning checks by brute force that no two thumbnails overlap by
// much, that only points without room are left out, and that dots under
// thumbnails are found.
func TestMapThinning(t *testing.T) {
	m := shapeMap(1500, rand.New(rand.NewPCG(5, 6)))
	l := layoutOf(t, m)
	apart, under := l.thumb*9/10, l.thumb*9/20
	near := func(a, z mapPlace, d int) bool {
		return max(a.x-z.x, z.x-a.x) < d && max(a.y-z.y, z.y-a.y) < d
	}
	drawn := 0
	for i, p := range l.at {
		blocked, covered := false, false
		for j, q := range l.at {
			if !q.drawn || i == j {
				continue
			}
			blocked = blocked || j < i && near(p, q, apart)
			covered = covered || near(p, q, under)
		}
		if p.drawn == blocked {
			t.Errorf("point %d: drawn %v, blocked by an earlier one %v", i, p.drawn, blocked)
		}
		if p.covered != (covered && !p.drawn) {
			t.Errorf("point %d: covered %v, want %v", i, p.covered, covered)
		}
		if p.drawn {
			drawn++
		}
	}
	if drawn < 200 {
		t.Errorf("only %d thumbnails are drawn", drawn)
	}
}

func TestMapClasses(t *testing.T) {
	m := &Map{}
	for c := range 15 {
		m.Classes = append(m.Classes, fmt.Sprintf("class %d", c))
		for range c + 1 {
			m.Points = append(m.Points, MapPoint{X: float64(c), Class: c})
		}
	}
	m.Points = append(m.Points, MapPoint{Class: -1})
	l := layoutOf(t, m)
	// The nine largest are 6 to 14; 0 to 5 hold 21 points together.
	if n := len(l.legend); n != 11 {
		t.Fatalf("the legend has %d lines, want 9 classes, the others and none", n)
	}
	if got, want := l.legend[0], (mapClass{"class 6", 7, 0}); got != want {
		t.Errorf("the first class is %v, want %v", got, want)
	}
	if got, want := l.legend[9], (mapClass{"6 other classes", 21, -1}); got != want {
		t.Errorf("the rest is %v, want %v", got, want)
	}
	if got, want := l.legend[10], (mapClass{"no class", 1, -1}); got != want {
		t.Errorf("the last line is %v, want %v", got, want)
	}
}

// TestMapOddPoints checks the points that have no place of their own.
func TestMapOddPoints(t *testing.T) {
	m := &Map{Pixels: 300}
	for i := range 100 {
		m.Points = append(m.Points, MapPoint{X: float64(i % 10), Y: float64(i / 10), Class: -1, Label: "p"})
	}
	m.Points = append(m.Points, MapPoint{X: 1e6, Y: 5, Class: -1, Label: "far"}, MapPoint{X: nan, Class: -1}, MapPoint{Y: inf, Class: -1})
	l := layoutOf(t, m)
	if len(l.at) != 101 || l.outside != 1 {
		t.Errorf("%d points, %d outside; want 101 and 1", len(l.at), l.outside)
	}
	if spread := l.at[9].x - l.at[0].x; spread < 100 {
		t.Errorf("one far point has squeezed the others into %d pixels", spread)
	}
	html := render(t, m)
	for _, s := range []string{"2 points without finite coordinates", "1 points lie far outside"} {
		if !strings.Contains(html, s) {
			t.Errorf("the page doesn't say %q", s)
		}
	}
	for name, pts := range map[string][]MapPoint{
		"one": {{Class: -1}}, "same": {{X: 3, Class: -1}, {X: 3, Class: -1}}, "close": {{X: 1e-320, Class: -1}, {Class: -1}},
		"wide": {{X: -1e100, Class: -1}, {X: 1e100, Class: -1}},
	} {
		l := layoutOf(t, &Map{Points: pts})
		for _, p := range l.at {
			if !image.Pt(p.x, p.y).In(image.Rect(0, 0, l.w, l.h)) {
				t.Errorf("%s: a point stands at %d,%d outside of %d × %d", name, p.x, p.y, l.w, l.h)
			}
		}
	}
}

// TestMapData reads back what the page's script gets.
func TestMapData(t *testing.T) {
	long := strings.Repeat("folder/", 100) + "é.png"
	m := &Map{Classes: []string{"</script>"}, Points: []MapPoint{{Label: "<b>"}, {X: 1, Class: -1, Label: long}}}
	sub := regexp.MustCompile(`(?s)<script type="application/json">(.*?)</script>`).FindStringSubmatch(render(t, m))
	if sub == nil {
		t.Fatal("the page has no data")
	}
	var got mapHover
	if err := json.Unmarshal([]byte(sub[1]), &got); err != nil {
		t.Fatal(err)
	}
	if got.Classes[0] != "</script>" || got.Points[0][4] != "<b>" || got.Points[1][2] != -1.0 {
		t.Errorf("the data read back as %+v", got)
	}
	label := got.Points[1][4].(string)
	if len(label) > mapLabelMax+len("…") || !strings.HasPrefix(label, "…") || !strings.HasSuffix(label, "é.png") {
		t.Errorf("a long label became %q", label)
	}
}
