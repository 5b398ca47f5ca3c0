package cli

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hourglass/format/npy"
	"hourglass/format/safetensors"
	"hourglass/format/table"
	"hourglass/task/autoencode"
	"hourglass/train/run"
)

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

func greyAt(m image.Image, x, y int) int {
	r, _, _, _ := m.At(x, y).RGBA()
	return int(r >> 8)
}

// What encode writes decode turns into what reconstruct shows, beside the
// input, with the PSNR that the pictures have.
func TestEncodeDecodeReconstruct(t *testing.T) {
	model := filepath.Join(trained(t), run.ModelFile)
	images, dir := folder(t, 11, false), t.TempDir()
	codes, decodedDir, both := filepath.Join(dir, "z.npy"), filepath.Join(dir, "decoded"), filepath.Join(dir, "both")

	var e encoded
	decodeOne(t, succeed(t, "encode", model, images, "--out", codes, "--json").stdout, &e)
	if e.Images != 11 || e.Latent != 2 || e.Skipped != 0 || e.Out != codes {
		t.Errorf("encode says %+v", e)
	}
	raw, err := os.ReadFile(codes)
	if err != nil {
		t.Fatal(err)
	}
	z, err := npy.Read(bytes.NewReader(raw), npy.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if z.Shape[0] != 11 || z.Shape[1] != 2 || z.DType != npy.Float32 {
		t.Errorf("the codes are %v %v, want [11 2] float32", z.Shape, z.DType)
	}

	var d decoded
	decodeOne(t, succeed(t, "decode", model, codes, "--out", decodedDir, "--json").stdout, &d)
	if d.Images != 11 || d.Height != side || d.Width != side || d.Channels != 1 {
		t.Errorf("decode says %+v", d)
	}
	var r reconstructed
	decodeOne(t, succeed(t, "reconstruct", model, images, "--out", both, "--json").stdout, &r)
	if len(r.Each) != 11 || r.Images != 11 {
		t.Fatalf("reconstruct says %+v", r)
	}
	sum := 0.0
	for i, one := range r.Each {
		pair := readPNG(t, filepath.Join(both, one.File))
		alone := readPNG(t, filepath.Join(decodedDir, pictureName(i, 11, "")))
		if pair.Bounds().Dx() != 2*side+gap || pair.Bounds().Dy() != side {
			t.Fatalf("%s is %v", one.File, pair.Bounds())
		}
		original, mse := blob(i), 0.0
		for y := range side {
			for x := range side {
				in, out := greyAt(pair, x, y), greyAt(pair, x+side+gap, y)
				if want := greyAt(original, x, y); in != want {
					t.Fatalf("%s: input at %d,%d is %d, want %d", one.File, x, y, in, want)
				}
				if want := greyAt(alone, x, y); out != want {
					t.Fatalf("%s: output at %d,%d is %d, and decode says %d", one.File, x, y, out, want)
				}
				mse += float64((in-out)*(in-out)) / (255 * 255 * side * side)
			}
		}
		// The picture is rounded to 1/255, the figure is not.
		if math.Abs(autoencode.PSNR(mse)-one.PSNR) > 0.2 || math.Abs(autoencode.PSNR(one.MSE)-one.PSNR) > 1e-9 {
			t.Errorf("%s: PSNR %v, and the picture has %v", one.File, one.PSNR, autoencode.PSNR(mse))
		}
		sum += one.MSE
	}
	if math.Abs(sum/11-r.MSE) > 1e-12 || r.PSNR != autoencode.PSNR(r.MSE) {
		t.Errorf("mean MSE %v and PSNR %v do not follow from the images", r.MSE, r.PSNR)
	}
	text := succeed(t, "reconstruct", model, images, "--out", both).stdout
	if strings.Count(text, " dB") != 12 || !strings.Contains(text, "000.png") {
		t.Errorf("reconstruct prints\n%s", text)
	}
}

// Files, folders and what is broken may be mixed; a run's folder stands for
// its model.
func TestEncodeManyPaths(t *testing.T) {
	model, images := trained(t), folder(t, 3, false)
	single, colour := filepath.Join(t.TempDir(), "single.png"), filepath.Join(t.TempDir(), "colour.jpg")
	write(t, single, pngBytes(t, blob(50)))
	write(t, colour, jpegBytes(t, image.NewRGBA(image.Rect(0, 0, 31, 17))))
	lie := filepath.Join(t.TempDir(), "lie.png")
	write(t, lie, []byte("text"))
	out := filepath.Join(t.TempDir(), "z.csv")
	e := succeed(t, "encode", model, single, images, lie, colour, "--out", out)
	if !strings.Contains(e.stderr, "skipped "+lie) || !strings.Contains(e.stdout, "5 codes of k = 2") {
		t.Errorf("encode says\n%s%s", e.stderr, e.stdout)
	}
	table, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	decodedDir := t.TempDir()
	succeed(t, "decode", model, out, "--out", decodedDir)
	readPNG(t, filepath.Join(decodedDir, "0-single.png"))
	rows := strings.Split(strings.TrimSpace(string(table)), "\n")
	if len(rows) != 6 {
		t.Fatalf("the table has %d rows, want a head and 5:\n%s", len(rows), table)
	}
	for i, name := range []string{single, filepath.Join(images, "000.png"), filepath.Join(images, "001.png"), filepath.Join(images, "002.png"), colour} {
		if !strings.Contains(rows[i+1], filepath.ToSlash(name)) {
			t.Errorf("row %d is %q, want %s", i+1, rows[i+1], name)
		}
	}
	invoke(t, "encode", model, lie, lie, "--out", out).want(t, exitFailed, "none of the 2 paths", "lie.png")
	invoke(t, "encode", model, lie, "--out", out).want(t, exitFailed, "no images found", "lie.png")
	invoke(t, "encode", model, filepath.Join(images, "gone.png"), "--out", out).want(t, exitFailed, "gone.png", "check the name")
}

// Classes become labels of the rows.
func TestEncodeLabels(t *testing.T) {
	for _, name := range []string{"z.csv", "z.parquet"} {
		out := filepath.Join(t.TempDir(), name)
		succeed(t, "encode", trained(t), folder(t, 4, true), "--out", out)
		z, err := table.ReadFile(out, table.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want := &table.Table{Names: []string{"left/000.png", "left/002.png", "right/001.png", "right/003.png"},
			Labels: []string{"left", "left", "right", "right"}, Dim: 2, Values: z.Values}
		if diff := cmp.Diff(want, z); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

func TestWrongCodes(t *testing.T) {
	model, dir := trained(t), t.TempDir()
	path := filepath.Join(dir, "z.npy")
	for _, c := range []struct {
		shape []int
		want  string
	}{
		{[]int{4, 3}, "its rows have 3 numbers, and the model's codes 2"},
		{[]int{0, 2}, "it holds no codes"},
		{[]int{2, 2, 2}, "[2 2 2]"},
	} {
		var b bytes.Buffer
		n := 1
		for _, s := range c.shape {
			n *= s
		}
		if err := npy.Write(&b, c.shape, make([]float32, n)); err != nil {
			t.Fatal(err)
		}
		write(t, path, b.Bytes())
		invoke(t, "decode", model, path, "--out", dir).want(t, exitFailed, "z.npy", c.want)
	}
	table := filepath.Join(dir, "z.csv")
	for _, bad := range []string{"NaN", "inf", "-Inf"} {
		write(t, table, []byte("z0,z1\n1,2\n3,"+bad+"\n"))
		invoke(t, "decode", model, table, "--out", filepath.Join(dir, "none")).want(t, exitFailed, "z.csv", "row 1")
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder was made for codes that cannot be decoded")
	}
	write(t, path, []byte("hello"))
	invoke(t, "decode", model, path, "--out", dir).want(t, exitFailed, "cannot read the codes", "z.npy")
	invoke(t, "decode", model, "z.doc", "--out", dir).want(t, exitUsage, "z.doc", ".parquet")
	invoke(t, "decode", model, filepath.Join(dir, "gone.npy"), "--out", dir).want(t, exitFailed, "gone.npy")
}

// remade copies a model file with some of its metadata replaced.
func remade(t *testing.T, path string, change map[string]string) string {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tensors []safetensors.Tensor
	for _, info := range f.Tensors {
		values := make([]float32, info.Elements())
		if err := f.Float32s(info.Name, values); err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, safetensors.New(info.Name, info.Shape, values))
	}
	metadata := make(map[string]string)
	for key, value := range f.Metadata {
		metadata[key] = value
	}
	for key, value := range change {
		metadata[key] = value
	}
	out := filepath.Join(t.TempDir(), run.ModelFile)
	if err := safetensors.WriteFile(out, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWrongModels(t *testing.T) {
	good := filepath.Join(trained(t), run.ModelFile)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	cases := []struct {
		name, path string
		want       []string
	}{
		{"missing", filepath.Join(dir, "gone"), []string{"gone"}},
		{"empty", file("empty", nil), []string{"empty"}},
		{"text", file("text", []byte("I am no model, whatever my name may say")), []string{"text"}},
		{"cut in the header", file("cut1", whole[:200]), []string{"cut1"}},
		{"cut in the data", file("cut2", whole[:len(whole)-100]), []string{"cut2"}},
		{"newer version", remade(t, good, map[string]string{"version": "99"}), []string{`version "99"`, "update hourglass"}},
		{"another task", remade(t, good, map[string]string{"task": "fly"}), []string{`task "fly"`}},
		{"another program's", remade(t, good, map[string]string{"format": "pt"}), []string{"not written by hourglass"}},
		{"no architecture", remade(t, good, map[string]string{"architecture": "{"}), []string{"architecture"}},
		{"a folder without a run", dir, []string{run.ModelFile}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := invoke(t, "show", c.path)
			e.want(t, exitFailed, append(c.want, "cannot load the model")...)
			if !strings.Contains(e.stderr, "\ngive the model.safetensors") {
				t.Errorf("no advice in %q", e.stderr)
			}
		})
	}
}

func TestShow(t *testing.T) {
	t.Setenv("HOURGLASS_ISA", "generic") // its name is in the text
	out := filepath.Join(t.TempDir(), "run")
	images := folder(t, 24, false)
	succeed(t, small(images, out, "--quiet")...)
	// The record's last digits depend on the machine.
	path := remade(t, filepath.Join(out, run.ModelFile), map[string]string{
		"training": `{"epochs":[{"epoch":1,"step":2,"loss":0.25,"validation":0.2,"lr":0.003},{"epoch":2,"step":4,"loss":0.125,"validation":0.3,"lr":0.001}],"best_epoch":1,"stopped":"patience","parameters":1}`,
	})
	got := strings.ReplaceAll(succeed(t, "show", path).stdout, images, "IMAGES")
	golden(t, "show.txt", got)

	var s shownAutoencoder
	decodeOne(t, succeed(t, "show", path, "--json").stdout, &s)
	parameters, macs := 0, int64(0)
	for _, layers := range [][]shownLayer{s.Encoder, s.Decoder} {
		for _, l := range layers {
			parameters, macs = parameters+l.Parameters, macs+l.MACs
		}
	}
	if s.Parameters != parameters || s.MACs != macs || s.Latent != 2 || s.Config.Seed != 1 || len(s.Training.Epochs) != 2 {
		t.Errorf("show --json gives %+v", s)
	}
}

// TestPictureCannotBeWritten puts a folder where a picture is to go: that is
// an error, and no reason to remove the folder.
func TestPictureCannotBeWritten(t *testing.T) {
	model, dir := trained(t), t.TempDir()
	codes := filepath.Join(dir, "z.csv")
	write(t, codes, []byte("z0,z1\n1,2\n"))
	inTheWay := filepath.Join(dir, "out", "0.png")
	if err := os.MkdirAll(inTheWay, 0o777); err != nil {
		t.Fatal(err)
	}
	invoke(t, "decode", model, codes, "--out", filepath.Join(dir, "out")).want(t, exitFailed, inTheWay)
	if _, err := os.Stat(inTheWay); err != nil {
		t.Errorf("what was there before: %v", err)
	}
}

func TestPictureNames(t *testing.T) {
	for _, c := range []struct {
		i, n int
		name string
		want string
	}{
		{0, 1, "", "0.png"},
		{7, 200, "a/b/cat.jpg", "007-cat.png"},
		{7, 10, "7.png", "7.png"},
		{7, 8, "../../etc/pass wd:x.jpg", "7-pass-wd-x.png"},
		{1, 2, "...", "1.png"},
		{1, 2, "héron.tiff", "1-héron.png"},
		{1, 2, strings.Repeat("é", 300) + ".png", "1-" + strings.Repeat("é", 80) + ".png"},
	} {
		if got := pictureName(c.i, c.n, c.name); got != c.want {
			t.Errorf("picture %d of %d of %q is called %q, want %q", c.i, c.n, c.name, got, c.want)
		}
	}
}
