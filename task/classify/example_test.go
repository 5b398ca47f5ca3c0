package classify_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hourglass/engine"
	"hourglass/task/classify"
	"hourglass/train/run"
)

// Learn to tell the built-in set's classes apart, then load the model and
// classify an image.
func Example() {
	dir, err := os.MkdirTemp("", "classify")
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
	o := classify.Options{Source: "fashion", Widths: []int{8, 8, 16}, Course: run.Course{Epochs: 1, Seed: 1}}
	out, err := classify.Learn(context.Background(), e, o, run.Options{Dir: folder}, run.Hooks{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("more than half are recognised:", out.Summary.HeldOut.Accuracy > 0.5)
	m, err := classify.Load(e, filepath.Join(folder, run.ModelFile))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := m.Classify(out.Evidence.Samples[0].Image)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("probabilities of an image:", len(p))
	// Output:
	// more than half are recognised: true
	// probabilities of an image: 10
}
