package data

import (
	"bytes"
	"errors"
	"image"
	"path/filepath"
	"slices"
	"testing"
)

// photoFiles are images of different sizes.
func photoFiles(t *testing.T) []member {
	return []member{
		{"a/one.png", encodePNG(t, shaded(40, 30, 1))},
		{"a/two.png", encodePNG(t, shaded(25, 61, 2))},
		{"b/grey.png", encodePNG(t, grayImage(50, 20, 3))},
		{"b/broken.png", []byte("\x89PNG\r\n\x1a\nno more")},
		{"b/tiny.png", encodePNG(t, shaded(5, 50, 2))},
	}
}

func TestOpenPhotos(t *testing.T) {
	files := photoFiles(t)
	for name, source := range map[string]string{
		"folder": folderOf(t, files...),
		"tar":    fileOf(t, "photos.tar", tarOf(t, files...)),
		"zip":    fileOf(t, "photos.zip", zipOf(t, files...)),
	} {
		p, err := OpenPhotos(t.Context(), source, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.Len() != 3 || p.Found != 5 || len(p.Skipped) != 2 || p.Skipped[0].Name != "b/broken.png" || p.Skipped[1].Name != "b/tiny.png" {
			t.Fatalf("%s: %d photos of %d, skipped %v", name, p.Len(), p.Found, p.Skipped)
		}
		two := p.Photos[1]
		if two.Name != "a/two.png" || two.Width != 25 || two.Height != 61 {
			t.Errorf("%s: second photo is %s of %d×%d", name, two.Name, two.Width, two.Height)
		}
		want := shaded(25, 61, 2).NRGBAAt(7, 50)
		if at := 3 * (50*25 + 7); !slices.Equal(two.Pixels[at:at+3], []uint8{want.R, want.G, want.B}) {
			t.Errorf("%s: pixel is %v, want %v", name, two.Pixels[at:at+3], want)
		}
		if grey := p.Photos[2]; grey.Pixels[0] != 3 || grey.Pixels[2] != 3 || len(grey.Pixels) != 3*50*20 {
			t.Errorf("%s: grey photo begins with %v", name, grey.Pixels[:3])
		}
	}
}

// Where all does not fit, the large ones are reduced and the small ones kept.
func TestPhotosAreReduced(t *testing.T) {
	dir := folderOf(t, member{"large.png", encodePNG(t, shaded(400, 300, 1))}, member{"small.png", encodePNG(t, shaded(40, 30, 1))})
	p, err := OpenPhotos(t.Context(), dir, Options{MaxBytes: 3 * 60_000})
	if err != nil {
		t.Fatal(err)
	}
	large, small := p.Photos[0], p.Photos[1]
	if small.Width != 40 || large.Width >= 400 || len(large.Pixels)+len(small.Pixels) > 3*60_000 || len(p.Warnings) != 1 {
		t.Errorf("%d×%d and %d×%d, %v", large.Width, large.Height, small.Width, small.Height, p.Warnings)
	}
	if r := float64(large.Width) / float64(large.Height); r < 1.3 || r > 1.37 {
		t.Errorf("reduced to %d×%d", large.Width, large.Height)
	}
	var limit *LimitError
	if _, err := OpenPhotos(t.Context(), dir, Options{MaxBytes: 1000}); !errors.As(err, &limit) {
		t.Errorf("error is %v", err)
	}
}

func TestPhotosOfOtherSources(t *testing.T) {
	p, err := OpenPhotos(t.Context(), "fashion", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Len() != 10000 || p.Photos[9].Height != 28 || len(p.Photos[9].Pixels) != 3*28*28 {
		t.Errorf("%d photos of %d rows", p.Len(), p.Photos[9].Height)
	}
	if _, err := OpenPhotos(t.Context(), folderOf(t, member{"x.txt", []byte("x")}), Options{}); !errors.Is(err, ErrNoImages) {
		t.Errorf("error is %v", err)
	}
}

// The images of a list come at their own sizes, like those of a folder.
func TestPhotosOfAList(t *testing.T) {
	dir := folderOf(t, member{"a.png", encodePNG(t, shaded(20, 12, 1))}, member{"b.png", encodePNG(t, shaded(31, 9, 2))},
		member{"list.csv", []byte("a.png,x,train\nb.png,y,test\n")})
	p, err := OpenPhotos(t.Context(), filepath.Join(dir, "list.csv"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Len() != 2 || p.Photos[0].Width != 20 || p.Photos[1].Width != 31 || !slices.Equal(p.Parts, []Part{PartTrain, PartTest}) {
		t.Errorf("%d photos, %d and %d wide, of the parts %v", p.Len(), p.Photos[0].Width, p.Photos[1].Width, p.Parts)
	}
}

func photoOf(img *image.NRGBA) Photo {
	p := Photo{Height: img.Rect.Dy(), Width: img.Rect.Dx()}
	for i := range p.Height * p.Width {
		p.Pixels = append(p.Pixels, img.Pix[4*i:4*i+3]...)
	}
	return p
}

// What is dealt out depends on the seed, the epoch and the step alone.
func TestCropsArePure(t *testing.T) {
	p := &Photos{Photos: []Photo{photoOf(shaded(40, 30, 1)), photoOf(shaded(9, 60, 2)), photoOf(shaded(33, 33, 3))}}
	o := CropOptions{Size: 16, Batch: 4, PerPhoto: 5, Seed: 3}
	batch := func(c *Crops, epoch, step int) []uint8 {
		b := make([]uint8, 4*3*16*16)
		c.Fill(epoch, step, b)
		return b
	}
	c := NewCrops(p, []int{0, 1, 2}, o)
	if c.Steps() != 3 {
		t.Errorf("%d steps", c.Steps())
	}
	first := batch(c, 1, 2)
	batch(c, 0, 0)
	if !bytes.Equal(batch(c, 1, 2), first) || !bytes.Equal(batch(NewCrops(p, []int{0, 1, 2}, o), 1, 2), first) {
		t.Error("a batch changes with what was dealt out before")
	}
	if bytes.Equal(batch(c, 2, 2), first) || bytes.Equal(batch(c, 1, 1), first) {
		t.Error("two batches are the same")
	}
	dst := make([]uint8, 4*3*16*16)
	if n := testing.AllocsPerRun(5, func() { c.Fill(1, 1, dst) }); n > 0 {
		t.Errorf("a batch allocates %v times", n)
	}
}

func TestCropTurns(t *testing.T) {
	p := photoOf(shaded(30, 20, 1))
	plain := make([]uint8, 3*8*8)
	p.Crop(plain, 8, 5, 7, 0)
	if !bytes.Equal(plain, p.Part(5, 7, 8, 8)) {
		t.Error("a crop is not the part that it says")
	}
	seen := map[string]bool{}
	for turn := range 8 {
		b := make([]uint8, 3*8*8)
		p.Crop(b, 8, 5, 7, turn)
		seen[string(b)] = true
		y, x := 2, 6
		if turn&1 != 0 {
			x = 1
		}
		if turn&2 != 0 {
			y = 5
		}
		if turn&4 != 0 {
			y, x = x, y
		}
		// Place (2, 6) of the turned crop shows what is found there.
		if at, from := 3*(2*8+6), 3*(y*8+x); !bytes.Equal(b[at:at+3], plain[from:from+3]) {
			t.Errorf("turn %d shows %v, not %v", turn, b[at:at+3], plain[from:from+3])
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d different turns", len(seen))
	}
}

func TestMirrored(t *testing.T) {
	want := []int{2, 1, 0, 1, 2, 3, 2, 1, 0, 1}
	for i, w := range want {
		if got := Mirrored(i-2, 4); got != w {
			t.Errorf("place %d of 4 shows %d, want %d", i-2, got, w)
		}
	}
	if Mirrored(-7, 1) != 0 {
		t.Error("an axis of one place has no other")
	}
}
