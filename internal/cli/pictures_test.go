package cli

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestPictures writes more pictures than may wait, with one thread and with more.
func TestPictures(t *testing.T) {
	for _, threads := range []int{0, 1, 3} {
		dir := t.TempDir()
		p := newPictures(threads)
		const n = 20
		file := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%d.png", i)) }
		for i := range n {
			m := image.NewGray(image.Rect(0, 0, 40, 30))
			m.SetGray(3, 5, color.Gray{uint8(i)})
			if err := p.write(file(i), m); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.done(); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			f, err := os.Open(file(i))
			if err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(f)
			f.Close()
			if err != nil || m.(*image.Gray).GrayAt(3, 5).Y != uint8(i) {
				t.Errorf("%d threads: picture %d came out wrong: %v", threads, i, err)
			}
		}
		if err := p.write(filepath.Join(dir, "missing", "a.png"), image.NewGray(image.Rect(0, 0, 1, 1))); threads == 1 && err == nil {
			t.Error("a picture was written to a folder that there is not")
		}
		if err := p.done(); err == nil {
			t.Errorf("%d threads: a picture that could not be written was not told of", threads)
		}
		if err := p.write(file(n), image.NewGray(image.Rect(0, 0, 1, 1))); err == nil {
			t.Errorf("%d threads: writing went on after a failure", threads)
		}
		_ = p.done()
	}
}
