package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/data/augment"
)

// The sheet has a row for each image and a column for each transformation, the
// images in it are the source's, and the same seed gives the same bytes.
func TestAugment(t *testing.T) {
	images := folder(t, 9, false)
	out := filepath.Join(t.TempDir(), "new", "sheet.png")
	args := []string{"augment", images, "--augment", "flip=1,shift=2,darken,border=zero", "--images", "3", "--json", "--out", out}
	var r augmented
	decodeOne(t, succeed(t, args...).stdout, &r)
	if r.Augment != "flip=1,shift=2,darken=0.5,border=zero" || r.Seed != 1 || r.Out != out || len(r.Rows) != 3 {
		t.Errorf("augment says %+v", r)
	}
	if len(r.Columns) != 4 || r.Columns[0].Augment != "flip=1,border=zero" || r.Columns[0].Changed != 3 || r.Columns[3].Augment != r.Augment {
		t.Errorf("the columns are %+v", r.Columns)
	}
	p, err := augment.Parse(r.Augment)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range r.Rows {
		want, err := json.Marshal(p.Draw(side, side, 1, 0, row.Index))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(row.Drawn); string(got) != string(want) || row.Index != 3*i {
			t.Errorf("row %d is image %d with %s, want %s", i, row.Index, got, want)
		}
	}
	sheet := readPNG(t, out)
	scale := sheetSide / side
	// The last row ends a gap above the sheet's end.
	top := sheet.Bounds().Dy() - 3*(side*scale+gap)
	left := gap // the pictures are wider than the head "original"
	for i, row := range r.Rows {
		original := blob(row.Index)
		for y := range side {
			for x := range side {
				got := greyAt(sheet, left+x*scale, top+i*(side*scale+gap)+y*scale)
				if want := greyAt(original, x, y); got != want {
					t.Fatalf("row %d, pixel %d,%d is %d, want %d", i, x, y, got, want)
				}
			}
		}
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if succeed(t, args...); !holds(t, out, first) {
		t.Error("the same command draws another sheet")
	}
	if succeed(t, append(args, "--seed", "2")...); holds(t, out, first) {
		t.Error("another seed draws the same sheet")
	}
}

func holds(t *testing.T, path string, want []byte) bool {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(got) == string(want)
}

// Without a list, whatever changes an image is shown: nothing that needs
// colour, where there is none.
func TestAugmentAll(t *testing.T) {
	out := filepath.Join(t.TempDir(), "sheet.png")
	var r augmented
	decodeOne(t, succeed(t, "augment", folder(t, 4, false), "--json", "--out", out).stdout, &r)
	var names []string
	for _, c := range r.Columns {
		name, _, _ := strings.Cut(c.Augment, "=")
		names = append(names, name)
		if c.Changed == 0 {
			t.Errorf("%s changes nothing and is shown", name)
		}
	}
	for _, name := range []string{"rotate", "skew", "crop", "darken", "contrast", "noise", "mixup", "cutmix"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing among %v", name, names)
		}
	}
	for _, name := range []string{"saturation", "hue", "grey"} {
		if slices.Contains(names, name) {
			t.Errorf("%s of grey images is shown", name)
		}
	}
	if text := succeed(t, "augment", folder(t, 4, false), "--out", out).stdout; !strings.Contains(text, "4 images of 10×10×1") {
		t.Errorf("augment prints %q", text)
	}
}

func TestAugmentRefuses(t *testing.T) {
	images, dir := folder(t, 2, false), t.TempDir()
	out := filepath.Join(dir, "sheet.png")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"augment", images}, exitUsage, "--out is missing"},
		{[]string{"augment", "--out", out}, exitUsage, "SOURCE is missing"},
		{[]string{"augment", images, "--out", "sheet.jpg"}, exitUsage, "--out sheet.jpg: name a file that ends in .png"},
		{[]string{"augment", images, "--out", filepath.Join(images, "000.png")}, exitUsage, "would take the place of a file that it is made from"},
		{[]string{"augment", images, "--out", out, "--augment", "melt"}, exitUsage, "melt: choose from flip"},
		{[]string{"augment", images, "--out", out, "--augment", "rotate=999"}, exitUsage, "rotate=999: choose a strength of 0 to 180"},
		{[]string{"augment", images, "--out", out, "--augment", "none"}, exitUsage, "there is nothing to show"},
		{[]string{"augment", images, "--out", out, "--images", "0"}, exitUsage, "--images 0: choose 1 to"},
		{[]string{"augment", images, "--out", out, "--size", "-1"}, exitUsage, "--size -1"},
		{[]string{"augment", filepath.Join(dir, "gone"), "--out", out}, exitFailed, "check the name"},
		{[]string{"augment", images, "--out", filepath.Join(images, "000.png", "sheet.png")}, exitFailed, "not a directory"},
	} {
		invoke(t, c.args...).want(t, c.code, c.want)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a command that fails leaves a sheet")
	}
}
