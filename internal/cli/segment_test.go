package cli

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hourglass/task/segment"
	"hourglass/train/run"
)

// scenes makes a source of n images, a bright rectangle on a dark ground, with
// labels of 0 and 3, and a file of classes. It returns the folder.
func scenes(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		img, label := image.NewNRGBA(image.Rect(0, 0, 20, 16)), image.NewGray(image.Rect(0, 0, 20, 16))
		for y := range 16 {
			for x := range 20 {
				v := uint8(30 + (x*7+y*3+i)%20)
				if x >= i%10 && x < i%10+8 && y >= i%6 && y < i%6+8 {
					v += 180
					label.SetGray(x, y, color.Gray{Y: 3})
				}
				img.SetNRGBA(x, y, color.NRGBA{v, v / 2, v, 255})
			}
		}
		write(t, filepath.Join(dir, "images", fmt.Sprintf("%02d.png", i)), pngBytes(t, img))
		write(t, filepath.Join(dir, "labels", fmt.Sprintf("%02d.png", i)), pngBytes(t, label))
	}
	write(t, filepath.Join(dir, "classes.txt"), []byte("ground\n3 box #ff0000\n"))
	return dir
}

func TestSegment(t *testing.T) {
	source, dir := scenes(t, 20), filepath.Join(t.TempDir(), "run")
	args := []string{"train", "segment", source, "--width", "4", "--epochs", "20", "--batch", "4", "--lr", "0.01", "--augment", "none", "--no-cache", "--out", dir, "--json"}
	var r segment.Result
	decodeOne(t, succeed(t, args...).stdout, &r)
	if r.Images != 20 || r.Classes != 2 || r.HeldOut.MIoU < 0.7 || r.Model != filepath.Join(dir, run.ModelFile) || r.Seconds.Total <= 0 || len(r.HeldOut.Classes) != 2 {
		t.Errorf("train segment says %+v", r)
	}
	page, err := os.ReadFile(r.Report)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Held-out mIoU", "The worst cases", "Class by class", "box", "hourglass train segment"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the report lacks %q", part)
		}
	}

	out := t.TempDir()
	images := filepath.Join(source, "images")
	var s segmented
	decodeOne(t, succeed(t, "segment", "--model", dir, images, "--out", out, "--json").stdout, &s)
	if s.Images != 20 || s.Skipped != 0 || len(s.Each) != 20 {
		t.Fatalf("segment says %+v", s)
	}
	first := s.Each[0]
	indices, ok := readPNG(t, filepath.Join(out, first.Classes)).(*image.Paletted)
	if !ok || indices.Bounds() != image.Rect(0, 0, 20, 16) {
		t.Fatal("the classes are no palette picture of the image's size")
	}
	right, cut := 0, readPNG(t, filepath.Join(out, first.Cutout))
	label := readPNG(t, filepath.Join(source, "labels", "00.png")).(*image.Gray)
	for i, v := range indices.Pix {
		x, y := i%20, i/20
		if v != 0 && v != 3 {
			t.Fatalf("pixel %d has the value %d, which no label has", i, v)
		}
		if v == label.Pix[i] {
			right++
		}
		if _, _, _, alpha := cut.At(x, y).RGBA(); (alpha == 0xffff) != (v == 3) {
			t.Fatalf("pixel %d of class %d has alpha %d", i, v, alpha)
		}
	}
	if right < 20*16*8/10 {
		t.Errorf("%d of %d pixels are right", right, 20*16)
	}
	if r, _, _, _ := indices.Palette[3].RGBA(); r != 0xffff {
		t.Errorf("the class's colour is %v", indices.Palette[3])
	}
	if m := readPNG(t, filepath.Join(out, first.Overlay)); m.Bounds() != image.Rect(0, 0, 20, 16) {
		t.Errorf("the overlay has %v", m.Bounds())
	}

	text := succeed(t, "segment", "--model", r.Model, filepath.Join(images, "00.png"), "--out", out, "--keep", "ground", "--scale", "2", "--tta", "none").stdout
	if !strings.Contains(text, "3 pictures in") {
		t.Errorf("segment writes %q", text)
	}
	if shown := succeed(t, "show", dir).stdout; !strings.Contains(shown, "2 classes: ground, box") {
		t.Errorf("show writes %q", shown)
	}
	model, err := os.ReadFile(r.Model)
	if err != nil {
		t.Fatal(err)
	}
	var again segment.Result
	decodeOne(t, succeed(t, "resume", dir, "--no-cache", "--json").stdout, &again)
	if same, err := os.ReadFile(r.Model); err != nil || !slices.Equal(same, model) || again.HeldOut.MIoU != r.HeldOut.MIoU {
		t.Error("a finished run, resumed, gives another model or other scores")
	}
}

func TestSegmentMistakes(t *testing.T) {
	source, out := scenes(t, 4), t.TempDir()
	autoencoder := filepath.Join(trained(t), run.ModelFile)
	invoke(t, "segment", "--model", autoencoder, filepath.Join(source, "images"), "--out", out).
		want(t, exitFailed, `trained for the task "autoencode", not "segment"`)
	invoke(t, "segment", "--model", autoencoder, source).want(t, exitUsage, "--out is missing")
	invoke(t, "segment", source, "--out", out).want(t, exitUsage, "--model is missing")
	invoke(t, "segment", "--model", autoencoder, source, "--out", out, "--scale", "-1").want(t, exitUsage, "--scale -1")
	invoke(t, "segment", "--model", autoencoder, source, "--out", out, "--tta", "twice").want(t, exitUsage, "--tta twice: choose one of none, scale")

	train := func(args ...string) ended {
		return invoke(t, append([]string{"train", "segment"}, args...)...)
	}
	train().want(t, exitUsage, "SOURCE is missing")
	train(source, "--net", "deep").want(t, exitUsage, "--net deep: choose one of fast, unet")
	train(source, "--names", "a,b", "--classes", "x").want(t, exitUsage, "give one of them")
	train(source, "--names", "a,b,c", "--no-cache", "--out", filepath.Join(out, "r")).want(t, exitFailed, "value 3", "is that of no class")
	train(filepath.Join(source, "images")).want(t, exitFailed, "give a folder with images/ and labels/")
	if err := os.Remove(filepath.Join(source, "labels", "02.png")); err != nil {
		t.Fatal(err)
	}
	train(source, "--no-cache").want(t, exitFailed, "the image images/02.png has no label")
	write(t, filepath.Join(source, "labels", "02.png"), pngBytes(t, image.NewGray(image.Rect(0, 0, 9, 9))))
	train(source, "--no-cache").want(t, exitFailed, "labels/02.png", "it has 9×9 pixels and its image 20×16")
	write(t, filepath.Join(source, "labels", "02.png"), pngBytes(t, image.NewGray(image.Rect(0, 0, 20, 16))))
	train(source, "--no-cache", "--ignore", "0", "--names", "box").want(t, exitFailed, "of no class")
	train(source, "--no-cache", "--names", "ground,x,y,box", "--ignore", "300").want(t, exitUsage, "--ignore 300")
}
