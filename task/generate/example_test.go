package generate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hourglass/engine"
	"hourglass/task/generate"
	"hourglass/train/run"
)

// Learn what the built-in images are like, make others, and use encoder, second
// stage and decoder apart.
func Example() {
	dir, err := os.MkdirTemp("", "generate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	folder := filepath.Join(dir, "run")
	o := generate.Options{Source: "fashion", Course: run.Course{Seed: 1}} // takes some 25 minutes
	if _, err := generate.Learn(context.Background(), e, o, run.Options{Dir: folder}, run.Hooks{}); err != nil {
		fmt.Println(err)
		return
	}
	m, err := generate.Load(e, filepath.Join(folder, run.ModelFile))
	if err != nil {
		fmt.Println(err)
		return
	}
	images, err := m.Sample(16, 1, 0) // [16,28,28,1] in 0–1
	if err != nil {
		fmt.Println(err)
		return
	}
	codes, err := m.Prior().Codes(make([]float32, m.Prior().Noise())) // the likeliest one
	if err != nil {
		fmt.Println(err)
		return
	}
	middle, err := m.Decode(codes)
	fmt.Println(len(images), len(middle), err)
}
