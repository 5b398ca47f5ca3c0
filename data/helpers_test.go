package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// member is a file of a folder or an archive.
type member struct {
	name string
	data []byte
}

// plain returns a w×h image of one colour.
func plain(w, h int, c color.Color) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, c)
		}
	}
	return img
}

// shaded returns a w×h image that differs from place to place.
func shaded(w, h int, seed uint8) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x*9) + seed, uint8(y*7) - seed, uint8(x*y) ^ seed, 255})
		}
	}
	return img
}

func grayImage(w, h int, v uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = v + uint8(i)
	}
	return img
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG returns a PNG whose header alone says that it is w×h.
func hugePNG(t testing.TB, w, h uint32) []byte {
	t.Helper()
	return pngWithSize(encodePNG(t, plain(1, 1, color.White)), w, h)
}

// someImages are small images of one size in two classes.
func someImages(t testing.TB) []member {
	t.Helper()
	return []member{
		{"cat/a.png", encodePNG(t, shaded(12, 10, 1))},
		{"cat/b.jpg", encodeJPEG(t, shaded(12, 10, 2))},
		{"dog/c.png", encodePNG(t, shaded(12, 10, 3))},
		{"dog/d.png", encodePNG(t, shaded(12, 10, 4))},
		{"notes.txt", []byte("no picture")},
	}
}

// folderOf writes files to a new folder and returns its path.
func folderOf(t testing.TB, files ...member) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		p := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, f.data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fileOf writes one file to a new folder and returns its path.
func fileOf(t testing.TB, name string, data []byte) string {
	t.Helper()
	return filepath.Join(folderOf(t, member{name, data}), name)
}

func tarOf(t testing.TB, files ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, files ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(data, nil)
}

// mustOpen opens a source without a cache.
func mustOpen(t testing.TB, source string, o Options) *Set {
	t.Helper()
	o.NoCache = true
	s, err := Open(context.Background(), source, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Pixels) != s.Len()*s.ImageBytes() || s.Found != s.Len()+len(s.Skipped) {
		t.Fatalf("%d values in %d images of %d×%d×%d, %d found, %d skipped", len(s.Pixels), s.Len(), s.Height, s.Width, s.Channels, s.Found, len(s.Skipped))
	}
	return s
}

// wantError opens a source and checks that it fails with a message that
// contains each of want.
func wantError(t *testing.T, source string, o Options, want ...string) error {
	t.Helper()
	o.NoCache = true
	s, err := Open(context.Background(), source, o)
	if err == nil {
		t.Fatalf("%d images were read; want an error with %q", s.Len(), want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q lacks %q", err, w)
		}
	}
	return err
}

// wantSkipped checks that exactly one file was skipped, and why.
func wantSkipped(t *testing.T, s *Set, name, reason string) {
	t.Helper()
	if len(s.Skipped) != 1 || s.Skipped[0].Name != name || !strings.Contains(s.Skipped[0].Reason, reason) {
		t.Errorf("skipped %q; want %s: %s", s.Skipped, name, reason)
	}
}

// near fails unless the pixel at x, y of image i is within tol of want.
func near(t *testing.T, s *Set, i, x, y int, tol int, want ...uint8) {
	t.Helper()
	at := (y*s.Width + x) * s.Channels
	got := s.Image(i)[at : at+s.Channels]
	for k := range want {
		if len(got) != len(want) || int(got[k])-int(want[k]) > tol || int(want[k])-int(got[k]) > tol {
			t.Errorf("%s: pixel (%d,%d) is %v, want %v within %d", s.Names[i], x, y, got, want, tol)
			return
		}
	}
}
