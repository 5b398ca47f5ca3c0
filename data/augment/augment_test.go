package augment

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func parse(t testing.TB, list string) *Pipeline {
	t.Helper()
	p, err := Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

func ramp(n int) []uint8 {
	pix := make([]uint8, n)
	for i := range pix {
		pix[i] = uint8(i*37 + i*i>>3)
	}
	return pix
}

// everything has every transformation at its greatest strength.
func everything(of func(Info) float64) string {
	list := ""
	for i, k := range Transformations() {
		if i > 0 {
			list += ","
		}
		list += k.Name + "=" + strconv.FormatFloat(of(k), 'g', -1, 64)
	}
	return list
}

func TestDrawsDependOnCoordinatesAlone(t *testing.T) {
	const h, w, c = 13, 9, 3
	src := ramp(h * w * c)
	p := parse(t, everything(func(k Info) float64 { return k.Default }))
	var k Worker
	first := make([][]uint8, 12)
	for i := range first {
		first[i] = make([]uint8, len(src))
		k.Apply(p, first[i], src, h, w, c, 5, uint64(i%3), i/3)
	}
	for i := len(first) - 1; i >= 0; i-- {
		again := make([]uint8, len(src))
		p.Apply(again, src, h, w, c, 5, uint64(i%3), i/3)
		if !slices.Equal(again, first[i]) {
			t.Errorf("draw %d differs in another order and by another worker", i)
		}
		if i > 0 && slices.Equal(first[i], first[i-1]) {
			t.Errorf("draws %d and %d are the same", i, i-1)
		}
	}
	other := make([]uint8, len(src))
	if p.Apply(other, src, h, w, c, 6, 0, 0); slices.Equal(other, first[0]) {
		t.Error("the seed has no influence")
	}
}

func TestAloneDrawsWhatTheListDraws(t *testing.T) {
	p := parse(t, "flip,rotate=20,noise=0.1,erase,flip=0.3")
	whole := p.Draw(8, 8, 1, 2, 3)
	for i, alone := range p.Each()[:4] {
		if got := alone.Draw(8, 8, 1, 2, 3)[0]; got.Name != whole[i].Name || !slices.Equal(got.Values, whole[i].Values) {
			t.Errorf("alone %v, in the list %v", got, whole[i])
		}
	}
}

// Each transformation keeps within the image's shape at every strength, for
// images of every shape, and leaves it alone at strength 0.
func TestShapesAndStrengths(t *testing.T) {
	var k Worker
	for _, info := range Transformations() {
		for _, size := range [][3]int{{1, 1, 1}, {1, 1, 3}, {1, 7, 3}, {5, 1, 1}, {7, 11, 3}, {16, 16, 1}} {
			h, w, c := size[0], size[1], size[2]
			src := ramp(h * w * c)
			guarded := make([]uint8, len(src)+16)
			changed := false
			for _, border := range []string{"reflect", "zero"} {
				p := parse(t, info.Name+"="+strconv.FormatFloat(info.Max, 'g', -1, 64)+",border="+border)
				for i := range 24 {
					for j := range guarded {
						guarded[j] = 0xa5
					}
					dst := guarded[8 : 8+len(src)]
					k.Apply(p, dst, src, h, w, c, 1, 2, i)
					changed = changed || !slices.Equal(dst, src)
					for j := range 8 {
						if guarded[j] != 0xa5 || guarded[8+len(src)+j] != 0xa5 {
							t.Fatalf("%s on %v wrote outside the image", info.Name, size)
						}
					}
					for _, d := range p.Draw(h, w, 1, 2, i) {
						for _, v := range d.Values {
							if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
								t.Fatalf("%s drew %v", info.Name, d)
							}
						}
					}
				}
			}
			if h*w > 50 && c == 3 && !changed {
				t.Errorf("%s changes nothing", info.Name)
			}
			dst := make([]uint8, len(src))
			k.Apply(parse(t, info.Name+"=0"), dst, src, h, w, c, 1, 2, 3)
			if !slices.Equal(dst, src) {
				t.Errorf("%s=0 changes the image", info.Name)
			}
		}
	}
}

func TestKnownGeometry(t *testing.T) {
	src := []uint8{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9}
	flip := inverseFlip(values{1}, 3, 3)
	right := inverseShift(values{1, 0}, 3, 3)
	quarter := inverseRotate(values{90}, 3, 3)
	for _, c := range []struct {
		name string
		m    matrix
		zero bool
		want []uint8
	}{
		{"flip", flip, false, []uint8{3, 2, 1, 6, 5, 4, 9, 8, 7}},
		{"right, reflected", right, false, []uint8{2, 1, 2, 5, 4, 5, 8, 7, 8}},
		{"right, black", right, true, []uint8{0, 1, 2, 0, 4, 5, 0, 7, 8}},
		{"flip after right", right.times(&flip), true, []uint8{2, 1, 0, 5, 4, 0, 8, 7, 0}},
		{"a quarter anticlockwise", quarter, true, []uint8{3, 6, 9, 2, 5, 8, 1, 4, 7}},
		{"twice as large", inverseScale(values{2}, 3, 3), true, []uint8{3, 4, 4, 5, 5, 6, 6, 7, 7}},
	} {
		var k Worker
		dst := make([]uint8, 9)
		k.warp(dst, src, 3, 3, 1, &c.m, c.zero)
		if !slices.Equal(dst, c.want) {
			t.Errorf("%s: %v, want %v", c.name, dst, c.want)
		}
	}
}

func TestPerspectiveMapsCorners(t *testing.T) {
	v := values{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.25, 0.15}
	const h, w = 10, 20
	m := inversePerspective(v, h, w)
	signs := [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}
	for i, s := range signs {
		x, y := s[0]*w/2, s[1]*h/2
		d := m[6]*x + m[7]*y + m[8]
		gx, gy := (m[0]*x+m[1]*y+m[2])/d, (m[3]*x+m[4]*y+m[5])/d
		wx, wy := x*(1-v[2*i]), y*(1-v[2*i+1])
		if math.Abs(gx-wx) > 1e-9 || math.Abs(gy-wy) > 1e-9 {
			t.Errorf("corner %d lies at %v, %v; want %v, %v", i, gx, gy, wx, wy)
		}
	}
}

func TestKnownColours(t *testing.T) {
	mean := [3]float64{100, 100, 100}
	for _, c := range []struct {
		name    string
		recolor func(*affine, values, *[3]float64)
		v       values
		in      [3]uint8
		want    [3]uint8
	}{
		{"darker", recolorBrightness, values{0.5}, [3]uint8{10, 100, 255}, [3]uint8{5, 50, 128}},
		{"lighter", recolorBrightness, values{2}, [3]uint8{10, 100, 255}, [3]uint8{20, 200, 255}},
		{"contrast", recolorContrast, values{0.5}, [3]uint8{0, 100, 200}, [3]uint8{50, 100, 150}},
		{"grey", recolorGrey, values{1}, [3]uint8{255, 0, 0}, [3]uint8{76, 76, 76}},
		{"saturation", recolorSaturation, values{0}, [3]uint8{0, 0, 255}, [3]uint8{29, 29, 29}},
		{"hue of grey", recolorHue, values{0.3}, [3]uint8{90, 90, 90}, [3]uint8{90, 90, 90}},
		{"no hue", recolorHue, values{0}, [3]uint8{10, 200, 90}, [3]uint8{10, 200, 90}},
		{"shift", recolorShift, values{0.2, 0, -0.2}, [3]uint8{10, 20, 30}, [3]uint8{61, 20, 0}},
	} {
		m := same
		c.recolor(&m, c.v, &mean)
		m.apply(c.in[:], 3)
		if c.in != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.in, c.want)
		}
	}
}

func TestBlurKeepsWhatIsEven(t *testing.T) {
	var k Worker
	pix := slices.Repeat([]uint8{77}, 9*7)
	if k.blur(pix, 9, 7, 1, 2.5); slices.Min(pix) != 77 || slices.Max(pix) != 77 {
		t.Errorf("an even image becomes %v", pix)
	}
	dot := make([]uint8, 9)
	dot[4] = 255
	k.blur(dot, 1, 9, 1, 1)
	if want := []uint8{0, 1, 14, 62, 102, 62, 14, 1, 0}; !slices.Equal(dot, want) {
		t.Errorf("a dot becomes %v, want %v", dot, want)
	}
}

func TestMaskAndBoxFollowTheImage(t *testing.T) {
	const h, w = 24, 31
	image, mask := make([]uint8, h*w), make([]int32, h*w)
	box := Box{12, 9, 19, 16}
	for y := 9; y < 16; y++ {
		for x := 12; x < 19; x++ {
			image[y*w+x], mask[y*w+x] = 255, 1
		}
	}
	p := parse(t, "flip,shift=3,rotate=30,skew=0.2,scale=0.3,perspective=0.2,border=zero")
	var k Worker
	gotImage, gotMask := make([]uint8, h*w), make([]int32, h*w)
	for i := range 50 {
		k.Apply(p, gotImage, image, h, w, 1, 3, 1, i)
		k.ApplyMask(p, gotMask, mask, 9, h, w, 3, 1, i)
		b, ok := k.Box(p, box, h, w, 3, 1, i)
		if !ok {
			t.Fatalf("draw %d: the box is gone", i)
		}
		for at, v := range gotImage {
			if v > 250 && gotMask[at] != 1 || v < 5 && gotMask[at] == 1 {
				t.Fatalf("draw %d: pixel %d is %d and its mask %d", i, at, v, gotMask[at])
			}
			x, y := float64(at%w)+0.5, float64(at/w)+0.5
			if gotMask[at] == 1 && (x < b.X0 || x > b.X1 || y < b.Y0 || y > b.Y1) {
				t.Fatalf("draw %d: %v, %v is in the mask and not in the box %v", i, x, y, b)
			}
		}
	}
	shift := parse(t, "shift=100,border=zero")
	gone := 0
	for i := range 20 {
		if _, ok := k.Box(shift, box, h, w, 3, 1, i); !ok {
			gone++
		}
	}
	if gone == 0 {
		t.Error("no box left the image")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	const h, w = 12, 10
	p := parse(t, everything(func(k Info) float64 { return k.Default }))
	src, dst := ramp(h*w*3), make([]uint8, h*w*3)
	var k Worker
	for i := range 20 {
		k.Apply(p, dst, src, h, w, 3, 1, 0, i) // the flip and the shift alone come sometimes
	}
	if n := testing.AllocsPerRun(20, func() { k.Apply(p, dst, src, h, w, 3, 1, 1, 1) }); n != 0 {
		t.Errorf("%v allocations an image", n)
	}
}

func TestParse(t *testing.T) {
	for list, want := range map[string]string{
		"none":                       "none",
		"flip":                       "flip=0.5",
		" flip , shift = 3 ":         "flip=0.5,shift=3",
		"color=0.2,gray":             "colour=0.2,grey=0.2",
		"jitter=0.4":                 "brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1",
		"rotate=0,flip=1,shift=0.5":  "flip=1",
		"shift,border=zero":          "shift=2,border=zero",
		"border=reflect,rotate=1e-3": "rotate=0.001",
	} {
		if got := parse(t, list).String(); got != want {
			t.Errorf("%q becomes %q, want %q", list, got, want)
		}
	}
	for _, list := range []string{"", "all", "flip,", "flip=2", "flip=-1", "shift=x", "rotate=NaN", "none,flip", "mixup", "border=blue", "border",
		strings.Repeat("jitter,", 17) + "flip"} {
		if _, err := Parse(list); !errors.Is(err, ErrList) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("flip,shift=2,rotate=15,colour=0.2")
	f.Add("jitter,border=zero,erase=0.9")
	src := ramp(5 * 4 * 3)
	f.Fuzz(func(t *testing.T, list string) {
		p, err := Parse(list)
		if err != nil {
			return
		}
		again := parse(t, p.String())
		a, b := make([]uint8, len(src)), make([]uint8, len(src))
		p.Apply(a, src, 5, 4, 3, 1, 2, 3)
		again.Apply(b, src, 5, 4, 3, 1, 2, 3)
		if !slices.Equal(a, b) {
			t.Errorf("%q does not do what %q does", p.String(), list)
		}
	})
}
