package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNamesThatLeadOut(t *testing.T) {
	good := someImages(t)
	png := good[0].data
	for _, name := range []string{"../evil.png", "cat/../../evil.png", "/etc/evil.png", `..\evil.png`, `C:\evil.png`, "../evil.sh"} {
		bad := member{name, png}
		for _, p := range []string{
			fileOf(t, "a.zip", zipOf(t, append([]member{bad}, good...)...)),
			fileOf(t, "a.tar.gz", gzipped(t, tarOf(t, append([]member{bad}, good...)...))),
		} {
			s := mustOpen(t, p, Options{})
			wantSkipped(t, s, name, "its name leads out of the archive")
			if s.Len() != 4 {
				t.Errorf("%s: %d images", name, s.Len())
			}
			beside, err := os.ReadDir(filepath.Dir(p))
			if err != nil || len(beside) != 1 {
				t.Errorf("%s: something was written: %v %v", name, beside, err)
			}
		}
	}
}

func TestBackslashesSeparate(t *testing.T) {
	png := someImages(t)[0].data
	s := mustOpen(t, fileOf(t, "a.zip", zipOf(t, member{`cat\a.png`, png}, member{`dog\b.png`, png})), Options{})
	if fmt.Sprint(s.Classes, s.Names) != "[cat dog] [cat/a.png dog/b.png]" {
		t.Errorf("classes %v, names %v", s.Classes, s.Names)
	}
}

func TestBombs(t *testing.T) {
	good := someImages(t)
	png := good[0].data
	zeros := make([]byte, expansionFloor+1<<20)
	copy(zeros, png) // sniffed as an image

	bomb := member{"bomb.png", zeros}
	zipped := zipOf(t, append(good, bomb)...)
	ball := tarOf(t, append(good, bomb)...)
	t.Run("zip entry", func(t *testing.T) {
		s := mustOpen(t, fileOf(t, "a.zip", zipped), Options{})
		wantSkipped(t, s, "bomb.png", "more than 200 times its size: it looks like a decompression bomb")
	})
	t.Run("zip entry above the cap", func(t *testing.T) {
		s := mustOpen(t, fileOf(t, "a.zip", zipped), Options{MaxFileBytes: 1 << 20})
		wantSkipped(t, s, "bomb.png", fmt.Sprintf("it decompresses to %d bytes, more than the 1048576", len(zeros)))
	})
	t.Run("tar.gz", func(t *testing.T) {
		p := fileOf(t, "a.tar.gz", gzipped(t, ball))
		err := wantError(t, p, Options{}, p, "looks like a decompression bomb; the limit is 200")
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Errorf("error %v is not a LimitError", err)
		}
	})
	t.Run("tar.zst", func(t *testing.T) {
		p := fileOf(t, "a.tar.zst", zstandard(t, ball))
		wantError(t, p, Options{}, "looks like a decompression bomb")
	})
	t.Run("total", func(t *testing.T) {
		for _, p := range []string{
			fileOf(t, "a.tar", tarOf(t, good...)),
			fileOf(t, "a.tar.gz", gzipped(t, tarOf(t, good...))),
			fileOf(t, "a.zip", zipOf(t, good...)),
		} {
			wantError(t, p, Options{MaxArchiveBytes: 1000}, p, "bytes; the limit is 1000: split it")
		}
	})
	t.Run("count", func(t *testing.T) {
		for _, p := range []string{fileOf(t, "a.tar", tarOf(t, good...)), fileOf(t, "a.zip", zipOf(t, good...))} {
			wantError(t, p, Options{MaxImages: 3}, p, "entries; the limit is 3: unpack it and choose a folder of it")
		}
	})
	t.Run("entry above the cap", func(t *testing.T) {
		s := mustOpen(t, fileOf(t, "a.tar", ball), Options{MaxFileBytes: 1 << 20})
		wantSkipped(t, s, "bomb.png", "more than the 1048576 that one file may have")
	})
}

// TestZipSharedData refuses an archive whose entries all lead to the same
// data, each of which is harmless.
func TestZipSharedData(t *testing.T) {
	const entries, size = 90, 1 << 20
	blob := make([]byte, size)
	copy(blob, someImages(t)[0].data)
	one := zipOf(t, member{"a.png", blob})
	end := bytes.LastIndex(one, []byte("PK\x05\x06"))
	start := int(binary.LittleEndian.Uint32(one[end+16:]))
	directory, tail := one[start:end], bytes.Clone(one[end:])
	b := bytes.Clone(one[:start])
	for range entries {
		b = append(b, directory...)
	}
	binary.LittleEndian.PutUint16(tail[8:], entries)
	binary.LittleEndian.PutUint16(tail[10:], entries)
	binary.LittleEndian.PutUint32(tail[12:], uint32(entries*len(directory)))
	wantError(t, fileOf(t, "a.zip", append(b, tail...)), Options{}, "looks like a decompression bomb")
}

func TestEncryptedEntry(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range someImages(t) {
		h := &zip.FileHeader{Name: f.name, Method: zip.Store}
		if f.name == "cat/a.png" {
			h.Flags = 1
		}
		e, err := w.CreateHeader(h)
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
	wantSkipped(t, mustOpen(t, fileOf(t, "a.zip", b.Bytes()), Options{}), "cat/a.png", "it is encrypted")
}

func TestTarSpecialEntries(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Name: "cat/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "cat/link.png", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"},
		{Name: "cat/hard.png", Typeflag: tar.TypeLink, Linkname: "cat/a.png"},
		{Name: "cat/pipe.png", Typeflag: tar.TypeFifo},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, fileOf(t, "a.tar", append(b.Bytes(), tarOf(t, someImages(t)...)...)), Options{})
	if s.Len() != 4 || len(s.Skipped) != 2 || s.Skipped[0].Name != "cat/hard.png" || s.Skipped[1] != (Skip{"cat/link.png", errLinked.Error()}) {
		t.Errorf("read %v, skipped %v", s.Names, s.Skipped)
	}
}

// An archive that was added to holds an image twice, and unpacks to the later one.
func TestLaterEntriesTakeThePlaceOfEarlierOnes(t *testing.T) {
	dark, light := encodePNG(t, image.NewGray(image.Rect(0, 0, 8, 8))), encodePNG(t, shaded(8, 8, 1))
	files := []member{{"a.png", dark}, {"b.png", dark}, {"a.png", light}}
	for _, p := range []string{fileOf(t, "a.zip", zipOf(t, files...)), fileOf(t, "a.tar", tarOf(t, files...))} {
		s := mustOpen(t, p, Options{})
		if s.Len() != 2 || s.Found != 2 || slices.Max(s.Image(0)) == 0 {
			t.Errorf("%s: read %v of %d, the first as bright as %d", filepath.Base(p), s.Names, s.Found, slices.Max(s.Image(0)))
		}
	}
}

func TestDamagedArchives(t *testing.T) {
	files := someImages(t)
	ball := tarOf(t, files...)
	zipped := zipOf(t, files...)

	// What comes before the damage is used, and the damage is told.
	cut := len(ball) - 1024 - 3*512 // within the last image
	for name, data := range map[string][]byte{"a.tar": ball[:cut], "a.tar.zst": zstandard(t, ball[:cut])} {
		p := fileOf(t, name, data)
		s := mustOpen(t, p, Options{})
		if s.Len() < 1 || s.Len() > 3 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], p+" is damaged, and what follows the damage is left out: unexpected EOF") {
			t.Errorf("%s: %d images, warnings %q", name, s.Len(), s.Warnings)
		}
	}
	packed := gzipped(t, ball)
	s := mustOpen(t, fileOf(t, "a.tar.gz", packed[:len(packed)*3/4]), Options{})
	if s.Len() < 1 || len(s.Warnings) != 1 {
		t.Errorf("cut tar.gz: %d images, warnings %q", s.Len(), s.Warnings)
	}

	photos, err := OpenPhotos(context.Background(), fileOf(t, "a.tar.gz", packed[:len(packed)*3/4]), Options{})
	if err != nil || photos.Len() < 1 || len(photos.Warnings) != 1 || !strings.Contains(photos.Warnings[0], "is damaged") {
		t.Errorf("photographs of a cut tar.gz: %v, warnings %q", err, photos.Warnings)
	}

	wantError(t, fileOf(t, "a.zip", zipped[:len(zipped)-30]), Options{}, "a.zip: damaged zip archive")
	wantError(t, fileOf(t, "a.tar", ball[:600]), Options{}, "a.tar", "damaged")
	wantError(t, fileOf(t, "a.tar.gz", packed[:8]), Options{}, "a.tar.gz", "damaged gzip file")
}

// A sparse entry claims any size in a few bytes.
func TestSparseEntries(t *testing.T) {
	if !sparse(&tar.Header{PAXRecords: map[string]string{"GNU.sparse.major": "1"}}) || sparse(&tar.Header{PAXRecords: map[string]string{"path": "a"}}) {
		t.Error("sparse entries are not told from others")
	}
}

// Arrays count together, and so do their images.
func TestArraysTogether(t *testing.T) {
	blocks := []*raw{{pixels: make([]uint8, 60)}, {pixels: make([]uint8, 60)}}
	var limit *LimitError
	if err := held(blocks, "x", Options{MaxBytes: 100}); !errors.As(err, &limit) {
		t.Errorf("120 bytes of 100: %v", err)
	}
	s := &Set{Source: "x"}
	if err := s.adopt(context.Background(), []*raw{{name: "a", n: 60, height: 1, width: 1, channels: 1, pixels: make([]uint8, 60)}}, nil, Options{MaxImages: 50, MaxBytes: 100}); !errors.As(err, &limit) {
		t.Errorf("60 images of 50: %v", err)
	}
}

// TestChecksums changes what only a checksum can tell.
func TestChecksums(t *testing.T) {
	wrong := func(data []byte) []byte {
		packed := gzipped(t, data)
		packed[len(packed)-6] ^= 1 // of the checksum's four bytes
		return packed
	}
	wantError(t, fileOf(t, "images-idx3.gz", wrong(idxOf(counting(128), 2, 8, 8))), Options{}, "the end after the array of shape [2 8 8] is damaged: gzip: invalid checksum")
	wantError(t, fileOf(t, "a.npy.gz", wrong(npyOf(t, make([]uint8, 128), 2, 8, 8))), Options{}, "is damaged: gzip: invalid checksum")
	padded := append(gzipped(t, idxOf(counting(128), 2, 8, 8)), make([]byte, 512)...)
	if s := mustOpen(t, fileOf(t, "images-idx3.gz", padded), Options{}); s.Len() != 2 {
		t.Errorf("%d images of a file with zeros at its end", s.Len())
	}
	s := mustOpen(t, fileOf(t, "a.tar.gz", wrong(tarOf(t, someImages(t)...))), Options{})
	if s.Len() != len(mustOpen(t, fileOf(t, "b.tar", tarOf(t, someImages(t)...)), Options{}).Names) ||
		len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "invalid checksum") {
		t.Errorf("%d images, warnings %q", s.Len(), s.Warnings)
	}
}

// TestTarWarningIsKept reads a damaged archive twice by way of the cache.
func TestTarWarningIsKept(t *testing.T) {
	ball := tarOf(t, someImages(t)...)
	p := fileOf(t, "a.tar", ball[:len(ball)-1024-512])
	o := Options{CacheDir: t.TempDir()}
	for _, cached := range []bool{false, true} {
		s, err := Open(context.Background(), p, o)
		if err != nil {
			t.Fatal(err)
		}
		if s.FromCache != cached || len(s.Warnings) != 1 {
			t.Errorf("from cache %t, warnings %q", s.FromCache, s.Warnings)
		}
	}
}
