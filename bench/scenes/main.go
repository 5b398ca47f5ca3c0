// Command scenes draws images to try segmentation on: things of the built-in
// set, each in a colour of its own, strewn over a rough ground, and for each
// image the labels of its pixels. Those for the test show things that the others
// do not.
//
//	go run ./bench/scenes DIR
//	go run ./bench/scenes -picture OUT.png DIR PARTS
//
// The second lays images of DIR's test beside what hourglass segment has written
// to PARTS and the labels: docs/parts.png.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	xdraw "golang.org/x/image/draw"

	"hourglass/bench/picture"
	"hourglass/data"
)

const (
	side  = 128 // pixels of a scene
	seed  = 5
	least = 24 // the grey level, 0–255, from which on a pixel of the set is a thing's
)

// parts are the folders and how many scenes each has.
var parts = []struct {
	name   string
	scenes int
}{{"train", 400}, {"val", 40}, {"test", 60}}

// kinds are the classes of the labels. Each is one or more classes of the set,
// whose numbers are those of Fashion-MNIST.
var kinds = []struct {
	name   string
	colour color.RGBA
	of     []int32
}{
	{"ground", color.RGBA{40, 40, 48, 255}, nil},
	{"top", color.RGBA{230, 159, 0, 255}, []int32{0, 2, 4, 6}},
	{"trousers", color.RGBA{86, 180, 233, 255}, []int32{1}},
	{"dress", color.RGBA{204, 121, 167, 255}, []int32{3}},
	{"shoe", color.RGBA{0, 158, 115, 255}, []int32{5, 7, 9}},
	{"bag", color.RGBA{213, 94, 0, 255}, []int32{8}},
}

func main() {
	picture := flag.String("picture", "", "picture to lay out, instead of drawing scenes")
	flag.Parse()
	var err error
	switch {
	case *picture != "" && flag.NArg() == 2:
		err = layOut(*picture, flag.Arg(0), flag.Arg(1))
	case *picture == "" && flag.NArg() == 1:
		err = drawAll(flag.Arg(0))
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scenes:", err)
		os.Exit(1)
	}
}

func drawAll(dir string) error {
	set, err := data.Open(context.Background(), "fashion", data.Options{})
	if err != nil {
		return err
	}
	learn, heldOut := set.Split(data.SplitOptions{})
	every := len(learn) / 10 // the first tenth is for choosing
	for i, part := range parts {
		things := [][]int{learn[every:], learn[:every], heldOut}[i]
		for _, sub := range []string{"images", "labels"} {
			if err := os.MkdirAll(filepath.Join(dir, part.name, sub), 0o777); err != nil {
				return err
			}
		}
		for n := range part.scenes {
			photo, labels := scene(set, things, rand.New(rand.NewPCG(seed, uint64(i*1000+n))))
			name := fmt.Sprintf("%03d.png", n)
			if err := picture.Write(filepath.Join(dir, part.name, "images", name), photo); err != nil {
				return err
			}
			if err := picture.Write(filepath.Join(dir, part.name, "labels", name), labels); err != nil {
				return err
			}
		}
	}
	var list strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&list, "%s #%02x%02x%02x\n", k.name, k.colour.R, k.colour.G, k.colour.B)
	}
	return os.WriteFile(filepath.Join(dir, "classes.txt"), []byte(list.String()), 0o666)
}

// scene draws some of the things one over another.
func scene(set *data.Set, things []int, r *rand.Rand) (*image.RGBA, *image.Gray) {
	photo, labels := ground(r), image.NewGray(image.Rect(0, 0, side, side))
	for range 4 + r.IntN(5) {
		thing := things[r.IntN(len(things))]
		pixels := &image.Gray{Pix: set.Image(thing), Stride: set.Width, Rect: image.Rect(0, 0, set.Width, set.Height)}
		size := 32 + r.IntN(33)
		scaled := image.NewGray(image.Rect(0, 0, size, size))
		xdraw.CatmullRom.Scale(scaled, scaled.Bounds(), pixels, pixels.Bounds(), draw.Src, nil)
		x0, y0 := r.IntN(side)-size/2, r.IntN(side)-size/2
		tint := [3]float64{0.3 + 0.7*r.Float64(), 0.3 + 0.7*r.Float64(), 0.3 + 0.7*r.Float64()}
		for y := range size {
			for x := range size {
				v, at := scaled.GrayAt(x, y).Y, image.Pt(x0+x, y0+y)
				if v < least || !at.In(labels.Rect) {
					continue
				}
				labels.SetGray(at.X, at.Y, color.Gray{kindOf(set.Labels[thing])})
				shade := 40 + 0.84*float64(v)
				photo.SetRGBA(at.X, at.Y, color.RGBA{uint8(shade * tint[0]), uint8(shade * tint[1]), uint8(shade * tint[2]), 255})
			}
		}
	}
	for i, v := range photo.Pix {
		if i%4 != 3 {
			photo.Pix[i] = uint8(min(max(float64(v)+6*r.NormFloat64(), 0), 255))
		}
	}
	return photo, labels
}

// ground draws waves of two colours in a few directions.
func ground(r *rand.Rand) *image.RGBA {
	photo := image.NewRGBA(image.Rect(0, 0, side, side))
	type wave struct{ x, y, phase float64 }
	waves := make([]wave, 6)
	for i := range waves {
		a, f := 2*math.Pi*r.Float64(), 0.03*math.Pow(1.8, float64(i))
		waves[i] = wave{f * math.Cos(a), f * math.Sin(a), 2 * math.Pi * r.Float64()}
	}
	var from, to [3]float64
	for c := range 3 {
		from[c], to[c] = 200*r.Float64(), 200*r.Float64()
	}
	for y := range side {
		for x := range side {
			share := 0.5
			for i, w := range waves {
				share += 0.25 / float64(i+1) * math.Sin(w.x*float64(x)+w.y*float64(y)+w.phase)
			}
			share = min(max(share, 0), 1)
			mix := func(c int) uint8 { return uint8(from[c] + share*(to[c]-from[c])) }
			photo.SetRGBA(x, y, color.RGBA{mix(0), mix(1), mix(2), 255})
		}
	}
	return photo
}

func kindOf(label int32) uint8 {
	for k, kind := range kinds {
		for _, l := range kind.of {
			if l == label {
				return uint8(k)
			}
		}
	}
	return 0
}

const (
	scale = 2
	gap   = 6 // pixels between images, before scaling
)

// layOut draws a column for each image that PARTS has answers to: the image, the
// answer and the labels.
func layOut(out, dir, answers string) error {
	found, err := filepath.Glob(filepath.Join(answers, "*classes.png"))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("%s holds no *classes.png", answers)
	}
	palette := make(color.Palette, len(kinds))
	for i, k := range kinds {
		palette[i] = k.colour
	}
	const rows = 3
	sheet := image.NewRGBA(image.Rect(0, 0, scale*(len(found)*(side+gap)-gap), scale*(rows*(side+gap)-gap)))
	draw.Draw(sheet, sheet.Bounds(), image.White, image.Point{}, draw.Src)
	for column, answer := range found {
		words := strings.Split(strings.TrimSuffix(filepath.Base(answer), "-classes.png"), "-")
		name := words[len(words)-1] + ".png"
		for row, path := range []string{filepath.Join(dir, "test", "images", name), answer, filepath.Join(dir, "test", "labels", name)} {
			m, err := picture.Read(path)
			if err != nil {
				return err
			}
			if labels, ok := m.(*image.Gray); ok {
				m = &image.Paletted{Pix: labels.Pix, Stride: labels.Stride, Rect: labels.Rect, Palette: palette}
			}
			at := image.Rect(0, 0, scale*side, scale*side).Add(image.Pt(column*scale*(side+gap), row*scale*(side+gap)))
			xdraw.NearestNeighbor.Scale(sheet, at, m, m.Bounds(), draw.Src, nil)
		}
	}
	return picture.Write(out, sheet)
}
