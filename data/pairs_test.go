package data

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// grayMask returns a w×h label whose values repeat.
func grayMask(w, h int, values ...uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = values[i%len(values)]
	}
	return img
}

func somePairs(t testing.TB) []member {
	t.Helper()
	return []member{
		{"train/images/a.png", encodePNG(t, shaded(12, 10, 1))},
		{"train/labels/a.png", encodePNG(t, grayMask(12, 10, 0, 1, 2))},
		{"train/images/deep/b.jpg", encodeJPEG(t, shaded(12, 10, 2))},
		{"train/labels/deep/b.png", encodePNG(t, grayMask(12, 10, 2, 1))},
		{"val/images/c.png", encodePNG(t, shaded(12, 10, 3))},
		{"val/labels/c.png", encodePNG(t, grayMask(12, 10, 1, 9))},
		{"test/images/d.png", encodePNG(t, shaded(12, 10, 4))},
		{"test/labels/d.png", encodePNG(t, grayMask(12, 10, 0))},
		{"test/labels/left.png", encodePNG(t, grayMask(3, 3, 0))},
		{"classes.txt", []byte("a\nb\nc\n")},
	}
}

func threeClasses(t testing.TB) ClassList {
	t.Helper()
	l, err := NamedClasses([]string{"a", "b", "c"}, 9)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOpenPairs(t *testing.T) {
	dir := folderOf(t, somePairs(t)...)
	o := Options{CacheDir: t.TempDir()}
	var first *Pairs
	for _, threads := range []int{1, 3} {
		o.Threads = threads
		p, err := OpenPairs(context.Background(), dir, o, threeClasses(t))
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"test/images/d.png", "train/images/a.png", "train/images/deep/b.jpg", "val/images/c.png"}; !slices.Equal(p.Names, want) {
			t.Errorf("names %q", p.Names)
		}
		if want := []Part{PartTest, PartTrain, PartTrain, PartVal}; !slices.Equal(p.Parts, want) {
			t.Errorf("parts %v", p.Parts)
		}
		if p.Height != 10 || p.Width != 12 || p.Channels != 3 || p.Scale != 1 || p.Labels != nil {
			t.Errorf("they are %d×%d×%d at %v with labels %v", p.Height, p.Width, p.Channels, p.Scale, p.Labels)
		}
		for i, want := range [][]uint8{{0}, {0, 1, 2}, {2, 1}, {1, Ignored}} {
			for at, v := range p.Mask(i) {
				if v != want[at%len(want)] {
					t.Fatalf("mask %d has %d at %d", i, v, at)
				}
			}
		}
		if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "1 of the 5 labels") {
			t.Errorf("warnings %q", p.Warnings)
		}
		if first == nil {
			first = p
			continue
		}
		if !p.FromCache || !bytes.Equal(p.Pixels, first.Pixels) || !bytes.Equal(p.Masks, first.Masks) || p.Fingerprint != first.Fingerprint {
			t.Error("the second reading differs from the first, or did not use the cache")
		}
	}
}

// Image and mask must go through the same crop and reduction.
func TestPairsStayTogether(t *testing.T) {
	const w, h = 96, 64
	img, label := image.NewGray(image.Rect(0, 0, w, h)), image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			if (x/16+y/16)%2 == 1 {
				img.SetGray(x, y, color.Gray{255})
				label.SetGray(x, y, color.Gray{1})
			}
		}
	}
	dir := folderOf(t, member{"images/a.png", encodePNG(t, img)}, member{"labels/a.png", encodePNG(t, label)})
	for _, o := range []Options{{}, {Size: 32}, {Size: 64}, {Height: 32, Width: 32}, {Height: 16, Width: 80}, {Height: 128, Width: 192}} {
		o.NoCache = true
		p, err := OpenPairs(context.Background(), dir, o, ClassList{})
		if err != nil {
			t.Fatal(err)
		}
		if o.Size > 0 && (p.Height != o.Size || p.Width != o.Size*w/h) || o.Height > 0 && (p.Height != o.Height || p.Width != o.Width) {
			t.Errorf("%+v gives %d×%d", o, p.Height, p.Width)
		}
		for i, v := range p.Mask(0) {
			if light := p.Image(0)[i] > 127; light != (v == 1) {
				t.Fatalf("%+v: pixel %d is %d and its mask %d", o, i, p.Image(0)[i], v)
			}
		}
	}
}

func TestFormsOfLabels(t *testing.T) {
	const w, h = 8, 8
	colors := ClassList{
		Classes: []Class{{"sky", 0, "#0000ff"}, {"road", 1, "#808080"}},
		Ignored: []Class{{"void", 2, "#000000"}},
	}
	sky, road, void := color.RGBA{0, 0, 255, 255}, color.RGBA{128, 128, 128, 255}, color.RGBA{0, 0, 0, 255}
	palette := func(p color.Palette, indices ...uint8) []byte {
		img := image.NewPaletted(image.Rect(0, 0, w, h), p)
		for i := range img.Pix {
			img.Pix[i] = indices[i%len(indices)]
		}
		return encodePNG(t, img)
	}
	coloured := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		coloured.Set(i%w, i/w, []color.Color{sky, void, road}[i%3])
	}
	grayAsColour := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		v := uint8(i % 2)
		grayAsColour.SetNRGBA(i%w, i/w, color.NRGBA{v, v, v, 255})
	}
	deep := image.NewGray16(image.Rect(0, 0, w, h))
	for i := range w * h {
		deep.SetGray16(i%w, i/w, color.Gray16{uint16(i % 2)})
	}
	for name, c := range map[string]struct {
		label []byte
		list  ClassList
		want  []uint8
	}{
		"grey":                       {encodePNG(t, grayMask(w, h, 1, 2, 0)), colors, []uint8{1, Ignored, 0}},
		"palette by index":           {palette(color.Palette{color.White, road, void}, 0, 1, 2), colors, []uint8{0, 1, Ignored}},
		"palette by colour":          {palette(color.Palette{road, sky, color.White, void}, 0, 1, 3), colors, []uint8{1, 0, Ignored}},
		"colours":                    {encodePNG(t, coloured), colors, []uint8{0, Ignored, 1}},
		"grey written as colours":    {encodePNG(t, grayAsColour), ClassList{}, []uint8{0, 1}},
		"16 bits":                    {encodePNG(t, deep), ClassList{}, []uint8{0, 1}},
		"black and white":            {encodePNG(t, grayMask(w, h, 0, 255)), ClassList{}, []uint8{0, 1}},
		"one bit":                    {oneBitPNG(t, w, h), colors, []uint8{0, 1}},
		"found, one of them ignored": {encodePNG(t, grayMask(w, h, 3, 7, 255)), ClassList{Ignored: []Class{{Name: "border", Value: 255}}}, []uint8{0, 1, Ignored}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folderOf(t, member{"images/a.png", encodePNG(t, shaded(w, h, 1))}, member{"labels/a.png", c.label})
			p, err := OpenPairs(context.Background(), dir, Options{NoCache: true}, c.list)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range p.Masks {
				if v != c.want[i%w%len(c.want)] && v != c.want[i%len(c.want)] {
					t.Fatalf("the mask begins %v, want a repetition of %v", p.Masks[:w], c.want)
				}
			}
			if name == "black and white" && !reflect.DeepEqual(p.List.Classes, []Class{{Name: "background"}, {Name: "foreground", Value: 255}}) {
				t.Errorf("its classes are %+v", p.List.Classes)
			}
		})
	}
}

// oneBitPNG returns a grey PNG of one bit a pixel whose columns are 0 and 1 in
// turn.
func oneBitPNG(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White})
	for i := range img.Pix {
		img.Pix[i] = uint8(i % 2)
	}
	data := encodePNG(t, img)
	// The same bits with colour type grey and without the palette chunk.
	at := bytes.Index(data, []byte("PLTE")) - 4
	data = slices.Concat(data[:at], data[at+12+6:])
	data[25] = 0
	data = pngWithSize(data, uint32(w), uint32(h))
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPairErrors(t *testing.T) {
	good := func() []member {
		return []member{
			{"images/a.png", encodePNG(t, shaded(8, 6, 1))}, {"labels/a.png", encodePNG(t, grayMask(8, 6, 0, 1))},
			{"images/b.png", encodePNG(t, shaded(8, 6, 2))}, {"labels/b.png", encodePNG(t, grayMask(8, 6, 1, 0))},
		}
	}
	two, err := NamedClasses([]string{"a", "b"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	ramp := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range ramp.Pix {
		ramp.Pix[i] = uint8(i)
	}
	coloured := plain(8, 6, color.NRGBA{9, 8, 7, 255})
	for name, c := range map[string]struct {
		change func(f []member) []member
		list   ClassList
		want   string
	}{
		"another size": {func(f []member) []member { f[1].data = encodePNG(t, grayMask(6, 8, 0, 1)); return f }, two,
			"labels/a.png cannot be used: it has 6×8 pixels and its image 8×6"},
		"out of range": {func(f []member) []member { f[3].data = encodePNG(t, grayMask(8, 6, 0, 1, 5)); return f }, two,
			"labels/b.png cannot be used: the value 5 in column 2, row 0 is that of no class: the values of the classes are 0, 1, and ignored is 7"},
		"no label":     {func(f []member) []member { return f[:3] }, two, "the image images/b.png has no label: it would be labels/b.png"},
		"zero area":    {func(f []member) []member { f[1].data = encodePNG(t, grayMask(8, 6, 7)); return f }, two, "labels/a.png cannot be used: its area is zero"},
		"empty label":  {func(f []member) []member { f[1].data = hugePNG(t, 0, 6); return f }, two, "labels/a.png cannot be used"},
		"no PNG":       {func(f []member) []member { f[1].data = encodeJPEG(t, shaded(8, 6, 1)); return f }, two, "labels/a.png cannot be used: it is no PNG"},
		"damaged":      {func(f []member) []member { f[1].data = f[1].data[:60]; return f }, two, "labels/a.png cannot be used: damaged PNG"},
		"huge":         {func(f []member) []member { f[1].data = hugePNG(t, 1<<30, 1<<30); return f }, two, "labels/a.png cannot be used"},
		"colours":      {func(f []member) []member { f[1].data = encodePNG(t, coloured); return f }, two, "has the colour #090807, and no class has a colour"},
		"wrong colour": {func(f []member) []member { f[1].data = encodePNG(t, coloured); return f }, ClassList{Classes: []Class{{"a", 0, "#000001"}}}, "the colour #090807 in column 0, row 0 is that of no class"},
		"two images":   {func(f []member) []member { return append(f, member{"images/a.jpg", encodeJPEG(t, shaded(8, 6, 1))}) }, two, "labels/a.png belongs to two images"},
		"same to see": {func(f []member) []member {
			f[0].name, f[1].name, f[2].name, f[3].name = "images/a\x01.png", "labels/a\x01.png", `images/a\x01.png`, `labels/a\x01.png`
			return f
		}, two, "differ only in characters that cannot be shown"},
		"no folders": {func(f []member) []member { return []member{{"a.png", f[0].data}} }, two, "give a folder with images/ and labels/"},
		"a photograph": {func(f []member) []member {
			f[0].data, f[1].data = encodePNG(t, shaded(16, 16, 1)), encodePNG(t, ramp)
			return f
		}, ClassList{}, "have 256 values, which looks like pictures"},
		"a border":      {func(f []member) []member { f[1].data = encodePNG(t, grayMask(8, 6, 0, 1, 255)); return f }, ClassList{}, "have the value 255 beside 2 others"},
		"one value":     {func(f []member) []member { f[1].data = encodePNG(t, grayMask(8, 6, 0)); return f[:2] }, ClassList{}, "have 1 value"},
		"a wrong list":  {func(f []member) []member { return f }, ClassList{Classes: []Class{{Name: "a"}, {Name: "a", Value: 1}}}, "wrong list of classes"},
		"broken images": {func(f []member) []member { f[0].data, f[2].data = f[0].data[:50], f[2].data[:50]; return f }, two, "all 2 were skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenPairs(context.Background(), folderOf(t, c.change(good())...), Options{NoCache: true}, c.list)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
	if _, err := OpenPairs(context.Background(), fileOf(t, "a.zip", []byte("PK\x03\x04")), Options{NoCache: true}, two); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("an archive: %v", err)
	}
	if _, err := OpenPairs(context.Background(), folderOf(t, good()...), Options{NoCache: true, MaxBytes: 100}, two); !errors.As(err, new(*LimitError)) {
		t.Errorf("too many bytes: %v", err)
	}
	// A broken image is left out together with its label, whatever that is.
	f := good()
	f[0].data, f[1].data = f[0].data[:50], nil
	p, err := OpenPairs(context.Background(), folderOf(t, f...), Options{NoCache: true}, two)
	if err != nil || p.Len() != 1 || len(p.Skipped) != 1 || p.Mask(0)[0] != 1 {
		t.Errorf("with a broken image: %v, %+v", err, p)
	}
}

func TestPairsWithoutSizeAreKeptSmall(t *testing.T) {
	dir := folderOf(t,
		member{"images/a.png", encodePNG(t, shaded(700, 500, 1))}, member{"labels/a.png", encodePNG(t, grayMask(700, 500, 0, 1))},
		member{"images/b.png", encodePNG(t, shaded(720, 540, 1))}, member{"labels/b.png", encodePNG(t, grayMask(720, 540, 0, 1))})
	p, err := OpenPairs(context.Background(), dir, Options{NoCache: true}, ClassList{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Height != 272 || p.Width != 368 || !(p.Scale > 0.5 && p.Scale < 0.56) {
		t.Errorf("they are %d×%d at %v", p.Width, p.Height, p.Scale)
	}
}

func FuzzMask(f *testing.F) {
	f.Add(encodePNG(f, grayMask(4, 3, 0, 1)))
	f.Add(encodePNG(f, shaded(4, 3, 1)))
	list := ClassList{Classes: []Class{{"a", 0, "#000000"}, {"b", 1, "#ffffff"}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		dst := make([]uint8, 4)
		m := newMaskReader(list, 2, 2, 1<<16)
		if err := m.read(dst, data, 3, 4); err != nil {
			return
		}
		for _, v := range dst {
			if v > 1 {
				t.Errorf("a mask of two classes holds %d", v)
			}
		}
	})
}
