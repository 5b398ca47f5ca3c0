// Command mend draws docs/mended.png, the README's picture of a photograph
// mended: words over it and what hourglass inpaint makes of them, noise of
// σ = 25 and what hourglass denoise makes of it, with the models that are built
// in. The photograph is one of the Go source tree's.
//
//	go run ./bench/mend [OUT.png]
package main

import (
	"fmt"
	"image"
	"image/draw"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"hourglass/bench/picture"
)

const (
	sigma = 25
	scale = 2 // of the picture
	gap   = 6 // pixels between images, before scaling
)

func main() {
	out := "docs/mended.png"
	if len(os.Args) > 1 {
		out = os.Args[1]
	}
	if err := mend(out); err != nil {
		fmt.Fprintln(os.Stderr, "mend:", err)
		os.Exit(1)
	}
}

func mend(out string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	photo, err := picture.Read(filepath.Join(strings.TrimSpace(string(root)), "src/image/testdata/video-001.png"))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mend-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	in := func(name string) string { return filepath.Join(dir, name) }

	mask := image.NewGray(photo.Bounds())
	write(mask, 8, 30, "a few words written")
	write(mask, 8, 58, "over the photograph")
	harmed := clone(photo)
	draw.DrawMask(harmed, harmed.Bounds(), image.White, image.Point{}, alpha(mask), image.Point{}, draw.Over)
	noisy := clone(photo)
	noise := rand.New(rand.NewPCG(1, 1))
	for i, v := range noisy.Pix {
		if i%4 != 3 {
			noisy.Pix[i] = uint8(min(max(float64(v)+sigma*noise.NormFloat64()+0.5, 0), 255))
		}
	}
	for name, m := range map[string]image.Image{"mask.png": mask, "harmed.png": harmed, "noisy.png": noisy} {
		if err := picture.Write(in(name), m); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"inpaint", in("harmed.png"), "--mask", in("mask.png"), "--out", in("mended.png")},
		{"denoise", in("noisy.png"), "--out", in("clean")},
	} {
		c := exec.Command("go", append([]string{"run", "./cmd/hourglass"}, args...)...)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			return err
		}
	}
	size := photo.Bounds().Size()
	names := []string{"harmed.png", "mended.png", "noisy.png", "clean/noisy.png"}
	sheet := image.NewRGBA(image.Rect(0, 0, scale*(len(names)*(size.X+gap)-gap), scale*size.Y))
	draw.Draw(sheet, sheet.Bounds(), image.White, image.Point{}, draw.Src)
	for i, name := range names {
		m, err := picture.Read(in(name))
		if err != nil {
			return err
		}
		at := image.Rect(0, 0, scale*size.X, scale*size.Y).Add(image.Pt(i*scale*(size.X+gap), 0))
		xdraw.CatmullRom.Scale(sheet, at, m, m.Bounds(), draw.Src, nil)
	}
	return picture.Write(out, sheet)
}

func write(mask *image.Gray, x, y int, text string) {
	d := font.Drawer{Dst: mask, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// alpha returns a mask for drawing: opaque where m is white.
func alpha(m *image.Gray) *image.Alpha {
	return &image.Alpha{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
}

func clone(m image.Image) *image.NRGBA {
	c := image.NewNRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(c, c.Bounds(), m, m.Bounds().Min, draw.Src)
	return c
}
