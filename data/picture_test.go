package data

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every kind of PNG comes back from a picture sample by sample: its depth, its
// greys, its transparency, and the colours under it.
func TestPicturesKeepTheirKind(t *testing.T) {
	area := image.Rect(0, 0, 7, 5)
	grey16, deep, deepAlpha, alpha := image.NewGray16(area), image.NewRGBA64(area), image.NewNRGBA64(area), image.NewNRGBA(area)
	for y := range 5 {
		for x := range 7 {
			v := uint16(9000*x + 37*y)
			grey16.SetGray16(x, y, color.Gray16{Y: v})
			deep.SetRGBA64(x, y, color.RGBA64{R: v, G: v ^ 0x5a5a, B: 65535 - v, A: 65535})
			deepAlpha.SetNRGBA64(x, y, color.NRGBA64{R: v, G: 3, B: 65535 - v, A: uint16(13000 * y)})
			alpha.SetNRGBA(x, y, color.NRGBA{R: uint8(v), G: 3, B: 200, A: uint8(60 * y)})
		}
	}
	for name, img := range map[string]image.Image{
		"grey": grayImage(7, 5, 1), "grey 16": grey16, "colour": shaded(7, 5, 1), "colour 16": deep, "alpha 16": deepAlpha, "alpha": alpha,
	} {
		p, err := OpenPicture(fileOf(t, "in.png", encodePNG(t, img)), Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		back, err := p.Image()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, back); err != nil {
			t.Fatal(err)
		}
		again, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name, "16") != p.Deep || strings.HasPrefix(name, "alpha") != (p.Alpha != nil) || strings.HasPrefix(name, "grey") != (p.Channels == 1) {
			t.Errorf("%s: deep %v, %d channels, alpha %v", name, p.Deep, p.Channels, p.Alpha != nil)
		}
		for y := range 5 {
			for x := range 7 {
				want, got := color.NRGBA64Model.Convert(img.At(x, y)), color.NRGBA64Model.Convert(again.At(x, y))
				if want != got {
					t.Fatalf("%s: pixel %d,%d is %v, want %v", name, x, y, got, want)
				}
			}
		}
	}
}

// A photograph that is stored turned is read upright, in each of the eight ways.
func TestPicturesAreTurned(t *testing.T) {
	stored := shaded(6, 4, 1)
	for turn := orientation(1); turn <= 8; turn++ {
		p := pictureOf(stored, false, turn)
		h, w := 4, 6
		if turn.transposes() {
			h, w = w, h
		}
		r := renderer{height: h, width: w, channels: 3}
		want := make([]uint8, 3*h*w)
		r.render(want, stored, turn)
		if p.Height != h || p.Width != w {
			t.Fatalf("turn %d: %d×%d", turn, p.Width, p.Height)
		}
		for i, v := range p.Pixels {
			if uint8(v*255+0.5) != want[i] {
				t.Fatalf("turn %d: value %d is %v, want %d", turn, i, v*255, want[i])
			}
		}
	}
}

func TestPictureErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.png"), []byte("nothing"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.png"), "none.png"},
		{filepath.Join(dir, "x.png"), "JPEG, PNG"},
		{dir, "folder"},
		{fileOf(t, "huge.png", hugePNG(t, 50000, 50000)), "pixels"},
	} {
		if _, err := OpenPicture(c.path, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v", c.path, err)
		}
	}
	if _, err := (&Picture{Height: 2, Width: 2, Channels: 2}).Image(); err == nil {
		t.Error("a picture of two channels was taken")
	}
}

func FuzzPicture(f *testing.F) {
	f.Add(encodePNG(f, shaded(3, 4, 1)))
	f.Add(encodeJPEG(f, shaded(9, 4, 1)))
	f.Fuzz(func(t *testing.T, content []byte) {
		o, err := Options{MaxPixels: 1 << 16}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		p, err := decodePicture(content, o)
		if err != nil {
			return
		}
		if _, err := p.Image(); err != nil {
			t.Fatal(err)
		}
	})
}
