package data_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"hourglass/data"
)

// Images in sub-folders are labelled by them; what cannot be read is named.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "pictures")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"cat/tom.png", "dog/rex.png", "dog/waldi.png"} {
		if err := writeImage(filepath.Join(dir, name)); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dog", "essay.png"), []byte("On dogs"), 0o644); err != nil {
		fmt.Println(err)
		return
	}

	set, err := data.Open(context.Background(), dir, data.Options{Size: 16, NoCache: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Len(), "images of", set.Height, "×", set.Width, "×", set.Channels)
	for i, name := range set.Names {
		fmt.Println(name, "is a", set.Classes[set.Labels[i]])
	}
	for _, s := range set.Skipped {
		fmt.Println(s.Name, "was skipped:", s.Reason)
	}
	// Output:
	// 3 images of 16 × 16 × 3
	// cat/tom.png is a cat
	// dog/rex.png is a dog
	// dog/waldi.png is a dog
	// dog/essay.png was skipped: its content is not JPEG, PNG, GIF, BMP, TIFF or WebP
}

// Images that a program has in memory become a set like any other.
func ExampleNewSet() {
	pixels := make([]uint8, 10*8*8) // ten grey images of 8×8
	labels := []int32{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}
	set, err := data.NewSet(pixels, 8, 8, 1, labels, []string{"odd", "even"})
	if err != nil {
		fmt.Println(err)
		return
	}
	learn, judge := set.Split(data.SplitOptions{Seed: 1})
	loader := data.NewLoader(set, learn, 4, 1)
	fmt.Println(len(learn), "to learn from, in", loader.Batches(), "batches;", len(judge), "held out")
	// Output: 8 to learn from, in 2 batches; 2 held out
}

func writeImage(path string) error {
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range 30 {
		img.Set(i, i, color.RGBA{uint8(8 * i), 90, 200, 255})
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return png.Encode(f, img)
}

// An epoch of training batches, and the held-out images in order.
func ExampleLoader() {
	set, err := data.Open(context.Background(), "fashion", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	train, heldout := set.Split(data.SplitOptions{Seed: 1})

	const batch = 256
	pixels, labels := make([]uint8, batch*set.ImageBytes()), make([]int32, batch)
	loader := data.NewLoader(set, train, batch, 1)
	for step := range loader.Batches() {
		loader.Fill(0, step, pixels, labels, nil)
	}
	fmt.Println(loader.Batches(), "steps")

	evaluation := data.NewLoader(set, heldout, batch, 0)
	shown := 0
	for step := range evaluation.EvalBatches() {
		shown += evaluation.FillInOrder(step, pixels, labels, nil)
	}
	fmt.Println(shown, "images held out")
	// Output:
	// 31 steps
	// 2000 images held out
}
