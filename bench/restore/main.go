// Command restore measures denoising and inpainting as the field does, and
// prints the tables as Markdown:
//
//	go run ./bench/restore [-data ../shared/data] [-task denoise|inpaint] [-denoise MODEL] [-inpaint MODEL] [-dump DIR]
//
// Denoising: CBSD68 and Kodak with Gaussian noise of σ = 15, 25 and 50, not
// clipped, seeds fixed, PSNR on results clipped to 0–1, beside the published
// figures (cszn/DPIR, figs/color_psnr.png). Inpainting: Kodak with 25% of the
// pixels missing, thin text, 10% in blocks of 4 to 88 pixels a side, and 10% in
// blocks of one size. Without -denoise and -inpaint
// the models that are built in are used. With -dump the harmed images, as bytes,
// are written for bench/peers/restore.py, which measures OpenCV on them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"hourglass/bench/picture"
	"hourglass/data"
	"hourglass/engine"
	"hourglass/quality"
	"hourglass/task/restore"
)

const seed = 68

func main() {
	root := flag.String("data", "../shared/data", "folder with cbsd68 and kodak")
	task := flag.String("task", "", "denoise or inpaint; both if not given")
	denoiser := flag.String("denoise", "", "model of train denoise")
	inpainter := flag.String("inpaint", "", "model of train inpaint")
	dump := flag.String("dump", "", "folder for harmed images")
	flag.Parse()
	if err := measure(*root, *task, *denoiser, *inpainter, *dump); err != nil {
		fmt.Fprintln(os.Stderr, "restore:", err)
		os.Exit(1)
	}
}

func measure(root, task, denoiser, inpainter, dump string) error {
	e, err := engine.New(engine.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	if task != "" && task != restore.Denoise && task != restore.Inpaint {
		return fmt.Errorf("-task %s: choose %s or %s", task, restore.Denoise, restore.Inpaint)
	}
	b := &bench{ctx: context.Background(), e: e, dump: dump}
	// A build may bring along one of the models only.
	for _, part := range []struct {
		task    string
		measure func() error
	}{
		{restore.Denoise, func() error { return b.denoising(root, denoiser) }},
		{restore.Inpaint, func() error { return b.inpainting(root, inpainter) }},
	} {
		if task != "" && task != part.task {
			continue
		}
		if err := part.measure(); errors.Is(err, restore.ErrNotShipped) {
			fmt.Fprintln(os.Stderr, "restore: left out:", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

type bench struct {
	ctx  context.Context
	e    *engine.Engine
	dump string
}

// load reads the model in a file, or the one that is built in.
func (b *bench) load(file, task string) (*restore.Model, error) {
	if file == "" {
		return restore.Shipped(b.e, task)
	}
	return restore.Load(b.e, file, task)
}

// published are PSNRs on CBSD68 and Kodak at σ = 15, 25, 50.
var published = map[string][2]string{
	"cbsd68": {"33.52 / 30.71 / 27.38", "33.87 / 31.21 / 27.96"},
	"kodak":  {"34.28 / 32.15 / 28.46", "34.63 / 32.13 / 28.98"},
}

func (b *bench) denoising(root, file string) error {
	m, err := b.load(file, restore.Denoise)
	if err != nil {
		return err
	}
	fmt.Println("| set | σ | noisy | restored, PSNR | MS-SSIM | megapixels/s | CBM3D, published 15 / 25 / 50 | FFDNet, published |")
	fmt.Println("|-|-|-|-|-|-|-|-|")
	for _, set := range []string{"cbsd68", "kodak"} {
		p, err := data.OpenPhotos(b.ctx, filepath.Join(root, set), data.Options{})
		if err != nil {
			return err
		}
		for _, sigma := range restore.Gaussian.Strengths() {
			t := &total{}
			for i := range p.Photos {
				f := &p.Photos[i]
				noisy := make([]float32, len(f.Pixels))
				if err := restore.Gaussian.Add(noisy, f.Pixels, f.Height, f.Width, sigma, false, seed, uint64(i)); err != nil {
					return err
				}
				begun := time.Now()
				back, err := m.Denoise(b.ctx, noisy, f.Height, f.Width)
				if err != nil {
					return err
				}
				t.seconds += time.Since(begun).Seconds()
				if err := t.add(f, noisy, back, b.e); err != nil {
					return err
				}
				if err := b.write(fmt.Sprintf("%s-%v", set, sigma), i, f, noisy, nil); err != nil {
					return err
				}
			}
			fmt.Printf("| %s | %v | %.2f | %.2f | %s | %.2f | %s | %s |\n", set, sigma, t.mean(t.before), t.mean(t.after), t.similarity(),
				t.pixels/1e6/t.seconds, published[set][0], published[set][1])
		}
	}
	return nil
}

// hole is a way to cut holes into images.
type hole struct {
	name, folder string
	cut          func(mask []float32, height, width int, image uint64)
}

// holes returns what inpainting is judged by: what training judges it by, and
// blocks of one size.
func holes() []hole {
	var all []hole
	for _, k := range []restore.Hole{restore.Pixels, restore.Blocks, restore.Text} {
		all = append(all, hole{k.Describe(), "kodak-" + string(k), func(mask []float32, height, width int, image uint64) {
			new(restore.Cutter).Cut(mask, height, width, k, k.Judged(), true, seed, image)
		}})
	}
	for _, side := range []int{8, 16, 32} {
		all = append(all, hole{fmt.Sprintf("10%% in blocks of %d×%d", side, side), fmt.Sprintf("kodak-blocks%dx%d", side, side), func(mask []float32, height, width int, image uint64) {
			cutBlocks(mask, height, width, side, image)
		}})
	}
	return all
}

// cutBlocks marks squares of one size as missing until they cover a tenth of mask.
func cutBlocks(mask []float32, height, width, side int, image uint64) {
	random := rand.New(rand.NewPCG(seed, image))
	for missing := 0; missing < height*width/10; {
		y, x := random.IntN(height-side+1), random.IntN(width-side+1)
		for i := range side * side {
			if m := &mask[(y+i/side)*width+x+i%side]; *m == 0 {
				*m = 1
				missing++
			}
		}
	}
}

func (b *bench) inpainting(root, file string) error {
	m, err := b.load(file, restore.Inpaint)
	if err != nil {
		return err
	}
	fmt.Println("\n| Kodak, missing | restored, PSNR | MS-SSIM | megapixels/s |")
	fmt.Println("|-|-|-|-|")
	p, err := data.OpenPhotos(b.ctx, filepath.Join(root, "kodak"), data.Options{})
	if err != nil {
		return err
	}
	for _, k := range holes() {
		t := &total{}
		for i := range p.Photos {
			f := &p.Photos[i]
			mask, holed := make([]float32, f.Height*f.Width), make([]float32, len(f.Pixels))
			k.cut(mask, f.Height, f.Width, uint64(i))
			for j, v := range f.Pixels {
				if mask[j/3] == 0 {
					holed[j] = float32(v) / 255
				}
			}
			begun := time.Now()
			back, err := m.Inpaint(b.ctx, holed, mask, f.Height, f.Width)
			if err != nil {
				return err
			}
			t.seconds += time.Since(begun).Seconds()
			if err := t.add(f, holed, back, b.e); err != nil {
				return err
			}
			if err := b.write(k.folder, i, f, holed, mask); err != nil {
				return err
			}
		}
		fmt.Printf("| %s | %.2f | %s | %.2f |\n", k.name, t.mean(t.after), t.similarity(), t.pixels/1e6/t.seconds)
	}
	return nil
}

// total sums up scores.
type total struct {
	before, after, msssim []float64
	pixels, seconds       float64
}

// add scores an image, which is clipped as it would be when it is written, but
// not rounded.
func (t *total) add(f *data.Photo, before, after []float32, e *engine.Engine) error {
	clean := make([]float32, len(f.Pixels))
	for i, v := range f.Pixels {
		clean[i] = float32(v) / 255
	}
	o := quality.Options{Pool: e.Pool()}
	for _, one := range []struct {
		image []float32
		into  *[]float64
	}{{before, &t.before}, {after, &t.after}} {
		clipped := make([]float32, len(one.image))
		for i, v := range one.image {
			clipped[i] = max(0, min(1, v))
		}
		psnr, err := quality.PSNR(clipped, clean, o)
		if err != nil {
			return err
		}
		*one.into = append(*one.into, psnr)
	}
	if min(f.Height, f.Width) >= quality.MinMSSSIM {
		s, err := quality.MSSSIM(after, clean, f.Height, f.Width, 3, o)
		if err != nil {
			return err
		}
		t.msssim = append(t.msssim, s)
	}
	t.pixels += float64(f.Height * f.Width)
	return nil
}

func (t *total) mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// similarity is the mean MS-SSIM, or a dash where images are too small.
func (t *total) similarity() string {
	if len(t.msssim) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.4f", t.mean(t.msssim))
}

// write keeps an image for other programs: clean, harmed, and what is missing.
func (b *bench) write(folder string, i int, f *data.Photo, harmed, mask []float32) error {
	if b.dump == "" {
		return nil
	}
	dir := filepath.Join(b.dump, folder)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	clean := make([]float32, len(f.Pixels))
	for j, v := range f.Pixels {
		clean[j] = float32(v) / 255
	}
	for name, p := range map[string]*data.Picture{
		"clean":  {Height: f.Height, Width: f.Width, Channels: 3, Pixels: clean},
		"harmed": {Height: f.Height, Width: f.Width, Channels: 3, Pixels: harmed},
		"mask":   {Height: f.Height, Width: f.Width, Channels: 1, Pixels: mask},
	} {
		if p.Pixels == nil {
			continue
		}
		m, err := p.Image()
		if err != nil {
			return err
		}
		if err := picture.Write(filepath.Join(dir, fmt.Sprintf("%02d-%s.png", i, name)), m); err != nil {
			return err
		}
	}
	return nil
}
