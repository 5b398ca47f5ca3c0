package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// No result takes the place of what it is made from, whatever way leads there.
func TestInputsAreSpared(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.png", i)), pngBytes(t, blob(i)))
	}
	list := filepath.Join(dir, "list.csv")
	write(t, list, []byte("0.png,a\n1.png,b\n"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skipf("links cannot be made here: %v", err)
	}
	before := contents(t, dir)
	model := trained(t)
	for _, args := range [][]string{
		{"reconstruct", model, dir, "--out", dir},
		{"reconstruct", model, filepath.Join(dir, "0.png"), "--out", link},
		{"encode", model, list, "--out", list},
		{"encode", model, list, "--out", filepath.Join(link, "list.csv")},
		{"augment", filepath.Join(dir, "0.png"), "--out", filepath.Join(link, "0.png")},
		{"augment", dir, "--out", filepath.Join(link, "2.png")},
		{"augment", list, "--out", filepath.Join(dir, "1.png")},
		{"reconstruct", model, list, "--out", dir},
		{"augment", filepath.Dir(link), "--out", filepath.Join(dir, "2.png")},
	} {
		invoke(t, args...).want(t, exitUsage, "would take the place of a file that it is made from")
	}
	if after := contents(t, dir); after != before {
		t.Errorf("the inputs were\n%s\nand are\n%s", before, after)
	}
	// Codes in a folder of images take nothing's place, the second time neither.
	for range 2 {
		succeed(t, "encode", model, dir, "--out", filepath.Join(dir, "z.npy"))
	}
}

// contents lists the files of a folder with their contents.
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all += fmt.Sprintf("%s %x\n", e.Name(), text)
	}
	return all
}
