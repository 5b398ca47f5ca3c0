package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/format/npy"
)

func idxOf(data []byte, dims ...uint32) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, data...)
}

func counting(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestIDX(t *testing.T) {
	pixels := counting(3 * 9 * 8)
	images := idxOf(pixels, 3, 9, 8)
	labels := idxOf([]byte{2, 0, 2}, 3)
	dir := folderOf(t,
		member{"train-images-idx3-ubyte", images}, member{"train-labels-idx1-ubyte", labels},
		member{"t10k-images-idx3-ubyte.gz", gzipped(t, images)}, member{"t10k-labels-idx1-ubyte.gz", gzipped(t, labels)})
	for name, part := range map[string]Part{"train-images-idx3-ubyte": PartTrain, "t10k-images-idx3-ubyte.gz": PartTest} {
		s := mustOpen(t, filepath.Join(dir, name), Options{})
		if s.Height != 9 || s.Width != 8 || s.Channels != 1 || !bytes.Equal(s.Pixels, pixels) {
			t.Errorf("%s: %d×%d×%d", name, s.Height, s.Width, s.Channels)
		}
		if got := fmt.Sprint(s.Labels, s.Classes, s.Parts, s.Names[2]); got != fmt.Sprintf("[2 0 2] [0 1 2] [%v %v %v]%s#00002", part, part, part, name) {
			t.Errorf("%s: %s", name, got)
		}
	}
	both := mustOpen(t, dir, Options{})
	train, heldout := both.Split(SplitOptions{})
	if both.Len() != 6 || fmt.Sprint(train, heldout) != "[3 4 5] [0 1 2]" {
		t.Errorf("the folder: %d images, %v to train on, %v held out", both.Len(), train, heldout)
	}
	small := mustOpen(t, filepath.Join(dir, "train-images-idx3-ubyte"), Options{Size: 4, RGB: true})
	if small.Height != 4 || small.Channels != 3 || small.Image(1)[0] != small.Image(1)[2] {
		t.Errorf("resized to %d×%d×%d", small.Height, small.Width, small.Channels)
	}
	wantError(t, filepath.Join(dir, "train-labels-idx1-ubyte"), Options{}, "it holds labels, not images")
	err := wantError(t, fileOf(t, "cut-images", images[:100]), Options{}, "cut-images: idx: offset 100: corrupt data: the file ends before")
	var format *FormatError
	if !errors.As(err, &format) || format.Offset != 100 {
		t.Errorf("error %v is not a FormatError at 100", err)
	}
	wantError(t, fileOf(t, "pair", idxOf(counting(6), 2, 3)), Options{}, "an array of shape [2 3] holds no images")
	wantError(t, fileOf(t, "none", idxOf(nil, 0, 3, 3)), Options{}, "no images found")
	wantError(t, fileOf(t, "two", idxOf(counting(18), 1, 3, 3, 2)), Options{}, "images of 2 channels: 1 or 3 are wanted")
}

func TestIDXLabelsThatDoNotFit(t *testing.T) {
	images := idxOf(counting(3*8*8), 3, 8, 8)
	for want, labels := range map[string][]byte{
		"their shape is [2], for 3 images": idxOf([]byte{1, 2}, 2),
		"corrupt data":                     []byte("labels?"),
	} {
		dir := folderOf(t, member{"images", images}, member{"labels", labels})
		s := mustOpen(t, filepath.Join(dir, "images"), Options{})
		if s.Labels != nil || s.Len() != 3 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "the labels in labels are left out: ") || !strings.Contains(s.Warnings[0], want) {
			t.Errorf("labels %v, warnings %q; want %q", s.Labels, s.Warnings, want)
		}
	}
}

// cifarRecord returns a record whose image is of one colour.
func cifarRecord(r, g, b byte, labels ...byte) []byte {
	for _, v := range []byte{r, g, b} {
		labels = append(labels, bytes.Repeat([]byte{v}, 1024)...)
	}
	return labels
}

func TestCIFAR(t *testing.T) {
	one := slices.Concat(cifarRecord(10, 20, 30, 3), cifarRecord(40, 50, 60, 9))
	two := cifarRecord(70, 80, 90, 0)
	files := []member{{"cifar/test_batch.bin", two}, {"cifar/data_batch_1.bin", one}, {"cifar/readme.html", []byte("text")}}
	dir := folderOf(t, files...)
	for _, p := range []string{dir, fileOf(t, "a.tar.gz", gzipped(t, tarOf(t, files...)))} {
		s := mustOpen(t, p, Options{})
		if got := fmt.Sprint(s.Len(), s.Height, s.Width, s.Channels, s.Labels, s.Parts, s.Classes[9]); got != "3 32 32 3 [3 9 0] [train train test]truck" {
			t.Errorf("%s: %s", filepath.Base(p), got)
		}
		near(t, s, 1, 31, 31, 0, 40, 50, 60)
		near(t, s, 2, 0, 0, 0, 70, 80, 90)
	}
	p := filepath.Join(dir, "cifar", "data_batch_1.bin")
	s := mustOpen(t, p, Options{Gray: true, Size: 8})
	if s.Channels != 1 || s.Height != 8 || s.Len() != 2 {
		t.Errorf("%d images of %d×%d×%d", s.Len(), s.Height, s.Width, s.Channels)
	}
	near(t, s, 0, 4, 4, 1, 18)
	wantError(t, fileOf(t, "data_batch_2.bin", cifarRecord(1, 2, 3, 200)), Options{}, "cifar: offset 0: corrupt data: label 200 is not below 10")

	hundred := folderOf(t,
		member{"train.bin", slices.Concat(cifarRecord(1, 2, 3, 4, 7), cifarRecord(1, 2, 3, 0, 1))},
		member{"fine_label_names.txt", []byte(strings.Repeat("thing\n", 99) + "last\n")})
	s = mustOpen(t, filepath.Join(hundred, "train.bin"), Options{})
	if len(s.Classes) != 100 || s.Classes[99] != "last" || fmt.Sprint(s.Labels) != "[7 1]" {
		t.Errorf("classes %v, labels %v", s.Classes, s.Labels)
	}
	both := []member{{"a/data_batch_1.bin", one}, {"b/train.bin", cifarRecord(1, 2, 3, 4, 7)}}
	for _, p := range []string{folderOf(t, both...), fileOf(t, "both.tar", tarOf(t, both...))} {
		wantError(t, p, Options{}, "data_batch_1.bin has labels of 10 classes, but ", "train.bin of 100: give one of them")
	}
	listed := slices.Concat(tarOf(t,
		member{"train.bin", cifarRecord(1, 2, 3, 4, 7)},
		member{"fine_label_names.txt", []byte(strings.Repeat("thing\n", 99) + "last\n")}))
	if s = mustOpen(t, fileOf(t, "a.tar", listed), Options{}); len(s.Classes) != 100 || s.Classes[99] != "last" {
		t.Errorf("classes %v from the archive", s.Classes)
	}
}

func npyOf[T float32 | int32 | uint8](t *testing.T, data []T, shape ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, shape, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNPY(t *testing.T) {
	pixels := counting(2 * 5 * 4 * 3)
	s := mustOpen(t, fileOf(t, "a.npy", npyOf(t, pixels, 2, 5, 4, 3)), Options{})
	if s.Len() != 2 || s.Height != 5 || s.Width != 4 || s.Channels != 3 || !bytes.Equal(s.Pixels, pixels) || s.Labels != nil {
		t.Errorf("%d images of %d×%d×%d", s.Len(), s.Height, s.Width, s.Channels)
	}
	s = mustOpen(t, fileOf(t, "a.npy.gz", gzipped(t, npyOf(t, pixels, 6, 5, 4))), Options{})
	if s.Len() != 6 || s.Channels != 1 || !bytes.Equal(s.Pixels, pixels) {
		t.Errorf("%d images of %d×%d×%d", s.Len(), s.Height, s.Width, s.Channels)
	}
	s = mustOpen(t, fileOf(t, "f.npy", npyOf(t, []float32{0, 1, 0.5, 0.25}, 1, 2, 2)), Options{})
	if !bytes.Equal(s.Pixels, []byte{0, 255, 128, 64}) {
		t.Errorf("floats became %v", s.Pixels)
	}
	long := make([]float32, 3*200*200) // more than a piece
	for i := range long {
		long[i] = float32(i%256) / 255
	}
	s = mustOpen(t, fileOf(t, "l.npy", npyOf(t, long, 3, 200, 200)), Options{})
	for i, v := range s.Pixels {
		if v != byte(i) {
			t.Fatalf("pixel %d is %d, want %d", i, v, byte(i))
		}
	}
	fortran := bytes.Replace(npyOf(t, []uint8{1, 2, 3, 4, 5, 6}, 1, 2, 3), []byte("'fortran_order': False"), []byte("'fortran_order': True "), 1)
	s = mustOpen(t, fileOf(t, "o.npy", fortran), Options{})
	if !bytes.Equal(s.Pixels, []byte{1, 3, 5, 2, 4, 6}) {
		t.Errorf("Fortran order became %v", s.Pixels)
	}

	wantError(t, fileOf(t, "a.npy", npyOf(t, []float32{0, 2}, 1, 1, 2)), Options{}, "a.npy: element 1 is 2, but floats must be in 0–1: scale the array, or save it as uint8")
	wantError(t, fileOf(t, "a.npy", npyOf(t, []int32{0, 2}, 1, 1, 2)), Options{}, "elements are int32: uint8 (0–255) or a float type (0–1) is wanted")
	wantError(t, fileOf(t, "a.npy", npyOf(t, pixels, 120)), Options{}, "an array of shape [120] holds no images")
	wantError(t, fileOf(t, "a.npy", npyOf(t, pixels, 2, 3, 5, 4)), Options{}, "where the channels come first, move them last")
	wantError(t, fileOf(t, "a.npy", npyOf(t, pixels, 2, 5, 4, 3)[:150]), Options{}, "npy: offset 150: corrupt data: the file ends before")
	wantError(t, fileOf(t, "a.npy.gz", gzipped(t, npyOf(t, pixels, 2, 5, 4, 3)[:150])), Options{}, "npy: offset 150: corrupt data: the array of shape [2 5 4 3] is cut short")
	wantError(t, fileOf(t, "a.npy", npyOf(t, pixels, 2, 5, 4, 3)), Options{MaxBytes: 100}, "takes more bytes than are allowed; the limit is 100")
	wantError(t, fileOf(t, "a.npy", npyOf(t, []uint8{}, 0, 5, 4)), Options{}, "no images found")
}

func TestFashion(t *testing.T) {
	s := mustOpen(t, "fashion", Options{})
	if s.Len() != 10000 || s.Height != 28 || s.Width != 28 || s.Channels != 1 || len(s.Classes) != 10 || s.Classes[9] != "Ankle boot" {
		t.Fatalf("%d images of %d×%d×%d, classes %v", s.Len(), s.Height, s.Width, s.Channels, s.Classes)
	}
	train, heldout := s.Split(SplitOptions{Seed: 3})
	if len(train) != 8000 || train[0] != 0 || train[7999] != 7999 || len(heldout) != 2000 || heldout[0] != 8000 {
		t.Errorf("%d to train on from %d, %d held out from %d", len(train), train[0], len(heldout), heldout[0])
	}
	var count [10]int
	for _, l := range s.Labels {
		count[l]++
	}
	for l, n := range count {
		if n < 900 || n > 1100 {
			t.Errorf("%d images of class %s", n, s.Classes[l])
		}
	}
	// The first image of the set is an ankle boot that begins in row 3.
	if s.Labels[0] != 9 || !bytes.Equal(s.Image(0)[:3*28], make([]byte, 3*28)) || s.Image(0)[3*28+12] != 1 {
		t.Errorf("the first image is not the one expected: class %d", s.Labels[0])
	}
	big := mustOpen(t, "fashion", Options{Size: 32, Threads: 2})
	if big.Height != 32 || big.Len() != 10000 || big.Fingerprint == s.Fingerprint {
		t.Errorf("%d images of %d×%d", big.Len(), big.Height, big.Width)
	}
}

// TestFashionFolder lets a folder of the name be read.
func TestFashionFolder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("fashion", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("fashion/a.png", encodePNG(t, shaded(9, 9, 0)), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), "./fashion", Options{NoCache: true})
	if err != nil || s.Len() != 1 {
		t.Errorf("./fashion: %v", err)
	}
}

func TestPartOf(t *testing.T) {
	for name, want := range map[string]Part{
		"train-images-idx3-ubyte": PartTrain, "t10k-images-idx3-ubyte.gz": PartTest, "emnist-letters-test-images": PartTest,
		"data_batch_5.bin": PartTrain, "test_batch.bin": PartTest, "x.val.npy": PartVal, "latest.npy": PartNone, "images.npy": PartNone,
	} {
		if got := partOf(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
