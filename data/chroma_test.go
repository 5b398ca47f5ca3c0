package data

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// difference returns the mean and the greatest difference of two images' channels.
func difference(a, b image.Image) (mean float64, most int) {
	n := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				d = max(d, -d)
				mean += float64(d)
				most = max(most, d)
				n++
			}
		}
	}
	return mean / float64(n), most
}

// JPEG images look as libjpeg shows them.
func TestColoursAreThoseOfLibjpeg(t *testing.T) {
	for _, name := range []string{"chroma-420", "chroma-422"} {
		file, err := os.ReadFile(filepath.Join("testdata", name+".jpg"))
		if err != nil {
			t.Fatal(err)
		}
		golden, err := os.ReadFile(filepath.Join("testdata", name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(bytes.NewReader(golden))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		h := header{codec: &jpegCodec, width: want.Bounds().Dx(), height: want.Bounds().Dy()}
		got, err := h.decodeImage(file)
		if err != nil {
			t.Fatal(err)
		}
		// What is left is the rounding of the transform and of the conversion to RGB.
		if mean, most := difference(got, want); mean > 0.5 || most > 4 {
			t.Errorf("%s: channels differ by %v in the mean and %d at most", name, mean, most)
		}
		if mean, _ := difference(plain, want); mean < 2 {
			t.Errorf("%s: without interpolation they differ by %v only: the test shows nothing", name, mean)
		}
	}
}

// Where colours do not change, nothing does, whatever the size.
func TestInterpolationKeepsPlainColours(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio410} {
		for width := 1; width < 9; width++ {
			for height := 1; height < 6; height++ {
				m := image.NewYCbCr(image.Rect(0, 0, width, height), ratio)
				for i := range m.Y {
					m.Y[i] = uint8(20 * i)
				}
				for i := range m.Cb {
					m.Cb[i], m.Cr[i] = 77, 201
				}
				got := interpolateColours(m)
				if got.Bounds() != m.Bounds() {
					t.Fatalf("%v: bounds %v, want %v", ratio, got.Bounds(), m.Bounds())
				}
				if mean, _ := difference(got, m); mean != 0 {
					t.Errorf("%v of %d×%d: channels differ by %v in the mean", ratio, width, height, mean)
				}
			}
		}
	}
}

// A slope stays one: samples stand for the middle of the pixels they cover.
func TestInterpolationOfSlopes(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440} {
		m := &image.NYCbCrA{YCbCr: *image.NewYCbCr(image.Rect(0, 0, 16, 16), ratio)}
		m.A, m.AStride = make([]uint8, 256), 16
		for i := range m.Cb {
			m.Cb[i] = uint8(20 + 16*(i/m.CStride)) // 8 for each row of pixels
		}
		full := interpolateColours(m).(*image.NYCbCrA)
		for y := 2; y < 14; y++ {
			want := 20 + 8*float64(y) - 4
			if got := float64(full.Cb[full.COffset(7, y)]); math.Abs(got-want) > 1 {
				t.Errorf("%v: row %d has %v, want %v", ratio, y, got, want)
			}
		}
	}
}
