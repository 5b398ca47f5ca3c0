package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/internal/random"
)

// ended is what an invocation of the program left.
type ended struct {
	code           int
	stdout, stderr string
}

// invoke runs the program in this process.
func invoke(t *testing.T, args ...string) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(t.Context(), args, &stdout, &stderr)
	return ended{code, stdout.String(), stderr.String()}
}

// succeed runs the program and fails the test unless that succeeds.
func succeed(t *testing.T, args ...string) ended {
	t.Helper()
	e := invoke(t, args...)
	if e.code != exitDone {
		t.Fatalf("hourglass %s: exit code %d\n%s", strings.Join(args, " "), e.code, e.stderr)
	}
	return e
}

// want fails the test unless the program ended with a code, with nothing on
// standard output, and with a first line of error that has every part.
func (e ended) want(t *testing.T, code int, parts ...string) {
	t.Helper()
	if e.code != code {
		t.Errorf("exit code %d, want %d\n%s", e.code, code, e.stderr)
	}
	if e.stdout != "" {
		t.Errorf("standard output has %q", e.stdout)
	}
	line := e.failure()
	for _, p := range parts {
		if !strings.Contains(line, p) {
			t.Errorf("message %q lacks %q", line, p)
		}
	}
}

// failure returns the line that says what failed.
func (e ended) failure() string {
	for line := range strings.Lines(e.stderr) {
		if strings.HasPrefix(line, "hourglass: ") {
			return strings.TrimSuffix(line, "\n")
		}
	}
	return ""
}

// decodeOne decodes the only JSON value that text holds.
func decodeOne(t *testing.T, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("more than one JSON value in %q", text)
	}
}

const side = 10 // of the images that tests learn from, in pixels

// blob draws a bright spot whose place and size depend on seed: images with a
// few degrees of freedom, of which a network can learn something.
func blob(seed int) *image.Gray {
	u := make([]float32, 3)
	random.Uniform(u, 7, uint64(seed), 0)
	m := image.NewGray(image.Rect(0, 0, side, side))
	cx, cy, r := 2+6*u[0], 2+6*u[1], 1.5+2*u[2]
	for y := range side {
		for x := range side {
			dx, dy := float32(x)-cx, float32(y)-cy
			m.SetGray(x, y, color.Gray{Y: uint8(250 / (1 + (dx*dx+dy*dy)/(r*r)))})
		}
	}
	return m
}

// folder makes a folder of n grey images; with labels, they lie in two
// sub-folders.
func folder(t testing.TB, n int, labels bool) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		name := fmt.Sprintf("%03d.png", i)
		if labels {
			name = filepath.Join([]string{"left", "right"}[i%2], name)
		}
		write(t, filepath.Join(dir, name), pngBytes(t, blob(i)))
	}
	return dir
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

func pngBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// cutJPEG is the first half of a JPEG.
func cutJPEG(t testing.TB) []byte {
	m := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i >> 3)
	}
	b := jpegBytes(t, m)
	return b[:len(b)/2]
}

// small returns the arguments of a run that takes a moment.
func small(source, out string, more ...string) []string {
	return append([]string{"learn", source, "--arch", "dense", "--latent", "2", "--epochs", "2", "--batch", "8",
		"--no-cache", "--out", out}, more...)
}

// trained makes a small run and returns its folder.
func trained(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	succeed(t, small(folder(t, 24, false), dir, "--quiet")...)
	return dir
}

// onLine is a writer that calls f at the first line with a given text.
type onLine struct {
	text string
	f    context.CancelFunc
	all  bytes.Buffer
}

func (w *onLine) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.f()
	}
	return w.all.Write(p)
}
