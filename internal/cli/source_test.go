package cli

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/task/autoencode"
)

// hugePNG is the beginning of a PNG whose header promises 30,000×30,000
// pixels.
func hugePNG() []byte {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, 30_000)
	header = binary.BigEndian.AppendUint32(header, 30_000)
	header = append(header, 8, 2, 0, 0, 0) // 8 bits, RGB
	b := []byte("\x89PNG\r\n\x1a\n")
	b = binary.BigEndian.AppendUint32(b, uint32(len(header)-4))
	b = append(b, header...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(header))
}

func zipOf(t *testing.T, files map[string]io.Reader, order ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range order {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(f, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zeros is as many zero bytes as it says.
type zeros int64

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (z zeros) reader() io.Reader { return io.LimitReader(z, int64(z)) }

// A name may hold anything, and what is wrong is still said.
func TestErrorsOfOddNames(t *testing.T) {
	invoke(t, "learn", "dir\n\nx/nothere").want(t, exitFailed, "dir  x/nothere is neither a file or folder")
}

// A result says what was warned of, for those who read nothing else.
func TestWarningsAreInTheResult(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := range 12 {
		image := pngBytes(t, blob(i))
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d.png", i), Mode: 0o644, Size: int64(len(image))}), func() error { _, err := w.Write(image); return err }()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Flush(), z.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	cut := filepath.Join(t.TempDir(), "cut.tar.gz")
	write(t, cut, b.Bytes()[:b.Len()*3/4])
	var r struct {
		Images   int      `json:"images"`
		Warnings []string `json:"warnings"`
	}
	decodeOne(t, succeed(t, "encode", trained(t), cut, "--json", "--quiet", "--out", filepath.Join(t.TempDir(), "z.npy")).stdout, &r)
	if r.Images < 1 || r.Images > 11 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "damaged") {
		t.Errorf("%+v", r)
	}
}

// Nothing in these sources can be used: the command fails and says why.
func TestUnusableSources(t *testing.T) {
	cases := []struct {
		name  string
		files map[string][]byte
		want  []string
	}{
		{"empty folder", nil, []string{"no images found", "give a folder or archive"}},
		{"no images", map[string][]byte{"notes.txt": []byte("hello"), "data.csv": []byte("1,2\n")},
			[]string{"no images found", "give a folder or archive"}},
		{"truncated JPEG", map[string][]byte{"cut.jpg": cutJPEG(t)}, []string{"all 1 were skipped", "cut.jpg", "damaged JPEG"}},
		{"1×1", map[string][]byte{"dot.png": pngBytes(t, image.NewGray(image.Rect(0, 0, 1, 1)))},
			[]string{"all 1 were skipped", "dot.png", "1×1"}},
		{"30,000×30,000", map[string][]byte{"huge.png": hugePNG()}, []string{"all 1 were skipped", "huge.png", "30000×30000 pixels is more than"}},
		{"text called .png", map[string][]byte{"lie.png": []byte("this is no picture\n")}, []string{"all 1 were skipped", "lie.png", "its content is not JPEG"}},
		{"empty file", map[string][]byte{"nothing.jpg": nil}, []string{"all 1 were skipped", "nothing.jpg", "the file is empty"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "run")
			for name, content := range c.files {
				write(t, filepath.Join(dir, name), content)
			}
			invoke(t, small(dir, out)...).want(t, exitFailed, c.want...)
			if _, err := os.Stat(out); err == nil {
				t.Error("a folder was made for a run that could not begin")
			}
		})
	}
	t.Run("no such folder", func(t *testing.T) {
		invoke(t, small(filepath.Join(t.TempDir(), "gone"), t.TempDir())...).want(t, exitFailed, "gone", "check the name")
	})
	t.Run("text file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "notes.txt")
		write(t, path, []byte("hello"))
		invoke(t, small(path, t.TempDir())...).want(t, exitFailed, "notes.txt", "no image, archive")
	})
}

// What is broken in a source is named and skipped, and the rest is learnt
// from.
func TestBrokenImagesAreSkipped(t *testing.T) {
	dir := folder(t, 12, false)
	broken := map[string]string{"cut.jpg": "damaged JPEG", "dot.png": "1×1", "huge.png": "30000×30000", "lie.png": "its content is not"}
	write(t, filepath.Join(dir, "cut.jpg"), cutJPEG(t))
	write(t, filepath.Join(dir, "dot.png"), pngBytes(t, image.NewGray(image.Rect(0, 0, 1, 1))))
	write(t, filepath.Join(dir, "huge.png"), hugePNG())
	write(t, filepath.Join(dir, "lie.png"), []byte("this is no picture\n"))
	out := filepath.Join(t.TempDir(), "run")
	text := succeed(t, small(dir, out)...).stdout
	for name, reason := range broken {
		found := false
		for line := range strings.Lines(text) {
			found = found || strings.HasPrefix(line, "skipped "+name) && strings.Contains(line, reason)
		}
		if !found {
			t.Errorf("nothing says that %s was skipped for %q:\n%s", name, reason, text)
		}
	}
	if sum := readSummary(t, out); sum.Found != 12+len(broken) || len(sum.Skipped) != len(broken) {
		t.Errorf("%d found and %d skipped, want %d and %d", sum.Found, len(sum.Skipped), 12+len(broken), len(broken))
	}
}

// Sizes and modes of all kinds come together at one size, in colour.
func TestMixedSizesAndModes(t *testing.T) {
	dir := t.TempDir()
	cmyk, err := os.ReadFile(filepath.Join("..", "..", "data", "testdata", "cmyk.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	alpha, deep, deepColour := image.NewNRGBA(image.Rect(0, 0, 30, 20)), image.NewGray16(image.Rect(0, 0, 17, 33)), image.NewNRGBA64(image.Rect(0, 0, 12, 12))
	alpha.Set(3, 4, color.NRGBA{200, 30, 30, 100})
	deep.Set(5, 5, color.Gray16{Y: 0xabcd})
	deepColour.Set(1, 1, color.NRGBA64{1, 2, 60000, 0x8000})
	palette := image.NewPaletted(image.Rect(0, 0, 9, 50), color.Palette{color.Black, color.RGBA{255, 0, 0, 255}})
	for name, content := range map[string][]byte{
		"cmyk.jpg": cmyk, "alpha.png": pngBytes(t, alpha), "deep.png": pngBytes(t, deep), "deepcolour.png": pngBytes(t, deepColour),
		"palette.png": pngBytes(t, palette), "grey.png": pngBytes(t, blob(1)), "grey.jpg": jpegBytes(t, blob(2)),
	} {
		write(t, filepath.Join(dir, name), content)
	}
	var r autoencode.Result
	decodeOne(t, succeed(t, small(dir, filepath.Join(t.TempDir(), "run"), "--size", "12", "--json")...).stdout, &r)
	if r.Images != 7 || r.Skipped != 0 || r.Height != 12 || r.Width != 12 || r.Channels != 3 {
		t.Errorf("%d images of %d×%d×%d, %d skipped; want 7 of 12×12×3, 0 skipped", r.Images, r.Height, r.Width, r.Channels, r.Skipped)
	}
	decodeOne(t, succeed(t, small(dir, filepath.Join(t.TempDir(), "run"), "--size", "12", "--gray", "--json")...).stdout, &r)
	if r.Channels != 1 {
		t.Errorf("%d channels with --gray", r.Channels)
	}
}

func TestHostileArchives(t *testing.T) {
	t.Run("names that lead out", func(t *testing.T) {
		dir := t.TempDir()
		files, order := map[string]io.Reader{}, []string{"../outside.png", "/absolute.png"}
		for i, name := range order {
			files[name] = bytes.NewReader(pngBytes(t, blob(i)))
		}
		path := filepath.Join(dir, "in", "a.zip")
		write(t, path, zipOf(t, files, order...))
		invoke(t, small(path, filepath.Join(dir, "run"))...).want(t, exitFailed, "were skipped", "outside.png")
		for i := range 12 {
			name := string(rune('a'+i)) + ".png"
			files[name] = bytes.NewReader(pngBytes(t, blob(i)))
			order = append(order, name)
		}
		for _, name := range order[:2] {
			files[name] = bytes.NewReader(pngBytes(t, blob(0)))
		}
		write(t, path, zipOf(t, files, order...))
		var r autoencode.Result
		decodeOne(t, succeed(t, small(path, filepath.Join(dir, "run"), "--json")...).stdout, &r)
		if r.Images != 12 || r.Skipped != 2 {
			t.Errorf("%d images and %d skipped, want 12 and 2", r.Images, r.Skipped)
		}
		if _, err := os.Stat(filepath.Join(dir, "outside.png")); err == nil {
			t.Error("a file was written outside")
		}
	})
	t.Run("bomb", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "bomb.zip")
		write(t, path, zipOf(t, map[string]io.Reader{"bomb.png": zeros(80 << 20).reader()}, "bomb.png"))
		invoke(t, small(path, filepath.Join(t.TempDir(), "run"))...).want(t, exitFailed, "bomb.png", "decompression bomb")
	})
	t.Run("cut short", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cut.zip")
		whole := zipOf(t, map[string]io.Reader{"a.png": bytes.NewReader(pngBytes(t, blob(1)))}, "a.png")
		write(t, path, whole[:len(whole)/2])
		invoke(t, small(path, filepath.Join(t.TempDir(), "run"))...).want(t, exitFailed, "cut.zip", "damaged zip archive")
	})
}
